"""The kinds of graders that can be deployed, each in a module of its own that is imported only when it is used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from tunedrop.graders.row_options import RowOptionsGrader
from tunedrop.graders.sample import JSON, Grader, OptionsError

# kind → "module:factory"; the factory takes the options (a mapping) and returns the grader.
KINDS: Mapping[str, str] = {
    "math": "tunedrop.graders.math.grader:MathGrader.from_options",
    "exact": "tunedrop.graders.exact:ExactGrader.from_options",
    "json": "tunedrop.graders.json_fields:JsonGrader.from_options",
    "code": "tunedrop.graders.code:CodeGrader.from_options",
    "moderation": "tunedrop.graders.moderation:ModerationGrader.from_options",
    "judge": "tunedrop.graders.judge:JudgeGrader.from_options",
    "composite": "tunedrop.graders.composite:CompositeGrader.from_options",
}


def load(kind: str, options: Mapping[str, JSON] | None = None) -> Grader:
    """The grader of this kind with these options, and with a row's own over them (`row_options`).

    Raises OptionsError where the kind is unknown or an option is not one of the kind's.
    """
    return RowOptionsGrader(lambda chosen: make(kind, chosen), options or {})


def make(kind: str, options: Mapping[str, JSON]) -> Grader:
    """The grader of this kind with exactly these options. Raises OptionsError as `load` does."""
    if kind not in KINDS:
        raise OptionsError(f"There is no grader of kind {kind!r}; expected one of {', '.join(KINDS)}.")
    module, _, factory = KINDS[kind].partition(":")
    found: object = import_module(module)
    for name in factory.split("."):
        found = getattr(found, name)
    grader: Grader = found(options)  # type: ignore[operator]  # looked up by name: the table says what it is
    return grader
