"""Groups of commands."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click


class Later(NamedTuple):
    """A command that is imported when somebody calls it: what one command needs, others need not wait for.

    `where`: as in `package.module:name`. `sentence`: the first one of its help, which the help of its group shows.
    """

    where: str
    sentence: str

    def command(self) -> click.Command:
        module, _, name = self.where.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


class Group(click.Group):
    """Its help says of each command a whole sentence: click cuts what does not fit on one line."""

    def __init__(self, *arguments: Any, later: Mapping[str, Later] | None = None, **others: Any) -> None:
        super().__init__(*arguments, **others)
        self.later = later or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *self.later])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = self.later.get(cmd_name)
        return found.command() if found else super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._sentence(name)) for name in self.list_commands(ctx)])

    def _sentence(self, name: str) -> str:
        found = self.later.get(name)
        return found.sentence if found else self.commands[name].get_short_help_str(limit=1000)
