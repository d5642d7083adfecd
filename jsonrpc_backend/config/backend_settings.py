"""The settings of one backend."""

import re
from dataclasses import dataclass

from jsonrpc_backend.config.fields import array_of_tables, required, section, setting, tables
from jsonrpc_backend.config.mail_templates import (
    BUILT_IN_TEMPLATES,
    TEMPLATE_NAME,
    WELCOME_BACK,
    MailTemplateConfig,
)
from jsonrpc_backend.config.rules import ONE_LINE, boolean, integer, is_network, list_of, one_of, text

USERNAME = "_username"  # where a property is named
DEFAULT_EMAIL_PROPERTY = USERNAME

_PROPERTY_NAME = re.compile(r"_username|[a-zA-Z][a-zA-Z0-9]*")


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
    page: bool = setting(
        False, boolean(), "Whether there is a page at /reset/<backend id> where users enter the code of a reset mail."
    )


@dataclass(frozen=True)
class ManagementKeyConfig:
    label: str = required(
        text("one line of 1 to 100 characters", rf"(?=.{{1,100}}\Z){ONE_LINE}"),
        "Names the key's holder in the audit log.",
    )
    key: str = required(
        text("a string of 16 to 255 ASCII characters without spaces", r"[!-~]{16,255}", secret=True),
        "Sent as the header X-Monaca-Backend-Management-API-Key. It opens every account: keep it on servers only.",
    )
    ip_ranges: tuple[str, ...] = setting(
        [],
        list_of('addresses or networks such as "192.0.2.0/24"', is_network),
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
    language: str = setting(
        "",
        one_of("", "en", "ja"),
        "Language of the sentences in error.data, and of the mails whose templates are not set below. Empty: that of"
        " the caller's Accept-Language, and English mails.",
    )
    max_database_bytes: int = setting(
        0,
        integer(0, 1 << 50),
        "Largest database, in bytes; 0: as large as the disk. Past that what adds to it gets error 9999: registrations,"
        " larger properties. Sign-ins go on, so leave some room for them.",
    )
    calls_per_month: int = setting(
        0,
        integer(0, 1 << 50),
        "Calls of the app in a calendar month (UTC); 0: any number. Past that they get error 9999 until the month ends."
        " throttle.enabled does not turn this off.",
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
        return tuple(name for name, template in self.mail_templates.items() if template.has_token)

    @property
    def app_templates(self) -> tuple[str, ...]:
        """The templates of mails that one user sends to another: not those of the server's own mails."""
        return tuple(name for name in self.mail_templates if name not in BUILT_IN_TEMPLATES["en"])
