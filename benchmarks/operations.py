"""What callers send: one class for each operation, one instance for each connection."""

import json
import random
from typing import Any, ClassVar

from benchmarks import population
from benchmarks.load import Load

API_KEY = "benchmark-api-key"
BACKEND_ID = "bench"
BATCH_SIZE = 50


class Operation:
    """A caller who does one thing again and again.

    `first` is a number that no other caller of the run has. `kind`: which of several things the last request was.
    """

    calls_per_request: ClassVar[int] = 1
    expected: ClassVar[bytes] = b'"result"'
    kind = ""

    def __init__(self, first: int, load: Load) -> None:
        self.next = first
        self.load = load
        self.users = load.users
        self.random = random.Random(first)

    def request(self) -> bytes:
        """The next request, head and body."""
        return post(json.dumps(self.body(), separators=(",", ":")).encode())

    def body(self) -> Any:
        raise NotImplementedError

    def take(self, response: bytes) -> None:
        """Sees each answer."""

    def somebody(self) -> int:
        return self.random.randrange(self.users)


def post(body: bytes) -> bytes:
    """As the old clients send it."""
    return (
        b"POST /json-rpc/%s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nContent-Length: %d\r\n\r\n%s"
        % (BACKEND_ID.encode(), len(body), body)
    )


def call(method: str, sign_in: int | None, **params: Any) -> dict[str, Any]:
    reserved = {"__api_key": API_KEY, "__device": population.device(sign_in or 0)}
    if sign_in is not None:
        reserved["__session"] = population.session_id(sign_in)
    return {"jsonrpc": "2.0", "method": method, "params": {**reserved, **params}, "id": "1"}


class Read(Operation):
    """A signed-in user reads all properties."""

    def body(self) -> Any:
        return call("User.getProperties", self.somebody())


class Update(Operation):
    """A signed-in user changes one property."""

    def body(self) -> Any:
        self.next += 1
        return call("User.saveProperties", self.somebody(), properties={"age": self.next})


class Batch(Operation):
    """Fifty reads, each of another user, in one request."""

    calls_per_request = BATCH_SIZE

    def body(self) -> Any:
        return [call("User.getProperties", self.somebody()) for _ in range(BATCH_SIZE)]


class Refused(Operation):
    """A call with a wrong parameter."""

    expected = b'"code":-32602'

    def body(self) -> Any:
        return call("User.saveProperties", self.somebody(), properties={"_age": 21})


class Register(Operation):
    """A new user signs up."""

    def body(self) -> Any:
        self.next += 1
        name, properties = f"new-{self.next}@example.com", json.loads(population.PROPERTIES)
        return call("User.register", None, username=name, password=population.PASSWORD, properties=properties)


class Login(Operation):
    """A user signs in with the password."""

    def body(self) -> Any:
        return call("User.login", None, username=population.username(self.somebody()), password=population.PASSWORD)


class AutoLogin(Operation):
    """An app starts again and again: each time with the token that the last start has brought."""

    def __init__(self, first: int, load: Load) -> None:
        super().__init__(first, load)
        self.token = population.login_token(first)

    def body(self) -> Any:
        return call("User.autoLogin", None, loginToken=self.token)

    def take(self, response: bytes) -> None:
        begin = response.index(b'"loginToken":"') + len(b'"loginToken":"')
        self.token = response[begin : response.index(b'"', begin)].decode()


class Logout(Operation):
    """Each time another signed-in user signs out."""

    def body(self) -> Any:
        self.next += 1
        return call("User.logout", self.next)


class Mixed(Operation):
    """What the users of an app do all day."""

    def __init__(self, first: int, load: Load) -> None:
        super().__init__(first, load)
        self._parts = {kind: part(first, load) for kind, part in MIXED.items()}

    def body(self) -> Any:
        (self.kind,) = self.random.choices(list(MIXED), SHARES)
        return self._parts[self.kind].body()


MIXED: dict[str, type[Operation]] = {"read": Read, "update": Update, "login": Login}
SHARES = (80, 15, 5)  # percent of each

OPERATIONS: dict[str, type[Operation]] = {
    "read": Read,
    "update": Update,
    "autoLogin": AutoLogin,
    "logout": Logout,
    "batch of 50": Batch,
    "refused": Refused,
    "login": Login,
    "register": Register,
}
