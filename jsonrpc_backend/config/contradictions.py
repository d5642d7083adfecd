"""What only several settings together get wrong."""

from collections.abc import Iterator

from jsonrpc_backend.config.backend_settings import EXAMPLE_MANAGEMENT_KEY
from jsonrpc_backend.config.mail_templates import problems_of
from jsonrpc_backend.config.problems import Problem
from jsonrpc_backend.config.settings import Config


def contradictions(config: Config) -> Iterator[Problem]:
    yield from _of_backend_ids(config)
    yield from _of_numbers(config)
    yield from _of_templates(config)
    yield from _of_management(config)


def _of_backend_ids(config: Config) -> Iterator[Problem]:
    if not config.backends:
        yield Problem("backends", "there is none; add a table [backends.app] with an api_key")
    taken: dict[str, str] = {}
    for backend_id in config.backends:
        # Their database files would be one file where names ignore case, and so would their environment variables.
        other = taken.setdefault(backend_id.casefold().replace("-", "_"), backend_id)
        if other != backend_id:
            yield Problem(f"backends.{backend_id}", f"differs from {other} in upper and lower case or - and _ only")


def _of_numbers(config: Config) -> Iterator[Problem]:
    if config.passwords.memory_kib < 8 * config.passwords.parallelism:
        yield Problem("passwords.memory_kib", "Argon2 needs at least 8 KiB for each lane (passwords.parallelism)")
    if config.server.max_bytes_in_flight < 2 * config.server.max_body_bytes:
        yield Problem("server.max_bytes_in_flight", "must be at least twice server.max_body_bytes")


def _of_templates(config: Config) -> Iterator[Problem]:
    for backend_id, backend in config.backends.items():
        for name, template in backend.mail_templates.items():
            yield from problems_of(name, template, f"backends.{backend_id}.mail_templates.{name}")


def _of_management(config: Config) -> Iterator[Problem]:
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
