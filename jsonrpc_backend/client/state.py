"""What a client knows between calls, and how an answer changes it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from jsonrpc_backend.errors import InvalidSessionId, RpcError

_SIGN_INS = frozenset({"User.register", "User.login", "User.autoLogin", "User.resetPasswordAndLogin"})
_SIGN_OUTS = frozenset({"User.logout", "User.unregister"})


def is_session_id(text: str) -> bool:
    return re.fullmatch(r"[a-zA-Z0-9]+", text) is not None


@dataclass(frozen=True, slots=True)
class State:
    """Device id, session id and login token at one moment; the two secrets are kept out of the repr."""

    device: str
    session: str | None = field(default=None, repr=False)
    login_token: str | None = field(default=None, repr=False)

    def after(self, session_header: str | None, answered: Iterable[tuple[str, Any]]) -> "State":
        """The state after one HTTP answer: its session header, and (method, outcome) in the order of the calls."""
        opened = session_header if session_header and is_session_id(session_header) else None
        state = replace(self, session=opened or self.session)
        # A batch may sign out and in again, or in and out, but has one header: so the order decides.
        for method, outcome in answered:
            state = _after_call(state, method, outcome, opened)
        return state

    def updated(self, sent: "State", after: "State") -> "State":
        """This state, of now, with what an answer made (`after`) of the state that its call was sent with (`sent`).

        Calls overlap: what another one brought in the meantime is not for this one to undo.
        """
        return replace(
            self,
            session=_updated(self.session, sent.session, after.session),
            login_token=_updated(self.login_token, sent.login_token, after.login_token),
        )


def _after_call(state: State, method: str, outcome: Any, opened: str | None) -> State:
    if isinstance(outcome, RpcError):
        return replace(state, session=opened) if isinstance(outcome, InvalidSessionId) else state
    if method in _SIGN_OUTS:
        return State(state.device)
    if method in _SIGN_INS:
        # A token that this answer does not replace belongs to whoever was signed in before.
        state = replace(state, session=opened or state.session, login_token=None)
    token = outcome.get("loginToken") if isinstance(outcome, dict) else None
    return replace(state, login_token=token) if isinstance(token, str) else state


def _updated(now: str | None, sent: str | None, after: str | None) -> str | None:
    if after == sent or (after is None and now != sent):
        return now
    return after
