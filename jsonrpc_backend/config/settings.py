"""Settings: frozen dataclasses filled from TOML and the environment.

Each setting states its default, its rule and its meaning in one place. Every problem found is reported with the
path of its key (`backends.app.min_password_length`), all of them together.

Precedence: command line flag, then environment, then TOML, then default. The environment variable of a setting
is its path in upper case behind `JSONRPC_BACKEND_`, with `_` for every other character:
`JSONRPC_BACKEND_SERVER_PORT`, `JSONRPC_BACKEND_BACKENDS_APP_API_KEY`.
"""

import dataclasses
import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Any

ENVIRONMENT_PREFIX = "JSONRPC_BACKEND_"
CONFIG_FILE_VARIABLE = ENVIRONMENT_PREFIX + "CONFIG"
MANAGEMENT_KEY_VARIABLE = ENVIRONMENT_PREFIX + "MANAGEMENT_KEY"  # of the command line, for `user --url`
DEFAULT_CONFIG_FILE = "config.toml"

# Kubernetes injects these into every container when a service is called "jsonrpc-backend".
_INJECTED = re.compile(ENVIRONMENT_PREFIX + r"(SERVICE_(HOST|PORT)|PORT)(_\w+)?")


@dataclass(frozen=True)
class Problem:
    """One thing wrong in the configuration, at the path of its key."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ConfigError(Exception):
    """The configuration cannot be used; `problems` holds everything wrong with it."""

    def __init__(self, problems: list[Problem], source: str) -> None:
        self.problems = problems
        self.source = source
        super().__init__("\n".join(f"{source}: {problem}" for problem in problems))


# --- rules -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """What a setting accepts: `accepts` tells, `allowed` says it in words, `read` parses an environment variable."""

    allowed: str
    accepts: Callable[[Any], bool]
    read: Callable[[str], Any] = str
    secret: bool = False

    def complaint(self, value: object) -> str:
        shown = "this value" if self.secret else _toml_like(value)
        return f"{shown} is not allowed; use {self.allowed}"


def _toml_like(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def integer(minimum: int, maximum: int) -> Rule:
    return Rule(
        f"an integer from {minimum} to {maximum}",
        lambda value: isinstance(value, int) and not isinstance(value, bool) and minimum <= value <= maximum,
        _read_integer,
    )


def boolean() -> Rule:
    return Rule("true or false", lambda value: isinstance(value, bool), _read_boolean)


def text(allowed: str = "a string", pattern: str = r"(?s).*", *, secret: bool = False) -> Rule:
    compiled = re.compile(pattern)
    return Rule(allowed, lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None, secret=secret)


def host_name(*, may_be_empty: bool = False) -> Rule:
    """Without the scheme and the port of a URL, which are taken for a part of the name wherever it is looked up."""
    allowed = "a host name or address, " + ("or empty" if may_be_empty else 'such as "127.0.0.1" or "::1"')
    return Rule(allowed, lambda value: isinstance(value, str) and (_is_host(value) or (may_be_empty and value == "")))


def one_of(*choices: str) -> Rule:
    return Rule(" or ".join(f'"{choice}"' for choice in choices), lambda value: value in choices)


def list_of(allowed: str, accepts: Callable[[str], bool]) -> Rule:
    return Rule(
        f"a list of {allowed}",
        lambda value: isinstance(value, list) and all(isinstance(item, str) and accepts(item) for item in value),
        lambda raw: [item.strip() for item in raw.split(",") if item.strip()],
    )


def _read_integer(raw: str) -> object:
    try:
        return int(raw)
    except ValueError:
        return raw


def _read_boolean(raw: str) -> object:
    return {"true": True, "1": True, "false": False, "0": False}.get(raw.lower(), raw)


def _is_network(value: str) -> bool:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        return False
    return True


def _is_host(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return re.fullmatch(r"[\w-]+(\.[\w-]+)*\.?", value) is not None
    return True


def addresses_in(value: Any) -> list[Address]:
    """The addresses in a From header with this value; none if it cannot be one."""
    message = EmailMessage()
    try:
        message["From"] = value
    except (ValueError, TypeError, AttributeError):
        return []
    header = message["From"]
    return [] if header.defects else [address for address in header.addresses if address.domain]


def _sender() -> Rule:
    return Rule('one address such as "App <app@example.com>"', lambda value: len(addresses_in(value)) == 1)


def _address_or_empty() -> Rule:
    return Rule(
        "one mail address, or empty",
        lambda value: value == "" or [address.addr_spec for address in addresses_in(value)] == [value],
    )


_ONE_LINE = r"[^\x00-\x1f\x7f\x85\u2028\u2029]*"
_ORIGIN = re.compile(r"\*|null|[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s,]*")
_PROPERTY_NAME = re.compile(r"_username|[a-zA-Z][a-zA-Z0-9]*")

BACKEND_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
PLACEHOLDER = re.compile(r"%([a-zA-Z][a-zA-Z0-9_]*)%")
SPECIAL_PLACEHOLDERS = ["PASSWORD_RESET_TOKEN", "USERNAME"]
ADDRESS_PLACEHOLDERS = ["USERNAME", "PROPERTY_NAME", "NEW_ADDRESS", "COUNTS_FROM"]  # of ADDRESS_CHANGED
TEMPLATE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


# --- settings --------------------------------------------------------------------------------------------


def setting(default: Any, rule: Rule, meaning: str) -> Any:
    """A setting with a default; a list in TOML becomes a tuple."""
    frozen = tuple(default) if isinstance(default, list) else default
    return dataclasses.field(default=frozen, metadata={"rule": rule, "meaning": meaning})


def required(rule: Rule, meaning: str, *, key: str | None = None) -> Any:
    """A setting that has no default; `key` is its name in TOML where Python cannot use that."""
    return dataclasses.field(metadata={"rule": rule, "meaning": meaning} | ({"key": key} if key else {}))


def section(cls: type) -> Any:
    """A table within a table, with settings of its own."""
    return dataclasses.field(default_factory=cls, metadata={"section": cls})


def array_of_tables(cls: type, example: Any) -> Any:
    """A list of tables, none by default; the configuration file shows the example."""
    return dataclasses.field(default=(), metadata={"array": cls, "example": example})


def tables(cls: type, name: re.Pattern[str], allowed_name: str, defaults: Mapping[str, Any] | None = None) -> Any:
    """A table of tables, one for each name; `defaults` are there unless a table of that name replaces them."""
    defaults = defaults or {}
    metadata = {"tables": cls, "name": name, "allowed_name": allowed_name, "defaults": defaults}
    return dataclasses.field(default_factory=lambda: dict(defaults), metadata=metadata)


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
        list_of('addresses or networks such as "10.0.0.0/8"', _is_network),
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
    one_core: bool = setting(
        True,
        boolean(),
        "Whether all but hashing keeps to one processor core while no other program needs it: cheaper calls; Linux.",
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
class PasswordsConfig:
    memory_kib: int = setting(19456, integer(8, 4194304), "Argon2id memory for one hash, in KiB.")
    iterations: int = setting(2, integer(1, 1000), "Argon2id passes over that memory.")
    parallelism: int = setting(1, integer(1, 64), "Argon2id lanes.")
    workers: int = setting(0, integer(0, 256), "Hashes computed at the same time; 0: one per processor.")
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
    mails_per_recipient: int = setting(
        10,
        integer(1, 1000000),
        "Mails to one address within the window, for all users and backends together. Those to a user whose username is"
        " the address count apart, for that user alone, once the account is older than the window. A +tag is ignored.",
    )
    mails_per_recipient_of_new_accounts: int = setting(
        3, integer(1, 1000000), "How many of them may be caused by accounts that are younger than the window."
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


@dataclass(frozen=True)
class AutoLoginConfig:
    enabled: bool = setting(True, boolean(), "Whether signing in hands out a login token.")
    valid_minutes: int = setting(43200, integer(1, 5256000), "How long a login token can be used, in minutes.")
    grace_minutes: int = setting(
        10,
        integer(1, 5256000),
        "How long a login token can be used again if the one that it was exchanged for got lost, in minutes.",
    )


@dataclass(frozen=True)
class PasswordResetConfig:
    valid_minutes: int = setting(15, integer(1, 1440), "How long a reset token can be used, in minutes.")
    address_hours: int = setting(
        72,
        integer(0, 8760),
        "A mail address that a session has saved without signing in with the password shortly before counts for resets"
        " after this time, in hours; the address before is told.",
    )
    interval_seconds: int = setting(
        60, integer(0, 86400), "No other reset mail to the same user within this time. Off with throttle.enabled."
    )


@dataclass(frozen=True)
class MailTemplateConfig:
    subject: str = required(text("one line of text", _ONE_LINE), "Subject of the mail.")
    sender: str = required(_sender(), "Sender's address.", key="from")
    body: str = setting(
        "",
        text(),
        "Text of the mail. %PASSWORD_RESET_TOKEN% stands for the token, %USERNAME% for the username, %name% for the"
        " user's property of that name.",
    )
    body_file: str = setting(
        "", text("the path of a file"), "File with the text, instead of body; relative to the configuration's folder."
    )
    bcc: str = setting("", _address_or_empty(), "Address that gets a blind copy; empty: none.")


DEFAULT_EMAIL_PROPERTY = "_username"
DEFAULT_TEMPLATE = "send_password_token"

RESET_MAIL = MailTemplateConfig(
    subject="Your password reset code",
    sender="no-reply@localhost",
    body="""\
Hello,

somebody, probably you, asked to reset the password of your account.
To choose another one, enter this code in the app:

    %PASSWORD_RESET_TOKEN%

If it was not you, ignore this mail: your password stays as it is.
""",
)

# Sent to the address before when another one is saved; about all others to that by which a password is reset.
ADDRESS_CHANGED = "address_changed"

# Of mailings to users who were moved in without a password.
WELCOME_BACK = "welcome_back"

BUILT_IN_TEMPLATES: Mapping[str, Mapping[str, MailTemplateConfig]] = {
    "en": {
        DEFAULT_TEMPLATE: RESET_MAIL,
        ADDRESS_CHANGED: MailTemplateConfig(
            subject="Another mail address of your account",
            sender="no-reply@localhost",
            body="""\
Hello,

your account %USERNAME% has this mail address (%PROPERTY_NAME%) beside yours:

    %NEW_ADDRESS%

From %COUNTS_FROM% on, a new password can be asked for there.

If you want that, there is nothing to do. If that address is not yours, somebody else has been in your account. Before
that time, sign in with your password, change it, and enter your own address again. If you cannot sign in any more, ask
for a new password to be mailed to this address: that signs everybody else out.
""",
        ),
        WELCOME_BACK: MailTemplateConfig(
            subject="Your account has moved: choose a password",
            sender="no-reply@localhost",
            body="""\
Hello,

an app in which you have an account has moved to another server. Your account %USERNAME% has come along, your password
could not. To choose one, enter this code in the app, where it asks for the code of a forgotten password:

    %PASSWORD_RESET_TOKEN%

If the app says that the code has expired, ask there for another one. If you do not use the app any more, there is
nothing to do.
""",
        ),
    },
    "ja": {
        DEFAULT_TEMPLATE: MailTemplateConfig(
            subject="パスワード再設定のコード",
            sender="no-reply@localhost",
            body="""\
お使いのアカウントについて、パスワードの再設定が申し込まれました。
新しいパスワードを設定するには、次のコードをアプリに入力してください。

    %PASSWORD_RESET_TOKEN%

お心当たりがない場合は、このメールを無視してください。パスワードは変わりません。
""",
        ),
        ADDRESS_CHANGED: MailTemplateConfig(
            subject="アカウントのメールアドレスについて",
            sender="no-reply@localhost",
            body="""\
お使いのアカウント %USERNAME% に、このアドレスのほかに次のメールアドレスが %PROPERTY_NAME% として登録されています。

    %NEW_ADDRESS%

%COUNTS_FROM% 以降は、このアドレスでもパスワードを再設定できるようになります。

ご自身で登録された場合は、何もする必要はありません。お心当たりがない場合は、ほかの人がアカウントを操作しています。
上の日時までに、パスワードでログインしてパスワードを変更し、ご自身のアドレスを登録し直してください。
ログインできない場合は、このアドレス宛てにパスワードの再設定を申し込んでください。ほかの人はすべてログアウトされます。
""",
        ),
        WELCOME_BACK: MailTemplateConfig(
            subject="アカウント移行とパスワード設定のお知らせ",
            sender="no-reply@localhost",
            body="""\
アカウントをお持ちのアプリが、新しいサーバーに移りました。
アカウント %USERNAME% はそのまま引き継がれていますが、パスワードは引き継ぐことができませんでした。
新しいパスワードを設定するには、アプリの「パスワードを忘れた場合」の画面に、次のコードを入力してください。

    %PASSWORD_RESET_TOKEN%

コードの有効期限が切れている場合は、アプリで新しいコードを申し込んでください。
このアプリをもうお使いにならない場合は、何もする必要はありません。
""",
        ),
    },
}


@dataclass(frozen=True)
class ManagementKeyConfig:
    label: str = required(
        text("one line of 1 to 100 characters", rf"(?=.{{1,100}}\Z){_ONE_LINE}"),
        "Names the key's holder in the audit log.",
    )
    key: str = required(
        text("a string of 16 to 255 ASCII characters without spaces", r"[!-~]{16,255}", secret=True),
        "Sent as the header X-Monaca-Backend-Management-API-Key. It opens every account: keep it on servers only.",
    )
    ip_ranges: tuple[str, ...] = setting(
        [],
        list_of('addresses or networks such as "192.0.2.0/24"', _is_network),
        "Addresses that may use the key; empty: any.",
    )


EXAMPLE_MANAGEMENT_KEY = ManagementKeyConfig(label="our server", key="put-another-long-random-string-here")


@dataclass(frozen=True)
class BackendConfig:
    api_key: str = required(
        text("a string of 1 to 255 characters without spaces", r"\S{1,255}", secret=True),
        "Key that the app sends as __api_key. It ships inside the app, so it is no secret from its users.",
    )
    min_username_length: int = setting(3, integer(1, 255), "Shortest username, in characters.")
    refuse_confusable_usernames: bool = setting(
        False,
        boolean(),
        "Whether a new username is refused that looks like another one, such as one with a Cyrillic letter in it.",
    )
    min_password_length: int = setting(4, integer(1, 80), "Shortest password, in characters.")
    session_idle_minutes: int = setting(1440, integer(1, 5256000), "A session ends after this time without a call.")
    session_valid_minutes: int = setting(10080, integer(1, 5256000), "A session ends after this time in any case.")
    email_properties: tuple[str, ...] = setting(
        ["_username", "email"],
        list_of("property names, or _username", lambda v: _PROPERTY_NAME.fullmatch(v) is not None),
        "Where a user's mail address may be taken from. What users have in a property that is added later counts for"
        " resets password_reset.address_hours after it is first asked for; the addresses that count are told.",
    )
    language: str = setting("en", one_of("en", "ja"), "Language of the mails whose templates are not set below.")
    max_database_bytes: int = setting(
        0,
        integer(0, 1 << 50),
        "Largest database, in bytes; 0: as large as the disk. Past that what adds to it gets error 9999: registrations,"
        " larger properties. Sign-ins go on, so leave some room for them.",
    )
    keep_audit_days: int = setting(
        365, integer(1, 36500), "How long the audit log remembers what operators did, in days."
    )
    management_keys: tuple[ManagementKeyConfig, ...] = array_of_tables(ManagementKeyConfig, EXAMPLE_MANAGEMENT_KEY)
    auto_login: AutoLoginConfig = section(AutoLoginConfig)
    password_reset: PasswordResetConfig = section(PasswordResetConfig)
    mail_templates: dict[str, MailTemplateConfig] = tables(
        MailTemplateConfig, TEMPLATE_NAME, "letters, digits, - and _", BUILT_IN_TEMPLATES["en"]
    )

    @property
    def reset_templates(self) -> tuple[str, ...]:
        """The templates that an app may choose for its reset mails."""
        return tuple(name for name in self.mailing_templates if name != WELCOME_BACK)

    @property
    def mailing_templates(self) -> tuple[str, ...]:
        """The templates of mails with a reset token."""
        return tuple(name for name in self.mail_templates if name != ADDRESS_CHANGED)


@dataclass(frozen=True)
class Config:
    """All settings of one server process."""

    server: ServerConfig = section(ServerConfig)
    management: ManagementConfig = section(ManagementConfig)
    metrics: MetricsConfig = section(MetricsConfig)
    passwords: PasswordsConfig = section(PasswordsConfig)
    smtp: SmtpConfig = section(SmtpConfig)
    throttle: ThrottleConfig = section(ThrottleConfig)
    backends: dict[str, BackendConfig] = tables(BackendConfig, BACKEND_ID, "letters, digits, - and _, at most 64")


def setting_rule(section: type, name: str) -> Rule:
    """The rule of a setting, for values that come another way than through a configuration."""
    fields = {field.name: field for field in dataclasses.fields(section)}
    rule: Rule = fields[name].metadata["rule"]
    return rule


def setting_key(field: dataclasses.Field[Any]) -> str:
    """The key of a setting in TOML."""
    return str(field.metadata.get("key", field.name))


# --- loading ---------------------------------------------------------------------------------------------


_ABSENT = object()


class _Reader:
    """Walks the dataclasses beside the TOML tables, collecting values and problems."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.problems: list[Problem] = []
        self.variables_known: set[str] = set()

    def read(self, cls: type, table: object, path: str) -> Any:
        """A `cls` from its table. After a problem the value is of no use, and load_config raises."""
        if not isinstance(table, dict):
            self.problems.append(Problem(path, f"{_toml_like(table)} is not allowed; use a table, [{path}]"))
            table = {}
        fields = {setting_key(field): field for field in dataclasses.fields(cls)}
        for key in table.keys() - fields.keys():
            self._unknown(_join(path, key), key, list(fields))
        return cls(**{field.name: self._value(field, key, table, _join(path, key)) for key, field in fields.items()})

    def _value(self, field: dataclasses.Field[Any], key: str, table: Mapping[str, Any], path: str) -> Any:
        if "section" in field.metadata:
            return self.read(field.metadata["section"], table.get(key, {}), path)
        if "array" in field.metadata:
            return self._array(field, table.get(key, []), path)
        if "tables" in field.metadata:
            return self._tables(field, table.get(key, {}), path)
        return self._setting(field, table.get(key, _ABSENT), path)

    def _setting(self, field: dataclasses.Field[Any], value: Any, path: str) -> Any:
        rule: Rule = field.metadata["rule"]
        variable = self._variable(path)
        self.variables_known.add(variable)
        if variable in self.environment:
            value, path = rule.read(self.environment[variable]), f"{path} (environment variable {variable})"
        if value is _ABSENT:
            if field.default is dataclasses.MISSING:
                self.problems.append(Problem(path, "is missing; use " + rule.allowed))
            return field.default
        if not rule.accepts(value):
            self.problems.append(Problem(path, rule.complaint(value)))
        return tuple(value) if isinstance(value, list) else value

    def _tables(self, field: dataclasses.Field[Any], table: object, path: str) -> dict[str, Any]:
        if not isinstance(table, dict):
            self.problems.append(Problem(path, f"{_toml_like(table)} is not allowed; use tables, [{path}.NAME]"))
            return {}
        for name in table:
            if not field.metadata["name"].fullmatch(name):
                message = f"this name is not allowed; use {field.metadata['allowed_name']} characters"
                self.problems.append(Problem(_join(path, name), message))
        read = {name: self.read(field.metadata["tables"], entry, _join(path, name)) for name, entry in table.items()}
        return {**field.metadata["defaults"], **read}

    def _array(self, field: dataclasses.Field[Any], entries: object, path: str) -> tuple[Any, ...]:
        if not isinstance(entries, list):
            self.problems.append(Problem(path, f"{_toml_like(entries)} is not allowed; use tables, [[{path}]]"))
            return ()
        cls = field.metadata["array"]
        return tuple(self.read(cls, entry, f"{path}.{index}") for index, entry in enumerate(entries))

    @staticmethod
    def _variable(path: str) -> str:
        return ENVIRONMENT_PREFIX + re.sub(r"[^A-Z0-9]", "_", path.upper())

    def _unknown(self, path: str, key: str, known: list[str]) -> None:
        self.problems.append(Problem(path, "is not a setting; " + _suggestion(key, known)))

    def check_variables(self) -> None:
        """Reports variables that name no setting: a typo there would otherwise go unnoticed."""
        for variable in sorted(self.environment):
            ours = variable.startswith(ENVIRONMENT_PREFIX) and not _INJECTED.fullmatch(variable)
            if ours and variable not in self.variables_known | {CONFIG_FILE_VARIABLE, MANAGEMENT_KEY_VARIABLE}:
                self.problems.append(
                    Problem(
                        f"environment variable {variable}",
                        "is not a setting; " + _suggestion(variable, sorted(self.variables_known)),
                    )
                )


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _suggestion(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"


def load_config(
    table: Mapping[str, Any], *, environment: Mapping[str, str] | None = None, source: str = "configuration"
) -> Config:
    """Settings from a parsed TOML document and the environment (default: the process's).

    Raises ConfigError with everything that is wrong.
    """
    reader = _Reader(os.environ if environment is None else environment)
    config: Config = reader.read(Config, dict(table), "")
    reader.check_variables()
    problems = reader.problems or list(_contradictions(config))
    if problems:
        raise ConfigError(problems, source)
    backends = {backend_id: _with_built_in_templates(backend) for backend_id, backend in config.backends.items()}
    return dataclasses.replace(config, backends=backends)


def _with_built_in_templates(backend: BackendConfig) -> BackendConfig:
    """Templates that are not set come in the backend's language, from the sender of its reset mails."""
    sender = backend.mail_templates[DEFAULT_TEMPLATE].sender
    templates = {
        name: dataclasses.replace(BUILT_IN_TEMPLATES[backend.language][name], sender=sender)
        if template is BUILT_IN_TEMPLATES["en"].get(name)
        else template
        for name, template in backend.mail_templates.items()
    }
    return dataclasses.replace(backend, mail_templates=templates)


def _template_problems(config: Config) -> Iterator[Problem]:
    for backend_id, backend in config.backends.items():
        for name, template in backend.mail_templates.items():
            path = f"backends.{backend_id}.mail_templates.{name}"
            known = ADDRESS_PLACEHOLDERS if name == ADDRESS_CHANGED else SPECIAL_PLACEHOLDERS
            needed = "%NEW_ADDRESS%" if name == ADDRESS_CHANGED else "%PASSWORD_RESET_TOKEN%"
            if needed not in template.body:
                yield Problem(f"{path}.body", f"does not contain {needed}")
            for placeholder in PLACEHOLDER.findall(template.subject + template.body):
                # Names of properties have no underscore, so this can only be a slip.
                if "_" in placeholder and placeholder not in known:
                    hint = _suggestion(placeholder, known)
                    yield Problem(path, f"%{placeholder}% is not a placeholder; {hint}")


def _management_problems(config: Config) -> Iterator[Problem]:
    if config.management.host and (config.management.host, config.management.port) == (
        config.server.host,
        config.server.port or None,  # 0 is another port each time
    ):
        yield Problem("management.port", "is the server's own; use another one, or no management.host")
    api_keys = {backend.api_key for backend in config.backends.values()}
    for backend_id, backend in config.backends.items():
        for index, entry in enumerate(backend.management_keys):
            path, others = f"backends.{backend_id}.management_keys.{index}", backend.management_keys[:index]
            if entry.key == EXAMPLE_MANAGEMENT_KEY.key:
                yield Problem(f"{path}.key", "is the example's, which everybody knows; use a long random string")
            if entry.key in api_keys:
                yield Problem(f"{path}.key", "is an API key, which ships inside the app; use another one")
            if entry.key in {other.key for other in others}:
                yield Problem(f"{path}.key", "is used twice; give each entry a key of its own")
            if entry.label in {other.label for other in others}:
                yield Problem(f"{path}.label", "is used twice; the audit log could not tell them apart")


def _contradictions(config: Config) -> Iterator[Problem]:
    """What only several settings together get wrong."""
    if not config.backends:
        yield Problem("backends", "there is none; add a table [backends.app] with an api_key")
    taken: dict[str, str] = {}
    for backend_id in config.backends:
        # Their database files would be one file where names ignore case, and so would their environment variables.
        other = taken.setdefault(backend_id.casefold().replace("-", "_"), backend_id)
        if other != backend_id:
            yield Problem(f"backends.{backend_id}", f"differs from {other} in upper and lower case or - and _ only")
    if config.passwords.memory_kib < 8 * config.passwords.parallelism:
        yield Problem("passwords.memory_kib", "Argon2 needs at least 8 KiB for each lane (passwords.parallelism)")
    if config.server.max_bytes_in_flight < 2 * config.server.max_body_bytes:
        yield Problem("server.max_bytes_in_flight", "must be at least twice server.max_body_bytes")
    yield from _template_problems(config)
    yield from _management_problems(config)


def read_config(path: Path, *, environment: Mapping[str, str] | None = None) -> Config:
    """Settings from a TOML file; a relative data_dir is taken from the file's folder.

    Raises ConfigError, also when the file cannot be read or is not TOML.
    """
    table = read_toml(path)
    _read_body_files(table, path)
    config = load_config(table, environment=environment, source=str(path))
    data_dir = str(path.parent / config.server.data_dir)
    return dataclasses.replace(config, server=dataclasses.replace(config.server, data_dir=data_dir))


def _read_body_files(document: Any, path: Path) -> None:
    """Puts the text of each body_file in the place of body. Raises ConfigError. Leaves odd tables to the rules."""
    for backend_id, name, template in _templates_in(document):
        body_file = template.get("body_file")
        if not isinstance(body_file, str) or not body_file:
            continue
        where = f"backends.{backend_id}.mail_templates.{name}.body_file"
        if "body" in template:
            raise ConfigError([Problem(where, "cannot be used together with body")], str(path))
        try:
            template["body"] = (path.parent / body_file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise ConfigError([Problem(where, f"{body_file} cannot be read: {reason}")], str(path)) from error


def _templates_in(document: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for backend_id, backend in _tables_in(document, "backends"):
        for name, template in _tables_in(backend, "mail_templates"):
            yield backend_id, name, template


def _tables_in(table: dict[str, Any], key: str) -> list[tuple[str, dict[str, Any]]]:
    found = table.get(key)
    return (
        [(name, entry) for name, entry in found.items() if isinstance(entry, dict)] if isinstance(found, dict) else []
    )


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as tables. Raises ConfigError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([Problem("", f"cannot be read: {error.strerror}")], str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([Problem("", f"is not valid TOML: {error}")], str(path)) from error
