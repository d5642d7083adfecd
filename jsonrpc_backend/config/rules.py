"""What a setting accepts."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from email.headerregistry import Address

ONE_LINE = r"[^\x00-\x1f\x7f\x85\u2028\u2029]*"


@dataclass(frozen=True)
class Rule:
    """What a setting accepts: `accepts` tells, `allowed` says it in words, `read` parses an environment variable."""

    allowed: str
    accepts: Callable[[Any], bool]
    read: Callable[[str], Any] = str
    secret: bool = False

    def complaint(self, value: object) -> str:
        shown = "this value" if self.secret else toml_like(value)
        return f"{shown} is not allowed; use {self.allowed}"


def toml_like(value: object) -> str:
    """A value as a complaint shows it: about as it stands in the file, and not longer than a line takes."""
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


def is_network(value: str) -> bool:
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


def addresses_in(value: Any) -> "list[Address]":
    """The addresses in a From header with this value; none if it cannot be one."""
    from email.message import EmailMessage  # noqa: PLC0415 (a tenth of a command's start, and few settings are mails)

    message = EmailMessage()
    try:
        message["From"] = value
    except (ValueError, TypeError, AttributeError):
        return []
    header = message["From"]
    return [] if header.defects else [address for address in header.addresses if address.domain]


def sender() -> Rule:
    return Rule('one address such as "App <app@example.com>"', lambda value: len(addresses_in(value)) == 1)


def address_or_empty() -> Rule:
    return Rule(
        "one mail address, or empty",
        lambda value: value == "" or [address.addr_spec for address in addresses_in(value)] == [value],
    )
