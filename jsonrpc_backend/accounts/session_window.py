"""How long sessions go on."""

from dataclasses import dataclass

from jsonrpc_backend.clock import MINUTE
from jsonrpc_backend.config import BackendConfig
from jsonrpc_backend.store.sessions import Ended


@dataclass(frozen=True, slots=True)
class SessionWindow:
    """A session ends `idle` ms after its latest use, and `valid` ms after it was opened."""

    idle: int
    valid: int

    @classmethod
    def of(cls, config: BackendConfig) -> "SessionWindow":
        return cls(config.session_idle_minutes * MINUTE, config.session_valid_minutes * MINUTE)

    def ended(self, now: int) -> Ended:
        """Those that have ended by now."""
        return Ended(now - self.idle, now - self.valid)
