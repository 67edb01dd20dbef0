"""What an answer is dressed in: markdown, delimiters of mathematics, punctuation, case."""

from __future__ import annotations

import re
from unicodedata import decimal

from tunedrop.graders.late_pattern import late
from tunedrop.graders.math.han_numbers import with_usual_digits

MAX_REGION = 2_000
"""How much of an answer's text can be a single value."""
MAX_NAMED = 60
"""Longest text that can name a set."""

_DELIMITED = late(
    r"\\\((.{1,500}?)\\\)|\\\[(.{1,500}?)\\\]|\$\$(.{1,500}?)\$\$|(?<![\\\w$])\$(?!\$)((?:[^$\\\n]|\\.){1,300})\$(?!\d)",
    re.DOTALL,
)
_EMPHASIS = late(
    r"(?<![\w)\]}])\*\*(?=\S)([^*\n]{1,300}?)(?<=\S)\*\*(?![\w(])|(?<![\w*)\]}])\*(?=\S)([^*\n]{1,300}?)(?<=\S)\*(?![\w*(])"
)
"""Bold and italic; not the powers and products of `x**2*y**2`."""
_SENTENCE_END = late(r"[.!?](?=\s+[A-Z\"“(*]|\s*$)|\n\n")
_PROSE = late(r"(?<![\\A-Za-z{])[A-Za-z]{4,}")
_OTHER_SCRIPT = late("[\u0400-\u052f\u0590-\u1fff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{4,}")
"""Four letters in a row of a script that mathematics does not use."""
_OTHER_LETTER = late("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
MAX_UNIT_LETTERS = 8
"""Chinese, Japanese or Korean letters of a value with its unit; who writes more writes a sentence."""
_WORD = late(r"[^\W\d_]{2,}")
_ORDINAL = late(r"(?<=\d)(?:st|nd|rd|th)\b", re.IGNORECASE)
_ARTICLE = late(r"^(?:an?|the) ")
_COMMAND_TEXT = late(
    r"\\(?:text|textbf|textit|textrm|textnormal|mathrm|mathbf|mbox|operatorname|emph)\s{0,3}\{([^{}]*)\}"
)
_INVISIBLE = late(r"\\(?:left|right|[bB]igg?[lr]?|displaystyle|quad|qquad)(?![A-Za-z])|\\[!,;: ]")


_FULL_WIDTH = {0xFF01 + offset: 0x21 + offset for offset in range(94)} | {0x3000: 0x20}


_OTHER_DIGIT = late(r"(?![0-9])\d")
"""A digit of another script: Arabic and Hindi have their own."""
_SMALL_FRACTION = late("[⁰¹²³⁴⁵⁶⁷⁸⁹]+[⁄/][₀₁₂₃₄₅₆₇₈₉]+")
_USUAL_SIZE = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉⁄", "01234567890123456789/")
_ARABIC_POINT = "\u066b"
_DECIMAL_MARK = late(r"(?<=\d)[\u066b\u066c](?=\d)")


def half_width(text: str) -> str:
    """The text with full-width letters and signs in their usual width, and the digits of all scripts as 0 to 9."""
    if text.isascii():
        return text
    text = _SMALL_FRACTION.sub(lambda found: found[0].translate(_USUAL_SIZE), text)
    text = _DECIMAL_MARK.sub(lambda mark: "." if mark[0] == _ARABIC_POINT else ",", text.translate(_FULL_WIDTH))
    return _OTHER_DIGIT.sub(lambda digit: str(decimal(digit[0])), text)


_EXACT = late(r"\d|\\(?:frac|dfrac|sqrt|pi)|[√π½⅓⅔¼¾]")
_APPROXIMATION = late(
    r"""[\s,]{0,4}(?:\\(?:quad|qquad|[,;: ])\s{0,3})?(?:\\left)?[(\[]?\s{0,3}(?:\\text\s{0,2}\{\s{0,3})?
    (?:or\s{1,3}|i\.e\.\s{0,3}|which\sis\s)?
    (?:\\(?:approx|simeq|doteq|sim)(?![A-Za-z])|≈|≃|≅|~|\babout\b|\bapproximately\b|\bapprox\b\.?
      |\broughly\b|\baround\b)\s{0,3}(?:\})?\s{0,3}(?P<about>[$€£]?[-−]?\d[\d.,]{0,40}(?:\\?%)?)
    (?:\s{0,3}(?:[A-Za-z°]{1,12}\s{0,2}){1,2}[²³]?
      |\s{0,3}(?:\\[ ,;])?\s?\\(?:text|mathrm)\s{0,2}\{[^{}]{1,30}\}(?:\^\{?\d\}?)?)?
    \s{0,3}(?:\\right)?[)\]]?[\s.]{0,3}\Z""",
    re.VERBOSE,
)


def split_approximation(text: str) -> tuple[str, str]:
    """An exact value and the decimal that it is about, which is empty where there is none.

    `\\frac53 \\approx 1.67`, `2√3 (about 3.46)`.
    """
    found = _APPROXIMATION.search(text, max(0, len(text) - 160))
    if found is None or found.start() == 0:
        return text, ""
    exact = text[: found.start()].rstrip()
    # "x ≈ 3.14" says nothing exact.
    stands = _EXACT.search(exact) and exact[-1] not in "=<>+-*/^"
    return (exact, found["about"]) if stands else (text, "")


_NAME = late(
    r"""\s{0,3}(?:
      \\(?:overline|vec|overrightarrow|widehat|hat|bar)\s{0,3}\{?\s{0,3}[A-Za-z]{1,3}\s{0,3}\}?
      |[a-z]\s{0,3}(?::\s{0,3}[a-z]\s{0,3}){1,4}
      |[A-Z]{1,3}(?:_\{?\w{1,8}\}?)?\s{0,3}(?::\s{0,3}[A-Z]{1,3}(?:_\{?\w{1,8}\}?)?\s{0,3}){1,4}
      )\s{0,3}=\s{0,3}(?=\S)
    |\s{0,3}(?:[Tt]he|[Ii]ts|[Tt]otal)\s[A-Za-z ]{2,40}\s(?:is|equals|=)\s{1,3}(?=[-+−$\\\d(])""",
    re.VERBOSE,
)


_ALL_BUT = late(
    r"(?:x\s(?:can\sbe|is)\s)?(?:all|any|every)\s(?:the\s)?(?:real\s)?(?:values?|numbers?|reals?)(?:\sof\sx)?,?\s"
    r"(?:except|excluding|other\sthan|but|besides)(?:\sfor)?\s(?:[$\\(]{0,2}x\s?=\s?)?(?=[-−$\\\d√])",
    re.IGNORECASE,
)


def without_name(text: str) -> str:
    """A value without what it is called, where that is no formula: `AB : CD = 2 : 1`, `The area is 12`.

    `all real numbers except 2` is `x ≠ 2`.
    """
    all_but = _ALL_BUT.match(text)
    if all_but is not None:
        return ", ".join(
            f"x \\ne {each}" for each in re.split(r",\s+(?:and\s+)?|\s+(?:and|or)\s+", text[all_but.end() :])
        )
    found = _NAME.match(text)
    return text[found.end() :] if found is not None else text


_STRUCK_OUT = late(r"~~[^~\n]{1,200}~~|\\(?:[bx]?cancel|sout|st|phantom|hphantom)\s{0,3}\{[^{}]{0,200}\}")
_POINTS_BETWEEN_THOUSANDS = late(r"(?<![\d.,])(\d{1,3}(?:\.\d{3}){1,6}),(\d{1,2})(?![\d,.]*\d)", re.ASCII)
_THOUSANDS_OF_OTHERS = late(r"(?<![\d.,'’])\d{1,3}(?:(?:\.\d{3}){2,6}|(?:['’]\d{3}){1,6})(?![\d'’]|[.,]\d)", re.ASCII)
"""`1.234.567` and `1'234`, where a point can be no decimal point."""


def as_meant(text: str) -> str:
    """The text without what is struck out, and numbers as they are usual here.

    `1.250,00` as 1250.00, `1.234.567` as 1234567, numbers in Chinese characters as digits.
    """
    if "~~" in text or "\\" in text:
        text = _STRUCK_OUT.sub(" ", text)
    if not text.isascii():
        text = with_usual_digits(text)
    if "," in text:
        text = _POINTS_BETWEEN_THOUSANDS.sub(lambda found: f"{found[1].replace('.', '')}.{found[2]}", text)
    return _THOUSANDS_OF_OTHERS.sub(lambda found: re.sub(r"\D", "", found[0]), text)


def undress(text: str) -> str:
    """The text without markdown, delimiters of mathematics around it all, and the punctuation at its end."""
    text = text.strip()[:MAX_REGION]
    if "*" in text:
        text = _EMPHASIS.sub(lambda match: match[1] or match[2], text).strip("* ")
    while True:
        before = text
        text = _without_end(text.strip(' \t\r\n`"“”_'))
        for opening, closing in (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")):
            inner = text[len(opening) : -len(closing)]
            whole = len(text) > len(opening) + len(closing) and text.startswith(opening) and text.endswith(closing)
            if whole and opening not in inner and not inner.endswith("\\"):
                text = inner
        if text == before:
            return text


def _without_end(text: str) -> str:
    while text and text[-1] in ".,;:*_`" and not text.endswith(("...", "\\,", "\\;", "\\:")):
        text = text[:-1].rstrip()
    return text


def sentence(text: str) -> str:
    """The first sentence."""
    match = _SENTENCE_END.search(text)
    return text[: match.start()] if match else text


def is_prose(text: str) -> bool:
    """Whether there are words enough to be a sentence rather than an answer with its unit."""
    plain = _COMMAND_TEXT.sub(" ", text[:MAX_REGION])
    if len(_PROSE.findall(plain)) > 3:
        return True
    return not plain.isascii() and (
        _OTHER_SCRIPT.search(plain) is not None or len(_OTHER_LETTER.findall(plain)) > MAX_UNIT_LETTERS
    )


def formulas(text: str) -> list[tuple[int, int, str]]:
    """The stretches between delimiters of mathematics, with their places; not the prices between two dollar signs."""
    found = []
    for match in _DELIMITED.finditer(text):
        inner = next(part for part in match.groups() if part is not None).strip()
        if match[4] is not None and _PROSE.search(_COMMAND_TEXT.sub(" ", inner)) and "\\" not in inner:
            continue
        found.append((match.start(), match.end(), inner))
    return found


def without_commands(text: str) -> str:
    """The text with LaTeX's ways to write plain text, prices, percentages and thousands undone."""
    text = _COMMAND_TEXT.sub(r" \1 ", text)
    text = re.sub(r",\s?\\!\s?|\{,\}", ",", text)
    return _INVISIBLE.sub(" ", text).replace("\\$", "$").replace("\\%", "%").replace("\\#", "")


def spelling(text: str) -> str:
    """The letters of a formula without what changes nothing: two formulas of one spelling are the same."""
    text = _INVISIBLE.sub("", text)
    text = _COMMAND_TEXT.sub(r"\1", text.replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac"))
    return _without_end("".join(text.replace("$", "").replace("~", "").split()))


_NAMED_SETS = {
    "nothing": late(
        r"(?:there (?:is|are) )?no (?:real |such |integer |positive |valid )?(?:solutions?|values?|roots?)(?: exists?)?"
        r"|(?:the )?empty set|none|∅|\\(?:emptyset|varnothing)|\\\{\s*\\\}|\{\s*\}"
    ),
    "undefined": late(
        r"(?:the (?:limit|integral|sum|derivative) |it )?(?:does(?: not|n['’]t) exist|d\.?n\.?e\.?|(?:is )?undefined)"
    ),
    "reals": late(
        r"(?:[a-z]\s?(?:\\in|∈)\s?)?(?:\\mathbb\s?\{?\s?r\s?\}?|\u211d|\(-\s?(?:\\infty|∞)\s?,\s?\+?(?:\\infty|∞)\s?\))"
        r"|(?:the )?(?:set of )?(?:all )?(?:the )?reals?(?: numbers?)?"
    ),
}


def names_same_set(one: str, other: str) -> bool:
    """Whether two answers are the same of what has a name: no solution at all, no value, or every real number."""
    named = _named_set(one)
    return named is not None and named == _named_set(other)


def _named_set(text: str) -> str | None:
    plain = _COMMAND_TEXT.sub(r"\1", text).strip().lower() if len(text) <= MAX_NAMED else ""
    return next((name for name, pattern in _NAMED_SETS.items() if pattern.fullmatch(plain)), None)


def words(text: str) -> str:
    """Words without case, dress and punctuation; empty where there are none.

    A single letter keeps its case and loses its brackets: (C) is C.
    """
    text = _COMMAND_TEXT.sub(r"\1", text)
    text = re.sub(r"\\[()\[\],;:! ]|[$\\{}*_`\"'“”’.,;:!?]", " ", text)
    text = _ORDINAL.sub("", " ".join(text.split()))
    if len(text) == 3 and text[0] == "(" and text[2] == ")":
        text = text[1]
    if len(text) == 1:
        return text
    return _ARTICLE.sub("", text.lower()) if _WORD.search(text) else ""
