"""Items of collections: those that a database is filled with, and what callers do with them.

Everything about an item follows from its number. Item `n` belongs to user `n % users`; of some collections every so
many items are public. So a caller may read his own, one in a thousand where there are a thousand users, and those.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from benchmarks import population
from benchmarks.load import Load
from benchmarks.operations import Operation, call
from jsonrpc_backend.clock import system_clock
from jsonrpc_backend.store.item_index import Value, value_of

# Collections, and of how many of their items one is public; 0: none is.
PUBLIC_EVERY = {"own only": 0, "10 % public": 10, "all public": 1}

PAGE = 20
ITEMS_OF_A_TAG = 100


def fill(path: Path, collections: list[str], *, items: int, users: int, progress: population.Progress) -> None:
    """Adds collections, each with so many items, to a database that has users."""
    now = system_clock()
    with population.filling(path) as connection:
        for key, collection in enumerate(collections, 1):
            definition = (key, name_of(collection), 1, 0, 0, "private", '{"tag":true}', now)
            columns = "key, name, insertable, default_read, default_write, delete_with_owner, indexes, created_at"
            population.insert_rows(connection, f"collections ({columns})", [definition], progress)
            columns = (
                "key, collection, id, owner, device, public_read, public_write, created_at, updated_at, properties"
            )
            rows = _items(key, PUBLIC_EVERY[collection], items, users, now)
            population.insert_rows(connection, f"items ({columns})", rows, progress)
            columns = "item, property, collection, rank, number, string"
            population.insert_rows(connection, f"item_values ({columns})", _values(key, items), progress)


def rows_to_fill(collections: list[str], items: int) -> int:
    return len(collections) * (2 * items + 1)


def name_of(collection: str) -> str:
    """A name that a collection can have."""
    return "".join(letter for letter in collection if letter.isalpha())


def _items(collection: int, public_every: int, items: int, users: int, now: int) -> Iterator[tuple[Any, ...]]:
    owners = [population.public_id(user) for user in range(users)]
    first = (collection - 1) * items + 1
    for number in range(items):
        public = int(public_every > 0 and number % public_every == 0)
        time = now - items + number
        properties = json.dumps(item(number, items), separators=(",", ":"))
        yield (
            first + number,
            collection,
            item_id(number),
            owners[number % users],
            None,
            public,
            0,
            time,
            time,
            properties,
        )


def _values(collection: int, items: int) -> Iterator[tuple[Any, ...]]:
    first = (collection - 1) * items + 1
    for number in range(items):
        value: Value = value_of(tag(number, items))
        yield (first + number, "tag", collection, *value)


def item_id(number: int) -> str:
    """No two numbers below four thousand million have the same, and neighbours are far apart, as with random ones."""
    return f"i{number * 2654435761 % (1 << 32):08x}-0000-4000-8000-000000000000"


def tag(number: int, items: int) -> str:
    tags = max(1, items // ITEMS_OF_A_TAG)
    return f"tag-{(number * 7 + number // 1000) % tags}"


def item(number: int, items: int) -> dict[str, Any]:
    return {"tag": tag(number, items), "number": number, "title": f"Note {number}", "text": "lorem ipsum " * 10}


class OfItems(Operation):
    """A signed-in user does something with the items of a collection."""

    searches: ClassVar[bool] = True  # in turn with others

    def __init__(self, first: int, load: Load) -> None:
        super().__init__(first, load)
        self.collection = name_of(load.collection)

    def find(self, user: int, **params: Any) -> Any:
        options = {"limit": PAGE, **params.pop("options", {})}
        return call("Collection.find", user, collectionName=self.collection, options=options, **params)

    def one_of(self, user: int) -> int:
        """The number of an item that belongs to the user."""
        return user + self.users * self.random.randrange(self.load.items // self.users)


class ById(OfItems):
    expected = b'"_id"'
    searches = False

    def body(self) -> Any:
        user = self.somebody()
        return self.find(user, criteria="_id == ?", bindParams=[item_id(self.one_of(user))])


class Own(OfItems):
    expected = b'"_id"'

    def body(self) -> Any:
        return self.find(self.somebody(), orderBy="_createdAt DESC", options={"mine": True})


class Indexed(OfItems):
    """By a property that has an index; a hundred items have the value, of which the caller may read some."""

    expected = b'"_id"'

    def body(self) -> Any:
        user = self.somebody()
        return self.find(user, criteria="tag == ?", bindParams=[tag(self.one_of(user), self.load.items)])


class Newest(OfItems):
    expected = b'"_id"'

    def body(self) -> Any:
        return self.find(self.somebody(), orderBy="_createdAt DESC")


class OtherQuery(OfItems):
    """By a property without an index: all that the caller may read is looked at."""

    expected = b'"_id"'

    def body(self) -> Any:
        user = self.somebody()
        return self.find(user, criteria="number == ?", bindParams=[self.one_of(user)])


class Insert(OfItems):
    searches = False

    def body(self) -> Any:
        self.next += 1
        new = item(self.next, self.load.items)
        return call("Collection.insert", self.somebody(), collectionName=self.collection, item=new)


class UpdateItem(OfItems):
    searches = False

    def body(self) -> Any:
        self.next += 1
        user = self.somebody()
        return call(
            "Collection.update",
            user,
            collectionName=self.collection,
            itemOid=item_id(self.one_of(user)),
            data={"count": self.next},
        )


OPERATIONS: dict[str, type[OfItems]] = {
    "find by id": ById,
    "find own": Own,
    "find by index": Indexed,
    "find newest": Newest,
    "find otherwise": OtherQuery,
    "update item": UpdateItem,
    "insert item": Insert,
}
