"""`Device.*`: properties of the device that calls."""

from typing import Any

import aiohttp
import pytest

from tests.conftest import NewApp, StartServer
from tests.servers import InProcessServer, with_api_key
from tests.wire import Wire

WINDOW = 15  # minutes


async def properties(app: Wire) -> Any:
    return (await app.call("Device.getProperties")).result["properties"]


async def save(app: Wire, **values: Any) -> None:
    assert (await app.call("Device.saveProperties", properties=values)).result == "OK"


async def test_saved_properties_come_back(wire: Wire) -> None:
    await save(wire, a=1, b={"c": [None, "あ"]})
    await save(wire, a=None, d=True)
    assert await properties(wire) == {"a": None, "b": {"c": [None, "あ"]}, "d": True}
    assert (await wire.call("Device.saveProperty", name="a", value="x")).result == "OK"
    assert (await wire.call("Device.getProperty", name="a")).result == {"value": "x"}
    assert (await wire.call("Device.getProperty", name="e")).result == {"value": None}
    some = await wire.call("Device.getProperties", names=["a", "e", "d", "a"])
    assert some.result == {"properties": {"a": "x", "d": True}}


async def test_they_are_the_devices_whoever_is_signed_in(wire: Wire) -> None:
    await save(wire, seen=1)
    await wire.register()
    assert await properties(wire) == {"seen": 1}
    await save(wire, seen=2)
    stale = wire.tab()
    await wire.call("User.logout")
    assert await properties(stale) == {"seen": 2}, "a session that has ended is not looked at"
    assert await properties(wire.elsewhere()) == {}


async def test_reading_makes_no_row_and_none_holds_the_id(wire: Wire, server: InProcessServer) -> None:
    device = wire.elsewhere("the id of a device")
    await properties(device)
    assert server.rows("SELECT count(*) FROM devices") == [(0,)]
    await save(device, a=1)
    assert server.rows("SELECT count(*), max(length(device)) FROM devices") == [(1, 32)]
    assert not any(
        b"the id of a device" in file.read_bytes() for file in server.database_path().parent.glob("app.sql*")
    )


async def test_each_backend_has_its_own(start: StartServer, http: aiohttp.ClientSession) -> None:
    server = await start({"backends": {"other": {"api_key": "other"}}})
    await save(Wire(http, server), a=1)
    assert await properties(Wire(http, with_api_key(server, "other", "other"))) == {}


@pytest.mark.parametrize("name", ["_a", "a_b", "1a", "", "a b", "a\n", "あ"])
async def test_wrong_names(wire: Wire, name: str) -> None:
    one = await wire.call("Device.saveProperty", name=name, value=1)
    several = await wire.call("Device.saveProperties", properties={"ok": 1, name: 1})
    assert (one.code, several.code) == (-32602, -32602)
    assert one.data.keys() == {"name"}
    assert await properties(wire) == {}


@pytest.mark.parametrize("params", [{}, {"properties": None}, {"properties": []}])
async def test_properties_are_required(wire: Wire, params: dict[str, Any]) -> None:
    answer = await wire.call("Device.saveProperties", **params)
    assert (answer.code, answer.data.keys()) == (-32602, {"properties"})


async def test_largest_device(wire: Wire) -> None:
    most = "x" * (512_000 - len('{"a":""}'))
    await save(wire, a=most)
    one = await wire.call("Device.saveProperty", name="b", value=1)
    several = await wire.call("Device.saveProperties", properties={"a": most + "x"})
    assert (one.code, one.data.keys()) == (-32602, {"value"})
    assert (several.code, several.data.keys()) == (-32602, {"properties"})
    assert await properties(wire) == {"a": most}


async def test_new_devices_are_limited_per_address_and_window(new_app: NewApp) -> None:
    app = await new_app(throttle={"enabled": True, "anonymous_inserts_per_address": 2})
    assert isinstance(app.server, InProcessServer)
    for number in range(2):
        await save(app.elsewhere(f"device {number}"), a=1)
    refused = await app.call("Device.saveProperty", name="a", value=1)
    assert (refused.code, refused.data) == (9999, {"retryAfter": WINDOW * 60})
    assert await properties(app) == {}
    await save(app.elsewhere("device 0"), a=2)  # one that is known
    app.server.clock.advance(minutes=WINDOW)
    await save(app, a=1)
