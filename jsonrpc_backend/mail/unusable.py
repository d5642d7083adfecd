"""What keeps a server from starting: apart, for the commands, which import nothing else of mails to tell it."""


class MailUnusable(Exception):
    """Mails cannot be written or sent; the message says what is to be mended."""
