"""What searching needs of the SQL of an engine beyond what all engines have in common.

A member is a value in a JSON object, by its name; `document` is SQL for that object.
"""

from collections.abc import Iterable
from typing import Protocol

from jsonrpc_backend.monaql.condition import Condition


class Dialect(Protocol):
    """Phrases. Each condition is true or false, never NULL, so that NOT means what it says."""

    def number(self, value: float) -> int | float:
        """The number as the engine holds it."""

    def string_member(self, document: str, name: str, rest: Condition) -> Condition:
        """Whether a member is a string that is as `rest` says, which follows it."""

    def number_member(self, document: str, name: str, rest: Condition) -> Condition:
        """Whether a member is a number that is as `rest` says."""

    def word_member(self, document: str, name: str, words: Iterable[bool | None]) -> Condition:
        """Whether a member is one of these: true, false, or None, which is null or absent."""

    def contains(self, column: str, text: str) -> Condition:
        """Whether a column of text contains this."""

    def member_order(self, document: str, name: str, direction: str) -> Condition:
        """What follows ORDER BY to sort by a member.

        Absent or null, false, true, numbers, strings by code point, and arrays and objects, which have no order among
        each other. `direction` is ASC or DESC.
        """
