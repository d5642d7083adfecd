"""Which usernames there can be, and which of them are the same."""

import re
import unicodedata

# Unicode White_Space lies wholly in Z* and Cc. What is unassigned may come to be anything; what is for private use is
# to each reader something else, mostly nothing.
_REFUSED_CATEGORIES = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Cn", "Co"})

# Unicode's property Default_Ignorable_Code_Point (DerivedCoreProperties.txt), which unicodedata does not know: what
# shows nothing, such as variation selectors and Hangul fillers. It covers blocks in which such characters are still to
# come, so it has changed once in a dozen versions. Of use here is what is of other categories than those above.
DEFAULT_IGNORABLE = (
    "\u00ad\u034f\u061c\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)

# And the empty Braille pattern, a symbol by category.
_BLANK = re.compile(f"[{DEFAULT_IGNORABLE}\u2800]")

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
    if len(username) > MAX_LENGTH:
        return True
    both = username + unicodedata.normalize("NFKC", username)
    return not _BLANK.search(both) and _REFUSED_CATEGORIES.isdisjoint(map(unicodedata.category, both))
