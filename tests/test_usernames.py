"""Which usernames there can be, and which of them are the same."""

# ruff: noqa: RUF001 (characters that look like others are what this is about)

import asyncio
import re
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsonrpc_backend.accounts.usernames import DEFAULT_IGNORABLE, has_only_visible_characters, username_key
from tests.patience import HANG_SECONDS
from tests.servers import InProcessServer
from tests.wire import Wire

# Unicode's property White_Space (PropList.txt), which Python's unicodedata does not know.
WHITE_SPACE = [*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F]
WHITE_SPACE += [0x3000]

REFUSED = {
    "space": " ",
    "tab": "\t",
    "line feed": "\n",
    "carriage return": "\r",
    "vertical tab": "\v",
    "NUL": "\0",
    "escape": "\x1b",
    "delete": "\x7f",
    "next line": "\x85",
    "no-break space": "\xa0",
    "soft hyphen": "\xad",
    "Arabic letter mark": "\u061c",
    "Hangul choseong filler": "\u115f",
    "Hangul jungseong filler": "\u1160",
    "Ogham space": "\u1680",
    "Mongolian vowel separator": "\u180e",
    "em space": "\u2003",
    "zero width space": "\u200b",
    "zero width non-joiner": "\u200c",
    "zero width joiner": "\u200d",
    "left-to-right mark": "\u200e",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "right-to-left override": "\u202e",
    "narrow no-break space": "\u202f",
    "word joiner": "\u2060",
    "right-to-left isolate": "\u2067",
    "Braille blank": "\u2800",
    "ideographic space": "\u3000",
    "Hangul filler": "\u3164",
    "byte order mark": "\ufeff",
    "halfwidth Hangul filler": "\uffa0",
    "interlinear annotation": "\ufff9",
    "shorthand overlap": "\U0001bca0",
    "tag letter": "\U000e0061",
    "combining grapheme joiner": "\u034f",
    "Khmer inherent vowel": "\u17b4",
    "Mongolian variation selector": "\u180b",
    "variation selector": "\ufe0f",
    "variation selector of ideographs": "\U000e0100",
    "character to come that will be ignored": "\ufff0",
    "tag to come": "\U000e0fff",
    "unassigned": "\u0378",
    "noncharacter": "\uffff",
    "private use": "\ue000",
    "private use of the last plane": "\U0010fffd",
    # Visible as typed, but under NFKC they become a space and a mark, or hold spaces.
    "diaeresis": "\xa8",
    "macron": "\xaf",
    "acute accent": "\xb4",
    "cedilla": "\xb8",
    "breve": "\u02d8",
    "Greek ypogegrammeni": "\u037a",
    "Greek dialytika": "\u1fed",
    "double low line": "\u2017",
    "fullwidth macron": "\uffe3",
    "Arabic ligature of several words": "\ufdfa",
}

ALLOWED = {
    "address": "first.last+tag@sub.example.co.jp",
    "kanji": "山田太郎",
    "hiragana": "やまだ",
    "halfwidth katakana": "ﾔﾏﾀﾞ",
    "fullwidth": "Ｙａｍａｄａ",
    "emoji": "😀😀😀",
    "emoji with skin tone": "👍🏽👍🏽",
    "flag": "🇯🇵🇯🇵",
    "accents": "Ünïcödé",
    "decomposed accents": "Ame\u0301lie",
    "Cyrillic": "Владимир",
    "Greek": "Οδυσσεύς",
    "Arabic": "مستخدم",
    "Hebrew": "משתמש",
    "Devanagari": "उपयोगकर्ता",
    "Hangul": "사용자",
    "digits": "007",
    "punctuation": "'\";--<>&%_\\/",
    "name of a JavaScript member": "__proto__",
    "JSON literal": "null",
}

POSITIONS = {"at the beginning": "{}user", "inside": "us{}er", "at the end": "user{}"}


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("name", REFUSED)
def test_refused_character(name: str, position: str) -> None:
    assert not has_only_visible_characters(POSITIONS[position].format(REFUSED[name]))


@pytest.mark.parametrize("code_point", WHITE_SPACE, ids="U+{:04X}".format)
def test_white_space_is_refused(code_point: int) -> None:
    assert not has_only_visible_characters(f"us{chr(code_point)}er")


@pytest.mark.slow
@pytest.mark.parametrize("category", ["Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Cn", "Co"])
def test_whole_category_is_refused(category: str) -> None:
    characters = [c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) == category]
    assert characters
    assert not [c for c in characters if has_only_visible_characters(c)]


@pytest.mark.slow
def test_table_of_what_is_ignored_is_unicodes() -> None:
    """By what is said of it: 4174 code points; formats but those that show; variation selectors; some by name."""
    found = {
        character for character in map(chr, range(sys.maxunicode + 1)) if re.match(f"[{DEFAULT_IGNORABLE}]", character)
    }
    assert len(found) == 4174
    shown = set("\u06dd\u070f\u0890\u0891\u08e2\ufff9\ufffa\ufffb\U000110bd\U000110cd")
    shown |= set(map(chr, (*range(0x0600, 0x0606), *range(0x13430, 0x13440))))  # Arabic numbers, hieroglyphs
    formats = {
        character for character in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(character) == "Cf"
    }
    assert formats - shown <= found
    assert not found & shown
    others = {character for character in found if unicodedata.category(character) not in {"Cf", "Cn"}}
    selectors = {character for character in others if "VARIATION SELECTOR" in unicodedata.name(character)}
    assert len(selectors) == 260
    assert {unicodedata.name(character) for character in others - selectors} == {
        "COMBINING GRAPHEME JOINER",
        "HANGUL CHOSEONG FILLER",
        "HANGUL JUNGSEONG FILLER",
        "HANGUL FILLER",
        "HALFWIDTH HANGUL FILLER",
        "KHMER VOWEL INHERENT AQ",
        "KHMER VOWEL INHERENT AA",
    }


@pytest.mark.parametrize("name", ALLOWED)
def test_allowed_name(name: str) -> None:
    assert has_only_visible_characters(ALLOWED[name])


@pytest.mark.parametrize("name", REFUSED)
async def test_server_refuses(name: str, wire: Wire) -> None:
    for username in (position.format(REFUSED[name]) for position in POSITIONS.values()):
        registered = await wire.call("User.register", username=username, password="password")
        validated = await wire.call("User.validate", username=username)
        assert (registered.code, registered.data.keys()) == (-32602, {"username"})
        assert validated.error == registered.error


@pytest.mark.parametrize("name", ALLOWED)
async def test_server_accepts(name: str, wire: Wire) -> None:
    username = ALLOWED[name]
    assert (await wire.call("User.validate", username=username)).result == "OK"
    assert (await wire.register(username)).session
    again = await wire.call("User.register", username=username, password="password")
    assert again.data == {"username": "Username is already taken."}
    assert (await wire.call("User.login", username=username, password="password")).result["user"][
        "_username"
    ] == username


SAME = {
    "upper case": ("me@example.com", "ME@EXAMPLE.COM"),
    "fullwidth": ("me@example.com", "ｍｅ＠ｅｘａｍｐｌｅ．ｃｏｍ"),
    "fullwidth upper case": ("me@example.com", "ＭＥ@example.com"),
    "sharp s": ("straße", "STRASSE"),
    "capital sharp s": ("straße", "STRAẞE"),
    "final sigma": ("οδος", "ΟΔΟΣ"),
    "final sigma in lower case": ("οδος", "οδοσ"),
    "ligature": ("ﬁsher", "FISHER"),
    "composed and decomposed": ("Amélie", "Ame\u0301lie"),
    "halfwidth katakana": ("ﾔﾏﾀﾞ", "ヤマダ"),
    "circled digits": ("①②③", "123"),
    "superscript": ("user²", "USER2"),
    "Kelvin sign": ("\u212aelvin", "kelvin"),
    "long s": ("u\u017fer", "USER"),
    "dotted capital I": ("\u0130stanbul", "i\u0307stanbul"),
    "Cherokee": ("\u13a0\u13a1\u13a2", "\uab70\uab71\uab72"),
    "mathematical bold": ("\U0001d41a\U0001d41b\U0001d41c", "abc"),
}

DIFFERENT = {
    "accent": ("Amélie", "Amelie"),
    "dotless i": ("ırmak", "irmak"),
    "Cyrillic look-alike": ("paul", "раul"),
    "digit and letter": ("user0", "usero"),
    "hiragana and katakana": ("やまだ", "ヤマダ"),
    "dot of an address": ("me.too@example.com", "metoo@example.com"),
    "tag of an address": ("me+too@example.com", "me@example.com"),
    "wildcard": ("user_", "userx"),
}


@pytest.mark.parametrize("case", SAME)
def test_same_name(case: str) -> None:
    one, another = SAME[case]
    assert username_key(one) == username_key(another)


@pytest.mark.parametrize("case", DIFFERENT)
def test_different_names(case: str) -> None:
    one, another = DIFFERENT[case]
    assert username_key(one) != username_key(another)


# Marks whose capital is a letter of its own change places with other marks when a name is not in normal form; and
# the capital of the dotless i has a dotted small letter.
names_in_normal_form = (
    st.text(min_size=1, max_size=20).map(lambda text: unicodedata.normalize("NFC", text)).filter(lambda t: "ı" not in t)
)
fuzz = settings(max_examples=300)


@fuzz
@given(st.text(max_size=20))
def test_key_is_its_own_key(username: str) -> None:
    """Whoever types the key, the plainest spelling there is, reaches the same account."""
    key = username_key(username)
    assert username_key(key) == key


@pytest.mark.parametrize("username", ["\u0390", "\u01f0", "\u1e96", "\u1fb6"], ids=ascii)
def test_key_is_in_normal_form(username: str) -> None:
    """Folding takes these apart."""
    assert unicodedata.is_normalized("NFKC", username_key(username))
    assert not unicodedata.is_normalized("NFKC", username.casefold())


@fuzz
@given(names_in_normal_form)
def test_case_does_not_matter(username: str) -> None:
    variants = [username.upper(), username.lower(), username.casefold(), username.swapcase()]
    assert {username_key(variant) for variant in variants} == {username_key(username)}


@fuzz
@given(st.text(max_size=20), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_normal_form_does_not_matter(username: str, form: str) -> None:
    assert username_key(unicodedata.normalize(form, username)) == username_key(username)  # type: ignore[arg-type]


@fuzz
@given(st.text(max_size=20))
def test_key_of_a_visible_name_is_visible(username: str) -> None:
    """Else two names that look the same could both be registered."""
    if has_only_visible_characters(username):
        assert has_only_visible_characters(username_key(username))


async def test_name_that_is_refused_today_still_signs_in(wire: Wire, server: InProcessServer) -> None:
    """Older versions let it register."""
    await wire.register("admin")
    name = "admin\ufe0f"
    server.execute("UPDATE users SET username = ?, username_key = ?", name, username_key(name))
    guest = wire.elsewhere()
    assert (await guest.call("User.login", username=name, password="password")).result["user"]["_username"] == name
    assert (await guest.call("User.saveProperty", name="age", value=5)).result == "OK"
    assert (await guest.call("User.updatePassword", oldPassword="password", newPassword="other")).result == "OK"
    assert (await wire.elsewhere().call("User.sendPasswordResetToken", username=name)).result == "OK"
    assert (await guest.call("User.unregister", password="other")).result == "OK"


async def test_long_name_of_combining_marks_is_refused_before_it_is_normalised(wire: Wire) -> None:
    """NFKC of this one takes minutes, in which the server would answer nobody."""
    username = "a" + "\u0315" * 150_000 + "\u0316" * 150_000
    async with asyncio.timeout(HANG_SECONDS):
        for method in ("User.register", "User.login"):
            answer = await wire.call(method, username=username, password="password")
            assert answer.data == {"username": "Username must not be longer than 255 characters."}
