"""What of a row is its prompt, and when two prompts are the same."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import orjson

_LOWER: Final = bytes(byte + 32 if 0x41 <= byte <= 0x5A else byte for byte in range(256))
_ASCII: Final = bytes(range(128))
_WHITE_SPACE: Final = b" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"
_COMMON_LETTERS: Final = b"abcdefghilmnoprstuwy"
"""Nine in ten letters of English text; without them, what is left of a text is a tenth of it."""
_FEW_BYTES: Final = 64
"""Bytes beyond ASCII of a text, by which it is looked up whether they stay as they are; of more, the different ones."""
_UNTOLD: Final = _WHITE_SPACE + _COMMON_LETTERS + _COMMON_LETTERS.upper()


def content_text(content: Any) -> str:
    """The text of a message's content: the string, or its text parts joined by line breaks; "" where there is none."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = (part.get("text") for part in content if isinstance(part, dict))
        return "\n".join(text for text in texts if isinstance(text, str))
    return ""


def prompt_text(messages: Sequence[Any]) -> str:
    """The prompt as one text, by which rows are compared: a lone user message's text, else every turn with its role."""
    turns = [(str(turn.get("role")), content_text(turn.get("content"))) for turn in messages if isinstance(turn, dict)]
    if len(turns) == 1 and turns[0][0] == "user":
        return turns[0][1]
    return "\x1e".join([f"{role}\x1f{text}" for role, text in turns])


def user_text(messages: Sequence[Any]) -> str:
    """What the user says, all turns joined: where training and test rows are compared by runs of words."""
    return "\n".join(
        content_text(turn.get("content")) for turn in messages if isinstance(turn, dict) and turn.get("role") == "user"
    )


def answer_text(answer: Any) -> str | None:
    """An answer as the text by which answers are compared; None where there is none."""
    if answer is None or isinstance(answer, str):
        return answer
    try:
        return orjson.dumps(answer, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:  # a whole number of more than 64 bits, half of a surrogate pair, many levels
        return json.dumps(answer, sort_keys=True)


def normalised(text: str) -> bytes:
    """The form in which two prompts are the same: without case, white space and compatibility variants (NFKC)."""
    if text.isascii():
        return text.encode().translate(_LOWER, _WHITE_SPACE)
    raw = text.replace("\xa0", " ").encode("utf-8", "surrogatepass")  # the one space beyond ASCII that is common
    beyond = raw.translate(None, _ASCII)
    if len(beyond) > _FEW_BYTES:
        beyond = "".join(sorted(set(beyond.decode("utf-8", "surrogatepass")))).encode("utf-8", "surrogatepass")
    if len(beyond) <= _FEW_BYTES and _stay_as_they_are(beyond):
        return raw.translate(_LOWER, _WHITE_SPACE)
    compatible = unicodedata.normalize("NFKC", text)
    raw = compatible.encode("utf-8", "surrogatepass")
    # Folding is slow, and most text beyond ASCII has no upper case there: look at those characters alone.
    beyond_ascii = raw.translate(None, _ASCII).decode("utf-8", "surrogatepass")
    if beyond_ascii.casefold() != beyond_ascii:
        raw = compatible.casefold().encode("utf-8", "surrogatepass")
    return raw.translate(_LOWER, _WHITE_SPACE)


@lru_cache(maxsize=1024)
def _stay_as_they_are(beyond_ascii: bytes) -> bool:
    """Whether these are characters without another case or form, whatever stands beside them: “–”, €, ñ, 日.

    Such text is four times as quick to normalise. What joins the character before it is a mark (Unicode's M) or one of
    Hangul's Jamo, and is none of these.
    """
    characters = beyond_ascii.decode("utf-8", "surrogatepass")
    return all(
        unicodedata.category(character)[0] in "PSL" and not "\u1100" <= character <= "\u11ff"
        for character in characters
    ) and all(unicodedata.normalize("NFKC", character).casefold() == character for character in characters)


def normalised_keys(texts: Sequence[str | None]) -> list[int]:
    """`hash()` of each text's normalised form; 0 for None."""
    return _keys(texts, _WHITE_SPACE)


def rough_keys(texts: Sequence[str | None]) -> list[int]:
    """Equal for texts whose normalised forms are equal, and rarely for others: a third of the work; 0 for None alone.

    The `hash()` of the normalised form without the most common letters.
    """
    keys = _keys(texts, _UNTOLD)
    return keys if all(keys) else [key or int(text is not None) for key, text in zip(keys, texts, strict=True)]


def _keys(texts: Sequence[str | None], left_out: bytes) -> list[int]:
    """`hash()` of each text's normalised form without these characters, white space among them; 0 for None."""
    # Called for a million texts: those in ASCII are normalised all at once, and then taken apart again.
    others = _beyond_ascii(texts)
    ascii_texts = list(texts)
    for place in others:
        ascii_texts[place] = ""
    together = "\0".join(ascii_texts).encode()  # type: ignore[arg-type]  # no None is left
    keys = list(map(hash, together.translate(_LOWER, left_out).split(b"\0")))
    if len(keys) != len(texts):  # one of them has this character
        return [0 if text is None else hash(normalised(text).translate(None, left_out)) for text in texts]
    for place in others:
        text = texts[place]
        keys[place] = 0 if text is None else hash(normalised(text).translate(None, left_out))
    return keys


def utf8_lengths(texts: Sequence[str | None]) -> list[int]:
    """Each text's length in bytes of UTF-8, without those that are None."""
    try:
        lengths = list(map(len, texts))  # type: ignore[arg-type]  # None raises, and is rare
    except TypeError:
        return utf8_lengths([text for text in texts if text is not None])
    for place in _beyond_ascii(texts):
        lengths[place] = len(texts[place].encode("utf-8", "surrogatepass"))  # type: ignore[union-attr]
    return lengths


def _beyond_ascii(texts: Sequence[str | None]) -> list[int]:
    """The places of the texts that are not all ASCII, and of None."""
    try:
        ascii_only = bytes(map(str.isascii, texts))  # type: ignore[arg-type]
    except TypeError:
        ascii_only = bytes(text is not None and text.isascii() for text in texts)
    places, place = [], ascii_only.find(0)
    while place >= 0:
        places.append(place)
        place = ascii_only.find(0, place + 1)
    return places
