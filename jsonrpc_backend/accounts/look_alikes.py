"""Which usernames look alike, for backends that refuse those.

As Unicode Technical Standard #39 has it, two names look alike when their skeletons are the same: each character
replaced by what stands for all that look like it, by the data of the standard (confusables.txt, as a package ships it).
Here the letters of ASCII also look like themselves in upper case, for names that differ in that are the same:
`paypaI`, with a capital i, looks like `paypal`, and so does `paypai`. For all letters that would go too far: of some
the capital looks like one letter of ASCII, the small one like another.
"""

import functools
import string
import unicodedata
from collections.abc import Iterable
from importlib import metadata

from jsonrpc_backend.config import BackendConfig
from jsonrpc_backend.store import look_alikes
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import Account

_MARKS = "\u200e"  # that the data put around letters written from right to left
_LONGEST_CHAIN = 8  # of characters that stand for several, which stand for others


@functools.cache
def _version() -> str:
    return metadata.version("confusable-homoglyphs")


@functools.cache
def _prototypes() -> dict[str, str]:
    """What stands for each character that looks like another."""
    from confusable_homoglyphs.confusables import confusables_data  # noqa: PLC0415 (a megabyte, for who wants it)

    classes = _Classes()
    for text, others in confusables_data.items():
        for other in others:
            classes.unite(text.strip(_MARKS), other["c"].strip(_MARKS))
    for letter in string.ascii_uppercase:
        classes.unite(letter, letter.lower())
    return {text: prototype for text, prototype in classes.prototypes() if text != prototype}


class _Classes:
    """Texts that look alike, directly or through others."""

    def __init__(self) -> None:
        self.parents: dict[str, str] = {}

    def find(self, text: str) -> str:
        while (parent := self.parents.setdefault(text, text)) != text:
            text = parent
        return text

    def unite(self, one: str, other: str) -> None:
        # The longer one stands for both: of `m` and `rn` a name can be taken apart into the latter only.
        first, second = sorted((self.find(one), self.find(other)), key=lambda text: (-len(text), text))
        self.parents[second] = first

    def prototypes(self) -> Iterable[tuple[str, str]]:
        return [(text, self.find(text)) for text in self.parents if len(text) == 1]


def skeleton(username: str) -> str:
    """What two names that look alike have in common."""
    text = unicodedata.normalize("NFKC", username)
    for _ in range(_LONGEST_CHAIN):
        before, decomposed = text, unicodedata.normalize("NFD", text)
        text = "".join(_prototypes().get(character, character) for character in decomposed)
        if text == before:
            break
    return text.casefold()


def claim(db: Db, settings: BackendConfig, user: Account, username: str) -> None:
    """Notes how a new name looks, in its transaction. Raises UsernameLooksTaken where the backend refuses that."""
    if settings.refuse_confusable_usernames:
        look_alikes.claim(db, user.key, skeleton(username), _version())


def is_taken(db: Db, username: str) -> bool:
    """Whether a name looks like that of some user."""
    return look_alikes.is_taken(db, skeleton(username))


def note(db: Db, after: int, most: int) -> int | None:
    """Notes how the names of some users look who have come while nobody asked, or by other data; they keep them.

    `after`: the key of the last one who was looked at. Returns that key, None when there are no more.
    """
    found = look_alikes.list_without(db, _version(), after=after, most=most)
    look_alikes.put(db, [(key, skeleton(username), _version()) for key, username in found])
    return found[-1][0] if found else None


def note_all(db: Db, settings: BackendConfig) -> None:
    """The same for all users, where the backend refuses look-alikes."""
    if settings.refuse_confusable_usernames:
        note(db, after=0, most=-1)
