"""How many calls an app has made, by month."""

from jsonrpc_backend.store.engine import Db


def find(db: Db, month: int) -> int:
    """`month`: when it began, ms since 1970 UTC."""
    row = db.execute("SELECT calls FROM call_counts WHERE month = ?", (month,)).fetchone()
    return row[0] if row else 0


def add(db: Db, month: int, calls: int) -> int:
    """Adds calls to a month; returns all that have been counted in it, by whichever process."""
    total: int = db.execute(
        "INSERT INTO call_counts (month, calls) VALUES (?, ?)"
        " ON CONFLICT (month) DO UPDATE SET calls = calls + excluded.calls RETURNING calls",
        (month, calls),
    ).fetchone()[0]
    return total
