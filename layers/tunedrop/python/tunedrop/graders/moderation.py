"""The `moderation` kind: one label or a set of labels out of a fixed list, with a price for each kind of mistake."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Self

from tunedrop.graders.json_answer import NotOneDocument
from tunedrop.graders.json_compare import words
from tunedrop.graders.label_phrases import NONE_APPLIES
from tunedrop.graders.labels import MOST_LABELS, member, read_labels
from tunedrop.graders.named import Named
from tunedrop.graders.sample import (
    JSON,
    MOST_PARTS,
    PART_CHARACTERS,
    Grade,
    OptionsError,
    Part,
    Sample,
    no_choice,
    require_known,
)
from tunedrop.nearest import suggestion

_OPTIONS = ("labels", "mode", "none", "weights", "false_positive", "false_negative", "partial")
_MODES = ("single", "multi")


class ModerationGrader:
    """Options:

    - `labels`: every label there is. Without it, each row's `labels` field counts; without that, any may be named.
    - `mode` ("multi"): "single" asks for exactly one label.
    - `none` ("none"): the label that says that no label applies; the same as an empty set. Where `labels` lacks it,
      the label of the list that says so in other words, such as "none of these".
    - `weights`: label → how much it matters (1.0 each).
    - `false_positive` (1.0), `false_negative` (1.0): what a label too many, a label missed costs; a number for all
      labels, or label → number with "*" for the others.
    - `partial` (true): the reward is 1 - cost / weight of the right labels, at least 0; false: 1.0 or 0.0.

    The cost of a label is its weight times its price. With the prices at 1.0, naming every label is worth nothing as
    soon as at least half of them are wrong, and a flag on innocent text is always worth nothing.
    """

    def __init__(
        self,
        *,
        labels: Sequence[str] = (),
        single: bool = False,
        none: str = "none",
        weights: Mapping[str, float] | None = None,
        false_positive: Mapping[str, float] | None = None,
        false_negative: Mapping[str, float] | None = None,
        partial: bool = True,
    ) -> None:
        self._labels = {words(label): label for label in labels}
        self._single = single
        self._none = words(none)
        self._weights = {words(label): weight for label, weight in (weights or {}).items()}
        self._false_positive = _by_key(false_positive)
        self._false_negative = _by_key(false_negative)
        self._partial = partial
        given = {"weights": weights, "false_positive": false_positive, "false_negative": false_negative}
        self._named = [(option, label) for option, prices in given.items() for label in prices or () if words(label)]

    @classmethod
    def from_options(cls, options: Mapping[str, JSON]) -> Self:
        """Raises OptionsError for an unknown option, a label that is not in the list, or a price below 0."""
        require_known(options, _OPTIONS, "The moderation grader knows")
        labels = _label_list(options.get("labels", []), "labels")
        mode, none, partial = (options.get(name, usual) for name, usual in _USUAL.items())
        if mode not in _MODES:
            raise no_choice("The moderation grader's mode must be", _MODES, mode)
        if not isinstance(none, str) or not words(none):
            raise OptionsError(f"The moderation grader's none must be a label, got {none!r}.")
        if not isinstance(partial, bool):
            raise OptionsError(f"The moderation grader's partial must be true or false, got {partial!r}.")
        known = {words(label) for label in labels} | {words(none), ""} if labels else None
        return cls(
            labels=labels,
            single=mode == "single",
            none=none,
            weights=_prices(options.get("weights", {}), "weights", known),
            false_positive=_prices(options.get("false_positive", 1.0), "false_positive", known),
            false_negative=_prices(options.get("false_negative", 1.0), "false_negative", known),
            partial=partial,
        )

    def check_reference(self, reference: JSON, row: Mapping[str, JSON]) -> str | None:
        """Why the reference is no label or set of labels of the list, or None."""
        try:
            known = self._known(row)
            right = self._reference_labels(reference)
        except (OptionsError, NotOneDocument) as error:
            return str(error)
        strange = sorted(right - known.keys() - {self._none}) if known else []
        if strange:
            near = suggestion(strange[0], known.values())
            told = f"the reference has a label that is not in the list: {strange[0][:40]!r}"
            return f"{told}; mend it, or add it to `labels`.{near}"
        if self._single and len(right) != 1:
            return (
                f"the reference has {len(right)} labels; mode single wants one: leave one label, or set `mode: multi`"
            )
        if not math.fsum(self._weight(label) for label in right) > 0:
            return "the right labels weigh nothing: give one of them a weight above 0 in grader.options.weights"
        return None

    def named(self, reference: JSON, row: Mapping[str, JSON]) -> list[Named]:  # noqa: ARG002 - the protocol's
        """The labels that have a weight or a price."""
        right = self._reference_labels(reference)
        return [Named(option, label, words(label) in {*right, self._none}, False) for option, label in self._named]

    def names(self, reference: JSON) -> frozenset[str]:
        """The reference's labels."""
        return self._reference_labels(reference)

    def grade(self, sample: Sample) -> Grade:
        """Compare the labels of the answer with the right ones. Raises NotOneDocument where the reference has none."""
        known = self._known(sample.row)
        none = self._none_among(known)
        right = frozenset(none if label == self._none else label for label in self._reference_labels(sample.reference))
        named = read_labels(sample.answer, known, none)
        if named is None:
            return Grade(
                0.0,
                {"labels": 0.0},
                False,
                "The answer commits to no label.",
                {"parsed": 0.0},
                self._parts(right, frozenset(), 0.0),
            )
        missed, spurious = right - named, named - right
        cost = math.fsum(self._weight(label) * _price(self._false_negative, label) for label in missed)
        cost += math.fsum(self._weight(label) * _price(self._false_positive, label) for label in spurious)
        value = math.fsum(self._weight(label) for label in right)
        correct = named == right
        credit = max(0.0, 1.0 - cost / value) if value else float(correct)
        if self._single and not correct and len(named) != 1:
            credit = 0.0
        told = f"{len(right & named)} of {len(right)} right, {len(spurious)} too many"
        return Grade(
            reward=credit if self._partial else float(correct),
            components={"labels": credit},
            correct=correct,
            explanation=f"Labels: {told}.",
            metrics={
                "parsed": 1.0,
                "labels_missed": float(len(missed)),
                "labels_too_many": float(len(spurious)),
            },
            parts=self._parts(right, named, credit if self._partial else float(correct)),
        )

    def _parts(self, right: frozenset[str], named: frozenset[str], reward: float) -> tuple[Part, ...]:
        """Each label that is right or was given; those that are not both share what the reward lacks by their price."""
        prices = {label: self._weight(label) * _price(self._false_negative, label) for label in right - named}
        prices |= {label: self._weight(label) * _price(self._false_positive, label) for label in named - right}
        total = math.fsum(prices.values())
        return tuple(
            Part(
                label[:PART_CHARACTERS],
                float(label not in prices),
                (1.0 - reward) * prices[label] / total if label in prices and total else 0.0,
                "yes" if label in right else "no",
                "yes" if label in named else "no",
            )
            for label in sorted(right | named)[:MOST_PARTS]
        )

    def _weight(self, label: str) -> float:
        return self._weights.get(label, 1.0)

    def _known(self, row: Mapping[str, JSON]) -> dict[str, str]:
        if self._labels:
            return self._labels
        return {words(label): label for label in _label_list(row.get("labels") or [], "the row's labels")}

    def _none_among(self, known: Mapping[str, str]) -> str:
        """The label of none; where the list lacks it, the label of the list that says the same: `none of these`."""
        if not known or self._none in known:
            return self._none
        return next((label for label in known if NONE_APPLIES.fullmatch(label)), self._none)

    def _reference_labels(self, reference: JSON) -> frozenset[str]:
        """The right labels, compared without case and punctuation; no label is the label of none."""
        if isinstance(reference, Mapping):
            reference = member(reference)
        if isinstance(reference, str):
            reference = [reference] if reference.strip() else []
        if not isinstance(reference, Sequence) or not all(isinstance(label, str) for label in reference):
            raise NotOneDocument("expected a label, an array of labels, or an object with `labels` as reference")
        return frozenset(words(str(label)) for label in reference if words(str(label))) or frozenset({self._none})


_USUAL: Mapping[str, JSON] = {"mode": "multi", "none": "none", "partial": True}


def _label_list(value: JSON, what: str) -> list[str]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise OptionsError(f"The moderation grader's {what} must be an array of texts, got {type(value).__name__}.")
    labels = [str(label) for label in value]
    keys = [words(label) for label in labels]
    if not all(isinstance(label, str) for label in value) or "" in keys or len(set(keys)) != len(keys):
        raise OptionsError(f"The moderation grader's {what} must be different texts with letters or digits in them.")
    if len(labels) > MOST_LABELS:
        raise OptionsError(f"The moderation grader takes at most {MOST_LABELS} labels, got {len(labels)}.")
    return labels


def _prices(value: JSON, what: str, known: set[str] | None) -> dict[str, float]:
    entries: Mapping[str, JSON] = value if isinstance(value, Mapping) else {"*": value}
    prices = {}
    for label, price in entries.items():
        if isinstance(price, bool) or not isinstance(price, (int, float)) or not 0 <= price < math.inf:
            raise OptionsError(f"The moderation grader's {what} for {label!r} must be a number from 0, got {price!r}.")
        if known is not None and words(label) not in known:
            near = suggestion(label, known - {""})
            raise OptionsError(f"The moderation grader's {what} names {label!r}, which is not in labels.{near}")
        prices[label] = float(price)
    return prices


def _by_key(prices: Mapping[str, float] | None) -> dict[str, float]:
    return {words(label): price for label, price in (prices or {}).items()}


def _price(prices: Mapping[str, float], label: str) -> float:
    return prices.get(label, prices.get("", 1.0))  # "*" has neither letters nor digits: its key is the empty text
