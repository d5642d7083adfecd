"""`collection import`: items from what another system, or this one, has exported."""

import contextlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import click

from jsonrpc_backend.cli.audit import act_of
from jsonrpc_backend.cli.collection.import_words import explanations, results
from jsonrpc_backend.cli.collection.in_file import do_chores
from jsonrpc_backend.cli.importing import ImportReport, caution_options, naming_options, take_all
from jsonrpc_backend.cli.on_either import only_in_file
from jsonrpc_backend.cli.program import command
from jsonrpc_backend.cli.target import Target, json_option, on_backend
from jsonrpc_backend.clock import system_clock
from jsonrpc_backend.collections.definitions import DEFAULTS
from jsonrpc_backend.store import collections
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.item_rights import RIGHTS
from jsonrpc_backend.transfer.intake import Existing
from jsonrpc_backend.transfer.items.definitions_file import read_definition
from jsonrpc_backend.transfer.items.files import Contents, Member, contents_of
from jsonrpc_backend.transfer.items.intake import ItemIntake, NewCollection
from jsonrpc_backend.transfer.items.naming import ItemNaming, unusable_item_property
from jsonrpc_backend.transfer.items.owners import Owners, UnusableMap, read_owner_map
from jsonrpc_backend.transfer.items.record import ItemRules
from jsonrpc_backend.transfer.json_text import UnusableFile
from jsonrpc_backend.transfer.source import Source

_COUNTS = {"added": "added", "updated": "updated", "ready": "ready to import", "skipped": "skipped"}


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--collection", "name", metavar="NAME", help="Where the items go. [default: by FILE]")
@click.option("--create", is_flag=True, help="Make collections that do not exist; apps may not insert into them.")
@click.option(
    "--public",
    type=click.Choice(list(RIGHTS)),
    help="What everybody may do with items that say nothing of it. [default: as of the collection]",
)
@click.option(
    "--owner-map",
    metavar="CSV",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Rows of an old user id, and the new id or the username.",
)
@click.option("--owner-from", metavar="PROPERTY", help="The property that has the owner's username or id.")
@naming_options
@caution_options("What to do with an id that the collection has already. update: merge the properties.")
@only_in_file("import items")
@on_backend(create=True)
@json_option
def import_items(
    target: Target,
    *,
    files: tuple[Path, ...],
    name: str | None,
    create: bool,
    public: str | None,
    owner_map: Path | None,
    owner_from: str | None,
    renamed: dict[str, str],
    dropped: tuple[str, ...],
    existing: str,
    skip_bad: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Import items of collections from each FILE (JSON Lines, JSON, CSV, or a zip of them). The server may be running.

    All records are checked first; if one is bad, nothing is imported.
    """
    naming = ItemNaming(renamed, dropped)
    with contextlib.ExitStack() as stack:
        writable = None if dry_run else stack.enter_context(target.writing())
        db = writable or stack.enter_context(target.reading())
        rules = ItemRules(Owners(db, _owner_map(db, owner_map), owner_from), now=system_clock())
        intake = ItemIntake(db, rules, Existing(existing), public=None if public is None else RIGHTS[public])
        reading = _Reading(target, intake, naming, name, create=create)
        broken = reading.read(files)
        report = ImportReport(intake.bad, unusable=unusable_item_property, arrays=reading.arrays, as_json=as_json)
        skipped = intake.compare()
        if broken or (intake.bad and not skip_bad):
            report.refuse(broken)
        counts, prospect = {"ready": sum(intake.sizes.values()), "skipped": skipped}, intake.prospect()
        if writable is not None:
            moved = intake.move(writable, skip_bad=skip_bad, act=act_of("collection import"))
            if moved is None:
                report.refuse(None)
                return
            do_chores(writable)
            counts = {"added": moved.added, "updated": moved.updated, "skipped": skipped}
        told = results(prospect, rules, naming, reading.left)
        report.finish({each: _COUNTS[each] for each in counts}, counts | told, explanations(told))


def _owner_map(db: Db, file: Path | None) -> dict[str, str]:
    if file is None:
        return {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return read_owner_map(db, lines)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise click.ClickException(f"{file} cannot be read: {reason}.") from error
    except UnusableMap as error:
        raise click.ClickException(f"{file}: {error}. Nothing was imported.") from error


class _Reading:
    """The way of all files into the intake. `left`: what zips have beside items; `arrays`: files that may be arrays."""

    def __init__(
        self, target: Target, intake: ItemIntake, naming: ItemNaming, name: str | None, *, create: bool
    ) -> None:
        self._target = target
        self._intake = intake
        self._naming = naming
        self._name = name
        self._create = create
        self.left: list[str] = []
        self.arrays: set[str] = set()

    def read(self, files: Iterable[Path]) -> str | None:
        """Which file cannot be read, and why."""
        for file in files:
            try:
                with contents_of(file) as contents:
                    self.left += contents.left
                    broken = self._read_members(contents)
            except UnusableFile as error:
                return f"{file}: {error}"
            except OSError as error:
                return f"{file} cannot be read: {error.strerror}"
            if broken is not None:
                return broken
        return None

    def _read_members(self, contents: Contents) -> str | None:
        if self._name is not None and contents.has_several:
            raise UnusableFile("the zip has several collections, each with its name; leave out --collection")
        if self._create:
            for each in contents.definitions:
                name, new = read_definition(each, self._target.backend, self._intake.rules.now)
                self._make(name, new)
        return next(filter(None, map(self._read_member, contents.members)), None)

    def _read_member(self, member: Member) -> str | None:
        collection = self._name or member.collection
        self._find(collection)
        if member.format_name == "json":
            self.arrays.add(member.label)
        with member.open() as stream:
            source = Source(stream, member.format_name, self._naming, file=member.label, size=member.size)
            broken = take_all(source, lambda record: self._intake.take(record, collection))
        return f"{member.label}: {broken}" if broken else None

    def _find(self, name: str) -> None:
        """Raises UnusableFile where the collection neither exists nor is to be made."""
        if collections.find(self._intake.db, name) is not None or name in self._intake.made:
            return
        if not self._create:
            make = command(["collection", "create", name])
            raise UnusableFile(f"there is no collection {name}; say --create, or make it as you want it: {make}")
        self._target.check("management/Collection.create", {"_id": name})
        self._make(name, NewCollection(DEFAULTS, self._intake.rules.now))

    def _make(self, name: str, new: NewCollection) -> None:
        public = self._intake.public
        settings = new.settings if public is None else replace(new.settings, default_public=public)
        if collections.find(self._intake.db, name) is None:
            self._intake.made[name] = NewCollection(settings, new.created_at)
