"""Password resets: what was asked for, and the tokens of users: one for each requester, who may be anybody.

A newer token replaces that of the same requester only. Else strangers who ask again and again would make useless what
the user is typing. All of them were mailed to the user; one that is used ends all.

A request is stored before anything is known of its user, so that storing it takes the same time for everybody.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import COLUMNS, NO_PASSWORD, User

# For each token, from everywhere. A token has 51.9 bits, so that a million tries find it in 1 of 4·10⁹ cases; and they
# take hours, for the server has a password hashed at each. Fewer would let strangers spend the token of its owner.
MAX_WRONG_TRIES = 1_000_000


_IS_VALID = "CASE WHEN expires_at IS NULL THEN created_at > ? ELSE expires_at > ? END"


@dataclass(frozen=True, slots=True)
class ResetRequest:
    """A row: a reset that was asked for and not looked into yet.

    One with `valid_minutes` is part of a mailing to users who have no password. `requester` tells apart who has asked.
    `share`: who has the same limit of mails; None for all whom the user is not known to know.
    """

    key: int
    username_key: str
    email_property: str
    template: str
    valid_minutes: int | None
    requester: bytes
    share: bytes | None

    @property
    def is_mailing(self) -> bool:
        return self.valid_minutes is not None


@dataclass(frozen=True, slots=True)
class Mailing:
    """How users without a password are written to: one mail in each `interval` (ms), tokens valid for some minutes."""

    email_property: str
    template: str
    valid_minutes: int
    interval: int


def insert_request(
    db: Db,
    username_key: str,
    email_property: str,
    template: str,
    *,
    requester: bytes,
    share: bytes | None,
) -> None:
    db.execute(
        "INSERT INTO password_reset_requests (username_key, email_property, template, requester, share)"
        " VALUES (?, ?, ?, ?, ?)",
        (username_key, email_property, template, requester, share),
    )


def take_request(db: Db, now: int) -> ResetRequest | None:
    """The request that has been due for longest, which is removed."""
    row = db.execute(
        "DELETE FROM password_reset_requests WHERE key ="
        " (SELECT key FROM password_reset_requests WHERE due_at <= ? ORDER BY due_at, key LIMIT 1)"
        " RETURNING key, username_key, email_property, template, valid_minutes, requester, share",
        (now,),
    ).fetchone()
    return ResetRequest(*row) if row else None


def next_due(db: Db) -> int | None:
    """When the next request is due, in ms since 1970 UTC; None when there is none."""
    due: int | None = db.execute("SELECT min(due_at) FROM password_reset_requests").fetchone()[0]
    return due


def insert_mailing(db: Db, mailing: Mailing, username_keys: Iterable[str], now: int) -> int:
    """Requests one after the other, behind those of a mailing that is under way; returns how many."""
    last = db.execute("SELECT max(due_at) FROM password_reset_requests").fetchone()[0] or 0
    first = max(now, last + mailing.interval)
    cursor = db.executemany(
        "INSERT INTO password_reset_requests (username_key, email_property, template, due_at, valid_minutes, share)"
        " VALUES (?, ?, ?, ?, ?, x'')",
        (
            (key, mailing.email_property, mailing.template, first + number * mailing.interval, mailing.valid_minutes)
            for number, key in enumerate(username_keys)
        ),
    )
    return max(cursor.rowcount, 0)


def remove_mailings(db: Db) -> int:
    """Removes the requests of mailings that still wait; returns how many."""
    return db.execute("DELETE FROM password_reset_requests WHERE valid_minutes IS NOT NULL").rowcount


def end_mailed(db: Db, user_keys: Iterable[int]) -> None:
    """Ends the users' tokens of mailings, which nobody has got to see."""
    db.executemany(
        "DELETE FROM password_reset_tokens WHERE user_key = ? AND requester = x'' AND expires_at IS NOT NULL",
        ((key,) for key in user_keys),
    )


def list_to_mail(db: Db, now: int) -> list[User]:
    """The users without a password who neither wait for a mail nor have one whose token is still valid.

    But for disabled ones.
    """
    rows = db.execute(
        f"SELECT {COLUMNS} FROM users WHERE password_hash = ? AND disabled_at IS NULL"  # noqa: S608
        " AND username_key NOT IN (SELECT username_key FROM password_reset_requests WHERE valid_minutes IS NOT NULL)"
        " AND key NOT IN (SELECT user_key FROM password_reset_tokens WHERE expires_at > ?) ORDER BY key",
        (NO_PASSWORD, now),
    )
    return [User(*row) for row in rows]


def replace_token(
    db: Db,
    user_key: int,
    requester: bytes,
    digest: bytes,
    *,
    created_after: int,
    now: int,
    recipient: str,
    expires_at: int | None = None,
) -> None:
    """Gives the user a token, mailed to an address; the requester's older one ends, and so do expired ones.

    Without `expires_at` a token is valid as long as configured: if it was `created_after`.
    """
    db.execute(
        f"DELETE FROM password_reset_tokens WHERE user_key = ? AND (requester = ? OR NOT {_IS_VALID})",  # noqa: S608
        (user_key, requester, created_after, now),
    )
    db.execute(
        "INSERT INTO password_reset_tokens (user_key, requester, digest, created_at, wrong_tries, expires_at,"
        " recipient) VALUES (?, ?, ?, ?, 0, ?, ?)",
        (user_key, requester, digest, now, expires_at, recipient),
    )


def latest_token_time(db: Db, user_key: int, requester: bytes) -> int | None:
    """When the token was made that the user has for a requester, in ms since 1970 UTC."""
    row = db.execute(
        "SELECT created_at FROM password_reset_tokens WHERE user_key = ? AND requester = ?", (user_key, requester)
    ).fetchone()
    return row[0] if row else None


def exists(db: Db, username_key: str, digest: bytes) -> bool:
    """Whether the user has this token, be it expired."""
    found = db.execute(
        "SELECT 1 FROM password_reset_tokens JOIN users ON users.key = password_reset_tokens.user_key"
        " WHERE users.username_key = ? AND digest = ?",
        (username_key, digest),
    )
    return found.fetchone() is not None


@dataclass(frozen=True, slots=True)
class RightToken:
    """`recipient`: where it was mailed to; None where an older version of this program has mailed it."""

    recipient: str | None


def try_token(db: Db, user_key: int | None, digest: bytes, *, created_after: int, now: int) -> RightToken | None:
    """The token if it is one of the user's; all of them are spent by that. A wrong one counts against all.

    Never for None, no such user. A row is written in any case, so that the time does not tell who has a token.
    """
    right = db.execute(
        f"DELETE FROM password_reset_tokens WHERE user_key = ? AND digest = ? AND {_IS_VALID}"  # noqa: S608
        " RETURNING recipient",
        (user_key, digest, created_after, now),
    ).fetchone()
    if user_key is not None and right is not None:
        end(db, user_key)
        return RightToken(*right)
    wrong = db.execute("UPDATE password_reset_tokens SET wrong_tries = wrong_tries + 1 WHERE user_key = ?", (user_key,))
    if wrong.rowcount == 0:
        db.execute("UPDATE reset_tries_without_token SET tries = tries + 1")
    db.execute("DELETE FROM password_reset_tokens WHERE user_key = ? AND wrong_tries > ?", (user_key, MAX_WRONG_TRIES))
    return None


def end(db: Db, user_key: int) -> None:
    """Ends the user's tokens: the password has been changed."""
    db.execute("DELETE FROM password_reset_tokens WHERE user_key = ?", (user_key,))
