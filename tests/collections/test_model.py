"""Random calls by users, devices and anonymous callers against a plain model of COLLECTIONS.md, section 9.

Short each time; longer with

    HOSTILE_INPUTS=100000 python3 run.py test tests/collections/test_model.py
"""

import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.collections.conftest import NAME, make_collection
from tests.patience import HANG_SECONDS
from tests.servers import FakeClock, make_config
from tests.threaded import Door, served_from_thread
from tests.wire import Answer

pytestmark = pytest.mark.slow

INPUTS = int(os.environ.get("HOSTILE_INPUTS", "1200"))
STEPS = 300

DEVICES = ["phone", "tablet"]
RIGHTS = ["", "r", "w", "rw"]
VALUES: list[Any] = [None, False, True, 0, 1, 1.5, "", "a", "b", [1], {"a": 1}]


@dataclass(eq=False)
class Item:
    id: str
    owner: str | None
    device: str | None
    permission: dict[str, str]
    created: int
    updated: int
    properties: dict[str, Any]


@dataclass(frozen=True)
class Who:
    user: str | None
    device: str
    session: str | None = None

    def may(self, item: Item, right: str) -> bool:
        own = item.owner == self.user if item.owner is not None else item.device == self.device
        granted = item.permission.get("public", "") + (item.permission.get(self.user, "") if self.user else "")
        return own or right in granted


class Refused(Exception):
    def __init__(self, code: int, *names: str) -> None:
        super().__init__(code)
        self.code, self.names = code, set(names)


@dataclass
class Walk:
    """One server, its model, and whoever calls."""

    door: Door
    clock: FakeClock
    random: random.Random
    items: list[Item] = field(default_factory=list)
    callers: list[Who] = field(default_factory=list)
    names: int = 0
    default: str = "r"  # the collection's defaultPublicPermission

    def call(self, who: Who, method: str, **params: Any) -> Answer:
        return self.door.call(method, device=who.device, session=who.session, **params)

    def sign_up(self) -> None:
        device = self.random.choice(DEVICES)
        self.names += 1
        name = f"user{self.names}"
        answer = self.door.call("User.register", device=device, username=name, password="password", properties={})
        self.callers.append(Who(answer.result["user"]["_id"], device, answer.session))

    def a_caller(self) -> Who:
        return self.random.choice(self.callers)

    def an_item(self) -> Item | None:
        return self.random.choice(self.items) if self.items else None

    def a_permission(self) -> dict[str, str]:
        users = [who.user for who in self.callers if who.user]
        keys = self.random.sample(["public", *users, "stranger"], self.random.randint(0, 2))
        return {key: self.random.choice(RIGHTS) for key in keys}

    def some_properties(self) -> dict[str, Any]:
        return {name: self.random.choice(VALUES) for name in self.random.sample(["a", "b", "c"], 2)}

    def expect(self, answer: Answer, model: Callable[[], Any]) -> Any:
        expected, refused = None, (0, set[str]())
        try:
            expected = model()
        except Refused as error:
            refused = error.code, error.names
        told = answer.body.get("error", {})
        assert (told.get("code", 0), set(told.get("data") or {})) == refused
        return expected

    # --- what is done ---

    def insert(self) -> None:
        who, properties, permission = self.a_caller(), self.some_properties(), self.a_permission()
        answer = self.call(who, "Collection.insert", collectionName=NAME, item=properties, permission=permission)
        now = self.clock.now
        whole = {"public": self.default, **permission}
        made = Item(
            answer.result["item"]["_id"], who.user, None if who.user else who.device, whole, now, now, properties
        )
        self.items.append(made)
        assert answer.result["item"] == shown(made)

    def writable(self, who: Who, item: Item | None) -> Item:
        if item is None or not (who.may(item, "r") or who.may(item, "w")):
            raise Refused(-32602, "itemOid")
        if not who.may(item, "w"):
            raise Refused(14)
        return item

    def update(self) -> None:
        who, item, changes = self.a_caller(), self.an_item(), self.some_properties()
        item_id = item.id if item else "none"
        answer = self.call(who, "Collection.update", collectionName=NAME, itemOid=item_id, data=changes)
        found = self.expect(answer, lambda: self.writable(who, item))
        if found:
            found.properties |= changes
            found.updated = max(self.clock.now, found.updated + 1)

    def delete(self) -> None:
        who, item = self.a_caller(), self.an_item()
        item_id = item.id if item else "none"
        answer = self.call(who, "Collection.delete", collectionName=NAME, itemOid=item_id)
        found = self.expect(answer, lambda: self.writable(who, item))
        if found:
            self.items.remove(found)

    def get_permission(self) -> None:
        who, item = self.a_caller(), self.an_item()
        item_id = item.id if item else "none"
        answer = self.call(who, "Collection.getPermission", collectionName=NAME, itemOid=item_id)
        found = self.expect(answer, lambda: self.writable(who, item))
        if found:
            entries = {key: text for key, text in found.permission.items() if text or key == "public"}
            assert answer.result["permission"] == {"public": "", **entries}

    def update_permission(self) -> None:
        who, permission, overwrite = self.a_caller(), self.a_permission(), self.random.random() < 0.3
        criteria, bind, matches = self.some_criteria(who)
        answer = self.call(
            who,
            "Collection.updatePermission",
            collectionName=NAME,
            criteria=criteria,
            bindParams=bind,
            permission=permission,
            options={"forceOverwrite": overwrite},
        )

        def changed() -> list[Item]:
            matching = [item for item in self.items if matches(item)]
            writable = [item for item in matching if who.may(item, "w")]
            if not writable and any(who.may(item, "r") for item in matching):
                raise Refused(14)
            return writable

        found = self.expect(answer, changed)
        if found is not None:
            assert answer.result == {"numUpdates": len(found)}
            for item in found:
                item.permission = permission if overwrite else {**item.permission, **permission}

    def some_criteria(self, who: Who) -> tuple[str | None, list[Any], Callable[[Item], bool]]:
        value = self.random.choice([value for value in VALUES if not isinstance(value, list | dict)])
        number = self.random.choice([0, 1])
        item = self.an_item()
        choices: list[tuple[str | None, list[Any], Callable[[Item], bool]]] = [
            (None, [], lambda _: True),
            ("a == ?", [value], lambda item: same(item.properties.get("a"), value)),
            ("a != ?", [value], lambda item: not same(item.properties.get("a"), value)),
            ("a >= ?", [number], lambda item: at_least(item.properties.get("a"), number)),
            ("_ownerUserOid == null", [], lambda item: item.owner is None),
            ("_ownerUserOid == ?", [who.user or "none"], lambda item: item.owner == (who.user or "none")),
            ("_ownerDeviceOid == ?", [who.device], lambda item: item.device == who.device),
            ("!(_ownerDeviceOid == null)", [], lambda item: item.device == who.device),
        ]
        if item is not None:
            choices.append(("_id == ?", [item.id], lambda each: each is item))
            choices.append(("_id == ? && a == null", [item.id], lambda each: each is item and is_absent(each)))
        return self.random.choice(choices)

    def find(self) -> None:
        who = self.a_caller()
        criteria, bind, matches = self.some_criteria(who)
        mine, limit = self.random.random() < 0.2, self.random.choice([None, 1, 3])
        order, key = self.random.choice(ORDERS)
        options = {"mine": mine, "limit": limit, "page": 1}
        answer = self.call(
            who,
            "Collection.find",
            collectionName=NAME,
            criteria=criteria,
            bindParams=bind,
            orderBy=order,
            options=options,
        )
        found = [item for item in self.items if matches(item) and who.may(item, "r")]
        if mine:
            found = [item for item in found if (item.owner == who.user if who.user else item.device == who.device)]
        found.sort(key=key)
        if order is not None and order.endswith("DESC"):
            found.reverse()  # exactly the other way round, ties included
        assert answer.result["totalItems"] == len(found)
        assert [item["_id"] for item in answer.result["items"]] == [item.id for item in found[:limit]]
        assert answer.result["items"] == [shown(item) for item in found[:limit]]

    def leave(self) -> None:
        who = self.a_caller()
        if who.user is None or len(self.callers) < 5:
            return
        assert self.call(who, "User.unregister", password="password").result == "OK"
        self.callers.remove(who)
        kept = []
        for item in self.items:
            if item.owner != who.user:
                item.permission.pop(who.user, None)
                kept.append(item)
                continue
            others = {key: text for key, text in item.permission.items() if key != who.user and text}
            if others:
                item.owner, item.permission = None, {"public": item.permission.get("public", ""), **others}
                kept.append(item)
        self.items = kept
        deadline = time.monotonic() + HANG_SECONDS
        while self.door.server.rows("SELECT * FROM upkeep"):
            assert time.monotonic() < deadline, "what is left is not done"
            time.sleep(0.01)


def shown(item: Item) -> dict[str, Any]:
    fields = {"_id": item.id, "_ownerUserOid": item.owner, "_createdAt": item.created, "_updatedAt": item.updated}
    return fields | item.properties


def is_absent(item: Item) -> bool:
    return item.properties.get("a") is None


def same(a: Any, b: Any) -> bool:
    return a == b and isinstance(a, bool) == isinstance(b, bool) and (a is None) == (b is None)


def at_least(value: Any, number: int) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= number


def rank(value: Any) -> tuple[int, Any]:
    if value is None:
        return 0, 0
    if isinstance(value, bool):
        return 1 + value, 0
    if isinstance(value, int | float):
        return 3, value
    return (4, value) if isinstance(value, str) else (5, 0)


ORDERS: list[tuple[str | None, Callable[[Item], Any]]] = [
    (None, lambda item: item.created),
    ("_createdAt DESC", lambda item: item.created),
    ("a", lambda item: rank(item.properties.get("a"))),
    ("a DESC", lambda item: rank(item.properties.get("a"))),
    ("_updatedAt", lambda item: item.updated),
    ("_id DESC", lambda item: item.id),
]
ACTIONS = {
    "insert": 6,
    "update": 6,
    "delete": 2,
    "get_permission": 3,
    "update_permission": 5,
    "find": 12,
    "sign_up": 1,
    "leave": 1,
}


def time_goes_by(walk: Walk) -> None:
    walk.clock.advance(minutes=walk.random.choice([0, 0, 1]))


@pytest.mark.parametrize("indexes", [(), ("a",)])
@pytest.mark.parametrize("seed", range(max(1, INPUTS // 600)))
def test_the_server_does_what_the_model_does(seed: int, indexes: tuple[str, ...], tmp_path: Path) -> None:
    clock = FakeClock()
    with served_from_thread(make_config(tmp_path), clock) as server:
        make_collection(server, public="r", indexes=indexes)
        door = Door(server)
        walk = Walk(door, clock, random.Random(seed))
        walk.callers = [Who(None, device) for device in DEVICES]
        for _ in range(2):
            walk.sign_up()
        done: list[str] = []
        try:
            for action in walk.random.choices(list(ACTIONS), list(ACTIONS.values()), k=STEPS):
                done.append(action)
                getattr(walk, action)()
                time_goes_by(walk)
        except AssertionError as error:
            error.add_note(" ".join(done[-12:]))
            raise
        finally:
            door.close()
