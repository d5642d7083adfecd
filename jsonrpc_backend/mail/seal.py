"""Encrypts the content of mails that wait: they hold reset tokens, which the database must not give away.

The key is in a file beside the database, so a copy of the database alone opens no account.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from jsonrpc_backend.store import private_file

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


class Unreadable(Exception):
    """The content was sealed with another key, or the key file is damaged."""


def mail_key_path(data_dir: Path, backend_id: str) -> Path:
    """Where a backend's key is."""
    return data_dir / f"{backend_id}.mail-key"


Encrypt = Callable[[bytes], bytes]


class Seal:
    """Seals with the key in a file, which is made for the first content. Blocking: use it off the event loop."""

    def __init__(self, key_file: Path) -> None:
        self.key_file = key_file

    def check(self) -> None:
        """Raises Unreadable, with a sentence, when there is a key file that holds no key, or that cannot be read."""
        if os.path.exists(self.key_file):  # noqa: PTH110 (False where nobody may look)
            try:
                _fernet(self._stored_key())
            except (ValueError, OSError) as error:
                way = "Restore it, or delete it: a new one is made, and mails that wait are lost."
                raise Unreadable(f"{self.key_file} does not hold a key for mails. {way}") from error

    def load(self) -> Encrypt:
        """What seals with the key, which is made the first time. Raises ValueError, OSError."""
        return _fernet(private_file.keep(self.key_file, _new_key)).encrypt

    def decrypt(self, sealed: bytes) -> bytes:
        """The content. Raises Unreadable."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415

        try:
            return _fernet(self._stored_key()).decrypt(sealed)
        except (InvalidToken, ValueError, FileNotFoundError) as error:
            raise Unreadable from error

    def _stored_key(self) -> str:
        return self.key_file.read_text(encoding="utf-8").strip()


# Imported when first used: it takes 10 MiB, and many servers never send a mail.


def _fernet(key: str) -> "Fernet":
    from cryptography.fernet import Fernet  # noqa: PLC0415

    return Fernet(key)


def _new_key() -> str:
    from cryptography.fernet import Fernet  # noqa: PLC0415

    return Fernet.generate_key().decode()
