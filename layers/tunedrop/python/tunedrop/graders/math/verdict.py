"""Whether an answer says what is expected: the stretch that it commits itself to, or else the value at its end."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from tunedrop.graders.late_pattern import late
from tunedrop.graders.math.clock_times import last_time, same_time
from tunedrop.graders.math.commitment import (
    Commitment,
    ends_in_nothing,
    find_commitment,
    plain_ending,
    starts_with_value,
    visible,
)
from tunedrop.graders.math.dress import (
    as_meant,
    formulas,
    is_prose,
    names_same_set,
    sentence,
    spelling,
    undress,
    words,
)
from tunedrop.graders.math.expected import Expected
from tunedrop.graders.math.quantity import read_quantity
from tunedrop.graders.math.restated import told_twice
from tunedrop.graders.math.scalars import MIN_DIGITS
from tunedrop.graders.math.units import read_unit
from tunedrop.graders.math.value import goes_on_in_letters, same_quantity, value_is
from tunedrop.graders.math.vocabulary import NUMBER_WORDS

MAX_TAIL = 1_500
"""How much of the end of an unmarked answer can hold its value."""


class Verdict(NamedTuple):
    """Whether the answer is right, and by which marker it said so ("none": its last value; "nothing": no value)."""

    correct: bool
    marker: str


def judge(answer: str, expected: Expected, *, last_value: bool = True) -> Verdict:
    """Whether an answer gives the expected value.

    `last_value`: where nothing is marked, the last value of the text is the answer (else there is none).
    """
    usual = expected.number is not None and not expected.percent and expected.scaled is None
    plain = plain_ending(answer) if usual else None
    if plain is not None:
        same = Fraction(plain.region.replace(",", "")) == expected.number
        if same or "." not in plain.region:  # else a rounded decimal may stand for a fraction
            return Verdict(same, plain.marker)
    text = as_meant(visible(answer))
    if expected.option_alone and (letter := _letter_in_words(text)) is not None:
        return Verdict(letter.upper() == expected.letter, "phrase")
    commitment = find_commitment(text, textual=expected.textual)
    if ends_in_nothing(text, commitment):
        return Verdict(False, "nothing")
    if commitment is not None:
        return Verdict(_says(commitment, expected), commitment.marker)
    if not last_value:
        return Verdict(False, "nothing")
    return _unmarked(text, expected)


_BARE_LETTER = late(r"[\s*_(]{0,5}([A-Ja-j])[\s*_).]{0,5}")
_SAID_LETTER = late(
    r"""(?:\b(?:option|choice|letter)s?[\s*_:]{0,4}(?:is|would\sbe)?
      |\b(?:I|we)\s(?:would\s)?(?:choose|pick|select|say|take|vote\sfor|go\swith))[\s*_:$(\[]{1,6}
    (?:\\(?:text|textbf|mathrm|mathbf)\s?\{\(?)?([A-J])\b(?!\s?(?:is|are|was)\s(?:not|wrong|incorrect))""",
    re.VERBOSE | re.IGNORECASE,
)


def _letter_in_words(text: str) -> str | None:
    """The letter of a contest that an answer of a few words is, or calls the right option; None where it marks one."""
    alone = _BARE_LETTER.fullmatch(text)
    if alone is not None:
        return alone[1]
    if len(text) > 4_000 or "box" in text or "####" in text or "nswer" in text:
        return None
    said = {letter.upper() for letter in _SAID_LETTER.findall(text[-MAX_TAIL:].rsplit("\n\n", 1)[-1])}
    return said.pop() if len(said) == 1 else None


def _unmarked(text: str, expected: Expected) -> Verdict:
    """The verdict where nothing is marked: on the whole text, if it is nothing but a value, else on its last value."""
    if text[-1:] in ("$", ")") and _BROKEN.search(text[-MAX_BROKEN:]):
        return Verdict(False, "nothing")
    text = _without_check(text)
    if (twice := _told_twice(text, expected)) is not None:
        return Verdict(twice, "none")
    whole = undress(text)
    if (expected.number is None and spelling(whole) == expected.spelling) or names_same_set(whole, expected.text):
        return Verdict(True, "none")
    led = _CONNECTIVE.sub("", whole, count=1)
    bare = _SAYING.sub("", led if "!" in expected.text else led.rstrip("!"), count=1)
    if len(text) <= 400 and "\n" not in bare and _is_bare(bare, expected):
        is_it = value_is(bare, expected) or (bare != led and value_is(led, expected))  # 3! is 6
        if is_it or (not expected.textual and led == whole and not _TELLS.search(bare)):
            return Verdict(is_it, "none")
    found = _last_value(text[-MAX_TAIL:], expected)
    return Verdict(bool(found), "nothing" if found is None else "none")


_CHECK = late(
    r"(?:\n\s{0,5}(?:#{1,6}\s|[-*]\s)?[*_]{0,3}|(?<=[.!)])\s{1,3})(?:(?:check|checking|verification|verify|verifying|proof)"
    r"[*_]{0,3}\s?:|(?:let(?:['’]s|\sus|\sme)|we\scan|to)\s(?:quickly\s)?(?:double[- ]?)?(?:check|verify)\b)",
    re.IGNORECASE,
)
_CORRECTS = late(
    r"\b(?:wait|but|not|no|actually|wrong|mistake|incorrect|error|instead|correction|sorry|so|therefore|thus|hence|total"
    r"|final|answer)\b|n['’]t\b|[≠✗❌]",
    re.IGNORECASE,
)


def _without_check(text: str) -> str:
    """A text without the check of its value at its end, if that concludes nothing: "x = 42. Check: 42 + 1 = 43"."""
    found = _CHECK.search(text, max(0, len(text) - MAX_TAIL))
    if found is None or _CORRECTS.search(text, found.end()) or not re.search(r"\d", text[: found.start()]):
        return text
    return text[: found.start()].rstrip()


def _says(commitment: Commitment, expected: Expected) -> bool:
    region = commitment.region
    whole = commitment.marker in ("boxed", "tag")
    if not whole and expected.number is None and spelling(undress(region)) == expected.spelling:
        return True
    if value_is(undress(region) if whole else _leading_value(region), expected) or _told_twice(region, expected):
        return True
    # "The answer is that she has 72 apples left."
    return not (expected.textual or starts_with_value(region)) and bool(_last_value(region, expected))


def _told_twice(text: str, expected: Expected) -> bool | None:
    """Whether one of the two is expected, where a text ends in a quantity told twice; None where it does not."""
    if expected.number is None:
        return None
    twice = told_twice(text)
    return None if twice is None else any(value_is(each, expected) for each in twice)


_CONNECTED = late(r"\s*(?:[,;]|(?:,\s*)?(?:and|or)\b|\\text\{\s*(?:and|or)\s*\})\s*", re.IGNORECASE)
_AFTERTHOUGHT = late(
    r",?\s(?:because|since|so that|so\b(?!\s\d)|which|where|when|if\b|as\b(?!\s\d)|given\b|after\b|I hope|in total"
    r"|altogether)",
    re.IGNORECASE,
)


_CORRECTED = late(
    r",?\sbut\s(?:it\s|that\s)?(?:should|must|ought\sto)\s(?:be|have\sbeen)\s(?=[-+−$€£\\\d])|(?:[,.;:…–—-]\s{0,3}|\s)(?:oh|no|wait|sorry|i\smeant?|actually|rather|correction|nein|non|pardon|perdón|нет)\b"
    r"(?:[\s,.:!…–—-]|\b(?:no|wait|sorry|actually|i\smeant?|it\sis|it['’]s)\b){1,9}(?=[-+−$€£\\\d])",
    re.IGNORECASE,
)
"""Between a value that is taken back at once and the one that takes its place: "41, no, 42"."""


def _leading_value(region: str) -> str:
    """The value that a line begins with: its formulas with what connects them, or its first sentence up to a clause."""
    region = region.strip()
    corrected = list(_CORRECTED.finditer(region))
    if corrected:
        region = region[corrected[-1].end() :]
    spans = formulas(region)
    lead = region.lstrip("*_:= ")
    if spans and spans[0][0] <= len(region) - len(lead):
        parts = [spans[0]]
        for span in spans[1:]:
            if not _CONNECTED.fullmatch(region, parts[-1][1], span[0]):
                break
            parts.append(span)
        after = _PERCENT_NEXT.match(region, parts[-1][1])
        return ", ".join(inner for _, _, inner in parts) + (" \\%" if after else "")
    first = sentence(region)
    cut = _AFTERTHOUGHT.search(first)
    return undress(first[: cut.start()] if cut else first)


_TELLS = late(r"\b(?:is|are|makes|equals)\s")
_SAYING = late(
    r"\A\$?[A-Za-z]\w{0,3}\$?\s{1,3}(?:is|equals|was)(?:\s(?:approximately|about|roughly|around|exactly|equal\sto))?\s{1,3}(?=[-+−$\\\d.])"
)
"""What says a value in words: "x is approximately 3.14"."""


MAX_BROKEN = 200
_BROKEN = late(r"(?:(?<![$\\])\$|\\\()[ \t]*\n[^$\n]*\n[ \t]*(?:\$|\\\))\Z")
"""What stands between `$` or `\\(` and its end, each alone at a break of the line: as Math-Verify has it, no formula.
`$$` and `\\[` begin one that may be broken."""


_CONNECTIVE = late(
    r"\A(?:(?:so|thus|hence|therefore|then|finally)\b[,:]?\s{1,3}|(?:\\therefore(?![a-z])|∴|⇒|=>|\\(?:Rightarrow|implies)(?![a-z]))\s{0,3})",
    re.IGNORECASE,
)


def _is_bare(text: str, expected: Expected) -> bool:
    """Whether a whole text is nothing but a value."""
    return not is_prose(text) and (expected.textual or starts_with_value(text))


# ---- unmarked answers ---------------------------------------------------------------------------------------------

_NUMBER = late(
    r"(?<![\w.,\\])(?:[-−–](?=[$€£]?[\d.½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒]))?[$€£]?(?<!\w)"
    r"(?:\d[\d,]*(?:\.\d+)?|\.\d+|[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒])",
    re.ASCII,
)
_OPERAND_BEFORE = late(r"(?:[\d)%]\s?[+*/×·⋅∙∗÷^−-]\s?|[\w)] [<>]=?|\A[<>]=?(?!\s)|[≤≥]) ?[$€£]?$")
_OTHER_BEFORE = late(r"(?:\d[^\d.!?\n]{0,12}|[)\]])\s\(?(?:or|to)\s(?:maybe\s|possibly\s|perhaps\s)?[$€£]?$")
_DENIED_BEFORE = late(
    r"\b(?:not|never|isn['’]t|wasn['’]t|cannot be|can['’]t be|instead of"
    r"|(?:rather|more|greater|less|fewer|other) than)\s(?:be\s)?[$€£]?$",
    re.IGNORECASE,
)
_BOLD = late(r"(?<![\w)\]}])\*\*(?=\S)([^*\n]{1,120}?)\*\*(?![\w(])", re.ASCII)
_VALUE_WITH_UNIT = late(r"[$€£]?[-−]?\d[\d.,]{0,20}\s?[^\W\d_]\S{0,13}")
_CALCULATION = late(r"<<[^<>\n]{0,100}>>")
_ASIDE = late(r"(?<=[A-Za-z\d%]) \((?!(?:or|maybe|perhaps|possibly)\s[$€£]?\d)[^()\n]{1,80}\)(?=[^()\n]{0,200}$)")
"""Brackets in the last line after a value: "72 clips (48 in April)", but not "72 (or 73)"."""
_A_NUMBER_WORD = late(rf"\b(?:an?\s(?=half|third|quarter|dozen)|half|{'|'.join(NUMBER_WORDS)})\b", re.IGNORECASE)
_A_WORD = late(r"[A-Za-z]{3,12}")
"""What may be a product of letters or a word: red."""
_YES_OR_NO = ("yes", "no", "true", "false")
_FIRST_WORD = late(r"\W{0,9}([A-Za-z]+)\s?[,.:;!—–]")
_NEXT_CLAUSE = late(r"[,;:]|\b(?:so|leaving|left with|which|then|therefore|means)\b")
_CIRCUMSTANCE = late(
    r"(?:\b(?:in|for|per|after|over|every|within|during|out of|than|each|of|at|on|dans|pendant|après|pour|en"
    r"|durante|después de|nach|innerhalb von|pro|für)\s|\bd['’]ici\s)"
    r"(?:the\s|just\s|only\s|all\s|these\s|those\s)?[$€£]?$"
)
_REASON = late(
    r"(?:(?<!\band)\s(?:because|since)\s|\sby\s[a-z]{2,12}ing\s)(?:[^=,\n]|,(?=\d{3})){1,200}\Z", re.IGNORECASE
)
"""The clause that ends a sentence and says why, or how: its numbers are not the result, if it computes none."""
_POWERED = late(r"[\d\s/]([A-Za-zµ]{1,12})\^\{?$")
_NUMBERS_ALONE = late(r"[\d\s.,;|/$€£+-]+")
_SENTENCES = late(r"(?<=[.!?])\s+(?=[A-Z])|(?<=[。।؟])\s*|\s(?=因此|所以|故|结论|لذا|إذن|इसलिए|अतः)|\s(?=\d\.\s\*\*)")
_ABOUT = late(
    r"[\s,;:(]{0,4}(?:(?:which|that)\s(?:is|equals)\s|or\s|i\.e\.,?\s)?(?:approximately|approx\.?|about|roughly|around|≈|~)\s?",
    re.IGNORECASE,
)
"""Between an exact value and its decimal: "$3\\sqrt{13}$, approximately 10.82"."""
_LOST_DELIMITERS = late(r"[(\[]\s{0,3}([^()\[\]\n]{0,100}\\[A-Za-z]{2,12}[^()\[\]\n]{0,100}?)\s{0,3}[)\]]")
"""A formula between `\\(` and `\\)` whose backslashes were lost on the way."""
_PERCENT_NEXT = late(r"\s*(?:\\?%|percent\b|pct\b)")


def _last_value(tail: str, expected: Expected) -> bool | None:
    """Whether the value that an unmarked text ends with is the expected one; None where it has no value."""
    told = None if expected.clock is None else last_time(_SENTENCES.split(tail.rstrip().rsplit("\n", 1)[-1])[-1])
    if told is None or expected.clock is None:
        return _last_number_or_words(tail, expected)
    same = same_time(expected.clock, told)
    return told.minutes == expected.clock.minutes if same is None else same


def _last_number_or_words(tail: str, expected: Expected) -> bool | None:
    tail = _CALCULATION.sub("", tail).rstrip()
    tail = tail[: tail.rfind("\n") + 1] + _ASIDE.sub("", tail[tail.rfind("\n") + 1 :])
    last_line = tail.rsplit("\n", 1)[-1]
    bold = [match[1] for match in _BOLD.finditer(last_line) if re.search(r"\d", match[1]) or expected.textual]
    if bold and (_is_bare(bold[-1], expected) or (not expected.textual and _VALUE_WITH_UNIT.fullmatch(bold[-1]))):
        return value_is(undress(bold[-1]), expected)
    may_be_a_word = expected.textual or _A_WORD.fullmatch(expected.text) is not None
    said = may_be_a_word and _ends_in_words(tail, words(last_line), expected)
    if expected.textual or said:
        return said
    spans = formulas(tail) or [(match.start(), match.end(), match[1]) for match in _LOST_DELIMITERS.finditer(tail)]
    numbers = [
        match
        for match in _NUMBER.finditer(tail)
        if not (_is_part_of_a_word(tail, match.end()) or _is_power_of_a_unit(tail, match.start()))
    ]
    about = bool(spans and numbers) and _ABOUT.fullmatch(tail, spans[-1][1], numbers[-1].start()) is not None
    if spans and (not numbers or about or spans[-1][1] > numbers[-1].start()):
        is_it = _span_is(tail, spans[-1], expected)
        if is_it or not about:
            return is_it
    if not numbers:
        return _only_number_in_words(last_line, expected)
    numbers = [
        number for number in numbers if not _DENIED_BEFORE.search(tail[max(0, number.start() - 40) : number.start()])
    ] or numbers
    begin, end = _last_sentence(tail, numbers[-1].start())
    if len(numbers) > 3 and _NUMBERS_ALONE.fullmatch(tail, begin, end):  # every number at once says none
        return False
    starts = [match.start() for match in numbers if match.start() >= begin]
    reason = _REASON.search(tail, starts[0], end)
    if reason is not None:
        starts, end = [start for start in starts if start < reason.start()], reason.start()
    return _number_is(tail[:end], _telling(tail[:end], begin, starts), expected)


def _span_is(tail: str, span: tuple[int, int, str], expected: Expected) -> bool:
    after = _PERCENT_NEXT.match(tail, span[1])
    return value_is(undress(span[2]) + (" \\%" if after else ""), expected)


def _only_number_in_words(line: str, expected: Expected) -> bool | None:
    """Whether the only number of a line in words ("There are three.") is the expected one; None where it has none."""
    at, found = 0, []
    for match in _A_NUMBER_WORD.finditer(line):
        quantity = read_quantity(line, match.start()) if match.start() >= at else None
        if quantity is not None:
            found.append(quantity)
            at = len(line) - len(quantity.rest)
    return same_quantity(found[0], expected, Fraction(1)) if len(found) == 1 else None


def _ends_in_words(tail: str, ending: str, expected: Expected) -> bool:
    if expected.words in _YES_OR_NO and ending.rpartition(" ")[2] not in _YES_OR_NO:  # "Yes, it is."
        first = _FIRST_WORD.match(tail)
        return first is not None and first[1].lower() == expected.words
    return bool(expected.words) and (ending == expected.words or ending.endswith(" " + expected.words))


def _is_part_of_a_word(text: str, end: int) -> bool:
    """Whether letters that are no unit follow at once, as in 2A, 3x or 6abc."""
    following = re.match(r"[A-Za-z_]+", text[end : end + 30])
    if following is None:
        return False
    if len(following[0]) == 1:
        return following[0] not in "mgshlLkKMB"
    return goes_on_in_letters(text[end : end + 30])


def _is_power_of_a_unit(text: str, start: int) -> bool:
    """Whether the number is the 2 of `42 cm^2`."""
    unit = _POWERED.search(text[max(0, start - 20) : start]) if text[start - 1 : start] in ("^", "{") else None
    return unit is not None and read_unit(unit[1]) is not None


def _last_sentence(text: str, number: int) -> tuple[int, int]:
    """Where the sentence that holds the number begins and ends."""
    line = text.rfind("\n", 0, number) + 1
    end = text.find("\n", number)
    begin = line
    for match in _SENTENCES.finditer(text, line, number):
        begin = match.end()
    return begin, len(text) if end < 0 else end


def _telling(text: str, begin: int, numbers: list[int]) -> int:
    """Which number of the last sentence is its result.

    The one after the last `=`, unless another clause follows; else the last one that is no circumstance ("in 2 days").
    """
    equals = text.rfind("=", begin)
    after = [number for number in numbers if number > equals] if equals >= 0 else []
    if after:
        between = text[after[0] + 1 : after[-1]]
        return after[-1] if _NEXT_CLAUSE.search(between) else after[0]
    while len(numbers) > 1 and _CIRCUMSTANCE.search(text[max(begin, numbers[-1] - 40) : numbers[-1]]):
        numbers = numbers[:-1]
    return numbers[-1]


def _number_is(text: str, start: int, expected: Expected) -> bool:
    """Whether the number at `start`, with the fraction or mixed number that it is part of, is the expected one."""
    start = _start_of_fraction(text, start)
    before = text[max(0, start - 60) : start]
    if any(pattern.search(before) for pattern in (_OPERAND_BEFORE, _OTHER_BEFORE, _DENIED_BEFORE)):
        return False
    quantity = read_quantity(text, start)
    if quantity is None or expected.number is None:
        return expected.number is None and value_is(undress(text[start : start + 60]), expected)
    if same_quantity(quantity, expected, Fraction(1)):
        return True
    number = text[start : len(text) - len(quantity.rest)]
    return (quantity.decimals or 0) >= MIN_DIGITS and value_is(undress(number), expected)  # rounded: 0.142857


def _start_of_fraction(text: str, start: int) -> int:
    before = text[max(0, start - 30) : start]
    above = re.search(r"(?<![\w.,/])[-−]?\d{1,20}\s?/\s?$", before, re.ASCII)
    if above is not None:
        start -= len(before) - above.start()
        before = text[max(0, start - 12) : start]
    whole = re.search(r"(?<![\w.,/])[-−]?\d{1,9}\s$", before, re.ASCII)
    if whole is not None and re.match(r"\d{1,20}\s?/\s?\d", text[start : start + 24]):
        start -= len(before) - whole.start()
    return start
