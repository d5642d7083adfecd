"""What operators do with collections: make, configure and drop them, each with its line in the audit log.

How an item may look, and who may do what with one, does not depend on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jsonrpc_backend.accounts.refusals import Unacceptable
from jsonrpc_backend.store import audit, collections, items
from jsonrpc_backend.store.audit import Act
from jsonrpc_backend.store.collections import Collection, CollectionNameTaken, Settings
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.item_rights import NONE, RIGHTS, rights_text

NO_SUCH_COLLECTION = "Collection not found."
NAME_TAKEN = "Collection name is already taken."

DEFAULTS = Settings(is_insertable=False, default_public=NONE, delete_with_owner="private", indexes=())


class NoSuchCollection(Unacceptable):
    """No collection has this name."""

    def __init__(self) -> None:
        super().__init__({"collectionName": NO_SUCH_COLLECTION})


@dataclass(frozen=True, slots=True)
class GivenSettings:
    """Settings as an operator gives them, whose values follow the schemas; None: as they are."""

    is_insertable: bool | None = None
    default_public_permission: str | None = None
    delete_with_owner: str | None = None
    indexes: Sequence[str] | None = None

    def over(self, settings: Settings) -> Settings:
        public, indexes = self.default_public_permission, self.indexes
        return Settings(
            is_insertable=settings.is_insertable if self.is_insertable is None else self.is_insertable,
            default_public=settings.default_public if public is None else RIGHTS[public],
            delete_with_owner=self.delete_with_owner or settings.delete_with_owner,
            indexes=settings.indexes if indexes is None else tuple(dict.fromkeys(indexes)),
        )

    @property
    def params(self) -> dict[str, Any]:
        """As the methods take them."""
        given = {
            "isInsertable": self.is_insertable,
            "defaultPublicPermission": self.default_public_permission,
            "deleteWithOwner": self.delete_with_owner,
            "indexes": None if self.indexes is None else [*self.indexes],
        }
        return {name: value for name, value in given.items() if value is not None}


def named(db: Db, name: str) -> Collection:
    """Raises NoSuchCollection."""
    found = collections.find(db, name)
    if found is None:
        raise NoSuchCollection
    return found


def definition_object(collection: Collection) -> Mapping[str, Any]:
    """A collection as operators see it."""
    settings = collection.settings
    return {
        "_id": collection.name,
        "isInsertable": settings.is_insertable,
        "defaultPublicPermission": rights_text(settings.default_public),
        "deleteWithOwner": settings.delete_with_owner,
        "indexes": list(settings.indexes),
        "_createdAt": collection.created_at,
    }


def create(db: Db, name: str, given: GivenSettings, act: Act) -> Collection:
    """A new, empty collection, whose name follows the schema. Raises Unacceptable."""
    try:
        collections.insert(db, name, given.over(DEFAULTS), act.at)
    except CollectionNameTaken as error:
        raise Unacceptable({"collectionName": NAME_TAKEN}) from error
    audit.record_items(db, act, name)
    return named(db, name)


def configure(db: Db, name: str, given: GivenSettings, act: Act) -> Collection:
    """Changes the settings that are given. Raises NoSuchCollection."""
    collection = named(db, name)
    collections.change(db, collection, given.over(collection.settings))
    audit.record_items(db, act, name)
    return named(db, name)


def drop(db: Db, name: str, act: Act) -> int:
    """At once gone for everybody. Returns how many items went with it. Raises NoSuchCollection."""
    collection = named(db, name)
    number = items.count(db, collection)
    collections.drop(db, collection)
    audit.record_items(db, act, name, items=number)
    return number
