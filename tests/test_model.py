"""Random sequences of all methods, by several users on several devices, against a model of what they do.

Short each time; longer with

    HOSTILE_INPUTS=100000 python3 run.py test tests/test_model.py
"""

import contextlib
import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from jsonrpc_backend.accounts.tokens import digest
from jsonrpc_backend.mail.mailbag import read_content
from jsonrpc_backend.mail.seal import Seal, mail_key_path
from jsonrpc_backend.store import mails
from jsonrpc_backend.store.sqlite.connection import connect
from tests.mailbox import TOKEN
from tests.patience import HANG_SECONDS
from tests.servers import FakeClock, InProcessServer, make_config
from tests.threaded import Door, served_from_thread
from tests.wire import Answer

pytestmark = pytest.mark.slow

INPUTS = int(os.environ.get("HOSTILE_INPUTS", "1500"))
STEPS = 300

MINUTE = 60_000
SESSION_IDLE, SESSION_VALID = 1440 * MINUTE, 10080 * MINUTE
LOGIN_TOKEN_VALID, RESET_TOKEN_VALID = 43200 * MINUTE, 15 * MINUTE
GRACE = 10 * MINUTE
WRONG_TRIES = 5


# --- the model -------------------------------------------------------------------------------------------


@dataclass(eq=False)
class User:
    name: str
    password: str
    properties: dict[str, Any]
    changed: int
    reset: "Reset | None" = None


@dataclass
class Reset:
    token: str
    made: int
    wrong: int = 0


@dataclass(eq=False)
class Family:
    user: User
    device: str
    has_ended: bool = False


@dataclass(eq=False)
class Session:
    user: User
    family: Family
    made: int
    used: int


@dataclass(eq=False)
class LoginToken:
    family: Family
    parent: "LoginToken | None"
    made: int
    used: int | None = None


class Refused(Exception):
    def __init__(self, code: int, *names: str) -> None:
        super().__init__(code, names)
        self.code, self.names = code, set(names)


@dataclass
class Model:
    """What the server should know. Sessions and login tokens are those that have not been ended."""

    clock: FakeClock
    users: dict[str, User] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    tokens: dict[str, LoginToken] = field(default_factory=dict)
    families: dict[str, Family] = field(default_factory=dict)  # by the half that their tokens have in common

    def user(self, name: str) -> User | None:
        return self.users.get(name.casefold())

    def is_over(self, held: "Session | LoginToken") -> bool:
        """Whether it has ended by the clock; the server forgets it then, sooner or later."""
        now = self.clock.now
        if isinstance(held, LoginToken):
            return now - held.made >= LOGIN_TOKEN_VALID
        return now - held.used >= SESSION_IDLE or now - held.made >= SESSION_VALID

    def session(self, session_id: str | None) -> Session | None:
        """The session if it has not ended; it is in use now."""
        found, now = self.sessions.get(session_id or ""), self.clock.now
        if found is None or self.is_over(found):
            return None
        if now - found.used >= MINUTE:
            found.used = now
        return found

    def signed_in(self, session_id: str | None) -> Session:
        found = self.session(session_id)
        if found is None:
            raise Refused(11)
        return found

    def sign_in(self, user: User, device: str, answer: Answer) -> None:
        """Takes over what the server has handed out."""
        family, now = Family(user, device), self.clock.now
        self.tokens[answer.result["loginToken"]] = LoginToken(family, None, now)
        self.families[answer.result["loginToken"][:32]] = family
        assert answer.session
        self.sessions[answer.session] = Session(user, family, now, now)

    def present(self, token: str) -> LoginToken:
        """One line of a family lives: this token and its successors."""
        found, now = self.tokens.get(token), self.clock.now
        if found is not None and self.is_over(found):
            raise Refused(-32602, "loginToken")
        if found is None or (found.used is not None and now - found.used >= GRACE):
            family = self.families.get(token[:32])
            if family is not None and not family.has_ended:
                self.end_families(lambda each: each is family)
                self.sessions = {key: each for key, each in self.sessions.items() if each.family is not family}
            raise Refused(-32602, "loginToken")
        found.used = now if found.used is None else found.used
        self.tokens = {
            key: each
            for key, each in self.tokens.items()
            if each.family is not found.family or each is found or each.parent is found
        }
        return found

    def succeed(self, parent: LoginToken, answer: Answer) -> None:
        now = self.clock.now
        self.tokens[answer.result["loginToken"]] = LoginToken(parent.family, parent, now)
        assert answer.session
        self.sessions[answer.session] = Session(parent.family.user, parent.family, now, now)

    def end_families(self, ends: Any) -> None:
        """Their sessions go on."""
        self.tokens = {key: each for key, each in self.tokens.items() if not ends(each.family)}
        for family in self.families.values():
            family.has_ended = family.has_ended or ends(family)

    def end_all(self, user: User, but: Session | None = None) -> None:
        self.sessions = {key: each for key, each in self.sessions.items() if each.user is not user or each is but}
        self.end_families(lambda family: family.user is user and (but is None or family is not but.family))
        user.reset = None

    def use_reset_token(self, name: str, token: str) -> User:
        user = self.user(name)
        reset = user.reset if user else None
        if user and reset and reset.token == token and self.clock.now - reset.made < RESET_TOKEN_VALID:
            return user
        if user and reset:
            reset.wrong += 1
            user.reset = reset if reset.wrong <= WRONG_TRIES else None
        raise Refused(-32602, "token")


# --- what is done ----------------------------------------------------------------------------------------

NAMES = ["anna@example.com", "Anna@Example.com", "bob@example.com", "carla"]
PASSWORDS = ["first", "first", "first", "second"]  # mostly the right one
DEVICES = ["phone", "tablet"]
PROPERTIES = ["a", "b", "c"]
VALUES: list[Any] = [None, 0, -1.5, "", "\u00e9", [True], {"a": {}}]
MINUTES = [0.5, 0.5, 1, 1, 14, 15, 60, 1439, 1440, 10079, 43200]

ACTIONS = {
    "register": 6,
    "validate": 1,
    "unregister": 1,
    "update_password": 3,
    "login": 8,
    "auto_login": 10,
    "is_authenticated": 4,
    "logout": 4,
    "send_reset_token": 2,
    "reset_password": 4,
    "get_property": 2,
    "get_properties": 2,
    "save_property": 2,
    "save_properties": 2,
    "time_goes_by": 3,
}


class Life:
    """Each action makes a call and compares its answer, code and names of wrong parameters, with the model's."""

    def __init__(self, door: Door, clock: FakeClock, seed: int) -> None:
        self.door, self.clock, self.random = door, clock, random.Random(seed)
        self.model = Model(clock)
        self.prefix = f"{seed}-"  # the server has the users of earlier lives too
        self.session_ids: list[str] = ["0" * 64]
        self.login_tokens: list[str] = ["0" * 64]
        self.reset_tokens: list[str] = ["3333-3333-3333"]
        self.done: list[tuple[Any, ...]] = []  # for whoever has to find out what went wrong

    def live(self, steps: int) -> None:
        for action in self.random.choices(list(ACTIONS), list(ACTIONS.values()), k=steps):
            getattr(self, action)()
            self.check_users()
        self.check_all()

    def a_name(self) -> str:
        return self.prefix + self.random.choice(NAMES)

    def a_session(self) -> str:
        return self.pick(list(self.model.sessions), self.session_ids)

    def a_login_token(self) -> str:
        return self.pick(list(self.model.tokens), self.login_tokens)

    def pick(self, valid: list[str], all_of_them: list[str]) -> str:
        """Mostly one that the model takes for valid."""
        return self.random.choice(valid if valid and self.random.random() < 0.8 else all_of_them)

    def some_properties(self) -> dict[str, Any]:
        names = self.random.sample(PROPERTIES, self.random.randint(0, 3))
        return {name: self.random.choice(VALUES) for name in names}

    def call(self, method: str, **params: Any) -> Answer:
        answer = self.door.call(method, **params)
        self.done.append((method, params, answer.body))
        if answer.session:
            self.session_ids.append(answer.session)
            self.login_tokens.append(answer.result["loginToken"])
        return answer

    @contextlib.contextmanager
    def answered(self, answer: Answer) -> Iterator[None]:
        """Inside the model does the same; it must have been refused for the same reason, or not at all."""
        expected: tuple[int, set[str]] | None = None
        try:
            yield
        except Refused as refused:
            expected = refused.code, refused.names
        error = answer.body.get("error")
        assert (error and (error["code"], set(error.get("data", {})))) == expected

    def check_user(self, answer: Answer, user: User) -> None:
        found = answer.result["user"]
        assert found["_username"] == user.name
        assert found["_updatedAt"] == user.changed
        assert {key: value for key, value in found.items() if key[0] != "_"} == user.properties

    # --- accounts ---

    def register(self) -> None:
        name = self.a_name()
        password = self.random.choice(PASSWORDS)
        device = self.random.choice(DEVICES)
        properties = self.some_properties()
        answer = self.call("User.register", device=device, username=name, password=password, properties=properties)
        with self.answered(answer):
            if self.model.user(name):
                raise Refused(-32602, "username")
            user = User(name, password, properties, self.clock.now)
            self.model.users[name.casefold()] = user
            self.check_user(answer, user)
            self.model.sign_in(user, device, answer)

    def validate(self) -> None:
        name = self.a_name()
        with self.answered(self.call("User.validate", username=name)):
            if self.model.user(name):
                raise Refused(-32602, "username")

    def unregister(self) -> None:
        password = self.random.choice(PASSWORDS)
        session_id = self.a_session()
        with self.answered(self.call("User.unregister", session=session_id, password=password)):
            user = self.model.signed_in(session_id).user
            if user.password != password:
                raise Refused(-32602, "password")
            self.model.end_all(user)
            del self.model.users[user.name.casefold()]

    def update_password(self) -> None:
        old = self.random.choice(PASSWORDS)
        new = self.random.choice(PASSWORDS)
        session_id = self.a_session()
        answer = self.call("User.updatePassword", session=session_id, oldPassword=old, newPassword=new)
        with self.answered(answer):
            session = self.model.signed_in(session_id)
            if session.user.password != old:
                raise Refused(-32602, "oldPassword")
            self.model.end_all(session.user, but=session)
            session.user.password, session.user.changed = new, self.clock.now

    # --- signing in and out ---

    def login(self) -> None:
        name = self.a_name()
        password = self.random.choice(PASSWORDS)
        device = self.random.choice(DEVICES)
        answer = self.call("User.login", device=device, username=name, password=password)
        with self.answered(answer):
            user = self.model.user(name)
            if user is None or user.password != password:
                raise Refused(-32602, "password")
            self.check_user(answer, user)
            self.model.sign_in(user, device, answer)

    def auto_login(self) -> None:
        device = self.random.choice(DEVICES)
        token = self.a_login_token()
        answer = self.call("User.autoLogin", device=device, loginToken=token)
        with self.answered(answer):
            presented = self.model.present(token)
            self.check_user(answer, presented.family.user)
            self.model.succeed(presented, answer)

    def is_authenticated(self) -> None:
        session_id = self.a_session()
        answer = self.call("User.isAuthenticated", session=session_id)
        assert answer.result is (self.model.session(session_id) is not None)

    def logout(self) -> None:
        device = self.random.choice(DEVICES)
        session_id = self.a_session()
        with self.answered(self.call("User.logout", session=session_id, device=device)):
            session = self.model.signed_in(session_id)
            user, own = session.user, session.family
            self.model.sessions = {key: each for key, each in self.model.sessions.items() if each.family is not own}
            self.model.end_families(lambda each: each.user is user and (each.device == device or each is own))

    # --- forgotten passwords ---

    def send_reset_token(self) -> None:
        name = self.a_name()
        session_id = self.a_session() if self.random.random() < 0.2 else None
        with self.answered(self.call("User.sendPasswordResetToken", session=session_id, username=name)):
            if self.model.session(session_id):
                raise Refused(13, "reason")
            self.wait_for_outbox()
            user = self.model.user(name)
            if user and "@" in user.name:
                user.reset = Reset(self.mailed_token(user.name), self.clock.now)
                self.reset_tokens.append(user.reset.token)

    def wait_for_outbox(self) -> None:
        deadline = time.monotonic() + HANG_SECONDS
        while self.door.server.rows("SELECT count(*) FROM password_reset_requests") != [(0,)]:
            assert time.monotonic() < deadline, "the outbox does nothing"

    def mailed_token(self, recipient: str) -> str:
        server = self.door.server
        seal = Seal(mail_key_path(server.database_path().parent, server.backend_id))
        with contextlib.closing(connect(server.database_path(), read_only=True)) as db:
            mail = next(mails.list_latest(db, 1))
        content = read_content(mail, seal)
        assert mail.recipient == recipient
        assert content is not None
        (token,) = TOKEN.findall(content.body)
        return str(token)

    def reset_password(self) -> None:
        name = self.a_name()
        password = self.random.choice(PASSWORDS)
        device = self.random.choice(DEVICES)
        open_resets = [user for user in self.model.users.values() if user.reset]
        token = self.random.choice(self.reset_tokens[-3:])
        if open_resets and self.random.random() < 0.6:
            user = self.random.choice(open_resets)
            assert user.reset
            name, token = user.name, user.reset.token
        params = {"username": name, "newPassword": password, "token": token.lower().replace("-", "")}
        answer = self.call("User.resetPasswordAndLogin", device=device, **params)
        with self.answered(answer):
            user = self.model.use_reset_token(name, token)
            self.model.end_all(user)
            user.password, user.changed = password, self.clock.now
            self.check_user(answer, user)
            self.model.sign_in(user, device, answer)

    # --- properties ---

    def get_property(self) -> None:
        name = self.random.choice(PROPERTIES)
        session_id = self.a_session()
        answer = self.call("User.getProperty", session=session_id, name=name)
        with self.answered(answer):
            value = self.model.signed_in(session_id).user.properties.get(name)
            assert answer.result == {"value": value}

    def get_properties(self) -> None:
        names = self.random.choice([None, [], [*PROPERTIES, "d"], ["a", "b"]])
        session_id = self.a_session()
        answer = self.call("User.getProperties", session=session_id, names=names)
        with self.answered(answer):
            properties = self.model.signed_in(session_id).user.properties
            wanted = {key: value for key, value in properties.items() if names is None or key in names}
            assert answer.result == {"properties": wanted}

    def save_property(self) -> None:
        name = self.random.choice(PROPERTIES)
        value = self.random.choice(VALUES)
        session_id = self.a_session()
        with self.answered(self.call("User.saveProperty", session=session_id, name=name, value=value)):
            self.save(session_id, {name: value})

    def save_properties(self) -> None:
        properties = self.some_properties()
        session_id = self.a_session()
        with self.answered(self.call("User.saveProperties", session=session_id, properties=properties)):
            self.save(session_id, properties)

    def save(self, session_id: str, properties: dict[str, Any]) -> None:
        user = self.model.signed_in(session_id).user
        user.properties |= properties
        user.changed = self.clock.now

    # --- time, and what is left at the end ---

    def time_goes_by(self) -> None:
        # A write is answered after those before it are done: also the notes of which sessions are in use.
        assert self.call("User.autoLogin", loginToken="1" * 64).code == -32602
        self.clock.advance(minutes=self.random.choice(MINUTES))

    def check_users(self) -> None:
        rows = self.door.server.rows(
            f"SELECT username, updated_at, properties FROM users WHERE username LIKE '{self.prefix}%'"
        )
        stored = {name: (changed, json.loads(properties)) for name, changed, properties in rows}
        assert stored == {user.name: (user.changed, user.properties) for user in self.model.users.values()}
        for table, known in (("sessions", self.model.sessions), ("login_tokens", self.model.tokens)):
            over = {digest(secret) for secret, held in known.items() if self.model.is_over(held)}
            assert self.stored(table) | over == set(map(digest, known)) | over

    def stored(self, table: str) -> set[bytes]:
        """The digests in a table, without those of earlier lives."""
        ours = set(map(digest, [*self.session_ids, *self.login_tokens]))
        return {row[0] for row in self.door.server.rows(f"SELECT digest FROM {table}")} & ours

    def check_all(self) -> None:
        """Every session and token of the past is worth what the model says, every password opens its account."""
        for session_id in self.session_ids:
            answer = self.call("User.isAuthenticated", session=session_id)
            assert answer.result is (self.model.session(session_id) is not None)
        for user in self.model.users.values():
            answer = self.call("User.login", username=user.name, password=user.password)
            self.check_user(answer, user)
            self.model.sign_in(user, "device-1", answer)
        for token in list(self.login_tokens):
            answer = self.call("User.autoLogin", loginToken=token)
            with self.answered(answer):
                self.model.succeed(self.model.present(token), answer)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcessServer]:
    clock = FakeClock()
    with served_from_thread(make_config(tmp_path_factory.mktemp("model")), clock) as server:
        yield server


@pytest.mark.parametrize("seed", range(max(1, INPUTS // 500)))
def test_the_server_does_what_the_model_does(server: InProcessServer, seed: int) -> None:
    door = Door(server)
    life = Life(door, server.clock, seed)
    try:
        life.live(STEPS)
    except AssertionError as error:
        error.add_note("\n".join(map(str, life.done[-12:])))
        raise
    finally:
        door.close()
