"""Which Argon2 parameters the stored hashes have. Triggers on the users keep the counts."""

import sqlite3


def counts(db: sqlite3.Connection) -> list[tuple[str, int]]:
    """Each beginning of a hash, such as `$argon2id$v=19$m=19456,t=2,p=1$`, and how many users' hashes have it.

    In an order that stays the same.
    """
    return db.execute(
        "SELECT parameters, users FROM hash_parameters WHERE parameters LIKE '$argon2%' ORDER BY parameters"
    ).fetchall()


def secret(db: sqlite3.Connection) -> bytes:
    """32 random bytes, made with the file: what chooses the parameters of each username that nobody has."""
    value: bytes = db.execute("SELECT value FROM secrets WHERE name = 'unknown users'").fetchone()[0]
    return value
