"""Which metrics there are: what Prometheus and the table in the documents say of each."""

from dataclasses import dataclass
from typing import Literal

PREFIX = "jsonrpc_backend_"


@dataclass(frozen=True)
class Declared:
    """`name` is without the prefix and, of a counter, without `_total`, which prometheus-client adds itself.

    `alike`: all processes of a server see the same, so it is not added up.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()
    alike: bool = False

    @property
    def family(self) -> str:
        return PREFIX + self.name

    @property
    def full_name(self) -> str:
        return f"{self.family}_total" if self.kind == "counter" else self.family


CALLS = Declared(
    "calls",
    "counter",
    "Calls that were answered; code 0: success. Names that are none of the server's count as `(unknown)`, what was no"
    " request as `(none)`.",
    ("backend", "method", "code"),
)
CALL_DURATION = Declared(
    "call_duration_seconds", "histogram", "Time from a parsed call to its answer.", labels=("method",)
)
SIGN_INS = Declared(
    "sign_ins",
    "counter",
    "Attempts to sign in, with `password`, `login_token`, `reset_token` or `registration`: `success`, `rejected` (wrong"
    " or malformed), `throttled`, `unavailable`, `not_admitted` (API key, device, session id), `failed` (-32603).",
    ("backend", "with", "outcome"),
)
MAILS = Declared(
    "mails",
    "counter",
    "Mails that were `written` or `sent`; attempts that have `failed` (there will be others); mails `given_up`.",
    ("backend", "outcome"),
)
ARGON2_DURATION = Declared(
    "argon2_duration_seconds", "histogram", "Time of one Argon2 computation, without the wait for it."
)
ARGON2_HASHES = Declared("argon2_hashes", "gauge", "Passwords that are `running` or `waiting`.", ("state",))
UP = Declared("up", "gauge", "1: the backend's database answers; 0: it does not.", ("backend",), alike=True)
USERS = Declared("users", "gauge", "Users.", ("backend",), alike=True)
SESSIONS = Declared("sessions", "gauge", "Sessions that have not ended.", ("backend",), alike=True)
COLLECTIONS = Declared("collections", "gauge", "Collections.", ("backend",), alike=True)
ITEMS = Declared(
    "items",
    "gauge",
    "Items of all collections, with those of dropped ones until they are removed.",
    ("backend",),
    alike=True,
)
DATABASE = Declared(
    "database_bytes", "gauge", "Size of the `database` and of its write-ahead `log`.", ("backend", "file"), alike=True
)
CONNECTIONS = Declared("connections", "gauge", "Open connections.")
LOG_LINES_DROPPED = Declared("log_lines_dropped", "counter", "Lines of the log that could not be written.")
BUILD = Declared("build_info", "gauge", "Always 1; the labels tell.", ("version", "python", "argon2"), alike=True)

METRICS = (
    CALLS,
    CALL_DURATION,
    SIGN_INS,
    MAILS,
    ARGON2_DURATION,
    ARGON2_HASHES,
    UP,
    USERS,
    SESSIONS,
    COLLECTIONS,
    ITEMS,
    DATABASE,
    CONNECTIONS,
    LOG_LINES_DROPPED,
    BUILD,
)
