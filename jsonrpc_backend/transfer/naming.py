"""Which field of a record means what: our own names, and those of the systems that people come from."""

import re
import shlex
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonrpc_backend.transfer import cells

ID, USERNAME, CREATED, UPDATED = "_id", "_username", "_createdAt", "_updatedAt"
DISABLED = "_disabledAt"
PASSWORD, PASSWORD_HASH = "_password", "_passwordHash"

# Names of the fields that are no properties. Everything that is not here or in _ALIASES is a property.
SYSTEM_FIELDS = (ID, USERNAME, CREATED, UPDATED, DISABLED, PASSWORD, PASSWORD_HASH)

# Those that never are the name of a property: Monaca Backend, Parse Server's database.
_ALIASES = {
    **{name: name for name in SYSTEM_FIELDS},
    "_updateAt": UPDATED,
    "_created_at": CREATED,
    "_updated_at": UPDATED,
    "_hashed_password": PASSWORD_HASH,
}

# Those that are properties in a record with a `_username`: Parse, CloudBoost, tables of one's own.
PLAIN_ALIASES = {
    "username": USERNAME,
    "objectId": ID,
    "id": ID,
    "createdAt": CREATED,
    "updatedAt": UPDATED,
    "password": PASSWORD,
    "passwordHash": PASSWORD_HASH,
    "password_hash": PASSWORD_HASH,
}


def unusable(name: str) -> str:
    """What is wrong with a name that no property can have, and what to say instead, ready to be pasted into a shell."""
    if name.startswith("_"):
        wrong = "There is no such field"
    else:
        wrong = "Property names must consist of the letters a-z and A-Z and digits, and start with a letter"
    renaming, name = shlex.quote(f"{name}={like_a_property(name) or 'NAME'}"), shlex.quote(name)
    return f"{wrong}; say --map {renaming}, or --drop {name}."


def like_a_property(name: str) -> str:
    """A name like this one that a property can have: `firstName` for `first_name`; empty where there is none."""
    letters = "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))
    words: list[str] = re.findall("[a-zA-Z0-9]+", letters.lstrip("_0123456789 "))
    first, *others = (word.lower() if word.isupper() else word for word in words or [""])
    return (first[:1].lower() + first[1:] if others else first) + "".join(map(_capitalized, others))


def _capitalized(word: str) -> str:
    return word[0].upper() + word[1:]


@dataclass(frozen=True)
class Naming:
    """What the operator says about names: `renamed` maps a field's name to another one, `dropped` are left out."""

    renamed: Mapping[str, str] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()

    def fields(self, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Each name of a record that is not dropped, with the name of the field or property that it stands for."""
        kept = [name for name in names if name not in self.dropped]
        is_plain = USERNAME not in kept
        for original in kept:
            name = self.renamed.get(original, original)
            alias = _ALIASES.get(name) or (PLAIN_ALIASES.get(name) if is_plain else None)
            yield original, alias or name

    def cell(self, name: str, cell: str) -> Any:
        if name in {PASSWORD, PASSWORD_HASH}:
            return cell
        return cells.read_text(cell) if name in SYSTEM_FIELDS else cells.read_value(cell)
