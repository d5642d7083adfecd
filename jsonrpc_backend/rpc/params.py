"""The params of a call against their schema: the last of the checks."""

from collections.abc import Mapping
from typing import Any

from jsonrpc_backend.accounts.refusals import WrongGuess
from jsonrpc_backend.errors import InvalidParams
from jsonrpc_backend.rpc.parse import unportable
from jsonrpc_backend.rpc.post import Post
from jsonrpc_backend.rpc.registry import Method
from jsonrpc_backend.rpc.schemas import ParamsSchema, label

# Parameters that the caller chooses: who complains about nothing else tells nothing of what could be guessed at.
_CHOSEN = {"newPassword"}


class _MalformedGuess(InvalidParams, WrongGuess):
    """What cannot be right is wrong: with a method that has guesses limited it counts as one."""


async def check_params(method: Method, schema: ParamsSchema, params: Mapping[str, Any], post: Post) -> dict[str, Any]:
    """The params under their Python names. Raises InvalidParams with a sentence for each that is wrong."""
    given = schema.without_absent(params)

    def check() -> dict[str, str]:
        found = schema.complaints(given)
        return found | _unportable(method, given) if post.may_hold_unportable else found

    complaints = await post.run(check)
    if complaints:
        raise _MalformedGuess(complaints) if complaints.keys() - _CHOSEN else InvalidParams(complaints)
    return {method.keywords[name]: value for name, value in given.items()}


def _unportable(method: Method, params: Mapping[str, Any]) -> dict[str, str]:
    complaints = {name: unportable(params[name]) for name in method.keywords if name in params}
    return {name: f"{label(name)} {complaint}." for name, complaint in complaints.items() if complaint}
