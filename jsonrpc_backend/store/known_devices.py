"""Devices on which somebody has signed in as a user, also after signing out. Known by a digest."""

from jsonrpc_backend.store.engine import Db

MOST_PER_USER = 100  # the least recently used ones beyond are strangers again


def note(db: Db, digest: bytes, user_key: int, now: int, *, device: bytes) -> None:
    """The device has signed in as the user. `digest` is of both, `device` of the device alone."""
    db.execute(
        "INSERT INTO known_devices (digest, user_key, used_at, device) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (digest) DO UPDATE"
        " SET user_key = excluded.user_key, used_at = excluded.used_at, device = excluded.device",
        (digest, user_key, now, device),
    )
    db.execute(
        "DELETE FROM known_devices WHERE digest IN"
        " (SELECT digest FROM known_devices WHERE user_key = ? ORDER BY used_at DESC LIMIT -1 OFFSET ?)",
        (user_key, MOST_PER_USER),
    )


def is_known(db: Db, digest: bytes) -> bool:
    return db.execute("SELECT 1 FROM known_devices WHERE digest = ?", (digest,)).fetchone() is not None


def has_more_users(db: Db, device: bytes, number: int) -> bool:
    """Whether more than so many users have signed in on the device."""
    row = db.execute("SELECT 1 FROM known_devices WHERE device = ? LIMIT 1 OFFSET ?", (device, number)).fetchone()
    return row is not None
