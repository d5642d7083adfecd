"""What an import of items has found, as figures and in words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jsonrpc_backend.cli.wording import counted
from jsonrpc_backend.store.incoming_items import Prospect
from jsonrpc_backend.transfer.items.naming import ItemNaming
from jsonrpc_backend.transfer.items.record import ItemRules

# What is said of so many items.
_SENTENCES = {
    "withoutOwner": (
        "has no owner: only its permission says who may do what with it.",
        "have no owner: only their permissions say who may do what with them.",
    ),
    "ownerUnknown": (
        "belongs to somebody who is not a user here: it is theirs again once `user import` brings them, id and all.",
        "belong to people who are not users here: they are theirs again once `user import` brings them, ids and all.",
    ),
    "withoutPermission": (
        "came without a permission: everybody may do with it what the collection's default says, or --public.",
        "came without a permission: everybody may do with them what the collection's default says, or --public.",
    ),
    "operatorsOnly": (
        "is private and without an owner who is here: operators alone see it.",
        "are private and without an owner who is here: operators alone see them.",
    ),
    "ownerNotFound": (
        "names an owner who is no user: it has none.",
        "name owners who are no users: they have none.",
    ),
    "newIds": (
        "got a new id: its own was not 1 to 64 letters, digits, _ and -.",
        "got new ids: theirs were not 1 to 64 letters, digits, _ and -.",
    ),
}


def results(prospect: Prospect, rules: ItemRules, naming: ItemNaming, left: Sequence[str]) -> dict[str, Any]:
    return {
        "withoutOwner": prospect.without_owner,
        "ownerUnknown": prospect.owner_unknown,
        "withoutPermission": prospect.without_permission,
        "operatorsOnly": prospect.only_operators,
        "ownerNotFound": rules.owners.nobody,
        "newIds": rules.new_ids,
        "fieldsLeftOut": dict(naming.left_out),
        "rightsLeftOut": dict(rules.permissions.left_out),
        "filesLeft": list(left),
    }


def explanations(found: Mapping[str, Any]) -> list[str]:
    """In sentences, what of `results` there is."""
    return [*_of_items(found), *_left_out(found)]


def _of_items(found: Mapping[str, Any]) -> Iterator[str]:
    for name, (one, many) in _SENTENCES.items():
        if found[name]:
            yield f"{counted(found[name], 'item')} {one if found[name] == 1 else many}"


def _left_out(found: Mapping[str, Any]) -> Iterator[str]:
    for name, number in found["fieldsLeftOut"].items():
        records = counted(number, "record")
        yield f"{name} of {records} was left out, for another field means the same; --map {name}=NAME keeps it."
    for who, number in found["rightsLeftOut"].items():
        yield f"{who}: left out of {counted(number, 'permission')}; there is no such thing here."
    if found["filesLeft"]:
        yield f"Files that are not of items were left alone: {', '.join(found['filesLeft'])}."
