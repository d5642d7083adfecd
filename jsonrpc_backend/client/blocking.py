"""The client for scripts and notebooks: the asyncio client's methods, each of which waits for its result."""

import functools
import os
import textwrap
from collections.abc import Callable, Coroutine, Iterator, Sequence
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

from .asynchronous import AsyncClient
from .collection import AsyncCollection, Pages
from .device import AsyncDevice
from .item import Item
from .loop_thread import LoopThread
from .mailer import AsyncMailer
from .user_methods import AsyncUserMethods

A = TypeVar("A")
P = ParamSpec("P")
T = TypeVar("T")


class Blocking(Generic[A]):
    """Stands in front of an object with coroutine methods and the thread that runs them."""

    def __init__(self, asynchronous: A, thread: LoopThread) -> None:
        self._asynchronous = asynchronous
        self._thread = thread

    def __init_subclass__(cls) -> None:
        """The methods that `blocking` has made are the class's own, for `help` and tracebacks."""
        super().__init_subclass__()
        for name, member in vars(cls).items():
            if hasattr(member, "__wrapped__"):
                member.__qualname__, member.__module__ = f"{cls.__qualname__}.{name}", cls.__module__


def blocking(
    method: Callable[Concatenate[A, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Blocking[A], P], T]:
    """The method with the same name, parameters and documentation that waits instead of being awaited."""

    @functools.wraps(method)
    def wait(self: Blocking[A], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._thread.run(method(self._asynchronous, *args, **kwargs))

    wait.__doc__ = (method.__doc__ or "").replace("await ", "")  # in examples
    return wait


def documented(group: str | None, methods: type) -> str:
    """What `help` of a client says of a group of methods: what the group is, and their names."""
    names = ", ".join(name for name in vars(methods) if not name.startswith("_"))
    return f"{group}\n\n{textwrap.fill(names, 100)}"


class UserMethods(Blocking[AsyncUserMethods]):
    """The documented `User.*` methods, each of which waits for its result.

    Every method may raise any class of `jsonrpc_backend.errors`; the docstrings name the ones to expect.
    """

    register = blocking(AsyncUserMethods.register)
    validate = blocking(AsyncUserMethods.validate)
    unregister = blocking(AsyncUserMethods.unregister)
    login = blocking(AsyncUserMethods.login)
    auto_login = blocking(AsyncUserMethods.auto_login)
    is_authenticated = blocking(AsyncUserMethods.is_authenticated)
    logout = blocking(AsyncUserMethods.logout)
    update_password = blocking(AsyncUserMethods.update_password)
    send_password_reset_token = blocking(AsyncUserMethods.send_password_reset_token)
    reset_password_and_login = blocking(AsyncUserMethods.reset_password_and_login)
    get_property = blocking(AsyncUserMethods.get_property)
    get_properties = blocking(AsyncUserMethods.get_properties)
    save_property = blocking(AsyncUserMethods.save_property)
    save_properties = blocking(AsyncUserMethods.save_properties)


class Collection(Blocking[AsyncCollection]):
    __doc__ = AsyncCollection.__doc__

    find = blocking(AsyncCollection.find)
    find_mine = blocking(AsyncCollection.find_mine)
    find_one = blocking(AsyncCollection.find_one)
    find_one_mine = blocking(AsyncCollection.find_one_mine)
    insert = blocking(AsyncCollection.insert)
    update = blocking(AsyncCollection.update)
    delete = blocking(AsyncCollection.delete)
    get_permission = blocking(AsyncCollection.get_permission)
    update_permission = blocking(AsyncCollection.update_permission)

    def find_all(
        self,
        criteria: str | None = None,
        bind: Sequence[Any] = (),
        *,
        order_by: str | Sequence[str] | None = None,
        property_names: Sequence[str] | None = None,
        mine: bool = False,
    ) -> Iterator[Item]:
        pages = Pages(self._asynchronous, criteria, bind, order_by=order_by, property_names=property_names, mine=mine)
        while items := self._thread.run(pages.next()):
            yield from items

    find_all.__doc__ = AsyncCollection.find_all.__doc__


class Device(Blocking[AsyncDevice], str):
    __doc__ = AsyncDevice.__doc__
    __slots__ = ()

    def __new__(cls, device_id: str, _: LoopThread) -> Self:
        return super().__new__(cls, device_id)

    get_property = blocking(AsyncDevice.get_property)
    get_properties = blocking(AsyncDevice.get_properties)
    save_property = blocking(AsyncDevice.save_property)
    save_properties = blocking(AsyncDevice.save_properties)


class Mailer(Blocking[AsyncMailer]):
    __doc__ = AsyncMailer.__doc__

    send_mail = blocking(AsyncMailer.send_mail)


class BlockingClient(Blocking[A]):
    """A client whose name is that of the asynchronous one without `Async`; closed at the end of a `with` block."""

    def __repr__(self) -> str:
        return repr(self._asynchronous).removeprefix("Async")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; a call after this is a RuntimeError."""
        self._thread.close()


class Client(BlockingClient[AsyncClient]):
    """Calls the methods of one backend of a jsonrpc-backend server, without asyncio.

        with Client("https://example.com", "app", api_key) as client:
            user = client.user.login("me@example.com", "secret")

    A client is one device with at most one user signed in; it remembers the session and the login token of the
    answers. Any thread may use it, also one with a running event loop, such as a notebook's.
    """

    def __init__(
        self,
        url: str,
        backend_id: str,
        api_key: str,
        *,
        device: str | None = None,
        state_file: str | os.PathLike[str] | None = None,
        timeout: float = 30.0,
    ) -> None:
        """`url` is the server's address, without `/json-rpc`.

        `device` names this installation, 1 to 255 characters; a random id is made by default. `state_file` keeps
        the device id, the session and the login token for later runs, readable by its owner only; one client at a
        time can use it, and only for one endpoint. `timeout` is in seconds, for each call as a whole.

        ValueError: the state file is damaged or belongs to another endpoint. OSError: it cannot be read or made.
        """
        client = AsyncClient(url, backend_id, api_key, device=device, state_file=state_file, timeout=timeout)
        super().__init__(client, LoopThread(client.close))
        if state_file:
            self._thread.run(client.open())

    @property
    def user(self) -> UserMethods:
        """The documented `User.*` methods; `help(client.user)` describes them."""
        return UserMethods(self._asynchronous.user, self._thread)

    user.__doc__ = documented(user.__doc__, UserMethods)

    def collection(self, name: str) -> Collection:
        """The items of a collection: the documented `Collection.*` methods."""
        return Collection(self._asynchronous.collection(name), self._thread)

    @property
    def mailer(self) -> Mailer:
        """The documented `Mailer.*` methods."""
        return Mailer(self._asynchronous.mailer, self._thread)

    mailer.__doc__ = documented(mailer.__doc__, Mailer)

    @property
    def device(self) -> Device:
        """The id of this installation, which has the documented `Device.*` methods."""
        return Device(self._asynchronous.device, self._thread)

    device.__doc__ = documented(device.__doc__, Device)

    @property
    def session(self) -> str | None:
        """The session id, if there is one; the server decides whether it is still valid."""
        return self._asynchronous.session

    @property
    def login_token(self) -> str | None:
        """The token for `user.auto_login()`, if there is one."""
        return self._asynchronous.login_token

    call = blocking(AsyncClient.call)
    notify = blocking(AsyncClient.notify)
    batch = blocking(AsyncClient.batch)
