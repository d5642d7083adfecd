"""The session, the login token and the device id: what answers do to them, and the file that keeps them."""

import asyncio
import contextlib
import json
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from jsonrpc_backend.client import AsyncClient, Notification
from jsonrpc_backend.client.state import State
from jsonrpc_backend.errors import InvalidResponse, InvalidSessionId, RpcError
from jsonrpc_backend.methods import APP_API
from tests.scripted import KEY, USER, Answer, ScriptedServer, error, outcome, raw, result

HEADER = "X-Set-Monaca-Cloud-Session"
Use = Callable[[AsyncClient], Awaitable[Any]]
Kept = tuple[str | None, str | None]  # session and login token


@pytest.fixture
async def client(scripted: ScriptedServer) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(scripted.url, "app", KEY) as client:
        yield client


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    return tmp_path / "account.json"


async def sign_in(
    server: ScriptedServer, client: AsyncClient, session: str = "old5e55", token: str = "oldT0ken"
) -> None:
    server.answer = result({"user": USER, "loginToken": token}, session)
    await client.user.login("me", "secret")
    server.received.clear()


def with_header(answer: Answer) -> Answer:
    async def answer_with_header(message: Any, request: web.Request) -> web.StreamResponse:
        response = await answer(message, request)
        response.headers[HEADER] = "new5e55"
        return response

    return answer_with_header


# What answers do


async def test_every_later_call_carries_the_session(scripted: ScriptedServer, client: AsyncClient) -> None:
    assert (client.session, client.login_token) == (None, None)
    await sign_in(scripted, client)
    assert (client.session, client.login_token) == ("old5e55", "oldT0ken")
    await client.call("A")
    scripted.answer = raw(b"", 204)
    await client.notify("A")
    await client.batch([Notification("A")])
    call, notification, [in_batch] = scripted.received
    assert {m["params"]["__session"] for m in (call, notification, in_batch)} == {"old5e55"}


async def test_auto_login_sends_the_kept_token_and_keeps_the_next(
    scripted: ScriptedServer, client: AsyncClient
) -> None:
    await sign_in(scripted, client)
    scripted.answer = result({"user": USER, "loginToken": "newT0ken"}, "new5e55")
    assert (await client.user.auto_login()).username == "me@example.com"
    assert scripted.received[0]["params"]["loginToken"] == "oldT0ken"
    assert (client.session, client.login_token) == ("new5e55", "newT0ken")


@pytest.mark.parametrize(
    ("use", "answer", "kept"),
    [
        # the answer to one call, and the session and login token that are kept after it
        (lambda c: c.user.logout(), result("OK"), (None, None)),
        (lambda c: c.call("User.logout"), result("OK"), (None, None)),
        (lambda c: c.user.unregister("secret"), result("OK"), (None, None)),
        (lambda c: c.call("User.unregister", password="secret"), result("OK"), (None, None)),
        (lambda c: c.user.logout(), error(11), ("old5e55", "oldT0ken")),
        (lambda c: c.user.unregister("wrong"), error(-32602), ("old5e55", "oldT0ken")),
        (lambda c: c.notify("User.logout"), result("OK"), ("old5e55", "oldT0ken")),
        (lambda c: c.user.update_password("old", "new"), result("OK"), ("old5e55", "oldT0ken")),
        (lambda c: c.user.update_password("wrong", "new"), error(-32602), ("old5e55", "oldT0ken")),
        (lambda c: c.user.is_authenticated(), error(10), (None, "oldT0ken")),
        (lambda c: c.user.is_authenticated(), error(11), ("old5e55", "oldT0ken")),
        (lambda c: c.call("Mine"), result({"loginToken": "newT0ken"}, "new5e55"), ("new5e55", "newT0ken")),
        (lambda c: c.call("Mine"), result({"loginToken": 5}), ("old5e55", "oldT0ken")),
        (lambda c: c.call("Mine"), result({"value": {"loginToken": "newT0ken"}}), ("old5e55", "oldT0ken")),
        (lambda c: c.notify("Mine"), result("OK", "new5e55"), ("new5e55", "oldT0ken")),
        (lambda c: c.call("Mine"), result("OK", "not a session id"), ("old5e55", "oldT0ken")),
        # Auto-login is off, or somebody else signs in: the token that was kept is not this user's.
        (lambda c: c.user.login("me", "secret"), result({"user": USER}, "new5e55"), ("new5e55", None)),
        (lambda c: c.call("Mine"), with_header(raw(b"{")), ("new5e55", "oldT0ken")),
        (lambda c: c.call("Mine"), with_header(raw(b"{", 502)), ("old5e55", "oldT0ken")),
    ],
)
async def test_an_answer_changes_what_is_kept(
    scripted: ScriptedServer, client: AsyncClient, use: Use, answer: Any, kept: Kept
) -> None:
    await sign_in(scripted, client)
    device = client.device
    scripted.answer = answer
    with contextlib.suppress(RpcError):
        await use(client)
    assert (client.session, client.login_token) == kept
    assert client.device == device


SIGNED_IN = {"result": {"user": USER, "loginToken": "newT0ken"}}
OK = {"result": "OK"}
REFUSED = {"error": {"code": -32602, "message": "Invalid params"}}


@pytest.mark.parametrize(
    ("calls", "header", "kept"),
    [
        ({"User.login": SIGNED_IN, "User.getProperties": OK}, "new5e55", ("new5e55", "newT0ken")),
        ({"User.logout": OK, "User.login": SIGNED_IN}, "new5e55", ("new5e55", "newT0ken")),
        ({"User.login": SIGNED_IN, "User.logout": OK}, "new5e55", (None, None)),
        ({"User.login": SIGNED_IN, "User.logout": OK}, None, (None, None)),
        ({"User.logout": OK, "User.login": REFUSED}, None, (None, None)),
        ({"User.logout": REFUSED, "User.getProperties": OK}, None, ("old5e55", "oldT0ken")),
        ({"User.updatePassword": OK, "User.getProperties": REFUSED}, None, ("old5e55", "oldT0ken")),
    ],
)
async def test_in_a_batch_the_order_of_the_calls_decides(
    scripted: ScriptedServer, client: AsyncClient, calls: dict[str, Any], header: str | None, kept: Kept
) -> None:
    async def answer(messages: Any, _: web.Request) -> web.Response:
        headers = {} if header is None else {HEADER: header}
        return web.json_response([outcome(m, **calls[m["method"]]) for m in reversed(messages)], headers=headers)

    await sign_in(scripted, client)
    scripted.answer = answer
    await client.batch([(method, None) for method in calls])
    assert (client.session, client.login_token) == kept


@pytest.mark.parametrize(
    ("late", "kind"), [(error(10), InvalidSessionId), (result("OK"), None), (raw(b"{"), InvalidResponse)]
)
async def test_a_late_answer_does_not_undo_what_another_call_brought(
    scripted: ScriptedServer, client: AsyncClient, late: Any, kind: type[RpcError] | None
) -> None:
    await sign_in(scripted, client)
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def wait(message: Any, request: web.Request) -> web.StreamResponse:
        arrived.set()
        await go_on.wait()
        answer: web.StreamResponse = await late(message, request)
        return answer

    scripted.answer = wait
    logout = asyncio.create_task(client.user.logout())
    await arrived.wait()
    await sign_in(scripted, client, "new5e55", "newT0ken")
    go_on.set()
    [failure] = await asyncio.gather(logout, return_exceptions=True)
    assert failure is None if kind is None else isinstance(failure, kind)
    assert (client.session, client.login_token) == ("new5e55", "newT0ken")


# The file


async def test_a_later_run_goes_on_where_the_earlier_one_ended(scripted: ScriptedServer, state_file: Path) -> None:
    async with AsyncClient(scripted.url, "app", KEY, state_file=state_file) as first:
        device = first.device
        await sign_in(scripted, first)
    scripted.answer = result({"user": USER, "loginToken": "newT0ken"}, "new5e55")
    async with AsyncClient(scripted.url + "/", "app", KEY, state_file=str(state_file)) as second:
        assert (second.device, second.session, second.login_token) == (device, "old5e55", "oldT0ken")
        await second.user.auto_login()
    [message] = scripted.received
    assert message["params"] == {
        "__api_key": KEY,
        "__device": device,
        "__session": "old5e55",
        "loginToken": "oldT0ken",
    }
    assert json.loads(state_file.read_text()) == {
        "endpoint": f"{scripted.url}/json-rpc/app",
        "device": device,
        "session": "new5e55",
        "loginToken": "newT0ken",
    }


async def test_the_file_is_written_as_soon_as_something_changes(scripted: ScriptedServer, state_file: Path) -> None:
    async with AsyncClient(scripted.url, "app", KEY, state_file=state_file) as client:
        await sign_in(scripted, client)
        assert json.loads(state_file.read_text())["session"] == "old5e55"
        scripted.answer = result("OK")
        await client.user.logout()
        assert json.loads(state_file.read_text()).keys() == {"endpoint", "device"}
        before = state_file.stat()
        await client.user.validate("me")
        assert state_file.stat() == before


async def test_the_device_id_is_the_same_even_if_no_call_was_made(state_file: Path) -> None:
    devices = set()
    for _ in range(2):
        async with AsyncClient("http://localhost", "app", KEY, state_file=state_file) as client:
            devices.add(client.device)
    assert len(devices) == 1


async def test_devices_differ_without_a_file() -> None:
    assert AsyncClient("http://localhost", "app", KEY).device != AsyncClient("http://localhost", "app", KEY).device


async def test_a_given_device_id_replaces_the_one_in_the_file(state_file: Path) -> None:
    async with AsyncClient("http://localhost", "app", KEY, state_file=state_file):
        pass
    async with AsyncClient("http://localhost", "app", KEY, state_file=state_file, device="mine") as client:
        assert client.device == "mine"
    assert json.loads(state_file.read_text())["device"] == "mine"


async def test_the_file_is_read_at_the_first_call_too(scripted: ScriptedServer, state_file: Path) -> None:
    client = AsyncClient(scripted.url, "app", KEY, state_file=state_file)
    for name in ("device", "session", "login_token"):
        with pytest.raises(RuntimeError, match="not been read yet"):
            getattr(client, name)
    assert "device" not in repr(client)
    await asyncio.gather(client.call("A"), client.call("B"))
    assert {message["params"]["__device"] for message in scripted.received} == {client.device}
    await client.close()


async def test_only_the_owner_can_read_the_file(scripted: ScriptedServer, state_file: Path) -> None:
    async with AsyncClient(scripted.url, "app", KEY, state_file=state_file) as client:
        assert stat.S_IMODE(state_file.stat().st_mode) == 0o600
        state_file.chmod(0o644)
        await sign_in(scripted, client)
    assert stat.S_IMODE(state_file.stat().st_mode) == 0o600
    assert list(state_file.parent.iterdir()) == [state_file]  # no temporary file is left


async def test_a_symbolic_link_stays_one(scripted: ScriptedServer, tmp_path: Path) -> None:
    link, target = tmp_path / "link.json", tmp_path / "target.json"
    link.symlink_to(target)
    async with AsyncClient(scripted.url, "app", KEY, state_file=link) as client:
        assert json.loads(target.read_text())["device"] == client.device
    assert link.is_symlink()


@pytest.mark.parametrize(("url", "backend_id"), [("http://localhost:8081", "app"), ("http://localhost:8080", "other")])
async def test_the_file_of_another_endpoint_is_neither_used_nor_overwritten(
    state_file: Path, url: str, backend_id: str
) -> None:
    async with AsyncClient("http://localhost:8080", "app", KEY, state_file=state_file):
        content = state_file.read_bytes()
    client = AsyncClient(url, backend_id, KEY, state_file=state_file)
    with pytest.raises(ValueError, match="belongs to") as caught:
        await client.user.auto_login()
    for part in (str(state_file), "http://localhost:8080/json-rpc/app", f"{url}/json-rpc/{backend_id}"):
        assert part in str(caught.value)
    assert state_file.read_bytes() == content


SOUND = {"endpoint": "http://localhost/json-rpc/app", "device": "d", "session": "5ecret", "loginToken": "5ecret"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"5ecret",
        b'{"session": "5ecret',
        b"\xff5ecret",
        b"[" * 100_000,
        b"[]",
        *(
            json.dumps({**SOUND, **wrong}).encode()
            for wrong in (
                {"endpoint": None},
                {"device": None},
                {"device": ""},
                {"device": "x" * 256},
                {"session": 5},
                {"session": "5ecret\r\n"},
                {"loginToken": ["5ecret"]},
            )
        ),
    ],
)
async def test_a_damaged_file_is_named_and_left_alone(state_file: Path, content: bytes) -> None:
    state_file.write_bytes(content)
    with pytest.raises(ValueError, match="damaged") as caught:
        await AsyncClient("http://localhost", "app", KEY, state_file=state_file).open()
    assert str(state_file) in str(caught.value)
    assert "5ecret" not in repr((caught.value, caught.value.__context__))
    assert state_file.read_bytes() == content


async def test_a_file_that_cannot_be_made_is_an_os_error(tmp_path: Path) -> None:
    client = AsyncClient("http://localhost", "app", KEY, state_file=tmp_path / "no such folder" / "account.json")
    with pytest.raises(FileNotFoundError):
        await client.open()


async def test_a_file_that_cannot_be_replaced_is_an_os_error_after_the_call(
    scripted: ScriptedServer, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    client = AsyncClient(scripted.url, "app", KEY, state_file=folder / "account.json")
    await client.open()
    folder.rename(tmp_path / "moved")
    with pytest.raises(FileNotFoundError):
        await sign_in(scripted, client)
    assert client.session == "old5e55"
    (tmp_path / "moved").rename(folder)
    await client.close()  # what could not be saved is saved now
    assert json.loads((folder / "account.json").read_text())["session"] == "old5e55"


async def test_the_last_of_many_overlapping_changes_is_the_one_in_the_file(
    scripted: ScriptedServer, state_file: Path
) -> None:
    async def new_token(message: Any, _: web.Request) -> web.Response:
        number = message["id"]
        return web.json_response(
            outcome(message, result={"loginToken": f"t0ken{number}"}), headers={HEADER: f"5e55{number}"}
        )

    scripted.answer = new_token
    async with AsyncClient(scripted.url, "app", KEY, state_file=state_file) as client:
        await asyncio.gather(*(client.call("Mine") for _ in range(50)))
        kept = json.loads(state_file.read_text())
        assert (kept["session"], kept["loginToken"]) == (client.session, client.login_token)
        assert str(kept["session"]).removeprefix("5e55") == str(kept["loginToken"]).removeprefix("t0ken")
    assert list(state_file.parent.iterdir()) == [state_file]


@pytest.mark.parametrize("method", APP_API.methods)
def test_the_token_of_whoever_was_signed_in_goes_with_what_signs_in(method: str) -> None:
    """The client imports nothing of the server, and knows by itself what signs in."""
    before = State("device", "old5e55", "oldT0ken")
    after = before.after("new5e55", [(method, {"user": USER})])
    ends = method in APP_API.methods.sign_ins() or method in {"User.logout", "User.unregister"}
    assert after.login_token == (None if ends else "oldT0ken")
