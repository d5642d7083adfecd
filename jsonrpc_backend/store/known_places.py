"""From where somebody has signed in as a user. Known by some bits of a digest, which many places share."""

from jsonrpc_backend.store.engine import Db

MOST_PER_USER = 20  # the least recently used ones beyond are forgotten


def note(db: Db, user_key: int, place: bytes, now: int) -> None:
    """Somebody has signed in from there as the user."""
    db.execute(
        "INSERT INTO known_places (user_key, place, used_at) VALUES (?, ?, ?)"
        " ON CONFLICT (user_key, place) DO UPDATE SET used_at = excluded.used_at",
        (user_key, place, now),
    )
    db.execute(
        "DELETE FROM known_places WHERE user_key = ?1 AND place IN"
        " (SELECT place FROM known_places WHERE user_key = ?1 ORDER BY used_at DESC LIMIT -1 OFFSET ?2)",
        (user_key, MOST_PER_USER),
    )


def is_known(db: Db, username_key: str, place: bytes) -> bool:
    found = db.execute(
        "SELECT 1 FROM known_places JOIN users ON users.key = known_places.user_key"
        " WHERE users.username_key = ? AND place = ?",
        (username_key, place),
    )
    return found.fetchone() is not None
