"""Password reset tokens: short enough to type from a phone, too many to guess."""

import re
import secrets

# Without characters that look alike in some typeface: 0 O Q, 1 I L, 2 Z, 5 S, 6 G, 8 B, U V.
ALPHABET = "3479ACDEFHJKMNPRTWXY"
GROUPS, GROUP_LENGTH = 3, 4  # 12 characters of 20 make 51.9 bits


_TOKEN = re.compile(rf"(?i)\b[{ALPHABET}]{{{GROUP_LENGTH}}}(-?[{ALPHABET}]{{{GROUP_LENGTH}}}){{{GROUPS - 1}}}\b")


def without_reset_tokens(text: str) -> str:
    """A text of somebody else's, such as a mail server that repeats what it was sent, with tokens blotted out."""
    return _TOKEN.sub("…", text)


def reset_tokens_in(text: str) -> list[str]:
    """The tokens of a text, as they are written there, each once."""
    return list(dict.fromkeys(found[0] for found in _TOKEN.finditer(text)))


def new_reset_token() -> str:
    """A token such as `AC3D-K7PR-XW9T`."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))


def as_typed(token: str) -> str:
    """What counts of a token that a person has typed: letters and digits, in upper case."""
    return "".join(character for character in token.upper() if character.isalnum())
