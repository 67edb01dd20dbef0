"""The form that a grader wants an answer in: where the references earn little as written, others are tried."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

AS_WRITTEN: Final = "as written"
_AFTER: Final = "after "
_WRAPPED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "alone": "{}",
        "in \\boxed": "\\boxed{{}}",
        "in <answer>": "<answer>{}</answer>",
        "in words": "The answer is {}.",
        "as JSON": '{"answer": {}}',
    }
)
"""Forms around a value, which stands where `{}` does."""
FORMS: Final = (AS_WRITTEN, f"{_AFTER}####", *_WRAPPED)
"""The forms that are tried; a form that begins with "after " has the value behind that marker."""

_VALUE_FIELDS = ("answer", "final_answer", "value", "label", "text", "ground_truth")
_LONGEST_VALUE = 200
_BOXED = re.compile(r"\\boxed\{([^{}]{1,200})\}")


def ideal_answer(row: Mapping[str, Any], form: str = AS_WRITTEN) -> str:
    """The reference answer as a model would give it: code in a block, a text as it is, anything else as JSON.

    In another form than as written it is the reference's value alone, where there is one.
    """
    reference = row.get("reference_answer")
    if form != AS_WRITTEN and (value := value_of(row)) is not None:
        return _in_form(value, form)
    if isinstance(reference, str):
        return reference
    if isinstance(reference, Mapping) and isinstance(reference.get("code"), str):
        return f"```python\n{reference['code']}\n```"
    return json.dumps(reference, ensure_ascii=False)


def value_of(row: Mapping[str, Any]) -> str | None:
    """The one short value that a reference comes to; None where it is none: a program, several fields, a long text.

    Several texts (labels, or calls of functions as Python has them) come to a line each.
    """
    reference = row.get("reference_answer")
    if isinstance(reference, Mapping):
        if "code" in reference:
            return None
        fields = _VALUE_FIELDS if len(reference) > 1 else (*reference,)
        reference = next((reference[name] for name in fields if name in reference), None)
    if isinstance(reference, list) and reference and all(isinstance(text, str) for text in reference):
        lines = [text.strip() for text in reference]
        return "\n".join(lines) if max(map(len, lines)) <= _LONGEST_VALUE else None
    if isinstance(reference, (int, float)) and not isinstance(reference, bool):
        return json.dumps(reference)
    if not isinstance(reference, str):
        return None
    boxed = _BOXED.findall(reference[-_LONGEST_VALUE * 2 :])
    marked = reference.rpartition("####")[2] if "####" in reference else boxed[-1] if boxed else reference
    value = marked.strip()
    return value if value and len(value) <= _LONGEST_VALUE and "\n" not in value else None


def _in_form(value: str, form: str) -> str:
    if form.startswith(_AFTER):
        return f"{form.removeprefix(_AFTER)} {value}"
    return _WRAPPED[form].replace("{}", json.dumps(value, ensure_ascii=False) if form == "as JSON" else value)


def form_that_pays(
    rows: Sequence[Mapping[str, Any]], earned: Callable[[str], float], *, enough: float, gain: float, marker: str = ""
) -> str:
    """The form in which the references earn most by `earned`; as written where they earn `enough`, or all alike.

    `marker` is one that the grader's options name, beside the usual ones.
    """
    as_written = earned(AS_WRITTEN)
    if as_written >= enough or not any(value_of(row) is not None for row in rows):
        return AS_WRITTEN
    forms = dict.fromkeys((*FORMS[1:], *([f"{_AFTER}{marker}"] if marker else [])))
    rewards = {form: earned(form) for form in forms}
    best = max(rewards, key=lambda form: rewards[form])
    return best if rewards[best] > as_written + gain else AS_WRITTEN
