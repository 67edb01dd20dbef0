"""The `exact` grader: text against text: equal, one choice of several, overlapping words, similar, or a pattern."""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunedrop.graders.choices import chosen_letter, letter_of
from tunedrop.graders.late_pattern import late
from tunedrop.graders.math.commitment import visible
from tunedrop.graders.punctuation import without_punctuation
from tunedrop.graders.sample import JSON, Grade, OptionsError, Sample, no_choice, require_known

MODES = ("text", "choice", "f1", "fuzzy", "regex")
MEASURES = ("ratio", "token_sort_ratio", "jaro_winkler")
_KINDS: Mapping[type, str] = {str: "a text", bool: "true or false", float: "a number"}
MAX_TEXT = 20_000
"""How many characters of an answer's end (and of a reference) are compared."""
_REFERENCE_KEYS = ("answer", "final_answer", "text", "label", "target", "ground_truth", "value")
_ANSWER_TAG = late(r"\s*<answer>(.*)</answer>\s*", re.DOTALL)
_BOX = late(r"[\s$]*\\boxed\s?\{\s*(?:\\(?:text|textbf|mathrm|texttt)\s?\{([^{}]+)\}|([^{}\\]+))\s*\}[\s$.]*")
"""An answer that is a box and nothing else."""
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad")) | dict.fromkeys(
    map(ord, "\u2010\u2011\u2012\u2013\u2212"), "-"
)
"""Characters that nobody sees; and the short dashes and the minus sign are a hyphen: `2024–01–05`."""
_FENCE = late(r"\s*`{3}\w{0,20}[ \t]*\n([^`]*?)\s*`{3}\s*")
"""An answer that is a fenced block and nothing else."""
_LINK = late(r"\s*<([^\s<>]{1,2000}(?:@|://)[^\s<>]{1,2000})>[\s.]*")
"""An address as Markdown writes it, `<me@example.org>`."""
_EMPHASIS_ENDS = late(r"[*_]{1,3}(?=\s)")
_ARTICLES = late(r"\b(?:a|an|the)\b")
_STAYS = late("[0-9]|[A-Za-z]{4}")
"""Is neither punctuation nor an article, whatever stands around it."""
_SQUAD_PUNCTUATION = dict.fromkeys(map(ord, string.punctuation))


@dataclass(frozen=True, slots=True)
class ExactOptions:
    """How texts are compared; the fields are the options of the grader."""

    mode: str = "text"
    ignore_case: bool = True
    ignore_punctuation: bool = True
    ignore_articles: bool = False
    after: str = ""
    """Only what stands after the last occurrence of this marker, up to the end of its line, is the answer."""
    extract: str = ""
    """An RE2 pattern with one group: its last match is the answer."""
    letters: str = "ABCDEFGHIJ"
    """The letters of the choices."""
    measure: str = "ratio"
    """For fuzzy: what rapidfuzz measures."""
    pass_at: float = 1.0
    """For f1 and fuzzy: from which similarity on an answer is right."""
    partial: bool = True
    """For f1 and fuzzy: pay the similarity itself; else 1.0 from `pass_at` on, and 0.0 below."""
    pattern: str = ""
    """For regex: the RE2 pattern that an answer must match; without it the reference is the pattern."""
    full_match: bool = True
    """For regex: the whole answer must match, not a part of it."""


class ExactGrader:
    """Compares the answer's text with the reference, or with the best of several references."""

    def __init__(self, options: ExactOptions) -> None:
        self._options = options
        self._extract = _pattern(options.extract) if options.extract else None
        self._fixed = _pattern(options.pattern) if options.pattern else None

    @classmethod
    def from_options(cls, options: Mapping[str, JSON]) -> ExactGrader:
        """The grader with these options (the fields of ExactOptions). Raises OptionsError."""
        known: dict[str, Any] = {name: getattr(ExactOptions(), name) for name in ExactOptions.__slots__}
        require_known(options, tuple(known), "The exact grader has")
        for name, value in options.items():
            wanted = type(known[name])
            if wanted is float and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)  # noqa: PLW2901 (1 is a float for whoever writes JSON)
            if not isinstance(value, wanted):
                raise OptionsError(f"The option {name} must be {_KINDS[wanted]}, got {value!r}.")
            known[name] = value
        checked = ExactOptions(**known)
        for name, allowed in (("mode", MODES), ("measure", MEASURES)):
            if known[name] not in allowed:
                raise no_choice(f"The option {name}: expected", allowed, known[name])
        if not 0 < checked.pass_at <= 1:
            raise OptionsError(f"The option pass_at is {checked.pass_at}, expected more than 0 and at most 1.")
        return cls(checked)

    def check_reference(self, reference: JSON, row: Mapping[str, JSON]) -> str | None:
        """Why an answer cannot be compared with this reference, or None."""
        if self._fixed is not None:
            return None
        references = _references(reference) or _references(row.get("ground_truth"))
        if not references:
            return "`reference_answer` names no text: expected a string, a list of them, or an object with `answer`"
        return next((fault for fault in (self._fault(one, row) for one in references) if fault), None)

    def _fault(self, reference: str, row: Mapping[str, JSON]) -> str | None:
        if self._options.mode == "regex":
            try:
                _pattern(reference)
            except OptionsError as error:
                return str(error)
        elif self._options.mode == "choice":
            if letter_of(reference, row, self._options.letters) is None:
                return f"no choice can be read from `reference_answer`: expected one of {self._options.letters}"
        elif not (_STAYS.search(reference, 0, MAX_TEXT) or self._normal(reference)):
            return "nothing is left of `reference_answer` when case, punctuation and articles are ignored"
        return None

    def grade(self, sample: Sample) -> Grade:
        """Same as `grade_quickly`: every comparison takes time linear or bounded in capped lengths."""
        return self.grade_quickly(sample)

    def grade_quickly(self, sample: Sample) -> Grade:
        """The grade. Raises ValueError where the reference cannot be compared with."""
        fault = self.check_reference(sample.reference, sample.row)
        if fault is not None:
            raise ValueError(fault)
        given = self._given(sample.answer)
        references = _references(sample.reference) or _references(sample.row.get("ground_truth")) or [""]
        score = max(self._score(given, one, sample.row) for one in references)
        graded = self._options.mode in ("f1", "fuzzy")
        correct = score >= (self._options.pass_at if graded else 1.0)
        reward = score if not graded or self._options.partial else float(correct)
        return Grade(
            reward=reward,
            components={self._options.mode: score} if graded else {},
            correct=correct,
            explanation=f"Compared by {self._options.mode}: {score:.2f}.",
        )

    def _given(self, answer: str) -> str:
        """The part of the answer that is compared."""
        text = visible(answer[-MAX_TEXT:])
        tagged = _ANSWER_TAG.fullmatch(text)
        if tagged is not None and "<answer>" not in tagged[1]:
            text = tagged[1]
        elif self._extract is None and not self._options.after and self._options.mode in ("text", "f1", "fuzzy"):
            fenced = _FENCE.fullmatch(text)
            text = text if fenced is None else fenced[1]
            boxed = _BOX.fullmatch(text)
            text = text if boxed is None else boxed[1] or boxed[2]
            link = _LINK.fullmatch(text)
            text = text if link is None else link[1]
        if self._options.after:
            _, found, rest = text.rpartition(self._options.after)
            if not found:
                return ""
            text = _EMPHASIS_ENDS.sub("", rest, count=1) if _EMPHASIS_ENDS.match(rest) else rest  # **ANSWER:** Rome
            text = text.strip().split("\n", 1)[0]
        if self._extract is not None:
            last = None
            for match in self._extract.finditer(text):
                last = match
            text = "" if last is None else (last.group(1) or "")
        return text.strip()

    def _normal(self, text: str) -> str:
        if self._options.mode == "f1":
            return self._squad(text[:MAX_TEXT])
        text = unicodedata.normalize("NFKC", text[:MAX_TEXT]).translate(_INVISIBLE)
        if self._options.ignore_case:
            text = text.casefold()
        if self._options.ignore_punctuation:
            text = without_punctuation(text)
        if self._options.ignore_articles:
            text = _ARTICLES.sub(" ", text)
        return " ".join(text.split())

    def _squad(self, text: str) -> str:
        """SQuAD's `normalize_answer`: lower case, ASCII punctuation deleted, articles dropped, spaces folded.

        From the evaluation script of Rajpurkar et al. 2016, version 1.1: punctuation goes before articles.
        """
        if self._options.ignore_case:
            text = text.lower()
        if self._options.ignore_punctuation:
            text = text.translate(_SQUAD_PUNCTUATION)
        return " ".join(_ARTICLES.sub(" ", text).split())

    def _score(self, given: str, reference: str, row: Mapping[str, JSON]) -> float:
        mode = self._options.mode
        if mode == "choice":
            letters = self._options.letters
            return float(chosen_letter(given, row, letters) == letter_of(reference, row, letters))
        if mode == "regex":
            pattern = self._fixed or _pattern(reference)
            match = pattern.fullmatch(given) if self._options.full_match else pattern.search(given)
            return float(match is not None)
        ours, theirs = self._normal(given), self._normal(reference)
        if mode == "f1":
            return _f1(ours.split(), theirs.split())
        return _similarity(ours, theirs, self._options.measure) if mode == "fuzzy" else float(ours == theirs)


def _f1(ours: Sequence[str], theirs: Sequence[str]) -> float:
    """The F1 of two bags of words, as SQuAD's evaluation script has it."""
    common = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * common / (len(ours) + len(theirs)) if common else 0.0


def _similarity(ours: str, theirs: str, measure: str) -> float:
    """rapidfuzz's similarity, 0 to 1; an empty answer is similar to nothing."""
    from rapidfuzz import distance, fuzz

    if not ours:
        return 0.0
    if measure == "jaro_winkler":
        return float(distance.JaroWinkler.similarity(ours, theirs))
    return float((fuzz.token_sort_ratio if measure == "token_sort_ratio" else fuzz.ratio)(ours, theirs)) / 100


def _references(reference: JSON) -> list[str]:
    """The texts that a reference accepts."""
    if isinstance(reference, str):
        return [reference] if reference.strip() else []
    if isinstance(reference, (bool, int, float)):
        return [str(reference)]
    if isinstance(reference, Mapping):
        return next((_references(reference[key]) for key in _REFERENCE_KEYS if key in reference), [])
    if isinstance(reference, Sequence):
        return [text for item in reference[:50] for text in _references(item)]
    return []


def _pattern(pattern: str) -> Any:
    """A compiled RE2 pattern: its time is linear in the text, whatever it says. Raises OptionsError."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options=options)
    except re2.error as error:
        raise OptionsError(f"{pattern!r} is no RE2 pattern: {error}.") from error
