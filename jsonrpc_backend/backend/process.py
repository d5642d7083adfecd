"""What the backends of one server process share."""

from dataclasses import dataclass
from pathlib import Path

from jsonrpc_backend.accounts.passwords import PasswordHasher
from jsonrpc_backend.backend.siblings import Siblings
from jsonrpc_backend.clock import Clock, since_boot
from jsonrpc_backend.config import Config
from jsonrpc_backend.mail.mailbag import MailListener
from jsonrpc_backend.mail.recipients import Recipients
from jsonrpc_backend.telemetry.events import Observer


@dataclass(frozen=True)
class Process:
    """`on_mail` sees each mail that is written (development). `elapsed` goes on steadily, whatever `clock` does."""

    config: Config
    passwords: PasswordHasher
    clock: Clock
    observer: Observer
    recipients: Recipients
    siblings: Siblings
    on_mail: MailListener | None = None
    elapsed: Clock = since_boot

    @property
    def data_dir(self) -> Path:
        return Path(self.config.server.data_dir)
