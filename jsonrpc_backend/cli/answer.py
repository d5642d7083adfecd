"""What a command says of what it has done: a sentence, or with --json an object."""

import json
from typing import Any

import click


def print_json(value: Any, *, err: bool = False) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2), err=err)


def tell(sentence: str, result: Any, *, as_json: bool, err: bool = False) -> None:
    """Either of the two. `err`: on standard error, where standard output has the data."""
    if as_json:
        print_json(result, err=err)
    else:
        click.echo(sentence, err=err)
