"""Words of messages."""


def counted(count: int, one: str, many: str | None = None) -> str:
    """`1 user`, `2 users`; `many` where it does not end in an s."""
    return f"{count} {one if count == 1 else many or one + 's'}"
