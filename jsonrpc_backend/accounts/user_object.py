"""A user as clients see one."""

from typing import Any

from jsonrpc_backend.store.users import Account, User, to_json


def system_fields(user: Account) -> dict[str, Any]:
    """What a user has beside the properties. Operators alone ever see one who is disabled."""
    fields = {
        "_id": user.id,
        "_username": user.username,
        "_createdAt": user.created_at,
        "_updatedAt": user.updated_at,
        "_updateAt": user.updated_at,
    }
    return fields if user.disabled_at is None else fields | {"_disabledAt": user.disabled_at}


def user_object(user: User) -> dict[str, Any]:
    """For programs that read it themselves."""
    return system_fields(user) | user.properties


def user_json(user: User) -> str:
    """Property names cannot begin with an underscore, so they hide nothing."""
    return joined(to_json(system_fields(user)), user.properties_json)


def joined(first: str, second: str) -> str:
    """Two JSON objects as one, without reading them again; the first is not empty."""
    return first if second == "{}" else f"{first[:-1]},{second[1:]}"
