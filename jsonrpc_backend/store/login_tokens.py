"""Login tokens, in families that begin with one sign-in; one line of a family lives.

Each use of a token makes a successor. A token is

- fresh: it has not been presented yet. It can be, until it expires.
- used: it has been presented, none of its successors has. They may have got lost on their way, or may be with another
  tab: until its grace has passed, which begins with its first use, it can be presented again, each time for one more
  successor.
- superseded: one of its successors has been presented, or a sibling, another successor of the same token; or its grace
  has passed. Whoever had it should have another one by now. Presented again it is in two hands, and the family ends
  with its sessions.

So what lives is the token that was presented last, and its successors. Two tabs of a browser share what they store: the
successor that was stored last is presented next, by whichever tab. A thief who goes on with a copy gets a successor
that its owner does not have: whoever presents his own as the second one ends the family. So does an owner who comes
back after the grace to a token that a thief has used. The price: who lost an answer and tries again only after the
grace has to sign in with the password.

A token that has expired ends nothing.

Superseded tokens need no rows: the family's part of the token tells (see accounts/tokens.py). An older file has tokens
that were made without that part; they are remembered one by one. No foreign key ties families, tokens and sessions to
their user: rows of users who are gone are removed in steps, see leftovers.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import COLUMNS, User

MOST_FAMILIES_PER_USER = 1000  # enough for an account that many people share; the oldest beyond end
MOST_SUCCESSORS = 50  # of one token: tabs that start at the same time, answers that get lost; the oldest beyond end

# In the order of the fields of _Found, without the user.
_FOUND = "superseded, login_tokens.created_at, used_at, login_families.key, device, stem, uses, uses_since"

_ENDED = 0  # in the place of a password version, which is never less than 1


class UsedTooOften(Exception):
    """The tokens of a family have been used as often as they may be; `wait`: ms until they may be used again."""

    def __init__(self, wait: int) -> None:
        super().__init__(wait)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class TokenDigests:
    """The digests of a login token and of the part that is its family's."""

    digest: bytes
    stem: bytes


@dataclass(frozen=True, slots=True)
class TokenRules:
    """How long a token can be used: `valid` from when it was made, `grace` from its first use. Times: ms.

    A family's tokens can be used `most_uses` times within `window`; None: any number of times.
    """

    valid: int
    grace: int
    most_uses: int | None
    window: int


@dataclass(frozen=True, slots=True)
class Presented:
    """A usable token: its family, the device on which that began, and its user."""

    family_key: int
    device: str
    user: User


@dataclass(frozen=True, slots=True)
class _Found:
    """A token, its family and its user, as they are stored. Times: ms since 1970 UTC."""

    user: User
    superseded: int
    created_at: int
    used_at: int | None
    family_key: int
    device: str
    stem: bytes | None
    uses: int
    uses_since: int


def start_family(db: Db, token: TokenDigests, user: User, device: str, now: int) -> int:
    """Stores the first token of a sign-in; returns its family."""
    family_key: int = db.execute(
        "INSERT INTO login_families (user_key, device, password_version, stem, renewed_at)"
        " VALUES (?, ?, ?, ?, ?) RETURNING key",
        (user.key, device, user.password_version, token.stem, now),
    ).fetchone()[0]
    oldest = db.execute(
        "SELECT key FROM login_families WHERE user_key = ? ORDER BY key DESC LIMIT -1 OFFSET ?",
        (user.key, MOST_FAMILIES_PER_USER),
    )
    _remove(db, oldest.fetchall(), MOST_FAMILIES_PER_USER)
    _insert(db, token.digest, family_key, None, now)
    return family_key


def exists(db: Db, token: TokenDigests) -> bool:
    """Whether there is such a token, be it superseded or expired."""
    row = db.execute(
        "SELECT 1 FROM login_tokens WHERE digest = ? UNION ALL SELECT 1 FROM login_families WHERE stem = ?",
        (token.digest, token.stem),
    ).fetchone()
    return row is not None


def present(db: Db, token: TokenDigests, *, successor: bytes, rules: TokenRules, now: int) -> Presented | None:
    """Uses a token and stores its successor. None for an unknown, expired or superseded one. Raises UsedTooOften."""
    found = _find(db, token)
    if found is None:
        _end_family_of(db, token)
        return None
    if found.created_at <= now - rules.valid:
        return None
    if found.superseded or (found.used_at is not None and found.used_at <= now - rules.grace):
        end_family(db, found.family_key)
        return None
    _note_use(db, token, found, rules, now)
    _supersede_others(db, token, found)
    _insert(db, successor, found.family_key, token.digest, now)
    _remove_old_successors(db, token, found.family_key, newest=successor)
    return Presented(found.family_key, found.device, found.user)


def _find(db: Db, token: TokenDigests) -> _Found | None:
    row = db.execute(
        f"SELECT {_FOUND}, {COLUMNS}"  # noqa: S608
        " FROM login_tokens JOIN login_families ON login_families.key = login_tokens.family_key"
        " JOIN users ON users.key = user_key AND users.password_version = login_families.password_version"
        " WHERE digest = ?",
        (token.digest,),
    ).fetchone()
    return _Found(User(*row[8:]), *row[:8]) if row else None


def _end_family_of(db: Db, token: TokenDigests) -> None:
    """Ends the family of a token that was superseded so long ago that only the family's part of it is known."""
    row = db.execute("SELECT key FROM login_families WHERE stem = ?", (token.stem,)).fetchone()
    if row is not None:
        end_family(db, row[0])


def _note_use(db: Db, token: TokenDigests, found: _Found, rules: TokenRules, now: int) -> None:
    began, uses = found.uses_since, found.uses
    if not began <= now < began + rules.window:
        began, uses = now, 0
    if rules.most_uses is not None and uses >= rules.most_uses:
        raise UsedTooOften(began + rules.window - now)
    db.execute(
        "UPDATE login_families SET stem = ?, renewed_at = ?, uses = ?, uses_since = ? WHERE key = ?",
        (token.stem, now, uses + 1, began, found.family_key),
    )
    db.execute("UPDATE login_tokens SET used_at = ? WHERE digest = ? AND used_at IS NULL", (now, token.digest))


def _supersede_others(db: Db, token: TokenDigests, found: _Found) -> None:
    """All tokens of the family but this one and its successors."""
    others = "family_key = ? AND superseded = 0 AND digest <> ? AND parent IS NOT ?"
    known_by_stem = found.stem == token.stem
    db.execute(
        f"DELETE FROM login_tokens WHERE {others}"  # noqa: S608
        if known_by_stem
        else f"UPDATE login_tokens SET superseded = 1 WHERE {others}",  # noqa: S608
        (found.family_key, token.digest, token.digest),
    )


def _remove_old_successors(db: Db, token: TokenDigests, family_key: int, *, newest: bytes) -> None:
    db.execute(
        "DELETE FROM login_tokens WHERE digest IN (SELECT digest FROM login_tokens WHERE family_key = ? AND parent = ?"
        " ORDER BY digest = ? DESC, created_at DESC LIMIT -1 OFFSET ?)",
        (family_key, token.digest, newest, MOST_SUCCESSORS),
    )


def _insert(db: Db, digest: bytes, family_key: int, parent: bytes | None, now: int) -> None:
    db.execute(
        "INSERT INTO login_tokens (digest, family_key, parent, created_at) VALUES (?, ?, ?, ?)",
        (digest, family_key, parent, now),
    )


# --- ending ----------------------------------------------------------------------------------------------


def end_family(db: Db, family_key: int) -> None:
    """Ends the tokens that descend from one sign-in, and their sessions."""
    db.execute("DELETE FROM sessions WHERE family_key = ?", (family_key,))
    db.execute("DELETE FROM login_tokens WHERE family_key = ?", (family_key,))
    db.execute("DELETE FROM login_families WHERE key = ?", (family_key,))


def end_on_device(db: Db, user_key: int, device: str) -> bool:
    """Ends the tokens of a user's device; whether there were any. Sessions go on; `remove_ended` has the rows."""
    ended = db.execute(
        "UPDATE login_families SET password_version = ? WHERE user_key = ? AND device = ?", (_ENDED, user_key, device)
    )
    return ended.rowcount > 0


def keep_family(db: Db, family_key: int, *, password_version: int) -> None:
    """Lets a family go on that would end with this version of the password."""
    db.execute(
        "UPDATE login_families SET password_version = password_version + 1 WHERE key = ? AND password_version = ?",
        (family_key, password_version),
    )


def remove_ended(db: Db, user_key: int, *, password_version: int | None, most: int) -> int:
    """Removes up to `most` rows of a user's families but those of this version of the password; returns how many."""
    keys = db.execute(
        "SELECT key FROM login_families WHERE user_key = ? AND password_version IS NOT ? LIMIT ?",
        (user_key, password_version, most),
    )
    return _remove(db, keys.fetchall(), most)


def purge(db: Db, *, renewed_before: int, most: int) -> int:
    """Removes up to `most` rows of families whose tokens have expired by the clock; returns how many.

    The file would grow for ever otherwise.
    """
    keys = db.execute("SELECT key FROM login_families WHERE renewed_at <= ? LIMIT ?", (renewed_before, most))
    return _remove(db, keys.fetchall(), most)


def _remove(db: Db, families: Iterable[tuple[int]], most: int) -> int:
    """Removes up to `most` rows of these families; returns how many: fewer when it has removed all of them."""
    left = most
    for (key,) in families:
        if left <= 0:
            break
        left -= db.execute(
            "DELETE FROM login_tokens WHERE digest IN (SELECT digest FROM login_tokens WHERE family_key = ? LIMIT ?)",
            (key, left),
        ).rowcount
        if left > 0:
            db.execute("DELETE FROM login_families WHERE key = ?", (key,))
            left -= 1
    return most - left
