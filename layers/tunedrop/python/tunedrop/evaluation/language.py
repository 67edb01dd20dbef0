"""Which language a text is in, roughly: its script, and for Latin script the commonest small words.

Good for one question: has a model changed its language? Not for telling Danish from Norwegian.
"""

from __future__ import annotations

import re
from collections import Counter

NO_LANGUAGE = "none"
"""Too little text to tell: a number, a formula, a line of code."""

_READ = 2_000
_LEAST_WORDS = 6
_WORD = re.compile(r"[^\W\d_]+")
_SMALL_WORDS = {
    "English": "the of and to is that it for was with this are be not you have from which each so",
    "German": "der die das und ist nicht ein eine mit sich auf den von zu im wir also für sind es",
    "French": "le la les et est un une des que dans pour pas nous donc du sur avec sont il",
    "Spanish": "el la los y es un una que de en por con para no se del las entonces son hay",
    "Italian": "il la che di è un una per non con sono del della quindi gli le si nel ha",
    "Portuguese": "o a os e é um uma que de em por com para não se do da então são há",
    "Dutch": "de het een en is van dat niet met voor op zijn dus te aan we er ook",
}
_LANGUAGES_OF = {
    word: [language for language, words in _SMALL_WORDS.items() if word in words.split()]
    for words in _SMALL_WORDS.values()
    for word in words.split()
}
# First code point of each script's main blocks, and its name; a letter belongs to the last one that starts before it.
_SCRIPTS = (
    (0x0041, "Latin"),
    (0x0370, "Greek"),
    (0x0400, "Cyrillic"),
    (0x0530, "Armenian"),
    (0x0590, "Hebrew"),
    (0x0600, "Arabic"),
    (0x0900, "Indic"),
    (0x0E00, "Thai"),
    (0x10A0, "other"),
    (0x1E00, "Latin"),
    (0x1F00, "Greek"),
    (0x2C00, "other"),
    (0x3040, "Japanese"),
    (0x3130, "Korean"),
    (0x3400, "Chinese"),
    (0xA000, "other"),
    (0xAC00, "Korean"),
    (0xD7B0, "other"),
    (0xF900, "Chinese"),
    (0xFB00, "other"),
    (0x20000, "Chinese"),
    (0x30000, "other"),
)


def language_of(text: str) -> str:
    """The language or script that most of the text's first 2,000 characters are in, or `NO_LANGUAGE`."""
    words = _WORD.findall(text[:_READ])
    if not text.isascii():
        letters = Counter(_script(letter) for word in words for letter in word)
        # Han characters beside kana are Japanese.
        if letters["Japanese"]:
            letters["Japanese"] += letters.pop("Chinese", 0)
        total = letters.total()
        if total and (main := letters.most_common(1)[0])[0] != "Latin" and main[1] > total / 2:
            return main[0]
    found = Counter(language for word in words for language in _LANGUAGES_OF.get(word.lower(), ()))
    ranked = found.most_common(2)
    if not ranked or len(words) < _LEAST_WORDS or ranked[0][1] < 3:
        return NO_LANGUAGE
    if len(ranked) > 1 and ranked[0][1] == ranked[1][1]:
        return NO_LANGUAGE
    return ranked[0][0]


def _script(letter: str) -> str:
    point = ord(letter)
    name = "other"
    for start, script in _SCRIPTS:
        if point < start:
            break
        name = script
    return name
