"""The `math` grader: GSM8K and MATH style answers against a number, a formula, or a solution that marks its answer."""

from __future__ import annotations

from collections.abc import Mapping

from tunedrop.graders.math.expected import REFERENCE_KEYS, Expected, expected_answers, names_answer
from tunedrop.graders.math.verdict import judge
from tunedrop.graders.sample import JSON, Grade, Sample, no_choice, require_known

FORMATS = ("hashes", "boxed", "tag", "phrase")
_WANTED = (*FORMATS, "any")
_UNMARKED = ("last_value", "wrong")


class MathGrader:
    """Pays 1.0 for the right value, 0.0 for another.

    Options: `require_format` – a marker (hashes, boxed, tag, phrase) or "any": without it, a right value is worth
    nothing; `no_marker` – "last_value" (default): the last value of an unmarked answer counts, or "wrong".
    """

    def __init__(self, *, require_format: str | None = None, last_value: bool = True) -> None:
        self._require_format = require_format
        self._last_value = last_value and require_format is None

    @classmethod
    def from_options(cls, options: Mapping[str, JSON]) -> MathGrader:
        """The grader with these options. Raises OptionsError."""
        require_known(options, ("require_format", "no_marker"), "The math grader has")
        wanted = options.get("require_format")
        if wanted is not None and wanted not in _WANTED:
            raise no_choice("The option require_format: expected", _WANTED, wanted)
        unmarked = options.get("no_marker", "last_value")
        if unmarked not in _UNMARKED:
            raise no_choice("The option no_marker: expected", _UNMARKED, unmarked)
        return cls(require_format=None if wanted is None else str(wanted), last_value=unmarked == "last_value")

    def check_reference(self, reference: JSON, row: Mapping[str, JSON]) -> str | None:
        """Why no answer can be read from this reference, or None."""
        if names_answer(reference) or _expected(reference, row):
            return None
        return (
            "no answer can be read from `reference_answer` (or `ground_truth`): expected a number, an answer as text "
            f"or LaTeX, a solution with `####` or `\\boxed`, or an object with one of {', '.join(REFERENCE_KEYS[:4])}"
        )

    def grade(self, sample: Sample) -> Grade:
        """Same as `grade_quickly`: this grader has nothing that could take long."""
        return self.grade_quickly(sample)

    def grade_quickly(self, sample: Sample) -> Grade:
        """The grade. Raises ValueError where the row has no answer to compare with."""
        expected = _expected(sample.reference, sample.row)
        if not expected:
            raise ValueError(self.check_reference(sample.reference, sample.row))
        verdicts = [judge(sample.answer, one, last_value=self._last_value) for one in expected]
        verdict = next((one for one in verdicts if one.correct), verdicts[0])
        marked = verdict.marker in FORMATS
        formed = verdict.marker == self._require_format if self._require_format in FORMATS else marked
        correct = verdict.correct
        paid = correct and (formed or self._require_format is None)
        metrics = {"answer_format": 1.0 if formed else 0.0, f"marker_{verdict.marker}": 1.0}
        said = "is" if correct else "is not"
        return Grade(
            reward=1.0 if paid else 0.0,
            components={},
            correct=correct,
            explanation=f"The answer ({verdict.marker}) {said} {expected[0].text[:80]}.",
            metrics=metrics,
        )


def _expected(reference: JSON, row: Mapping[str, JSON]) -> list[Expected]:
    found = expected_answers(reference)
    return found or expected_answers(row.get("ground_truth")) or expected_answers(row.get("answer"))
