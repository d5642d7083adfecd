"""The settings of the server process, which all of its backends share."""

import re
from dataclasses import dataclass

from jsonrpc_backend.config.fields import setting
from jsonrpc_backend.config.rules import boolean, host_name, integer, is_network, list_of, one_of, text

_ORIGIN = re.compile(r"\*|null|[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s,]*")


@dataclass(frozen=True)
class ServerConfig:
    host: str = setting("127.0.0.1", host_name(), "Address to listen on.")
    port: int = setting(8080, integer(0, 65535), "Port to listen on; 0 takes a free one.")
    data_dir: str = setting(
        "data",
        text("the path of a folder", r"(?s).+"),
        "Folder of the database files, one per backend. A relative path starts at the configuration file's folder.",
    )
    allowed_origins: tuple[str, ...] = setting(
        ["*"],
        list_of('origins such as "https://app.example.com", or "*"', lambda v: _ORIGIN.fullmatch(v) is not None),
        "Origins whose pages may call the server (CORS).",
    )
    trusted_proxies: tuple[str, ...] = setting(
        [],
        list_of('addresses or networks such as "10.0.0.0/8"', is_network),
        "Addresses whose X-Forwarded-For is believed.",
    )
    max_body_bytes: int = setting(1048576, integer(1024, 1 << 30), "Largest request body, in bytes.")
    max_batch: int = setting(50, integer(1, 10000), "Most calls in one JSON-RPC batch.")
    max_bytes_in_flight: int = setting(
        67108864,
        integer(1048576, 1 << 36),
        "Memory for request bodies and answers under way, in bytes; past that calls get error 9999.",
    )
    max_connections: int = setting(
        10000,
        integer(1, 1000000),
        "Open connections; fewer where the limit on open files is too low. One more cuts the longest idle one of who"
        " has the most.",
    )
    max_connections_per_address: int = setting(
        0,
        integer(0, 1000000),
        "Open connections of one address (IPv6: /64) from half of max_connections on: one more cuts its longest idle"
        " one. 0: a quarter of all. Networks have more. Not for trusted_proxies, which bring everybody.",
    )
    header_timeout_seconds: int = setting(15, integer(1, 3600), "Time that the head of a request may take to arrive.")
    body_timeout_seconds: int = setting(15, integer(1, 3600), "Time that a request body may take to arrive.")
    answer_timeout_seconds: int = setting(
        15, integer(1, 3600), "Time that a client may take to receive an answer, beside 1 s for each 16 KiB of it."
    )
    docs: bool = setting(
        False,
        boolean(),
        "Whether the server shows its methods to anybody who asks: /docs, /openrpc.json, rpc.discover. --dev does too.",
    )
    log_format: str = setting(
        "auto",
        one_of("auto", "text", "json"),
        "Lines of the log, on standard error; auto: text on a terminal, else JSON.",
    )
    log_level: str = setting("info", one_of("debug", "info", "warning", "error"), "Least severe lines in the log.")
    log_calls: bool = setting(True, boolean(), "Whether the log has a line for each call, at the level info.")
    workers: int = setting(
        0,
        integer(0, 64),
        "Processes that answer calls; 0: one for each processor core, at most 4. With --dev there is one.",
    )
    one_core: bool = setting(
        True,
        boolean(),
        "Whether all but hashing keeps to one processor core, each worker to its own, while no other program needs it:"
        " cheaper calls; Linux.",
    )


@dataclass(frozen=True)
class MetricsConfig:
    enabled: bool = setting(False, boolean(), "Whether /metrics is served, for Prometheus; needs prometheus-client.")
    host: str = setting("127.0.0.1", host_name(), "Address to serve it at. Whoever reaches it can read it.")
    port: int = setting(9464, integer(0, 65535), "Port to serve it at; 0 takes a free one.")


@dataclass(frozen=True)
class ManagementConfig:
    host: str = setting(
        "",
        host_name(may_be_empty=True),
        "Address of the operators' API (/manage/json-rpc); empty: that of the server. If set, the server's has it not.",
    )
    port: int = setting(8081, integer(0, 65535), "Port of the operators' API where it has an address of its own.")
    search_seconds: int = setting(20, integer(1, 3600), "Time that a search for users may take.")


@dataclass(frozen=True)
class CollectionsConfig:
    search_seconds: int = setting(5, integer(1, 3600), "Time that an app's search for items may take.")
    searches: int = setting(2, integer(1, 64), "Searches at the same time, in each backend.")
    max_waiting: int = setting(64, integer(1, 100000), "Searches that may wait; past that the answer is error 9999.")
    max_waiting_per_address: int = setting(8, integer(1, 100000), "How many of them may be of one address.")


@dataclass(frozen=True)
class PasswordsConfig:
    memory_kib: int = setting(19456, integer(8, 4194304), "Argon2id memory for one hash, in KiB.")
    iterations: int = setting(2, integer(1, 1000), "Argon2id passes over that memory.")
    parallelism: int = setting(1, integer(1, 64), "Argon2id lanes.")
    workers: int = setting(
        0,
        integer(0, 256),
        "Hashes computed at the same time; 0: one per processor. Divided among server.workers, each has at least one.",
    )
    max_queue: int = setting(
        256, integer(1, 100000), "Hashes that may wait; past that who has most of them gets error 9999."
    )


@dataclass(frozen=True)
class SmtpConfig:
    host: str = setting("", host_name(may_be_empty=True), "SMTP server; empty: keep mails, send none.")
    port: int = setting(587, integer(1, 65535), "Port of the SMTP server.")
    security: str = setting("starttls", one_of("starttls", "tls", "none"), "How the connection is encrypted.")
    username: str = setting("", text(), "User name; empty: no authentication.")
    password: str = setting(
        "", text(secret=True), "Password. Better in the environment: JSONRPC_BACKEND_SMTP_PASSWORD."
    )
    ca_file: str = setting("", text("the path of a file"), "Certificates to trust (PEM); empty: those of the system.")
    timeout_seconds: int = setting(30, integer(1, 600), "Time that the SMTP server may take for each answer.")
    first_retry_seconds: int = setting(5, integer(1, 3600), "Pause before a mail is tried again; it doubles each time.")


@dataclass(frozen=True)
class ThrottleConfig:
    enabled: bool = setting(True, boolean(), "false turns every limit below off (tests, load measurements).")
    failed_logins_per_user: int = setting(
        5,
        integer(1, 1000000),
        "Wrong passwords per username and address within the window; a device that has signed in before as that user"
        " has as many for itself. The same number of wrong reset tokens.",
    )
    failed_logins_per_user_unknown_devices: int = setting(
        50,
        integer(1, 1000000),
        "Wrong passwords per username within the window on all devices that have not signed in before as that user,"
        " from all addresses together.",
    )
    failed_logins_per_address: int = setting(
        100,
        integer(1, 1000000),
        "Failed sign-ins, and wrong management keys, per address within the window. IPv6: per /64; a /56 has 4 times as"
        " many, a /48 16 times, and so has a /24 of IPv4. The same holds for the limits per address below.",
    )
    auto_logins_per_family: int = setting(
        300,
        integer(1, 1000000),
        "Sign-ins by the login tokens that descend from one sign-in, within the window. Some apps make one per page.",
    )
    registrations_per_address: int = setting(
        60, integer(1, 1000000), "Registrations and validations per address within the window."
    )
    reset_requests_per_address: int = setting(
        60, integer(1, 1000000), "Requests for a password reset mail per address within the window."
    )
    reset_mails_per_user: int = setting(5, integer(1, 1000000), "Password reset mails per user within the window.")
    mails_per_sender: int = setting(
        30, integer(1, 1000000), "Mails that one user sends to others (Mailer.sendMail), within the window."
    )
    mails_per_recipient: int = setting(
        10,
        integer(1, 1000000),
        "Mails to one address within the window, for all users and backends together. Those to a user whose username is"
        " the address count apart, for that user alone, once the account is older than the window; and so do mails of"
        " Mailer.sendMail, so that they hold up no other. A +tag is ignored.",
    )
    mails_per_recipient_of_new_accounts: int = setting(
        3, integer(1, 1000000), "How many of them may be caused by accounts that are younger than the window."
    )
    anonymous_inserts_per_address: int = setting(
        600,
        integer(1, 1000000),
        "Items that are inserted, and devices that are new, without signing in, per address within the window.",
    )
    hashes_per_address: int = setting(
        64, integer(1, 100000), "Passwords of one address that are hashed or wait for it at the same time."
    )
    bytes_of_new_accounts: int = setting(
        100000,
        integer(1000, 512000),
        "Largest properties of an account that is younger than the window, in bytes; 512000 is what others may have.",
    )
    window_minutes: int = setting(15, integer(1, 1440), "Length of the window, in minutes.")
