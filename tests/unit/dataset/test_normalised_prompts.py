"""The form in which two prompts are the same, whatever way it is found."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunedrop.dataset.prompts import normalised, normalised_keys, rough_keys, utf8_lengths

TEXTS = st.text() | st.lists(
    st.sampled_from(["Ab", "a b", " ", "\n", "\x1c", "\0", "É", "’", "\u017f", "ß", "ẞ", "İ", "ﬁ", "\u212a", "\u0301",
                     "\ud83d", "é", "日本", "\u3000", "Ω", "😀",
                     "–", "€", "…", "\xa0", "ñ", "ᄀ", "ᅡ", "ᆨ", "가", "\u09c7", "\u09be",
                     "\u00b4", "=", "\u0338", "Ⓐ", "ｶ\uff9e"])
).map("".join)  # fmt: skip


def folded(text: str) -> bytes:
    """As it is defined: NFKC, folded case, no white space of ASCII."""
    whole = unicodedata.normalize("NFKC", text).casefold()
    return b"".join(whole.encode("utf-8", "surrogatepass").translate(None, b"\x1c\x1d\x1e\x1f").split())


@given(TEXTS)
def test_the_normal_form_is_folded_compatible_text_without_white_space(text: str) -> None:
    assert normalised(text) == folded(text)


def test_a_long_text_is_normalised_by_its_different_characters() -> None:
    signs = "– “A” … é " * 40
    assert normalised(signs) == folded(signs)
    marks = "– “A” € " * 40
    assert normalised(marks) == folded(marks)
    assert normalised("=" + "€" * 20 + "=\u0338") == folded("=" + "€" * 20 + "=\u0338")


@given(st.lists(st.none() | TEXTS))
def test_keys_of_many_texts_are_those_of_each(texts: list[str | None]) -> None:
    assert normalised_keys(texts) == [0 if text is None else hash(normalised(text)) for text in texts]


@given(st.lists(TEXTS), st.sampled_from([str.upper, str.lower, str.swapcase, " ".join, "\n\t".join]))
def test_rough_keys_of_the_same_normal_form_are_the_same(texts: list[str], written: Callable[[str], str]) -> None:
    others = [written(text) for text in texts]
    rough = dict(zip(map(normalised, texts), rough_keys(texts), strict=True))
    for form, key in zip(map(normalised, others), rough_keys(others), strict=True):
        assert rough.get(form, key) == key
    assert all(rough_keys([*texts, "e", ""])), "0 stands for a line without a prompt"
    assert rough_keys([None, *texts, None])[:: len(texts) + 1] == [0, 0]


@given(st.lists(TEXTS))
def test_lengths_are_those_of_utf8(texts: list[str]) -> None:
    lengths = [len(text.encode("utf-8", "surrogatepass")) for text in texts]
    assert utf8_lengths(texts) == utf8_lengths([None, *texts, None]) == lengths


@pytest.mark.parametrize("step", [61, pytest.param(1, marks=pytest.mark.prove)])
def test_every_character_has_its_normal_form_beside_any_other(step: int) -> None:
    characters = [chr(code) for code in range(0x80, 0x30000, step) if unicodedata.category(chr(code)) != "Cn"]
    characters += "각가\u0338\u3099\xa0"
    for before, after in (("e", "f"), ("=", "\u0338"), ("か", "\u3099"), ("ᄀ", "ᅡ"), ("ñ", "é")):
        texts = [before + each + after for each in characters]
        assert list(map(normalised, texts)) == list(map(folded, texts))
