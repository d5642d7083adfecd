"""The file that keeps a client's state between runs.

It is JSON: `endpoint`, `device` and, while there are any, `session` and `loginToken`. The last two are as good
as a password, so nobody but the owner can read the file. These functions wait for the disk.
"""

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from .state import State, is_session_id


def read(path: Path, endpoint: str) -> State | None:
    """The state in the file, None if there is none. ValueError if it is damaged or belongs to another endpoint."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    document = _parse(content)
    state = _state(document)
    if state is None:
        raise ValueError(f"{path} is damaged or no state file; delete it to sign in afresh, as a new device")
    if document["endpoint"] != endpoint:
        raise ValueError(f"{path} belongs to {document['endpoint']}, not to {endpoint}; use one file for each endpoint")
    return state


def write(path: Path, endpoint: str, state: State) -> None:
    """Replace the file in one step: a crash or a full disk leaves the old one. OSError if it cannot be written."""
    members = {
        "endpoint": endpoint,
        "device": state.device,
        "session": state.session,
        "loginToken": state.login_token,
    }
    content = json.dumps({name: value for name, value in members.items() if value is not None}, indent=2) + "\n"
    _replace(path.resolve(), content.encode())  # resolved: a symbolic link stays one


def _parse(content: bytes) -> Any:
    # No exception goes on from here: it would hold the content.
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(content.decode())
    return None


def _state(document: Any) -> State | None:
    if not isinstance(document, dict) or not isinstance(document.get("endpoint"), str):
        return None
    device, session, token = (document.get(name) for name in ("device", "session", "loginToken"))
    if not isinstance(device, str) or not 1 <= len(device) <= 255:
        return None
    if session is not None and not (isinstance(session, str) and is_session_id(session)):
        return None
    if token is not None and not isinstance(token, str):
        return None
    return State(device, session, token)


def _replace(path: Path, content: bytes) -> None:
    # mkstemp makes the file with mode 0600: at no time can others read it.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
