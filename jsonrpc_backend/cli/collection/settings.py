"""The options that say how a collection is set up."""

import functools
from collections.abc import Callable
from typing import Any

import click

from jsonrpc_backend.cli.on_either import Command
from jsonrpc_backend.collections.definitions import GivenSettings


def settings_options(*, with_none: bool) -> Callable[[Command], Command]:
    """Passes what is given to the command as `given`. `with_none`: there may be indexes already, to be taken away."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def run(
            *arguments: Any,
            insertable: bool | None,
            public: str | None,
            delete_with_owner: str | None,
            index: tuple[str, ...],
            no_index: bool = False,
            **others: Any,
        ) -> None:
            if index and no_index:
                raise click.UsageError("Say either --index or --no-index.")
            indexes = index or (() if no_index else None)
            command(*arguments, given=GivenSettings(insertable, public, delete_with_owner, indexes), **others)

        return _options(run, with_none=with_none)

    return decorate


def _options(command: Command, *, with_none: bool) -> Command:
    insertable = click.option("--insertable/--no-insertable", default=None, help="Whether apps may insert items.")
    public = click.option(
        "--public",
        type=click.Choice(["", "r", "w", "rw"]),
        help="What everybody may do with new items: r to find them, w to change them, rw, or '' for neither.",
    )
    with_owner = click.option(
        "--delete-with-owner",
        type=click.Choice(["private", "all", "none"]),
        help="Which items go with a user who owns them: those that nobody else has a right to, all, or none.",
    )
    index = click.option(
        "--index", metavar="PROPERTY", multiple=True, help="Find items fast by this. Can be repeated; all count."
    )
    none = click.option("--no-index", is_flag=True, help="Without indexes from now on.")
    for option in (*([none] if with_none else []), index, with_owner, public, insertable):
        command = option(command)
    return command
