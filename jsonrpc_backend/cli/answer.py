"""What a command says of what it has done: a sentence, or with --json an object."""

import json
from typing import Any

import click


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def tell(sentence: str, result: Any, *, as_json: bool) -> None:
    """Either of the two."""
    if as_json:
        print_json(result)
    else:
        click.echo(sentence)
