"""Which usernames there can be, and which of them are the same."""

import unicodedata

# Unicode White_Space lies wholly in Z* and Cc.
_REFUSED_CATEGORIES = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs"})

# Letters by category, blanks to the eye: Hangul fillers and the empty Braille pattern.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")


# In characters. Nothing here looks at longer strings: NFKC takes time in the square of a run of combining marks.
MAX_LENGTH = 255


def username_key(username: str) -> str:
    """What two usernames that count as the same have in common: `Me@Example.com` and `me@example.com`."""
    if len(username) > MAX_LENGTH:
        return username  # nobody has it
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())


def has_only_visible_characters(username: str) -> bool:
    """False for a name with spaces, line breaks or characters that cannot be seen, as typed or after NFKC.

    Such a name would look like another one. A name that is too long is another rule's business.
    """
    return len(username) > MAX_LENGTH or not any(
        character in _BLANK_LETTERS or unicodedata.category(character) in _REFUSED_CATEGORIES
        for character in username + unicodedata.normalize("NFKC", username)
    )
