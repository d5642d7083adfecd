"""What is known of a method: its handler, its schema, what is asked of who calls it."""

import enum
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from jsonrpc_backend.accounts.throttle import Limited
from jsonrpc_backend.config import BackendConfig
from jsonrpc_backend.rpc.schema_files import load

Handler = Callable[..., Awaitable[Any]]


class SessionRule(enum.Enum):
    """What a method asks of the caller's session."""

    IGNORED = "not looked up: the method does not care"
    OPTIONAL = "looked up"
    IF_GIVEN = "looked up; one that has ended is error 11"
    REQUIRED = "looked up; without one the answer is error 11"
    FORBIDDEN = "looked up; with one the answer is error 13"


@dataclass(frozen=True, slots=True)
class Method:
    """A method's handler and what the dispatcher checks before it runs.

    `limited` is what the throttle counts of its calls; None: nothing.
    `wrong` says, by parameter, that a password or token is wrong.
    `blames` names the parameters that hold what accounts complain of, where they have other names.
    `unavailable` says why a backend's settings turn the method off (error 13), or None.
    `reads_properties`: the session comes with its user's properties, unless they are large.
    `signs_in_with`: what a caller shows who signs in with it, as the metrics name it; None: it signs nobody in.
    `for_anybody`: it is called without API key and device, and is offered only where the reference is (server.docs).
    """

    name: str
    schema: str  # its file in the folder of schemas, without `.json`
    handler: Handler
    session: SessionRule
    limited: Limited | None
    unavailable: Callable[[BackendConfig], str | None]
    keywords: Mapping[str, str]  # parameter name on the wire -> in Python
    reads_properties: bool = False
    signs_in_with: str | None = None
    for_anybody: bool = False
    wrong: Mapping[str, str] = field(default_factory=dict)
    blames: Mapping[str, str] = field(default_factory=dict)


def _always_available(_: BackendConfig) -> str | None:
    return None


OF_APPS, OF_OPERATORS = "", "management/"  # where the schemas of an API's methods are, in the folder of schemas


class Registry(dict[str, Method]):
    """Methods by name: those of a module, which adds each where its handler is, or all of an API."""

    def __init__(self, folder: str = OF_APPS) -> None:
        super().__init__()
        self._folder = folder

    @classmethod
    def joined(cls, folder: str, parts: Iterable["Registry"]) -> "Registry":
        """Those of several modules, in their order."""
        whole = cls(folder)
        for part in parts:
            whole.update(part)
        return whole

    def method(
        self,
        name: str,
        *,
        session: SessionRule = SessionRule.IGNORED,
        limited: Limited | None = None,
        unavailable: Callable[[BackendConfig], str | None] = _always_available,
        reads_properties: bool = False,
        signs_in_with: str | None = None,
        for_anybody: bool = False,
        wrong: Mapping[str, str] = MappingProxyType({}),
        blames: Mapping[str, str] = MappingProxyType({}),
    ) -> Callable[[Handler], Handler]:
        """Adds a handler; its parameters are those of its schema, `<name>.json`, in snake case."""
        schema = f"{self._folder}{name}"

        def register(handler: Handler) -> Handler:
            keywords = {wire: snake_case(wire) for wire in load(f"{schema}.json")["params"]["properties"]}
            self[name] = Method(
                name,
                schema,
                handler,
                session,
                limited,
                unavailable,
                keywords,
                reads_properties=reads_properties,
                signs_in_with=signs_in_with,
                for_anybody=for_anybody,
                wrong=wrong,
                blames=blames,
            )
            return handler

        return register

    def sign_ins(self) -> dict[str, str]:
        """The methods that sign somebody in, and with what."""
        return {name: method.signs_in_with for name, method in self.items() if method.signs_in_with is not None}


def snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
