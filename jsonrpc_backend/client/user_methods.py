"""`client.user`: the documented `User.*` methods with Python's names and types."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from jsonrpc_backend.errors import InvalidParams, InvalidResponse

from .user import User
from .wire import given, member


class Calling(Protocol):
    """What a client does for its methods."""

    @property
    def login_token(self) -> str | None: ...

    async def open(self) -> None: ...

    async def call(self, method: str, params: Mapping[str, Any] | None = None, /) -> Any: ...


class AsyncUserMethods:
    """Every method may raise any class of `jsonrpc_backend.errors`; the docstrings name the ones to expect."""

    def __init__(self, client: Calling) -> None:
        self._client = client

    async def register(self, username: str, password: str, properties: Mapping[str, Any] | None = None) -> User:
        """Make an account and sign in to it. InvalidParams: its `data` says what is wrong with which parameter."""
        params = {"username": username, "password": password, **given(properties=properties)}
        return _user(await self._client.call("User.register", params))

    async def validate(self, username: str, properties: Mapping[str, Any] | None = None) -> None:
        """Raise the InvalidParams that `register` would raise for these; change nothing."""
        await self._client.call("User.validate", {"username": username, **given(properties=properties)})

    async def unregister(self, password: str) -> None:
        """Delete the signed-in user with all data and sign out. LoginRequired; InvalidParams: wrong password."""
        await self._client.call("User.unregister", {"password": password})

    async def login(self, username: str, password: str) -> User:
        """Sign in. InvalidParams: wrong username or password, which of them is not told."""
        return _user(await self._client.call("User.login", {"username": username, "password": password}))

    async def auto_login(self, login_token: str | None = None) -> User:
        """Sign in without a password, by the login token that the client keeps or by another one.

        InvalidParams: there is none (then nothing is sent), or it is no longer valid. InvalidOperation: the
        backend has auto-login turned off.
        """
        await self._client.open()
        token = login_token or self._client.login_token
        if token is None:
            raise InvalidParams({"loginToken": "There is no login token: sign in with a password first."})
        return _user(await self._client.call("User.autoLogin", {"loginToken": token}))

    async def is_authenticated(self) -> bool:
        """Whether the server takes the kept session as signed in."""
        answer = await self._client.call("User.isAuthenticated")
        if not isinstance(answer, bool):
            raise InvalidResponse({"reason": "The result is neither true nor false."})
        return answer

    async def logout(self) -> None:
        """Sign out and forget the login token. LoginRequired."""
        await self._client.call("User.logout")

    async def update_password(self, old_password: str, new_password: str) -> None:
        """Change the password; every other session and login token of the user ends. LoginRequired; InvalidParams.

        This session goes on, and so does the login token that came with it.
        """
        await self._client.call("User.updatePassword", {"oldPassword": old_password, "newPassword": new_password})

    async def send_password_reset_token(
        self, username: str, *, email_property_name: str | None = None, template_name: str | None = None
    ) -> None:
        """Have a token for `reset_password_and_login` mailed to the user; succeeds for unknown ones too.

        `email_property_name` is the property with the mail address, `template_name` the mail's template; the
        server has a default for both. InvalidOperation: signed in.
        """
        options = given(emailPropertyName=email_property_name, templateName=template_name)
        params = {"username": username, **given(options=options or None)}
        await self._client.call("User.sendPasswordResetToken", params)

    async def reset_password_and_login(self, username: str, new_password: str, token: str) -> User:
        """Set a new password by the mailed token and sign in. InvalidParams: the token is wrong, used or too old."""
        params = {"username": username, "newPassword": new_password, "token": token}
        return _user(await self._client.call("User.resetPasswordAndLogin", params))

    async def get_property(self, name: str) -> Any:
        """The value of one property. LoginRequired."""
        return member(await self._client.call("User.getProperty", {"name": name}), "value")

    async def get_properties(self, names: Iterable[str] | None = None) -> dict[str, Any]:
        """Properties by name, all of them by default; what the user does not have is left out. LoginRequired."""
        if isinstance(names, str):
            raise TypeError("names must be a list of names, not a string")
        params = given(names=None if names is None else list(names))
        properties = member(await self._client.call("User.getProperties", params), "properties")
        if not isinstance(properties, dict):
            raise InvalidResponse({"reason": "The result's `properties` is not an object."})
        return properties

    async def save_property(self, name: str, value: Any) -> None:
        """Add or replace one property; `value` is anything that JSON can express. LoginRequired; InvalidParams."""
        await self._client.call("User.saveProperty", {"name": name, "value": value})

    async def save_properties(self, properties: Mapping[str, Any]) -> None:
        """Add or replace properties, all or none of them; others stay. LoginRequired; InvalidParams."""
        await self._client.call("User.saveProperties", {"properties": dict(properties)})


def _user(result: Any) -> User:
    return User.from_object(member(result, "user"))
