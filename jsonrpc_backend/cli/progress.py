"""Progress bars, for people only: nothing is drawn into a pipe or a file."""

import contextlib
import sys
from collections.abc import Callable, Iterator

import click


@contextlib.contextmanager
def progress(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """A function to call with the steps that have been made since, of `length` (0: nobody knows, no bar)."""
    if length == 0 or not sys.stderr.isatty():
        yield lambda _: None
        return
    smallest = max(1, length // 500)  # a bar that is drawn for each step takes more time than the step
    with click.progressbar(length=length, label=label, file=sys.stderr, update_min_steps=smallest) as bar:
        yield bar.update
