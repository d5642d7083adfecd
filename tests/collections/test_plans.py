"""How searches of items go through SQLite's indexes: never over a table, never sorting what an index has sorted."""

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from jsonrpc_backend.collections.search import FEW, Found, Search, parse_order
from jsonrpc_backend.monaql import parse_query
from jsonrpc_backend.store import collections, item_search, items
from jsonrpc_backend.store.collections import Collection, Settings
from jsonrpc_backend.store.engine import Db, Rows
from jsonrpc_backend.store.item_rights import NONE, RIGHTS, Asker
from jsonrpc_backend.store.sqlite.connection import SqliteConnection
from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from jsonrpc_backend.store.sqlite.dialect import SqliteDialect

ITEMS = 4 * FEW
RARE, COMMON = "rare", "common"  # values of the indexed property; RARE comes FEW / 10 times
ANNA, DEVICE = "u-anna", "anna's phone"


class Explained:
    """A `Db` that keeps the plan of each statement that it runs."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self.plans: list[list[str]] = []

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows:
        self.plans.append([row[3] for row in self._db.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)])
        return self._db.execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Rows:
        return self._db.executemany(sql, parameters)

    @property
    def steps(self) -> list[str]:
        return [step for plan in self.plans for step in plan]

    @property
    def indexes(self) -> set[str]:
        return {found[1] for step in self.steps if (found := re.search(r"USING (?:COVERING )?INDEX (\w+)", step))}


@pytest.fixture(scope="module", params=["without statistics", "with statistics"])
def db(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteConnection]:
    """A collection of which Anna can read a quarter: public items, her own, her phone's, and those shown to her."""
    path = tmp_path_factory.mktemp("plans") / "app.sqlite3"
    with contextlib.closing(open_for_writing(Path(path))) as db:
        settings = Settings(is_insertable=True, default_public=NONE, delete_with_owner="private", indexes=("tag",))
        db.write(lambda db: collections.insert(db, "notes", settings, 0))
        db.write(lambda db: fill(db, notes(db)))
        if request.param == "with statistics":
            db.execute("ANALYZE")
        yield db


def fill(db: Db, collection: Collection) -> None:
    for number in range(ITEMS):
        public, own, of_device, shown = (number % 16 == kind for kind in range(4))
        items.insert(
            db,
            collection,
            id=f"i{number}",
            owner=None if of_device else ANNA if own else "u-friend",
            device=DEVICE if of_device else None,
            properties_json=f'{{"tag":"{RARE if number % 40 == 0 else COMMON}","number":{number}}}',
            permission={"public": RIGHTS["r" if public else ""], **({ANNA: RIGHTS["r"]} if shown else {})},
            created_at=number,
            updated_at=number,
        )


def notes(db: Db) -> Collection:
    found = collections.find(db, "notes")
    assert found is not None
    return found


def search(
    db: Db, query: str | None = None, *, order: str = "_createdAt", mine: bool = False, user: str | None = ANNA
) -> tuple[Found, Explained]:
    """The first page of 20, and how it was found."""
    explained = Explained(db)
    expression = parse_query(query, []) if query else None
    asked = Search(notes(db), Asker(user, DEVICE), SqliteDialect(), expression, mine, parse_order([order]))
    return asked.find(explained, limit=20, offset=0), explained


READABLE = {"items_public", "items_owner", "items_device", "grants_opening"}

# Criteria, order, number of items that match, and the indexes that lead to them.
CASES = [
    ('_id == "i16"', "_createdAt", 1, {"items_id"}),
    ('_id IN ["i1", "i16", "i4"]', "number", 2, {"items_id"}),
    (f'_ownerUserOid == "{ANNA}"', "_createdAt", ITEMS // 16, {"items_owner"}),
    (f'_ownerUserOid == "{ANNA}" && number >= 0', "number DESC", ITEMS // 16, {"items_owner"}),
    (f'_ownerDeviceOid == "{DEVICE}"', "_createdAt", ITEMS // 16, {"items_device"}),
    (f'tag == "{RARE}"', "_createdAt", ITEMS // 80, {"item_values_sorted"}),
    (f'tag IN ["{RARE}", "{RARE}er", null]', "_createdAt DESC", ITEMS // 80, {"item_values_sorted"}),
    (f'number > 3 && tag >= "{RARE}"', "_updatedAt", ITEMS // 80 - 1, {"item_values_sorted"}),
    (f'tag == "{COMMON}" && _id == "i1"', "_createdAt", 1, {"items_id"}),
    (f'tag != "{RARE}"', "_createdAt", ITEMS // 4 - ITEMS // 80, READABLE),
    ("number < 4 || number == 16", "number", 5, READABLE),
]


@pytest.mark.parametrize(("query", "order", "count", "indexes"), CASES)
def test_the_way_in_is_what_criteria_name(
    db: SqliteConnection, query: str, order: str, count: int, indexes: set[str]
) -> None:
    found, explained = search(db, query, order=order)
    assert (found.total, len(found.keys)) == (count, min(20, count))
    assert explained.indexes == indexes
    assert_no_table_is_walked(explained)


def assert_no_table_is_walked(explained: Explained) -> None:
    assert [step for step in explained.steps if re.match(r"SCAN (items|grants|item_values|collections)\b", step)] == []


# Whether the user is signed in, whether only own items are wanted, how many there are, and what leads to them.
EVERYTHING = [
    (ANNA, False, ITEMS // 4, READABLE),
    (None, False, ITEMS // 8, {"items_public", "items_device"}),
    (ANNA, True, ITEMS // 16, {"items_owner"}),
    (None, True, ITEMS // 16, {"items_device"}),
]


@pytest.mark.parametrize("wanted", EVERYTHING)
@pytest.mark.parametrize("order", ["_createdAt", "_createdAt DESC"])
def test_everything_in_the_order_of_time_is_merged_and_never_sorted(
    db: SqliteConnection, order: str, wanted: tuple[str | None, bool, int, set[str]]
) -> None:
    user, mine, count, indexes = wanted
    found, explained = search(db, order=order, user=user, mine=mine)
    assert found.total == count
    assert found.keys == sorted(found.keys, reverse=order.endswith("DESC"))
    assert explained.indexes == indexes
    assert "MERGE (UNION ALL)" in explained.steps
    assert not any("TEMP B-TREE" in step for step in explained.steps)
    reading = [step for step in explained.steps if "INDEX" in step]
    assert all("COVERING INDEX" in step for step in reading), "rows are large, and read for the page only"
    assert_no_table_is_walked(explained)


def test_a_page_of_the_newest_stops_when_it_is_full(db: SqliteConnection) -> None:
    def steps(limit: int) -> int:
        """Of SQLite's machine, which has done them when the page is there."""
        done = 0

        def count() -> int:
            nonlocal done
            done += 1
            return 0

        db.set_progress_handler(count, 1)
        way = item_search.readable(notes(db).key, Asker(ANNA, DEVICE))
        try:
            assert len(item_search.newest(db, way, descending=True, limit=limit, offset=0)) == limit
        finally:
            db.set_progress_handler(None, 0)
        return done

    assert steps(20) < steps(ITEMS // 4) / 10


@pytest.mark.parametrize("order", ["tag", "tag DESC"])
def test_an_indexed_order_is_walked(db: SqliteConnection, order: str) -> None:
    found, explained = search(db, order=order)
    assert found.total == ITEMS // 4
    assert "item_values_sorted" in explained.indexes
    assert not any(step.startswith("USE TEMP B-TREE FOR ORDER BY") for step in explained.steps)
    assert_no_table_is_walked(explained)


def test_a_value_that_most_items_have_leads_nowhere(db: SqliteConnection) -> None:
    """Along its index the rows would come in no order, and the rights be looked up for each."""
    found, explained = search(db, f'tag == "{COMMON}"')
    assert found.total == ITEMS // 4 - ITEMS // 80
    (*_, last) = explained.plans
    assert not any("item_values_sorted" in step for step in last)
    assert_no_table_is_walked(explained)


def test_counting_on_an_index_reads_no_items(db: SqliteConnection) -> None:
    """Which of two ways is shorter must not cost what either would."""
    _, explained = search(db, f'tag == "{COMMON}"')
    (*counting, _) = explained.plans
    assert len(counting) == 3
    assert not any("PRIMARY KEY (rowid=?)" in step for plan in counting for step in plan)
