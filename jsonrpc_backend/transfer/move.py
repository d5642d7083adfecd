"""The last step of an import: the users who were collected come into the table, in one transaction."""

import json
from dataclasses import dataclass

from jsonrpc_backend.accounts import look_alikes
from jsonrpc_backend.accounts.changes import password, profile
from jsonrpc_backend.accounts.refusals import Unacceptable
from jsonrpc_backend.config import BackendConfig
from jsonrpc_backend.store import audit, incoming
from jsonrpc_backend.store.audit import Act
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.incoming import Clash, Incoming
from jsonrpc_backend.store.users import NO_PASSWORD, User


class Clashes(Exception):
    """Users have come meanwhile who have the names or ids of these records. Nothing was done."""

    def __init__(self, clashes: list[Clash]) -> None:
        super().__init__(len(clashes))
        self.clashes = clashes


class OutgrownProperties(Exception):
    """Together with the new ones the properties of the user of this record are too large. Nothing was done."""

    def __init__(self, arrival: Incoming) -> None:
        super().__init__(arrival.line)
        self.arrival = arrival


@dataclass(frozen=True, slots=True)
class Moved:
    """How many users have been added and changed."""

    added: int
    updated: int


def move(db: Db, settings: BackendConfig, act: Act, *, updating: bool, skipping: bool) -> Moved:
    """Moves the collection into the table.

    A known username: its user is changed when `updating`. What else clashes is left out when `skipping`.
    Raises Clashes, OutgrownProperties.
    """
    clashes = incoming.list_clashes(db, updating=updating)
    if clashes and not skipping:
        raise Clashes(clashes)
    for clash in clashes:
        incoming.remove(db, clash.number)
    known = list(incoming.list_known(db)) if updating else []
    for user, arrival in known:
        _update(db, user, arrival)
    changed, added = [user.id for user, _ in known], incoming.insert_new(db)
    look_alikes.note_all(db, settings)
    audit.record(db, act, [*changed, *added])
    return Moved(len(added), len(changed))


def _update(db: Db, user: User, arrival: Incoming) -> None:
    try:
        profile.merge(db, user, json.loads(arrival.properties_json), arrival.updated_at)
    except Unacceptable as error:
        raise OutgrownProperties(arrival) from error
    # Who has a password keeps it: it may be newer than the file.
    if user.password_hash == NO_PASSWORD and arrival.password_hash != NO_PASSWORD:
        password.replace(db, user, arrival.password_hash, arrival.updated_at)
