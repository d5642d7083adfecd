"""What keeps a server from starting as it is configured, beyond the rule of each setting; and what others can read.

`serve` and `check-config` both ask here, so that neither lets through what the other refuses.
"""

import ipaddress
import itertools
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from jsonrpc_backend.config import Config, ConfigError, Problem, SmtpConfig
from jsonrpc_backend.config.example import EXAMPLE_KEY
from jsonrpc_backend.config.loopback import is_loopback
from jsonrpc_backend.config.rules import addresses_in
from jsonrpc_backend.mail.seal import Seal, Unreadable, mail_key_path
from jsonrpc_backend.mail.smtp import unusable_certificates
from jsonrpc_backend.telemetry.metrics import MetricsUnavailable, load_meters

EXAMPLE = "is the example's, which everybody knows; use a long random string, such as `jsonrpc-backend init` writes"


def check(config: Config, source: str) -> None:
    """Raises ConfigError with everything that this machine or these settings together do not allow."""
    found = [*_of_addresses(config), *_of_keys(config), *_of_mail(config), *_of_this_machine(config)]
    if found:
        raise ConfigError(found, source)


def _of_addresses(config: Config) -> Iterator[Problem]:
    places = [("server", config.server.host, config.server.port)]
    if config.management.host:
        places.append(("management", config.management.host, config.management.port))
    if config.metrics.enabled:
        places.append(("metrics", config.metrics.host, config.metrics.port))
    for (first, host, port), (second, other_host, other_port) in itertools.combinations(places, 2):
        if port == other_port != 0 and _meet(host, other_host):
            yield Problem(f"{second}.port", f"is {first}.port, at the same address; use another one")


def _meet(one: str, other: str) -> bool:
    """Whether two hosts have an address in common, as far as can be told without asking a name server."""
    return any(_is_same(first, second) for first in _addresses(one) for second in _addresses(other))


def _addresses(host: str) -> tuple[str, ...]:
    return ("127.0.0.1", "::1") if host == "localhost" else (host,)


def _is_same(one: str, other: str) -> bool:
    try:
        first, second = ipaddress.ip_address(one), ipaddress.ip_address(other)
    except ValueError:
        return one == other
    is_any = first.is_unspecified or second.is_unspecified
    return first == second or (first.version == second.version and is_any)


def _of_keys(config: Config) -> Iterator[Problem]:
    for backend_id, backend in config.backends.items():
        if backend.api_key == EXAMPLE_KEY:
            yield Problem(f"backends.{backend_id}.api_key", EXAMPLE)


def _of_mail(config: Config) -> Iterator[Problem]:
    smtp = config.smtp
    if smtp.username and not smtp.password:
        yield Problem("smtp.password", "is missing for smtp.username; the environment is a good place for it")
    if reason := unusable_certificates(smtp):
        yield Problem("smtp.ca_file", reason)
    if not _is_far(smtp):
        return
    for backend_id, backend in config.backends.items():
        for name, template in backend.mail_templates.items():
            (sender,) = addresses_in(template.sender)
            if sender.domain == "localhost":
                where = f"backends.{backend_id}.mail_templates.{name}.from"
                yield Problem(where, f"is {sender.addr_spec}, which mail servers refuse; use an address of your domain")


def _is_far(smtp: SmtpConfig) -> bool:
    """Whether mails go out. A host of this machine, or one without a domain, may as well be a mailbox for tests."""
    return "." in smtp.host and not is_loopback(smtp.host)


def _of_this_machine(config: Config) -> Iterator[Problem]:
    if config.metrics.enabled:
        try:
            load_meters()
        except MetricsUnavailable as error:
            yield Problem("", str(error))
    folder = Path(config.server.data_dir).absolute()
    there = next(path for path in (folder, *folder.parents) if os.path.exists(path))  # noqa: PTH110 (raises nothing)
    if not there.is_dir():
        yield Problem("server.data_dir", f"{there} is a file; name a folder")
        return
    for backend_id in config.backends:
        try:
            Seal(mail_key_path(folder, backend_id)).check()
        except Unreadable as error:
            yield Problem("", str(error))


# --- who else can read --------------------------------------------------------------------------------------


def exposed(config: Config, config_file: Path | None) -> Iterator[str]:
    """A sentence for each file with keys or data that other users of the machine can read or write."""
    if config_file is not None:
        yield from _exposed(config_file, 0o600)
    folder = Path(config.server.data_dir)
    if not folder.is_dir():
        return
    yield from _exposed(folder, 0o700)
    if folder.stat().st_mode & 0o011:  # else nobody else gets to what is in it
        for file in sorted(path for path in folder.iterdir() if _is_ours(path, config)):
            yield from _exposed(file, 0o600)


def _is_ours(file: Path, config: Config) -> bool:
    """Databases, their logs and copies, and keys."""
    return file.is_file() and file.name.partition(".")[0] in config.backends


def _exposed(path: Path, wanted: int) -> Iterator[str]:
    """The owner's group may read, for who wants that has to say so; it may not write."""
    mode = stat.S_IMODE(path.stat().st_mode)
    can = [word for bits, word in ((0o004, "read"), (0o022, "written")) if mode & bits]
    if can:
        yield f"{path} can be {' and '.join(can)} by other users (mode {mode:o}). Say: chmod {wanted:o} {path}"
