"""The metrics of OpenAI's `text_similarity` that are well defined without an embedding model or a thesaurus.

Each takes the text that is graded and the reference and gives 0 to 1. OpenAI does not publish its exact settings; what
was chosen is told with each. `cosine` needs OpenAI's embeddings and `meteor` WordNet: both are refused.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial

LONGEST_TEXT = 20_000
"""Characters of each text that are compared."""
_WORD = re.compile(r"\w+|[^\w\s]")


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _grams(words: Sequence[str], size: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[start : start + size]) for start in range(len(words) - size + 1))


def fuzzy_match(text: str, reference: str) -> float:
    """rapidfuzz's `ratio`: 1 - insertions and deletions / summed length."""
    from rapidfuzz import fuzz  # loaded only where it is used

    return fuzz.ratio(text, reference) / 100


def bleu(text: str, reference: str) -> float:
    """BLEU-4 of one sentence (Papineni et al. 2002), orders above 1 smoothed by one (Lin and Och 2004)."""
    words, expected = _words(text), _words(reference)
    if not words or not expected:
        return float(words == expected)
    logarithms = 0.0
    for size in range(1, 5):
        mine, theirs = _grams(words, size), _grams(expected, size)
        smooth = int(size > 1)
        hits, total = (mine & theirs).total() + smooth, mine.total() + smooth
        if hits == 0:
            return 0.0
        logarithms += math.log(hits / total) / 4
    brevity = min(0.0, 1 - len(expected) / len(words))
    return math.exp(logarithms + brevity)


def gleu(text: str, reference: str) -> float:
    """Google BLEU (Wu et al. 2016): the smaller of precision and recall over all 1- to 4-grams."""
    words, expected = _words(text), _words(reference)
    mine = sum((_grams(words, size) for size in range(1, 5)), Counter[tuple[str, ...]]())
    theirs = sum((_grams(expected, size) for size in range(1, 5)), Counter[tuple[str, ...]]())
    if not mine or not theirs:
        return float(words == expected)
    hits = (mine & theirs).total()
    return min(hits / mine.total(), hits / theirs.total())


def rouge_n(text: str, reference: str, size: int) -> float:
    """ROUGE-N (Lin 2004) as F1 of the n-grams. Texts shorter than n words count only when they are equal."""
    words, expected = _words(text), _words(reference)
    mine, theirs = _grams(words, size), _grams(expected, size)
    total = mine.total() + theirs.total()
    if not mine or not theirs:
        return float(words == expected)
    return 2 * (mine & theirs).total() / total


def rouge_l(text: str, reference: str) -> float:
    """ROUGE-L (Lin 2004) as F1 of the longest common subsequence of words."""
    words, expected = _words(text), _words(reference)
    if not words or not expected:
        return float(words == expected)
    from rapidfuzz.distance import LCSseq

    return 2 * LCSseq.similarity(words, expected) / (len(words) + len(expected))


METRICS: Mapping[str, Callable[[str, str], float]] = {
    "fuzzy_match": fuzzy_match,
    "bleu": bleu,
    "gleu": gleu,
    "rouge_l": rouge_l,
    **{f"rouge_{size}": partial(rouge_n, size=size) for size in range(1, 6)},
}
REFUSED: Mapping[str, str] = {
    "cosine": "it compares OpenAI's embeddings, which Bedrock does not have; use fuzzy_match or rouge_l",
    "meteor": "it needs WordNet's synonyms; use rouge_l or gleu",
}
