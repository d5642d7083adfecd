"""From what a caller asks for to a search: which way in (store/item_search.py), which condition, which order.

The way in is chosen from the terms that all results must meet, those that `&&` joins at the top: an id, an owner, a
value in an index; else it is everything that the caller may read. The whole condition is checked on what the way gives.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from jsonrpc_backend.monaql import AllOf, Column, Comparison, Condition, Dialect, Expression, compile_query
from jsonrpc_backend.store import item_search
from jsonrpc_backend.store.collections import Collection
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.item_index import KEPT_CHARACTERS, RANK_NUMBER, RANK_STRING, value_of
from jsonrpc_backend.store.item_rights import Asker
from jsonrpc_backend.store.item_search import EVERYTHING, ItemOrder, Way

MAX_NAMED = 20  # ids in a query that is no search
MAX_PARTS = 100  # of a way that a term names; SQLite takes 500

# Below this many items it is not worth asking which way is shorter.
FEW = 1000

# Along an index an item costs so many times more than on the way to all: rows in the order of values, rights for each.
DEARER = 4

# Who may read this many finds a page soon, in whatever order everything is gone through.
MANY = 10_000

_TIMES = {
    "_createdAt": Column("items.created_at", int, is_time=True),
    "_updatedAt": Column("items.updated_at", int, is_time=True),
}
_FIELDS = {"_id": Column("items.id", str), "_ownerUserOid": Column("items.owner", str, nullable=True), **_TIMES}
_DEVICE = "_ownerDeviceOid"
_PROPERTIES = "items.properties"
SORTED_BY = tuple(_FIELDS)


@dataclass(frozen=True, slots=True)
class SortedBy:
    """One entry of an order: a property, or one of SORTED_BY."""

    name: str
    descending: bool = False


BY_TIME = (SortedBy("_createdAt"),)


@dataclass(frozen=True, slots=True)
class Found:
    """The keys of a page, and how many items there are on all pages."""

    keys: list[int]
    total: int


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for. Without a caller it is an operator who asks, and no rights are checked."""

    collection: Collection
    caller: Asker | None
    dialect: Dialect
    expression: Expression | None = field(default=None, repr=False)
    mine: bool = False
    order: tuple[SortedBy, ...] = BY_TIME
    verb: str = "read"  # or "write": what the caller has to have a right to

    def find(self, db: Db, *, limit: int, offset: int) -> Found:
        """A page of what there is. Meant for a connection that shows one moment."""
        if self._is_by_time_alone:
            way = self._whole_way
            newest = item_search.newest(db, way, descending=self.order[0].descending, limit=limit, offset=offset)
            return Found(newest, way.count(db))
        if (found := self._along_index(db, limit=limit, offset=offset)) is not None:
            return found
        keys = self.all_keys(db)
        return Found(keys[offset : offset + limit], len(keys))

    def to(self, verb: str) -> "Search":
        """The same search among what the caller has another right to."""
        return replace(self, verb=verb)

    def all_keys(self, db: Db) -> list[int]:
        """The keys of all items that match."""
        way, condition = self._plan(db)
        return item_search.find_keys(db, way, condition, self._compiled_order)

    def is_any(self, db: Db) -> bool:
        """Whether any item matches."""
        return item_search.any_of(db, *self._plan(db))

    def still_matching(self, db: Db, keys: Sequence[int]) -> list[int]:
        """Those of some items that match as things are now."""
        condition = self._and_allowed(self.condition)
        return item_search.among(db, keys, condition)

    # --- the whole condition -------------------------------------------------------------------------------

    @property
    def condition(self) -> Condition:
        """What the query asks of an item. Raises QueryError for a field that there is not."""
        if self.expression is None:
            return EVERYTHING
        return compile_query(
            self.expression, columns=_FIELDS | self._device_column, document=_PROPERTIES, dialect=self.dialect
        )

    @property
    def _device_column(self) -> dict[str, Column]:
        """To a caller every device but his own reads as null: who holds a device's id can act as the device."""
        if self.caller is None:
            return {_DEVICE: Column("items.device", str, nullable=True)}
        sql, device = "CASE WHEN items.device = ? THEN items.device END", self.caller.device
        return {_DEVICE: Column(sql, str, nullable=True, parameters=(device,))}

    def _plan(self, db: Db) -> tuple[Way, Condition]:
        """The way in, and what is left to be checked on it."""
        way, is_checked = self._shortest_way(db)
        return way, self.condition if is_checked else self._and_allowed(self.condition)

    def _and_allowed(self, condition: Condition) -> Condition:
        if self.caller is None:
            return condition
        return Condition.joined("AND", [condition, item_search.may(self.caller, self.verb)])

    # --- the way in ----------------------------------------------------------------------------------------

    @property
    def _is_by_time_alone(self) -> bool:
        return self.expression is None and len(self.order) == 1 and self.order[0].name == "_createdAt"

    @property
    def _whole_way(self) -> Way:
        """To all items that are there for this caller."""
        key = self.collection.key
        if self.caller is None or (self.verb == "write" and not self.mine):
            return item_search.everything(key)
        if not self.mine:
            return item_search.readable(key, self.caller)
        if self.caller.user is not None:
            return item_search.of_owner(key, [self.caller.user])
        return item_search.of_device(key, self.caller.device)

    def _shortest_way(self, db: Db) -> tuple[Way, bool]:
        """A way to all that can match, and whether the caller has the right to all on it."""
        is_checked = self.verb == "read" or self.mine
        named = None if self.mine else self._named_way()
        if named is None:
            return self._whole_way, is_checked
        way, is_certainly_short = named
        if is_certainly_short or way.count(db, FEW) < FEW:
            return way, False
        whole = self._whole_way
        most = way.count(db) * DEARER
        return (whole, is_checked) if whole.count(db, most) < most else (way, False)

    def _named_way(self) -> tuple[Way, bool] | None:
        """The best way that a term names, if one does, and whether it is short whatever the collection holds."""
        terms = list(self._terms())
        for ways in (self._by_id, self._by_owner, self._by_index):
            for term in terms:
                way = ways(term)
                if way is not None and len(way.parts) <= MAX_PARTS:
                    return way, ways == self._by_id
        return None

    def _terms(self) -> Iterator[Comparison]:
        """What every result must meet."""
        parts = self.expression.parts if isinstance(self.expression, AllOf) else (self.expression,)
        return (part for part in parts if isinstance(part, Comparison))

    def _by_id(self, term: Comparison) -> Way | None:
        texts = _equal_texts(term)
        return item_search.by_id(self.collection.key, texts) if term.field == "_id" and texts is not None else None

    def _by_owner(self, term: Comparison) -> Way | None:
        texts = _equal_texts(term)
        if texts is None:
            return None
        if term.field == "_ownerUserOid":
            return item_search.of_owner(self.collection.key, texts)
        is_own = self.caller is None or texts == [self.caller.device]
        if term.field == _DEVICE and len(texts) == 1 and is_own:
            return item_search.of_device(self.collection.key, texts[0])
        return None

    def _by_index(self, term: Comparison) -> Way | None:
        if term.field not in self.collection.built:
            return None
        ranges = list(_ranges(term))
        return item_search.of_index(self.collection.key, term.field, ranges) if ranges else None

    # --- the order -----------------------------------------------------------------------------------------

    def _along_index(self, db: Db, *, limit: int, offset: int) -> Found | None:
        """Everything in the order of an index: as far as the page goes, unless few of the items may be read."""
        name = self.order[0].name
        if self.expression is not None or len(self.order) > 1 or name not in self.collection.built or self.mine:
            return None
        total = self._whole_way.count(db)
        everything = item_search.everything(self.collection.key)
        if total < MANY and total * 20 < everything.count(db, total * 20 + 1):
            return None
        last = offset + limit
        keys = item_search.by_index(
            db,
            self.collection.key,
            name,
            self._and_allowed(EVERYTHING),
            descending=self.order[0].descending,
            last=last,
        )
        return Found(keys[offset:], total)

    @property
    def _compiled_order(self) -> ItemOrder:
        return ItemOrder(tuple(map(self._order_term, self.order)), self.order[-1].descending)

    def _order_term(self, entry: SortedBy) -> Condition:
        direction = "DESC" if entry.descending else "ASC"
        if entry.name in _FIELDS:
            return Condition(f"{_FIELDS[entry.name].sql} {direction}")
        return self.dialect.member_order(_PROPERTIES, entry.name, direction)


def _equal_texts(term: Comparison) -> list[str] | None:
    """The strings that a field must be one of, one at least; None where the term says something else."""
    if term.operator not in {"==", "IN"}:
        return None
    values = term.value if isinstance(term.value, tuple) else (term.value,)
    return None if None in values else [value for value in values if isinstance(value, str)] or None


def _ranges(term: Comparison) -> Iterator[Condition]:
    """Where in an index the values are that meet a term, or may; none where the index does not help."""
    if term.operator in {"==", "IN"}:
        values = term.value if isinstance(term.value, tuple) else (term.value,)
        for value in dict.fromkeys(map(value_of, values)):
            yield Condition("item_values.rank = ? AND item_values.number = ? AND item_values.string = ?", tuple(value))
    elif term.operator in {">", ">=", "<", "<="}:
        value = value_of(term.value)
        if value.rank == RANK_NUMBER:
            yield Condition(
                f"item_values.rank = ? AND item_values.number {term.operator} ?", (value.rank, value.number)
            )
        elif value.rank == RANK_STRING:
            # Strings that begin alike may be on either side.
            cut = len(value.string) == KEPT_CHARACTERS
            operator = term.operator[0] + "=" if cut or term.operator.endswith("=") or term.operator == ">" else "<"
            yield Condition(
                f"item_values.rank = ? AND item_values.number = 0 AND item_values.string {operator} ?",
                (value.rank, value.string),
            )


def is_by_id(expression: Expression | None) -> bool:
    """Whether a query asks for a few items by their ids."""
    terms = expression.parts if isinstance(expression, AllOf) else (expression,)
    texts = [_equal_texts(term) for term in terms if isinstance(term, Comparison) and term.field == "_id"]
    return any(each is not None and len(each) <= MAX_NAMED for each in texts)


def check_fields(expression: Expression, dialect: Dialect) -> None:
    """Raises QueryError for a field that there is not."""
    columns = _FIELDS | {_DEVICE: Column("NULL", str)}
    compile_query(expression, columns=columns, document=_PROPERTIES, dialect=dialect)


def parse_order(entries: Sequence[str]) -> tuple[SortedBy, ...]:
    """`name`, `name ASC` or `name DESC` each. Raises ValueError with a sentence."""
    order = []
    for entry in entries:
        words = entry.split()
        if not 1 <= len(words) <= 2 or (len(words) == 2 and words[1].upper() not in {"ASC", "DESC"}):
            raise ValueError("Each entry of order by must be a name, perhaps with ASC or DESC behind it.")
        name = words[0]
        if not (name in _FIELDS or (name.isascii() and name.replace("_", "a").isalnum() and name[0].isalpha())):
            raise ValueError(f"Order by takes the name of a property, or one of: {', '.join(SORTED_BY)}.")
        order.append(SortedBy(name, descending=len(words) == 2 and words[1].upper() == "DESC"))
    return tuple(order) or BY_TIME
