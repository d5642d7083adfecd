"""Users in the order of their lots: random numbers of 64 bits with a sign, drawn once for each user."""

from jsonrpc_backend.store.engine import Db


def secret(db: Db) -> bytes:
    """32 random bytes, made with the file: what gives each username that nobody has its own lot."""
    value: bytes = db.execute("SELECT value FROM secrets WHERE name = 'unknown users'").fetchone()[0]
    return value


def hash_at(db: Db, lot: int) -> str | None:
    """The password hash of the user who comes next after a lot, or of the first where none does; None without users."""
    row = (
        db.execute("SELECT password_hash FROM users WHERE lot >= ? ORDER BY lot LIMIT 1", (lot,)).fetchone()
        or db.execute("SELECT password_hash FROM users ORDER BY lot LIMIT 1").fetchone()
    )
    return row[0] if row else None
