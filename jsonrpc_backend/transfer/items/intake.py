"""An import of items from its first record to its last: collect, compare with the items there are, move.

Everything is checked before anything is changed, and the change is one transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jsonrpc_backend.collections import definitions
from jsonrpc_backend.collections.item_changes import ITEM_TOO_LARGE
from jsonrpc_backend.store import audit, collections, incoming_items
from jsonrpc_backend.store.audit import Act
from jsonrpc_backend.store.collections import Settings
from jsonrpc_backend.store.engine import Db, WritableDb
from jsonrpc_backend.store.incoming_items import OutgrownItem, Prospect, RecordPlace
from jsonrpc_backend.store.item_rights import Rights
from jsonrpc_backend.transfer.intake import Existing
from jsonrpc_backend.transfer.items.record import ItemRules
from jsonrpc_backend.transfer.record import BadRecord
from jsonrpc_backend.transfer.source import Bad, Record

ITEM_ID_TAKEN = "The collection has an item with this id."


@dataclass(frozen=True, slots=True)
class NewCollection:
    """One that the import makes. `created_at`: ms since 1970 UTC."""

    settings: Settings
    created_at: int


@dataclass
class MovedItems:
    """How many items have been added and changed."""

    added: int = 0
    updated: int = 0


class ItemClashes(Exception):
    """Items with the ids of these records have come meanwhile. Nothing was done."""

    def __init__(self, clashes: list[tuple[int, RecordPlace]]) -> None:
        super().__init__(len(clashes))
        self.clashes = clashes


@dataclass
class ItemIntake:
    """The records of all files on their way into one database. `bad` grows with what cannot be used.

    `public`: what everybody may do with items that come without a permission, where the collection's default does not
    count. `made` are the collections that are still to be made.
    """

    db: Db
    rules: ItemRules
    existing: Existing
    public: Rights | None = None
    made: dict[str, NewCollection] = field(default_factory=dict)
    bad: list[Bad] = field(default_factory=list)
    _number: int = 0
    _files: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        incoming_items.open_collection(self.db)

    def take(self, record: Record | Bad, collection: str) -> None:
        """Collects a record, or what is wrong with it."""
        self._files.setdefault(record.file, len(self._files))
        if isinstance(record, Bad):
            self.bad.append(record)
            return
        self._number += 1
        try:
            item = self.rules.item(record, collection, self._number)
        except BadRecord as error:
            place = RecordPlace(record.file, record.number, record.line)
            self.bad.extend(_bad(place, name, reason) for name, reason in error.complaints.items())
            return
        earlier = incoming_items.collect(self.db, item)
        if earlier is not None:
            where = f"line {earlier.line}, record {earlier.record}"
            where += "" if earlier.file == record.file else f" of {earlier.file}"
            self.bad.append(_bad(item.place, "_id", f"The same id is on {where}."))

    def compare(self) -> int:
        """Ends the collection and looks for clashes with the items there are; returns how many were skipped."""
        incoming_items.finish(self.db)
        skipped = 0
        if self.existing is not Existing.UPDATE:
            for name in self.sizes:
                found = collections.find(self.db, name)
                for number, place, _ in incoming_items.list_known(self.db, found) if found else ():
                    incoming_items.remove(self.db, number)
                    skipped += 1
                    if self.existing is Existing.REFUSE:
                        self.bad.append(_bad(place, "_id", ITEM_ID_TAKEN))
        self.bad.sort(key=lambda bad: (self._files[bad.file], bad.number))
        return skipped if self.existing is Existing.SKIP else 0

    @property
    def sizes(self) -> Mapping[str, int]:
        """How many items are ready for which collection."""
        return incoming_items.count_each(self.db)

    def prospect(self) -> Prospect:
        """What will be seen of the items that are ready and new."""
        total = Prospect(0, 0, 0, 0)
        for name in self.sizes:
            found = collections.find(self.db, name)
            settings = found.settings if found else self.made[name].settings
            some = incoming_items.prospect(self.db, name, found.key if found else None, self._public(settings))
            total = Prospect(*map(sum, zip(total, some, strict=True)))
        return total

    def _public(self, settings: Settings) -> Rights:
        return settings.default_public if self.public is None else self.public

    def move(self, db: WritableDb, *, skip_bad: bool, act: Act) -> MovedItems | None:
        """Moves all items into their collections, or none: None, and `bad` says what has come in between.

        `db` is the one that this began with.
        """
        try:
            return db.write(lambda db: self._move(db, act, skipping=skip_bad))
        except ItemClashes as error:
            self.bad.extend(_bad(place, "_id", ITEM_ID_TAKEN) for _, place in error.clashes)
        except OutgrownItem as error:
            self.bad.append(_bad(error.place, "properties", ITEM_TOO_LARGE))
        return None

    def _move(self, db: Db, act: Act, *, skipping: bool) -> MovedItems:
        for name, new in self.made.items():
            if collections.find(db, name) is None:
                collections.insert(db, name, new.settings, new.created_at)
                audit.record_items(db, act, name)
        moved = MovedItems()
        for name in self.sizes:
            self._move_into(db, name, act, moved, skipping=skipping)
        return moved

    def _move_into(self, db: Db, name: str, act: Act, moved: MovedItems, *, skipping: bool) -> None:
        collection = definitions.named(db, name)
        known = incoming_items.list_known(db, collection)
        if self.existing is Existing.UPDATE:
            for number, _, _ in known:
                incoming_items.update_known(db, collection, number)
        elif known and not (skipping or self.existing is Existing.SKIP):
            raise ItemClashes([(number, place) for number, place, _ in known])
        incoming_items.remove_known(db, collection)
        known = known if self.existing is Existing.UPDATE else []
        added, ids = incoming_items.insert_new(db, collection, self._public(collection.settings))
        audit.record_items(db, act, name, [*(id_ for _, _, id_ in known), *ids], items=added + len(known))
        moved.added += added
        moved.updated += len(known)


def _bad(place: RecordPlace, name: str, reason: str) -> Bad:
    return Bad(place.record, place.line, name, reason, place.file)
