"""The commands of the program, those too that are imported only when somebody calls them."""

from collections.abc import Iterator, Mapping

import click

from jsonrpc_backend.cli.group import Group


def commands_of(group: click.Group) -> Mapping[str, click.Command]:
    """By name, in the order that they are written in."""
    later = group.later if isinstance(group, Group) else {}
    return {**{name: found.command() for name, found in later.items()}, **group.commands}


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands but groups, by their names from the program on."""
    for name, command in commands_of(group).items():
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name), command
