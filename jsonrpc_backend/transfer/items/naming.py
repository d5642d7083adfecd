"""Which field of a record is which of an item: our own names, and those of the systems that items come from."""

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from jsonrpc_backend.transfer import cells
from jsonrpc_backend.transfer.naming import like_a_property

ID, OWNER, DEVICE, CREATED, UPDATED = "_id", "_ownerUserOid", "_ownerDeviceOid", "_createdAt", "_updatedAt"
PERMISSION = "_permission"

# Names of the fields that are no properties.
ITEM_FIELDS = (ID, OWNER, DEVICE, CREATED, UPDATED, PERMISSION)

# What they are called elsewhere, the first one that a record has counts: NCMB (which took items over from Monaca
# Backend), CloudBoost. In a record that has the field itself these are names of properties.
_ALIASES = {
    ID: ("monaca_id", "objectId"),
    CREATED: ("createDate_Monaca", "createDate", "createdAt"),
    UPDATED: ("updateDate_Monaca", "updateDate", "updatedAt"),
    PERMISSION: ("acl", "ACL"),
}

_SHAPES_KEPT = 1000  # records of one file are alike

_ITEM_PROPERTY = re.compile("[a-zA-Z][a-zA-Z0-9_]*")


def is_item_property(name: str) -> bool:
    return _ITEM_PROPERTY.fullmatch(name) is not None


def unusable_item_property(name: str) -> str:
    """What is wrong with a name that no property can have, and what to say instead, ready to be pasted into a shell."""
    if name.startswith("_"):
        wrong = "There is no such field"
    else:
        wrong = "Property names must consist of the letters a-z and A-Z, digits and _, and start with a letter"
    renaming, name = shlex.quote(f"{name}={like_a_property(name) or 'NAME'}"), shlex.quote(name)
    return f"{wrong}; say --map {renaming}, or --drop {name}."


class _Shape(NamedTuple):
    """What is made of the names that a record has."""

    fields: Sequence[tuple[str, str]]
    left_out: Sequence[str]


class ItemNaming:
    """Implements `Fields`. `renamed` maps a field's name to another one, `dropped` are left out.

    `left_out` counts the records in which a field was left out for another one of the same meaning.
    """

    def __init__(self, renamed: Mapping[str, str], dropped: Iterable[str]) -> None:
        self._renamed = renamed
        self._dropped = frozenset(dropped)
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self.left_out: Counter[str] = Counter()

    def fields(self, names: Iterable[str]) -> Sequence[tuple[str, str]]:
        key = tuple(names)
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shape(key)
            if len(self._shapes) < _SHAPES_KEPT:
                self._shapes[key] = shape
        if shape.left_out:
            self.left_out.update(shape.left_out)
        return shape.fields

    def _shape(self, names: Iterable[str]) -> _Shape:
        named = [(name, self._renamed.get(name, name)) for name in names if name not in self._dropped]
        present = {name for _, name in named}
        meaning: dict[str, str] = {}
        left_out: list[str] = []
        for field, aliases in _ALIASES.items():
            found = [] if field in present else [alias for alias in aliases if alias in present]
            meaning |= dict.fromkeys(found[:1], field)
            left_out += found[1:]
        fields = [(original, meaning.get(name, name)) for original, name in named if name not in left_out]
        return _Shape(fields, left_out)

    def cell(self, name: str, cell: str) -> Any:
        return cells.read_text(cell) if name in ITEM_FIELDS and name != PERMISSION else cells.read_value(cell)
