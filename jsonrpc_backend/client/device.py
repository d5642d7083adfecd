"""`client.device`: this installation, and the documented `Device.*` methods with Python's names and types."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

from jsonrpc_backend.errors import InvalidResponse

from .user_methods import Calling
from .wire import given, member


class AsyncDevice(str):
    """The id of this installation, with the methods for its properties: they stay, whoever signs in and out.

    Every method may raise any class of `jsonrpc_backend.errors`; the docstrings name the ones to expect.
    """

    __slots__ = ("_client",)
    _client: Calling

    def __new__(cls, device_id: str, client: Calling) -> Self:
        device = super().__new__(cls, device_id)
        device._client = client
        return device

    async def get_property(self, name: str) -> Any:
        """The value of one property; None where the device has none of that name."""
        return member(await self._client.call("Device.getProperty", {"name": name}), "value")

    async def get_properties(self, names: Iterable[str] | None = None) -> dict[str, Any]:
        """Properties by name, all of them by default; what the device does not have is left out."""
        if isinstance(names, str):
            raise TypeError("names must be a list of names, not a string")
        params = given(names=None if names is None else list(names))
        properties = member(await self._client.call("Device.getProperties", params), "properties")
        if not isinstance(properties, dict):
            raise InvalidResponse({"reason": "The result's `properties` is not an object."})
        return properties

    async def save_property(self, name: str, value: Any) -> None:
        """Add or replace one property; `value` is anything that JSON can express. InvalidParams; CallLimitExceeded."""
        await self._client.call("Device.saveProperty", {"name": name, "value": value})

    async def save_properties(self, properties: Mapping[str, Any]) -> None:
        """Add or replace properties, all or none of them; others stay. InvalidParams; CallLimitExceeded."""
        await self._client.call("Device.saveProperties", {"properties": dict(properties)})
