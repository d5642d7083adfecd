"""From the bytes of a body to those of the answer: of one element, or of a batch of them in turn."""

from typing import Any

from jsonrpc_backend.errors import InvalidRequest
from jsonrpc_backend.fairness import current_caller
from jsonrpc_backend.fairness.large_work import LARGE_BYTES
from jsonrpc_backend.rpc.answer import Answer
from jsonrpc_backend.rpc.dispatch import Dispatcher
from jsonrpc_backend.rpc.parse import parse, parsed_size
from jsonrpc_backend.rpc.post import Post


async def answer_body(dispatcher: Dispatcher, body: bytes, post: Post, *, max_batch: int) -> Answer:
    """Raises RpcError where one error answers all of it."""
    share, carefully = post.share, post.may_hold_unportable
    async with share.turn:
        share.check()
        if len(body) < LARGE_BYTES:
            return await _answer_value(dispatcher, parse(body, carefully=carefully), post, max_batch)
        current_caller.set(share.caller)
        async with share.holding(parsed_size(body)):
            value = await post.run(parse, body, carefully=carefully)
            return await _answer_value(dispatcher, value, post, max_batch)


async def _answer_value(dispatcher: Dispatcher, value: Any, post: Post, max_batch: int) -> Answer:
    if not isinstance(value, list):
        return await _answer_element(dispatcher, value, post)
    if not 1 <= len(value) <= max_batch:
        raise InvalidRequest
    # Each is encoded at once: fifty large results as Python objects take many times their size in JSON.
    answers, opened_session = [], None
    for element in value:
        answer = await _answer_element(dispatcher, element, post)
        opened_session = answer.opened_session or opened_session
        if answer.json is not None:
            answers.append(answer.json)
        await post.share.turn.renew()
    return Answer(b"[" + b",".join(answers) + b"]" if answers else None, opened_session)


async def _answer_element(dispatcher: Dispatcher, element: Any, post: Post) -> Answer:
    current_caller.set(post.share.caller)  # an element before may have been of somebody who is signed in
    answer = await dispatcher.answer(element, post)
    post.share.add(len(answer.json or b""))
    return answer
