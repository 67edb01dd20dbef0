"""What punctuation is, and what only looks like it: a sign, an operator or a unit carries meaning and stays."""

from __future__ import annotations

from tunedrop.graders.late_pattern import late

_DELETED = "'’‘`´"
_QUOTES = '"“”„«»‹›「」『』'
_BRACKETS = "()[]{}【】（）"
_STOPS = ",;:?¡¿…、。"
_MARKUP = late(
    r"(?<![^\s\"“'‘(\[])(?:[*_]{1,3}|~~)(?=[^\s*_~])|(?<=[^\s*_~])(?:[*_]{1,3}|~~)(?![^\s\"”'’.,;:!?)\]])|(?m:^[ \t]*(?:-{3,}|\*{3,}|_{3,})[ \t]*$)|(?m:^\s*(?:#{1,6}|>|[-•*+])\s+(?=[^\W\d]|[*_\"“'(]))"
)
"""Emphasis, headings, quotes and bullets of Markdown: `**Paris**`, `# Paris`, `> Paris`, `- Paris`."""
_BULLET = late(r"\s*[-•*+>#]+\s")
_EMPHASIZED = late(r"\s*(\*\*|__)(?=\S)[^*]{1,2000}\1[\s.,!]*")
_IN_BACKTICKS = late(r"\s*`([^`]+)`[\s.]*")
_LONE = late(r"(?<![*_])[*_](?![*_])")
_DASH = "[-\u2010\u2011\u2012\u2013\u2014]"
_HYPHEN = late(
    rf"(?<=\w){_DASH}(?=[^\W\d])|(?<=[^\W\d]){_DASH}(?=\w)|(?<=[^\W\d]\s){_DASH}(?=\s+[^\W\d])|(?<=\w){_DASH}(?=\s|$)|\u2014"
)
"""A hyphen within a word or a dash between words; the minus of `-5`, `3-5` or `x - -1` is none."""
_SHOUT = late(r"!(?![=\w])")
_SPACED_PERCENT = late(r"(?<=\d)\s+(?=[%‰°])")
_POINT = late(r"\.(?!\d)")
_THOUSANDS = late(r"(?<![\d.,:])[1-9]\d{0,2}(?:,\d{3})+(?![\d,:])")
_NUMBER_MARK = late(r"(?<=\d)[,:](?=\d)")
_KEPT_MARK = {",": "\ue000", ":": "\ue001"}
_SPACED = str.maketrans(dict.fromkeys(_QUOTES + _BRACKETS + _STOPS, " ") | dict.fromkeys(_DELETED, ""))


def _is_marked_up(text: str) -> bool:
    """Whether the text may have emphasis, a heading or a bullet: the one star of `A*`, or line of `_x`, is neither."""
    if _EMPHASIZED.fullmatch(text):
        return True
    lone = _LONE.search(text)
    return lone is None or text[:1].isspace() or text.count(lone[0]) > 1 or _BULLET.match(text) is not None


def without_punctuation(text: str) -> str:
    """The text without punctuation and Markdown's emphasis; words that it parted are parted by a space.

    Points within abbreviations go (`U.S.` is `US`), apostrophes too. What carries meaning stays: signs and operators
    (`-5`, `x<y`, `2*3`, `C++`, `C#`, `50%`, `$5`), points, commas and colons within numbers, but
    for the commas between thousands (`3,000` is `3000`).
    """
    quoted = _IN_BACKTICKS.fullmatch(text)
    text = text if quoted is None else quoted[1]
    text = _MARKUP.sub(" ", text) if _is_marked_up(text) else text
    text = _HYPHEN.sub(" ", text)
    text = _SHOUT.sub(" ", text)
    text = _SPACED_PERCENT.sub("", text)
    text = _POINT.sub("", text)
    text = _THOUSANDS.sub(lambda found: found[0].replace(",", ""), text)
    text = _NUMBER_MARK.sub(lambda found: _KEPT_MARK[found[0]], text).translate(_SPACED)
    for mark, kept in _KEPT_MARK.items():
        text = text.replace(kept, mark)
    return " ".join(text.split())
