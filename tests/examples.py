"""The examples of the schema files as calls of a real server: the test of a method is what its file says of it.

An example is a call in a world. In every world Anna has an account and is signed in on one device; a method that is for
users who are signed in is called by her there, one that is not for them from another device, those of operators with a
management key. What else has to be so, an example says in `given`: one of GIVEN. Ids and tokens of the examples stand
for those that Anna really has.
"""

import asyncio
import contextlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from jsonrpc_backend.accounts.tokens import digest
from jsonrpc_backend.methods import APP_API, MANAGEMENT_API
from jsonrpc_backend.rpc.registry import Method, SessionRule
from jsonrpc_backend.rpc.schema_files import load
from jsonrpc_backend.store import collections, devices, items
from jsonrpc_backend.store.collections import Collection, Settings
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.item_rights import NONE, PUBLIC, Permission, Rights
from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from tests.conftest import NewApp
from tests.mailbox import Mailbox, listening
from tests.operators import KEYS, Operator, add_users
from tests.servers import InProcessServer
from tests.wire import Answer, Wire

# The methods of both APIs, those of the operators' under names such as "management/User.list".
methods = {method.schema: method for method in [*APP_API.methods.values(), *MANAGEMENT_API.methods.values()]}

ANNA, PASSWORD, PROPERTIES = "anna@example.com", "blue-whale-31", {"nickname": "Anna", "age": 21}
DEVICE = "7b1d2a3c"

ITEM_ID = "i3c9e6f0a-7d0e-4a53-9f0b-2f5d8c1e7a64"
USER_ID, SESSION_ID = "u0f8fad5b-d9cb-469f-a165-70867728950e", "5f0c1a7be29d"
LOGIN_TOKEN, RESET_TOKEN = "6f" * 32, "7K4M-9PXT-3VRC"


# --- what the files say ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Example:
    """One call; `code` is what it is answered with, 0: the result. Those of errors have no name."""

    method: str
    params: Mapping[str, Any]
    given: str
    code: int = 0
    name: str = ""
    result: Any = None

    def __str__(self) -> str:
        return "-".join(filter(None, (self.method, str(self.code or self.name), self.given)))


def schema(method: str) -> dict[str, Any]:
    return dict(load(f"{method}.json"))


def successes(method: str) -> list[Example]:
    return [
        Example(method, each["params"], each.get("given", ""), name=each["name"], result=each["result"])
        for each in schema(method)["examples"]
    ]


def failures(method: str) -> Iterator[Example]:
    """What provokes the errors of a method. Params that are not said are those of its first example."""
    usual = successes(method)[0].params
    for error in schema(method)["errors"]:
        for each in [*error.get("examples", ()), *_implied(methods[method], error["code"])]:
            yield Example(method, each.get("params", usual), each.get("given", ""), error["code"])


def _implied(method: Method, code: int) -> Iterator[dict[str, Any]]:
    """The errors that follow from what the decorator says."""
    if code == 11 and method.session is SessionRule.REQUIRED:
        yield {"given": SIGNED_OUT}
    if code == 11 and method.session is SessionRule.IF_GIVEN:
        yield {"given": SESSION_ENDED}
    if code == 13 and method.session is SessionRule.FORBIDDEN:
        yield {"given": SIGNED_IN}
    if code == 9999 and method.limited is not None:
        yield {"given": TOO_OFTEN, "params": {}}


# Methods that answer with error 13 whatever is asked of them; the results of their examples are the documented ones.
NEVER_DONE = {"management/Push.send", "management/Push.status"}


def all_params(method: str) -> dict[str, Any]:
    """Those of all examples of a method, which name each of its parameters."""
    return {name: value for example in successes(method) for name, value in example.params.items()}


# --- worlds ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Given:
    """What is so before a call.

    `settings` as `new_app` takes them; `properties` of Anna, None: she has no account; `users` there are beside her;
    `failures`: so many calls have been refused; `params` take the place of the example's; `at_once`: so many calls.
    `items` are in the collection beside hers, which is `readable` for everybody or hers; `insertable`: for apps.
    `anonymous`: nobody is signed in, and somebody else who was not has inserted something.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] | None = field(default_factory=lambda: PROPERTIES)
    users: int = 0
    failures: int = 0
    params: Mapping[str, Any] = field(default_factory=dict)
    at_once: int = 1
    items: int = 0
    insertable: bool = True
    readable: bool = False
    anonymous: bool = False


SESSION_ENDED = "The session has ended."
SIGNED_OUT, SIGNED_IN, TOO_OFTEN = "Nobody is signed in.", "Somebody is signed in.", "Such calls have failed too often."

TIGHT = {
    "enabled": True,
    "failed_logins_per_user": 1,
    "failed_logins_per_address": 1,
    "registrations_per_address": 1,
    "reset_requests_per_address": 1,
}
BUSY = {"workers": 1, "max_queue": 1, "memory_kib": 32768}  # each takes so long that the others come meanwhile
ENDLESS = "&&".join(f"a{number}==null" for number in range(500))
ENDLESSLY = {"criteria": ENDLESS, "bindParams": []}

TEMPLATES = {
    "invitation": {"subject": "An invitation", "from": "app@example.com", "body": "%FROM% is waiting in %PLACE%."}
}

GIVEN = {
    "": Given(),
    SIGNED_OUT: Given(),
    SIGNED_IN: Given(),
    SESSION_ENDED: Given(),
    TOO_OFTEN: Given({"throttle": TIGHT}, failures=1),
    "Nobody has an account.": Given(properties=None),
    "Auto-login is off.": Given({"auto_login": {"enabled": False}}),
    "The database is full.": Given({"max_database_bytes": 400_000}, properties={"text": "x" * 400_000}),
    "The account is new and has as much as a new one may.": Given(
        {"throttle": {"enabled": True, "bytes_of_new_accounts": 1000}}, properties={"text": "x" * 980}
    ),
    "The server has too many passwords to hash.": Given({"passwords": BUSY}, at_once=8),
    "Searches take too long.": Given(
        {"management": {"search_seconds": 1}}, users=15_000, params={"userQuery": ENDLESS, "userQueryBindParams": []}
    ),
    "Operators' searches for items take too long.": Given(
        {"management": {"search_seconds": 1}},
        items=15_000,
        params={"itemQuery": ENDLESS, "itemQueryBindParams": []},
    ),
    "Searches for items take too long.": Given({"collections": {"search_seconds": 1}}, items=15_000, params=ENDLESSLY),
    "Too many searches wait.": Given(
        {"collections": {"searches": 1, "max_waiting": 1}}, items=2_000, params=ENDLESSLY, at_once=8
    ),
    "The collection is not insertable.": Given(insertable=False),
    "The item may only be read.": Given(readable=True),
    "Too much was inserted without signing in.": Given(
        {"throttle": {"enabled": True, "anonymous_inserts_per_address": 1}}, anonymous=True
    ),
    "Too many mails were sent.": Given({"throttle": {"enabled": True, "mails_per_sender": 1}}, at_once=2),
}


@dataclass
class World:
    """Where an example is called: who calls, and what its ids and tokens stand for."""

    example: Example
    caller: Wire | Operator
    real: Mapping[str, str]

    async def call(self, params: Mapping[str, Any]) -> Answer:
        """The answer; of several calls at once the first that is answered with the example's code."""
        name, given, own = methods[self.example.method].name, GIVEN[self.example.given], self.real_params(params)
        for _ in range(given.failures):
            assert (await self.caller.call(name, **own)).code == -32602
        answers = await asyncio.gather(*(self.caller.call(name, **own) for _ in range(given.at_once)))
        expected = (answer for answer in answers if answer.body.get("error", {}).get("code", 0) == self.example.code)
        return next(expected, answers[0])

    def real_params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        own = {name: self._real(value) for name, value in params.items()}
        known = schema(self.example.method)["params"]["properties"]
        return own | {name: value for name, value in GIVEN[self.example.given].params.items() if name in known}

    def _real(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._real(item) for item in value]
        return self.real.get(value, value) if isinstance(value, str) else value


async def world_of(example: Example, new_app: NewApp) -> World:
    method, given = methods[example.method], GIVEN[example.given]
    async with listening(Mailbox()) as mailbox:
        app = await new_app(smtp=mailbox.settings, mail_templates=TEMPLATES, **given.settings, **KEYS)
        operator = Operator(app.http, cast("InProcessServer", app.server))
        _add_others(operator.server, given.users)
        anna, real = app.elsewhere(DEVICE), {}
        if given.properties is not None:
            real = await _sign_anna_in(anna, operator, given.properties)
        if method.name.startswith(("Collection.", "CollectionItem.", "Device.")):
            prepare_device_and_collection(operator.server, given, real)
        if given.anonymous:
            assert (await app.elsewhere("another device").call("Device.saveProperty", name="a", value=1)).result
        if example.given == SESSION_ENDED:
            await anna.tab().call("User.logout")
        if RESET_TOKEN in example.params.values():
            await app.call("User.sendPasswordResetToken", username=ANNA)
            real[RESET_TOKEN] = (await mailbox.next()).token
    is_hers = method.session is not SessionRule.FORBIDDEN or example.given == SIGNED_IN
    caller = anna if is_hers and example.given != SIGNED_OUT and not given.anonymous else app
    return World(example, operator if example.method.startswith("management/") else caller, real)


async def _sign_anna_in(anna: Wire, operator: Operator, properties: Mapping[str, Any]) -> dict[str, str]:
    """Makes her account, in the operators' way, which no limit counts."""
    user_id = await operator.create(ANNA, PASSWORD, **properties)
    answer = await anna.call("User.login", username=ANNA, password=PASSWORD)
    (session,) = (await operator.call("Session.list", _id=user_id)).result["sessions"]
    real = {USER_ID: user_id, SESSION_ID: session["id"]}
    return real | ({LOGIN_TOKEN: answer.result["loginToken"]} if "loginToken" in answer.result else {})


def _add_others(server: InProcessServer, many: int) -> None:
    if many:
        with contextlib.closing(open_for_writing(server.database_path())) as db:
            properties = {f"b{number}": "x" * 20 for number in range(60)}
            db.write(lambda db: add_users(db, many, properties))


def prepare_device_and_collection(server: InProcessServer, given: Given, real: dict[str, str]) -> None:
    """A collection with an item of Anna's, and a property of her device."""
    config = Settings(given.insertable, NONE, "private", ())
    public = Rights(reads=True, writes=False)
    owner = None if given.readable else real[USER_ID]

    def fill(db: Db) -> None:
        now = server.clock()
        devices.merge_properties(db, digest(DEVICE), {"tutorialSeen": True}, now)
        collections.insert(db, "diary", config, now)
        diary, many = collections.find(db, "diary"), json.dumps({f"b{number}": "x" * 20 for number in range(60)})
        assert diary is not None
        for number in range(given.items):
            _insert(db, diary, f"i{number}", owner, many, {PUBLIC: public}, now)
        real[ITEM_ID] = f"i{uuid.uuid4()}"
        _insert(db, diary, real[ITEM_ID], owner, '{"text":"Rain all day.","mood":3}', {PUBLIC: public}, now)

    with contextlib.closing(open_for_writing(server.database_path())) as db:
        db.write(fill)


def _insert(  # noqa: PLR0917
    db: Db, diary: Collection, item_id: str, owner: str | None, properties: str, permission: Permission, now: int
) -> None:
    items.insert(
        db,
        diary,
        id=item_id,
        owner=owner,
        device=None,
        properties_json=properties,
        permission=permission,
        created_at=now,
        updated_at=now,
    )


# --- results ---------------------------------------------------------------------------------------------

# Of the documents of rpc.discover, which tests/test_openrpc.py looks at.
LONG = {"info", "methods", "components"}


def shape(value: Any) -> Any:
    """A result without what is another one each time: ids and tokens, times."""
    if isinstance(value, list):
        return [shape(item) for item in value]
    if isinstance(value, dict):
        return {
            name: type(member).__name__ if name in LONG else shape(member)
            for name, member in value.items()
            if name != "x-error-meanings"
        }
    if isinstance(value, str) and re.fullmatch(r"[ui]?[0-9a-f][0-9a-f-]{11,}", value):
        return "an id or a token"
    return "a time" if type(value) is int and value > 10**12 else value
