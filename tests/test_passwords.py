"""The queue before the password hashes, without a server around it."""

import asyncio

from jsonrpc_backend.accounts.passwords import PasswordHasher
from jsonrpc_backend.config import PasswordsConfig
from jsonrpc_backend.fairness.tally import OwnTally
from jsonrpc_backend.telemetry.events import Observer


async def test_who_has_an_answer_has_left_the_queue() -> None:
    """Whoever is told an outcome may come again at once: by then its place must be free, on a busy machine too."""
    config = PasswordsConfig(memory_kib=8, iterations=1, parallelism=1, workers=1, max_queue=1)
    hasher = PasswordHasher(config, None, Observer(), OwnTally())
    try:
        for _ in range(500):
            hashes = await asyncio.gather(*(hasher.hash("password", caller=("here",)) for _ in range(2)))
            assert len(hashes) == 2
    finally:
        hasher.close()
