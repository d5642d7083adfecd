"""An import from its first record to its last: collect, compare with the users there are, hash, move.

Everything is checked before anything is changed, and the change is one transaction.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from jsonrpc_backend.accounts.look_alikes import skeleton
from jsonrpc_backend.accounts.passwords import hash_many
from jsonrpc_backend.accounts.refusals import TOO_LARGE, USERNAME_LOOKS_TAKEN, USERNAME_TAKEN
from jsonrpc_backend.config import PasswordsConfig
from jsonrpc_backend.store import incoming, users
from jsonrpc_backend.store.audit import Act
from jsonrpc_backend.store.engine import Db, WritableDb
from jsonrpc_backend.store.incoming import Clash
from jsonrpc_backend.transfer.move import Clashes, Moved, OutgrownProperties, move
from jsonrpc_backend.transfer.naming import PLAIN_ALIASES
from jsonrpc_backend.transfer.record import BadRecord, ImportRules
from jsonrpc_backend.transfer.source import Bad, Record

ID_TAKEN = "Another user has this id."

# A property of such a name is rarely meant: passwords would lie in the open.
_SUSPICIOUS = frozenset(name for name, field in PLAIN_ALIASES.items() if "assword" in field)


class Existing(enum.Enum):
    """What is done with a record whose username somebody has already."""

    REFUSE = "refuse"
    SKIP = "skip"
    UPDATE = "update"


@dataclass(frozen=True)
class Intake:
    """The records of one file on their way into one database. `bad` grows with what cannot be used."""

    db: Db
    rules: ImportRules
    existing: Existing
    bad: list[Bad]
    passwords: dict[int, str]  # plain ones, by number of record; they never touch a disk
    suspicious: set[str]  # names of properties that may be meant as passwords

    @classmethod
    def begin(cls, db: Db, rules: ImportRules, existing: Existing) -> "Intake":
        incoming.open_collection(db)
        return cls(db, rules, existing, [], {}, set())

    def take(self, record: Record | Bad) -> None:
        """Collects a record, or what is wrong with it."""
        if isinstance(record, Bad):
            self.bad.append(record)
            return
        try:
            newcomer = self.rules.newcomer(record)
        except BadRecord as error:
            self.bad.extend(Bad(record.number, record.line, name, reason) for name, reason in error.complaints.items())
            return
        clash = incoming.collect(self.db, newcomer.user)
        if clash is not None:
            reason = f"The same {clash.field} is on line {clash.line}, record {clash.number}."
            self.bad.append(Bad(record.number, record.line, clash.field, reason))
            return
        self.suspicious.update(_SUSPICIOUS & record.fields.keys())
        if newcomer.password is not None:
            self.passwords[record.number] = newcomer.password

    def compare(self) -> int:
        """Ends the collection and looks for clashes with the users there are; returns how many were skipped."""
        incoming.finish(self.db)
        skipped = incoming.remove_known(self.db) if self.existing is Existing.SKIP else 0
        for clash in incoming.list_clashes(self.db, updating=self.existing is Existing.UPDATE):
            self._refuse(clash)
        if self.rules.settings.refuse_confusable_usernames:
            self._refuse_look_alikes()
        self.bad.sort(key=lambda bad: bad.number)
        return skipped

    def _refuse_look_alikes(self) -> None:
        """Newcomers whose names look like those of users, noted or not, or of newcomers before them."""
        seen = set(map(skeleton, users.list_usernames(self.db)))
        for newcomer, username in incoming.list_newcomers(self.db):
            looks = skeleton(username)
            if looks in seen:
                self._refuse(newcomer, USERNAME_LOOKS_TAKEN)
            seen.add(looks)

    def _refuse(self, clash: Clash, reason: str | None = None) -> None:
        reason = reason or (USERNAME_TAKEN if clash.field == "username" else ID_TAKEN)
        self.bad.append(Bad(clash.number, clash.line, clash.field, reason))
        incoming.remove(self.db, clash.number)
        self.passwords.pop(clash.number, None)

    @property
    def size(self) -> int:
        """How many users are ready."""
        return incoming.count(self.db)

    def hash_passwords(self, config: PasswordsConfig) -> Iterator[None]:
        """Hashes the plain passwords; yields after each."""
        for number, password_hash in hash_many(config, self.passwords.items()):
            incoming.set_hash(self.db, number, password_hash)
            yield

    def move(self, db: WritableDb, *, skip_bad: bool, act: Act) -> Moved | None:
        """Moves all users into the table, or none: None, and `bad` says what has come in between.

        `db` is the one that this began with.
        """
        updating = self.existing is Existing.UPDATE
        skipping = skip_bad or self.existing is Existing.SKIP
        try:
            return db.write(lambda db: move(db, self.rules.settings, act, updating=updating, skipping=skipping))
        except Clashes as error:
            for clash in error.clashes:
                self._refuse(clash)
        except OutgrownProperties as error:
            self.bad.append(Bad(error.arrival.number, error.arrival.line, "properties", TOO_LARGE))
        return None
