"""Does what store/upkeep.py lists, one slice at a time."""

from collections.abc import Callable, Mapping

from jsonrpc_backend.store import collections, item_index, item_rights, items, upkeep
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.upkeep import Chore

MOST_BYTES = 8 * 1024 * 1024  # of properties: what is removed is overwritten on the disk


def do_slice(db: Db, *, most: int) -> bool:
    """Does up to `most` rows of the oldest chore; False when there is none."""
    chore = upkeep.first(db)
    if chore is None:
        return False
    if not _WORK[chore.kind](db, chore, most):
        upkeep.end(db, chore)
    return True


def _part_from_user(db: Db, chore: Chore, most: int) -> bool:
    """What becomes of an item whose owner is gone is a setting of its collection."""
    taken = items.owned_slice(db, chore.name, most, MOST_BYTES)
    for key, collection_key in taken:
        collection = collections.find_by_key(db, collection_key)
        _part(db, key, chore.name, collection.settings.delete_with_owner if collection else "all")
    return bool(taken) or item_rights.remove_slice(db, chore.name, most) > 0


def _part(db: Db, key: int, owner: str, delete_with_owner: str) -> None:
    if delete_with_owner == "all" or (delete_with_owner == "private" and items.is_private(db, key, owner)):
        items.delete(db, key)
    else:
        items.disown(db, key)


def _empty_collection(db: Db, chore: Chore, most: int) -> bool:
    taken = items.slice_of(db, chore.collection, most, MOST_BYTES)
    for key, _ in taken:
        items.delete(db, key)
    return bool(taken)


def _empty_index(db: Db, chore: Chore, most: int) -> bool:
    return item_index.remove_slice(db, chore.collection, chore.name, most) > 0


def _build_index(db: Db, chore: Chore, most: int) -> bool:
    collection = collections.find_by_key(db, chore.collection)
    if collection is None:
        return False
    last = item_index.build_slice(db, collection, chore.name, chore.after, most, MOST_BYTES)
    if last is None:
        collections.note_built(db, collection, chore.name)
        return False
    upkeep.note(db, chore, last)
    return True


_WORK: Mapping[str, Callable[[Db, Chore, int], bool]] = {
    upkeep.USER: _part_from_user,
    upkeep.COLLECTION: _empty_collection,
    upkeep.INDEX: _empty_index,
    upkeep.BUILD: _build_index,
}
