"""Hands a message to the SMTP server."""

import socket
import ssl

import aiosmtplib

from jsonrpc_backend.config import SmtpConfig


class NotSent(Exception):
    """The message was not accepted. `permanent`: trying again would not help.

    The text is for the operator; `summary` is the part of it that may be logged, for servers repeat addresses.
    """

    def __init__(self, text: str, *, summary: str, permanent: bool) -> None:
        super().__init__(text)
        self.summary = summary
        self.permanent = permanent


def unusable_certificates(config: SmtpConfig) -> str | None:
    """Why no Mailer can be made of these settings, if so. Blocking."""
    if config.ca_file:  # reading those of the system takes tens of milliseconds and cannot fail
        try:
            Mailer(config)
        except OSError as error:  # also of what is no certificate
            return f"{config.ca_file} cannot be used: {error.strerror}"
    return None


class Mailer:
    """Sends through one SMTP server. Blocking to make: it reads the certificates that it trusts."""

    def __init__(self, config: SmtpConfig) -> None:
        self._config = config
        self._tls = None if config.security == "none" else ssl.create_default_context(cafile=config.ca_file or None)

    async def send(self, message: bytes, sender: str, recipients: list[str]) -> None:
        """Returns when the server has taken the message over. Raises NotSent."""
        try:
            async with self._client() as client:
                await client.sendmail(sender, recipients, message)
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [refusal.code for refusal in error.recipients]
            raise _refused(error, *codes) from error
        except aiosmtplib.SMTPResponseException as error:
            # A wrong password or an unknown sender is the operator's to mend: worth another try.
            is_mendable = isinstance(error, aiosmtplib.SMTPAuthenticationError | aiosmtplib.SMTPSenderRefused)
            raise _refused(error, error.code, mendable=is_mendable) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            text = f"{type(error).__name__}: {error}"
            raise NotSent(text, summary=type(error).__name__, permanent=False) from error

    def _client(self) -> aiosmtplib.SMTP:
        config = self._config
        return aiosmtplib.SMTP(
            hostname=config.host,
            port=config.port,
            username=config.username or None,
            password=config.password if config.username else None,
            use_tls=config.security == "tls",
            start_tls=config.security == "starttls",
            tls_context=self._tls,
            timeout=config.timeout_seconds,
            local_hostname=socket.gethostname(),  # its default asks the name server, which may be slow
        )


def _refused(error: aiosmtplib.SMTPException, *codes: int, mendable: bool = False) -> NotSent:
    permanent = not mendable and all(500 <= code < 600 for code in codes)
    summary = f"{type(error).__name__} {' '.join(map(str, codes))}"
    return NotSent(f"{summary}: {error}", summary=summary, permanent=permanent)
