"""Generated Python against unit tests: right is what passes all of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Self

from tunedrop.graders.code.answer import program_of
from tunedrop.graders.code.reference import TestPlan, TestsError, plan_of, why_never
from tunedrop.graders.code.sandbox import Limits, Sandbox, Verdict
from tunedrop.graders.sample import JSON, PART_CHARACTERS, Grade, OptionsError, Part, Sample, no_choice, require_known

_BOUNDS: Mapping[str, tuple[float, float, float]] = {  # option: default, least, most
    "seconds": (5.0, 0.1, 60.0),
    "memory_mb": (256, 16, 2048),
}
_CREDITS = ("all", "share")


class CodeGrader:
    """Options:

    - `seconds` (5; 0.1 to 60): time for all tests of one answer, as wall-clock and as CPU time.
    - `memory_mb` (256; 16 to 2048): memory that the code may take.
    - `credit` ("all"): 1.0 where every test passes, else 0.0; "share" pays the share of the tests that pass. A program
      that returns a constant passes some tests of most tasks, so "share" is for tasks with many tests.
    """

    def __init__(self, *, limits: Limits | None = None, credit: str = "all", sandbox: Sandbox | None = None) -> None:
        self._limits = limits or Limits()
        self._credit = credit
        self._sandbox = sandbox or Sandbox()
        self._can_fail: dict[bytes, bool] = {}
        self.workers = max(1, min(4, os.cpu_count() or 1))
        _hide_this_process()

    @classmethod
    def from_options(cls, options: Mapping[str, JSON]) -> Self:
        """Raises OptionsError for an unknown option or a value out of bounds."""
        require_known(options, (*_BOUNDS, "credit"), "The code grader knows")
        numbers = {}
        for name, (default, least, most) in _BOUNDS.items():
            value = options.get(name, default)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
                raise OptionsError(
                    f"The code grader's {name} must be a number from {least:g} to {most:g}, got {value!r}."
                )
            numbers[name] = float(value)
        credit = options.get("credit", "all")
        if credit not in _CREDITS:
            raise no_choice("The code grader's credit must be", _CREDITS, credit)
        limits = Limits(numbers["seconds"], numbers["seconds"], int(numbers["memory_mb"] * 1024**2))
        return cls(limits=limits, credit=str(credit))

    def warm_up(self) -> None:
        """Start the sandbox."""
        self._sandbox.start()

    def check_reference(self, reference: JSON, row: Mapping[str, JSON]) -> str | None:
        """Why the row's tests cannot be run, or cannot fail, or None. Raises SandboxError.

        The tests are run against programs that do nothing, in the sandbox: what such a program passes pays nobody.
        """
        try:
            plan = plan_of(reference, row)
        except TestsError as error:
            return str(error)
        known_by = sha256(repr(plan).encode(errors="surrogatepass")).digest()  # rows of one task share their tests
        if known_by not in self._can_fail:
            self._can_fail[known_by] = self._sandbox.run(plan, None, self._limits).counted > 0
        return None if self._can_fail[known_by] else why_never(plan)

    def grade(self, sample: Sample) -> Grade:
        """Run the tests against the program in the answer. Raises TestsError and SandboxError."""
        plan = plan_of(sample.reference, sample.row)
        verdict = self._sandbox.run(plan, program_of(sample.answer, plan.names), self._limits)
        share = verdict.passed / verdict.counted if verdict.counted else 0.0
        correct = 0 < verdict.counted == verdict.passed
        told = f"{verdict.passed} of {verdict.counted} tests passed"
        return Grade(
            reward=share if self._credit == "share" else float(correct),
            components={},
            correct=correct,
            explanation=f"{told}; {verdict.reason}." if verdict.reason else f"{told}.",
            metrics={"tests_passed": share},
            parts=_parts(plan, verdict, share if self._credit == "share" else float(correct)),
        )


def _parts(plan: TestPlan, verdict: Verdict, reward: float) -> tuple[Part, ...]:
    """Each test that counts; those that failed share what the reward lacks."""
    cost = (1.0 - reward) / max(1, verdict.counted - verdict.passed)
    numbered = sorted([(number, True) for number in verdict.right] + [(number, False) for number in verdict.wrong])
    return tuple(
        Part(f"test {number + 1}", float(right), 0.0 if right else cost, plan.tests[number].strip()[:PART_CHARACTERS])
        for number, right in numbered
        if number < len(plan.tests)
    )


def _hide_this_process() -> None:
    """Keep this process' environment and memory from other processes of its user, where the platform lets us.

    Where it does not (Lambda refuses prctl), the code still cannot open /proc: it gets no descriptor.
    """
    with suppress(OSError, AttributeError, ImportError):
        from tunedrop.graders.code_sandbox.seccomp import forbid_inspection  # loads ctypes

        forbid_inspection()
