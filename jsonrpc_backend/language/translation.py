"""Which language somebody reads, and sentences in it."""

import functools
import re
from collections.abc import Mapping

from jsonrpc_backend.language import japanese

# What is longer holds something that a client made up; it is not worth the matching.
MAX_TRANSLATED = 500

_ENTRY = re.compile(r"\s*([A-Za-z-]{1,35}|\*)\s*(?:;\s*q=([01](?:\.[0-9]{1,3})?)\s*)?")


def prefers_japanese(accept_language: str) -> bool:
    """Whether somebody who sends this `Accept-Language` would rather have Japanese than English.

    RFC 9110, 12.5.4; of two with the same weight it is the first, as browsers list them.
    """
    weights = {"": 0.0}
    for entry in accept_language[:MAX_TRANSLATED].split(","):
        found = _ENTRY.fullmatch(entry)
        if found and (language := found[1].lower().partition("-")[0]) in {"ja", "en"}:
            weights.setdefault(language, float(found[2] or 1))
    return max(weights, key=weights.__getitem__) == "ja"


def in_japanese(sentence: str) -> str:
    """The sentence in Japanese; as it is where there is no translation."""
    if len(sentence) > MAX_TRANSLATED:
        return sentence
    return _translated(sentence, japanese.SENTENCES) or sentence


def _translated(text: str, texts: Mapping[str, str]) -> str | None:
    if text in texts:
        return texts[text]
    for pattern, translation in _patterns(texts is japanese.SENTENCES):
        if found := pattern.fullmatch(text):
            return translation.format(*(_translated(part, japanese.PARTS) or part for part in found.groups()))
    return None


@functools.cache
def _patterns(whole_sentences: bool) -> list[tuple[re.Pattern[str], str]]:
    texts = japanese.SENTENCES if whole_sentences else japanese.PARTS
    templates = sorted((text for text in texts if "{}" in text), key=len, reverse=True)  # what says more comes first
    return [(_pattern_of(text), texts[text]) for text in templates]


def _pattern_of(text: str) -> re.Pattern[str]:
    """What matches a text with anything in place of each `{}`."""
    return re.compile("(.*?)".join(map(re.escape, text.split("{}"))), re.DOTALL)
