"""Numbers that are written in Chinese characters: `十二` is 12, `三百零五` is 305."""

from __future__ import annotations

from tunedrop.graders.late_pattern import late

_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"\u3007": 0, "两": 2, "兩": 2}
_PLACES = {"十": 10, "百": 100, "千": 1000}
_SCALES = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_NUMERALS = "".join((*_DIGITS, *_PLACES, *_SCALES))
_NUMBER = late(
    rf"(?:(?<=[是为為有:=\uff1a])|(?<![\u4e00-\u9fff]))[{_NUMERALS}]{{1,12}}(?=[个個只隻人元円块塊本天年米颗顆页頁岁歲支件]|[^\u4e00-\u9fff]|\Z)"
)
"""Where it is a number of its own, not a part of a word such as 一起."""


def with_usual_digits(text: str) -> str:
    """The text with its Chinese numbers in digits."""
    return _NUMBER.sub(lambda found: f"{_value(found[0])}", text)


def _value(numerals: str) -> int:
    if not any(character in _PLACES or character in _SCALES for character in numerals):  # 二〇二四
        return int("".join(str(_DIGITS[character]) for character in numerals))
    total = section = digit = 0
    for character in numerals:
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif character in _PLACES:
            section += (digit or 1) * _PLACES[character]
            digit = 0
        else:
            total = (
                (total + section + digit) * _SCALES[character]
                if character in "亿億"
                else total + (section + digit) * _SCALES[character]
            )
            section = digit = 0
    return total + section + digit
