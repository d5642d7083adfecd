"""What a load generator is told to do."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Load:
    """What to do, for so many seconds or until each caller has made `calls_each` requests.

    `rate`: requests a second, all callers together; None sends as soon as an answer has come. Callers take user
    or sign-in numbers from `first`, in steps of `step`, so that each has its own. `collection`, `items`: in which one
    items are, and how many. `tokens`: by which the users of another server are signed in.
    """

    port: int
    operation: str
    callers: int
    seconds: float
    users: int
    first: int = 0
    step: int = 1
    calls_each: int | None = None
    rate: float | None = None
    collection: str = ""
    items: int = 0
    tokens: tuple[str, ...] = field(default=(), repr=False)
