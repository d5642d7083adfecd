"""The blocking client: in scripts, threads and notebooks, and at their ends."""

import gc
import inspect
import json
import os
import pydoc
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, assert_type

import pytest

import jsonrpc_backend
from jsonrpc_backend.client import AsyncClient, Client, ManagementClient, Notification, User
from jsonrpc_backend.client.blocking import UserMethods
from jsonrpc_backend.client.user_management import UserManagement
from jsonrpc_backend.client.user_methods import AsyncUserMethods
from jsonrpc_backend.errors import ConnectionFailed, InvalidParams, LoginRequired, MethodNotFound, TimedOut
from tests.patience import HANG_SECONDS
from tests.servers import ServerProcess

pytestmark = pytest.mark.slow

NewThreads = Callable[[], list[threading.Thread]]
PACKAGE_FOLDER = str(Path(jsonrpc_backend.__file__).parent.parent)


def client_of(server: ServerProcess, **settings: Any) -> Client:
    return Client(server.url, server.backend_id, server.api_key, **settings)


@pytest.fixture
def new_threads() -> NewThreads:
    """The threads that live now and did not when the test began."""
    before = set(threading.enumerate())
    return lambda: [thread for thread in threading.enumerate() if thread not in before]


def python(script: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": PACKAGE_FOLDER},
    )


# The same names


def public(kind: type) -> dict[str, Any]:
    return {name: member for name, member in inspect.getmembers_static(kind) if not name.startswith("_")}


def stated(method: Callable[..., Any]) -> str:
    """A signature; of a group of methods the name that both kinds have."""
    return re.sub(r"jsonrpc_backend\.client\.\w+\.(Async)?", "", str(inspect.signature(method)))


@pytest.mark.parametrize(("asynchronous", "blocking"), [(AsyncClient, Client), (AsyncUserMethods, UserMethods)])
def test_both_clients_have_the_same_names_and_parameters(asynchronous: type, blocking: type) -> None:
    # A state file is read when a blocking client is made, so there is nothing to open.
    assert public(blocking).keys() == public(asynchronous).keys() - {"open"}
    for name, method in public(blocking).items():
        if inspect.isfunction(method):
            assert stated(method) == stated(getattr(asynchronous, name))
            assert method.__doc__
    assert inspect.signature(AsyncClient) == inspect.signature(Client)


@pytest.mark.parametrize(("client", "methods"), [(Client, UserMethods), (ManagementClient, UserManagement)])
def test_help_describes_the_client_that_blocks(client: type, methods: type) -> None:
    described = pydoc.plain(pydoc.render_doc(client))
    of_users = pydoc.plain(pydoc.render_doc(methods))
    assert not re.search("Async|await|async ", described + of_users)
    assert "without `/" in described, "what the parameters mean"
    for name, member in public(methods).items():
        assert re.search(rf"\b{name}\b", str(inspect.getdoc(client.user))), "help(Client) says what it can do"  # type: ignore[attr-defined]
        assert f"{name}(self" in of_users
        assert member.__qualname__ == f"{methods.__qualname__}.{name}"
        assert member.__module__ == methods.__module__


# Against a server


def test_an_account_from_beginning_to_end(served: ServerProcess) -> None:
    with client_of(served) as client:
        user = client.user.register("me@example.com", "secret", {"age": 21})
        assert_type(user, User)
        assert (user.username, user.properties) == ("me@example.com", {"age": 21})
        client.user.save_properties({"age": 22, "tags": ["a"]})
        assert client.user.get_property("age") == 22
        assert_type(client.user.get_properties(), dict[str, Any])
        assert client.user.get_properties(["tags", "none"]) == {"tags": ["a"]}
        client.user.logout()
        assert client.session is None
        assert assert_type(client.user.is_authenticated(), bool) is False
        with pytest.raises(LoginRequired):
            client.user.get_properties()
        with pytest.raises(InvalidParams) as caught:
            client.user.login("me@example.com", "wrong")
        assert caught.value.data == {"password": "Username or password is incorrect."}
        client.user.login("me@example.com", "secret")
        client.user.unregister("secret")


def test_any_method_notifications_and_batches(served: ServerProcess) -> None:
    with client_of(served) as client:
        client.call("User.register", {"username": "me@example.com"}, password="secret")
        client.notify("User.saveProperty", name="age", value=21)
        assert client.call("User.getProperties", names=["age"]) == {"properties": {"age": 21}}
        wrong, nothing, age = client.batch(
            [
                ("User.noSuchMethod", None),
                Notification("User.saveProperty", {"name": "age", "value": 22}),
                ("User.getProperty", {"name": "age"}),
            ]
        )
        assert isinstance(wrong, MethodNotFound)
        assert (nothing, age) == (None, {"value": 22})


def test_a_later_run_is_still_signed_in(served: ServerProcess, tmp_path: Path) -> None:
    state_file = tmp_path / "account.json"
    with client_of(served, state_file=state_file) as client:
        client.user.register("me@example.com", "secret")
        device = client.device
    with client_of(served, state_file=state_file) as client:
        assert client.device == device
        assert client.user.is_authenticated()
        assert client.user.auto_login().username == "me@example.com"
        assert client.login_token == json.loads(state_file.read_text())["loginToken"]
    with pytest.raises(ValueError, match="belongs to"):
        Client(served.url, "other", "key", state_file=state_file)


async def test_it_works_where_an_event_loop_is_running(served: ServerProcess) -> None:
    with client_of(served) as client:
        assert client.user.is_authenticated() is False


def test_threads_can_share_a_client(served: ServerProcess) -> None:
    with client_of(served) as client:
        client.user.register("me@example.com", "secret")
        threads = [
            threading.Thread(target=client.user.save_property, args=(f"property{number}", number))
            for number in range(10)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert client.user.get_properties() == {f"property{number}": number for number in range(10)}


def test_the_methods_can_outlive_the_name_of_the_client(served: ServerProcess) -> None:
    user = client_of(served).user
    gc.collect()
    assert user.is_authenticated() is False


# Ends


def test_nothing_runs_before_the_first_call(new_threads: NewThreads) -> None:
    with Client("http://localhost", "app", "key") as client:
        assert client.device
        assert repr(client) == f"Client('http://localhost/json-rpc/app', device={client.device!r})"
        assert new_threads() == []


def test_closing_ends_the_thread_and_further_calls(new_threads: NewThreads) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = Client(f"http://127.0.0.1:{unused.getsockname()[1]}", "app", "key")
        with pytest.raises(ConnectionFailed):
            client.call("A")
    assert len(new_threads()) == 1
    client.close()
    client.close()
    assert new_threads() == []
    with pytest.raises(RuntimeError, match="closed"):
        client.call("A")


def test_a_client_that_is_dropped_ends_its_thread(served: ServerProcess, new_threads: NewThreads) -> None:
    client = client_of(served)
    client.user.is_authenticated()
    [thread] = new_threads()
    del client
    gc.collect()
    thread.join(HANG_SECONDS)
    assert not thread.is_alive()


def test_closing_ends_calls_of_other_threads() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = Client(f"http://127.0.0.1:{server.getsockname()[1]}", "app", "key")
        failures = []

        def call() -> None:
            try:
                client.call("A")
            except (ConnectionFailed, RuntimeError) as failure:
                failures.append(failure)

        thread = threading.Thread(target=call)
        thread.start()
        connection, _ = server.accept()
        with connection:
            client.close()
            thread.join(HANG_SECONDS)
        assert len(failures) == 1


def test_a_time_out_is_raised_in_the_callers_thread() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        Client(f"http://127.0.0.1:{server.getsockname()[1]}", "app", "key", timeout=0.1) as client,
        pytest.raises(TimedOut),
    ):
        client.call("A")


def test_a_call_inside_the_parameters_of_a_call_does_not_hang() -> None:
    with Client("http://localhost", "app", "key") as client, pytest.raises(RuntimeError, match="another one"):
        client.batch(("User.getProperty", {"name": client.user.get_property("name")}) for _ in range(1))


NEVER_CLOSED = """
import sys
from jsonrpc_backend.client import Client
client = Client(*sys.argv[1:4], state_file=sys.argv[4])
assert client.user.is_authenticated() is False
"""


def test_a_client_that_is_never_closed_lets_the_interpreter_exit_quietly(served: ServerProcess, tmp_path: Path) -> None:
    process = python(NEVER_CLOSED, served.url, served.backend_id, served.api_key, str(tmp_path / "account.json"))
    output, errors = process.communicate(timeout=HANG_SECONDS)
    assert (process.returncode, output, errors) == (0, "", "")


WAITING = """
import sys, threading
from jsonrpc_backend.client import Client
client = Client(sys.argv[1], "app", "key")
try:
    client.call("A")
except KeyboardInterrupt:
    print("interrupted")
"""


def test_a_call_can_be_interrupted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        process = python(WAITING, f"http://127.0.0.1:{server.getsockname()[1]}")
        connection, _ = server.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=HANG_SECONDS)
    assert (process.returncode, output, errors) == (0, "interrupted\n", "")


FORKED = """
import os, sys
from jsonrpc_backend.client import Client
client = Client(*sys.argv[1:])
client.user.is_authenticated()
if os.fork():
    os.wait()
else:
    try:
        client.user.is_authenticated()
    except RuntimeError as error:
        print(error, flush=True)
    os._exit(0)
"""


def test_a_forked_process_is_told_to_make_its_own_client(served: ServerProcess) -> None:
    process = python(FORKED, served.url, served.backend_id, served.api_key)
    output, errors = process.communicate(timeout=HANG_SECONDS)
    assert (process.returncode, errors) == (0, "")
    assert "make a new client after a fork" in output


MODULES = """
import sys
import jsonrpc_backend.client
print(*(name for name in sys.modules if name.split(".")[0] in sys.argv))
"""


def test_the_client_imports_no_server_code() -> None:
    of_the_server = ("aiosqlite", "argon2", "click", "jsonrpcserver", "jsonschema")
    process = python(MODULES, "jsonrpc_backend", *of_the_server)
    output, errors = process.communicate(timeout=HANG_SECONDS)
    assert (process.returncode, errors) == (0, "")
    others = {name for name in output.split() if not name.startswith("jsonrpc_backend.client")}
    assert others == {"jsonrpc_backend", "jsonrpc_backend.errors"}
