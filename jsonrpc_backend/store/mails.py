"""The outbox: mails from the transaction that causes them until they are sent, and for a while after."""

from collections.abc import Iterator
from dataclasses import dataclass

from jsonrpc_backend.store.engine import Db

_COLUMNS = (
    "key, message_id, template, recipient, sealed, created_at, expires_at, attempts, next_at, sent_at, last_error"
)


@dataclass(frozen=True, slots=True)
class Mail:
    """A row. `sealed` is the encrypted content, gone once the mail is sent. Times: ms since 1970 UTC.

    `next_at` is when to try (again); None when there is nothing left to try.
    """

    key: int
    message_id: str
    template: str
    recipient: str
    sealed: bytes | None
    created_at: int
    expires_at: int
    attempts: int
    next_at: int | None
    sent_at: int | None
    last_error: str | None


def count_to(db: Db, user_key: int, recipient: str, share: bytes | None, *, after: int, until: int) -> int:
    """How many mails of a share have been written to a user at an address, after one time and until another."""
    count: int = db.execute(
        "SELECT count(*) FROM mails"
        " WHERE user_key = ? AND recipient = ? AND share IS ? AND created_at > ? AND created_at <= ?",
        (user_key, recipient, share, after, until),
    ).fetchone()[0]
    return count


def count_all_to(db: Db, user_key: int, recipient: str, *, but: tuple[bytes, bytes], after: int, until: int) -> int:
    """How many mails of all shares but two have been written to a user at an address."""
    count: int = db.execute(
        "SELECT count(*) FROM mails"
        " WHERE user_key = ? AND recipient = ? AND share IS NOT ? AND share IS NOT ?"
        " AND created_at > ? AND created_at <= ?",
        (user_key, recipient, *but, after, until),
    ).fetchone()[0]
    return count


def list_recipients(db: Db, *, but: bytes, after: int) -> list[tuple[str, int, int]]:
    """Where mails have gone since: the address, when the mail was written, and when its user had registered.

    But for those of a share, and for addresses that are the username of their user, without a `+tag`.
    """
    return db.execute(
        "SELECT mails.recipient, mails.created_at, users.created_at FROM mails JOIN users ON users.key = mails.user_key"
        " WHERE mails.created_at > ? AND mails.share IS NOT ?"
        " AND (lower(mails.recipient) <> users.username_key OR mails.recipient LIKE '%_+%@%')",
        (after, but),
    ).fetchall()


def list_recipients_of(db: Db, share: bytes, *, after: int) -> list[tuple[str, int, int]]:
    """The same of one share, whatever the addresses are."""
    return db.execute(
        "SELECT mails.recipient, mails.created_at, users.created_at FROM mails JOIN users ON users.key = mails.user_key"
        " WHERE mails.created_at > ? AND mails.share = ?",
        (after, share),
    ).fetchall()


def insert(
    db: Db,
    *,
    user_key: int,
    message_id: str,
    template: str,
    recipient: str,
    sealed: bytes,
    now: int,
    expires_at: int,
    share: bytes | None,
) -> int:
    """A mail to send at once; returns its key. `share`: by whose request, for `count_to`."""
    key: int = db.execute(
        "INSERT INTO mails (user_key, message_id, template, recipient, sealed, created_at, expires_at, next_at, share)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING key",
        (user_key, message_id, template, recipient, sealed, now, expires_at, now, share),
    ).fetchone()[0]
    return key


def remove_unsent(db: Db, share: bytes) -> list[int]:
    """Removes the mails of a share that are still to be sent; returns the keys of their users."""
    rows = db.execute("DELETE FROM mails WHERE share = ? AND next_at IS NOT NULL RETURNING user_key", (share,))
    return [row[0] for row in rows]


def find(db: Db, key: int) -> Mail | None:
    row = db.execute(f"SELECT {_COLUMNS} FROM mails WHERE key = ?", (key,)).fetchone()  # noqa: S608
    return Mail(*row) if row else None


def list_latest(db: Db, most: int) -> Iterator[Mail]:
    """Newest first."""
    for row in db.execute(f"SELECT {_COLUMNS} FROM mails ORDER BY key DESC LIMIT ?", (most,)):  # noqa: S608
        yield Mail(*row)


def next_due(db: Db) -> Mail | None:
    """The mail whose turn comes first, perhaps in the future."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM mails WHERE next_at IS NOT NULL ORDER BY next_at, key LIMIT 1"  # noqa: S608
    ).fetchone()
    return Mail(*row) if row else None


def mark_sent(db: Db, key: int, now: int) -> None:
    """Done; the content is no longer needed and goes."""
    db.execute(
        "UPDATE mails SET sent_at = ?, sealed = NULL, next_at = NULL, last_error = NULL, attempts = attempts + 1"
        " WHERE key = ?",
        (now, key),
    )


def mark_failed(db: Db, key: int, error: str, next_at: int | None) -> None:
    """An attempt that failed; without `next_at` it was the last one."""
    db.execute(
        "UPDATE mails SET attempts = attempts + 1, last_error = ?, next_at = ?,"
        " sealed = CASE WHEN ? IS NULL THEN NULL ELSE sealed END WHERE key = ?",
        (error, next_at, next_at, key),
    )


def purge(db: Db, *, created_before: int, most: int) -> int:
    """Removes up to `most` old mails; returns how many."""
    cursor = db.execute(
        "DELETE FROM mails WHERE key IN (SELECT key FROM mails WHERE created_at <= ? LIMIT ?)", (created_before, most)
    )
    return cursor.rowcount
