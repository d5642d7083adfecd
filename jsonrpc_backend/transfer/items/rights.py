"""Permissions as other systems write them."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jsonrpc_backend.store.item_rights import MAX_ENTRIES, NONE, PUBLIC, RIGHTS, Rights

_WHO = re.compile("[a-zA-Z][a-zA-Z0-9-]{0,63}")
_ROLE = "role:"
_EVERYBODY = {"*": PUBLIC, "all": PUBLIC}  # NCMB and Parse, CloudBoost

NO_PERMISSION = (
    'The permission must say who may do what: {"public": "r"}, {"*": {"read": true}}, or as CloudBoost does; if it is'
    " a property, give it another name with --map."
)
TOO_MANY_ENTRIES = f"The permission must not have more than {MAX_ENTRIES:,} entries."


class UnusablePermission(Exception):
    """The message is a sentence."""


class PermissionReader:
    """`whom` tells the id that a user has here. `left_out` counts entries that cannot be said here, by their key."""

    def __init__(self, whom: Callable[[str], str]) -> None:
        self._whom = whom
        self.left_out: Counter[str] = Counter()

    def read(self, value: Any) -> dict[str, Rights]:
        """With `public`, which has no right where nothing is said of it. Raises UnusablePermission."""
        if not isinstance(value, dict):
            raise UnusablePermission(NO_PERMISSION)
        if all(isinstance(rights, str) for rights in value.values()):
            entries = _ours(value)
        elif value.keys() <= {"read", "write"} and any("allow" in each or "deny" in each for each in _objects(value)):
            entries = self._allowed(value)
        else:
            entries = _flags(value)
        found = {PUBLIC: NONE} | self._of_people(entries)
        if len(found) > MAX_ENTRIES:
            raise UnusablePermission(TOO_MANY_ENTRIES)
        return found

    def _of_people(self, entries: Iterable[tuple[str, Rights]]) -> dict[str, Rights]:
        """Rights add up where two keys are the same user by now."""
        found: dict[str, Rights] = {}
        for key, rights in entries:
            who = _EVERYBODY.get(key) or (key if key == PUBLIC else self._whom(key))
            if not _WHO.fullmatch(who):
                self.left_out[key if key.startswith(_ROLE) else "users whose ids cannot be those of users here"] += 1
            elif who == PUBLIC or rights != NONE:
                before = found.get(who, NONE)
                found[who] = Rights(before.reads or rights.reads, before.writes or rights.writes)
        return found

    def _allowed(self, value: Mapping[str, Any]) -> Iterable[tuple[str, Rights]]:
        """CloudBoost's. Who is denied something has no right to it, unless everybody has."""
        for verb, rights in (("read", RIGHTS["r"]), ("write", RIGHTS["w"])):
            allowed, denied = (_people(value.get(verb), kind) for kind in ("allow", "deny"))
            yield from ((who, rights) for who in allowed if who not in denied)
            if denied and "all" in allowed:
                self.left_out["denials of what everybody may do"] += 1


def _objects(value: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    if not all(isinstance(each, dict) for each in value.values()):
        raise UnusablePermission(NO_PERMISSION)
    return value.values()


def _ours(value: Mapping[str, str]) -> Iterable[tuple[str, Rights]]:
    if not all(text in RIGHTS and _WHO.fullmatch(who) for who, text in value.items()):
        raise UnusablePermission(NO_PERMISSION)
    return [(who, RIGHTS[text]) for who, text in value.items()]


def _flags(value: Mapping[str, Any]) -> Iterable[tuple[str, Rights]]:
    """NCMB's and Parse's."""
    for who, flags in zip(value, _objects(value), strict=True):
        if not flags.keys() <= {"read", "write"} or not all(isinstance(flag, bool) for flag in flags.values()):
            raise UnusablePermission(NO_PERMISSION)
        yield who, Rights(flags.get("read", False), flags.get("write", False))


def _people(rule: Any, kind: str) -> list[str]:
    """Those that a rule of CloudBoost allows something, or denies it; roles as NCMB would write them."""
    given = rule.get(kind) if isinstance(rule, dict) else None
    users, roles = (given.get(name, []) if isinstance(given, dict) else [] for name in ("user", "role"))
    if not isinstance(users, list) or not isinstance(roles, list) or not all(isinstance(i, str) for i in users + roles):
        raise UnusablePermission(NO_PERMISSION)
    return users + [f"{_ROLE}{role}" for role in roles]
