"""SQLite's `Dialect`.

SQLite 3.40 ends a string that it takes out of JSON at U+0000, so what follows that there does not count.
"""

from collections.abc import Iterable

from jsonrpc_backend.monaql import Condition

# What json_type says.
_NUMBER = "('integer', 'real')"
_STRING = "('text')"
_WORDS = {None: "null", True: "true", False: "false"}


class SqliteDialect:
    def number(self, value: float) -> int | float:
        """An integer of more than 64 bits is a double there."""
        return float(value) if isinstance(value, int) and not -(2**63) <= value < 2**63 else value

    def string_member(self, document: str, name: str, rest: Condition) -> Condition:
        return self._typed(document, name, _STRING, rest)

    def number_member(self, document: str, name: str, rest: Condition) -> Condition:
        return self._typed(document, name, _NUMBER, rest)

    def _typed(self, document: str, name: str, types: str, rest: Condition) -> Condition:
        sql = f"(json_type({document}, ?) IN {types} AND json_extract({document}, ?) {rest.sql}) IS TRUE"
        path = _path(name)
        return Condition(f"({sql})", (path, path, *rest.parameters))

    def word_member(self, document: str, name: str, words: Iterable[bool | None]) -> Condition:
        found = Condition.one_of(_WORDS[word] for word in words)
        return Condition(f"(coalesce(json_type({document}, ?), 'null') {found.sql})", (_path(name), *found.parameters))

    def contains(self, column: str, text: str) -> Condition:
        return Condition(f"(instr({column}, ?) > 0)", (text,))

    def member_order(self, document: str, name: str, direction: str) -> Condition:
        sql = f"""
            CASE json_type({document}, ?)
                WHEN 'false' THEN 1 WHEN 'true' THEN 2 WHEN 'integer' THEN 3 WHEN 'real' THEN 3 WHEN 'text' THEN 4
                WHEN 'array' THEN 5 WHEN 'object' THEN 5 ELSE 0
            END {direction},
            CASE json_type({document}, ?)
                WHEN 'array' THEN NULL WHEN 'object' THEN NULL ELSE json_extract({document}, ?)
            END {direction}"""
        return Condition(sql, (_path(name),) * 3)


def _path(name: str) -> str:
    return f"$.{name}"
