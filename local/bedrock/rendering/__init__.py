"""Which form the answer to a row takes: told by the shape of its reference, and made in a module of its own.

Another form is one more module with a `Form`, and one more line in `form_of`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from local.bedrock.prompts import text_of
from local.bedrock.records import Document
from local.bedrock.rendering.form import Form
from local.bedrock.rendering.label import Label
from local.bedrock.rendering.maths import MARKED, Maths, is_mathematical
from local.bedrock.rendering.program import Program, source_and_tests
from local.bedrock.rendering.prose import Prose
from local.bedrock.rendering.python_calls import PythonCalls, calls_as_python
from local.bedrock.rendering.structured import LabelSet, Structured

__all__ = ["Form", "form_of", "labels_of"]

LONGEST_LABEL = 40  # characters; a longer text is prose
# An object with one of these is read as its value, as {"final_answer": "72", …}, unless the prompt asks for JSON.
_RESULT_FIELDS = ("final_answer", "answer", "label", "text", "solution", "response", "ground_truth")


def form_of(row: Document, labels: Sequence[str] = ()) -> Form[Any] | None:
    """The form of a row's answers; None where the row does not tell what is right. `labels`: the ones known so far."""
    prompt = "\n".join(text_of(message.get("content")) for message in row["messages"])
    reference = _unwrapped(row.get("reference_answer"), prompt)
    places = [place for place in (row.get("reference_answer"), row) if isinstance(place, dict)]
    source, tested = source_and_tests(*places, {"code": reference})
    if source is not None:
        return Program(source)
    if tested or reference is None:
        return None
    if (calls := calls_as_python(reference)) is not None:
        return PythonCalls(calls)
    if isinstance(reference, dict | list):
        return LabelSet(reference, labels) if _is_label_set(reference) else Structured(reference)
    text = reference.strip() if isinstance(reference, str) else json.dumps(reference)
    marked = MARKED.search(text)
    if marked or is_mathematical(text):
        work = text[: marked.start()] if marked else _steps(row.get("reference_answer"))
        return Maths(marked[1] if marked else text, work, prompt)
    return Label(text, labels) if len(text) <= LONGEST_LABEL else Prose(text)


def labels_of(row: Document) -> list[str]:
    """The labels of the row's reference where it is a label or a set of them by its shape; else none."""
    reference = row.get("reference_answer")
    if isinstance(reference, dict) and len(reference) == 1:
        reference = next(iter(reference.values()))
    labels: list[Any] = reference if isinstance(reference, list) else [reference]
    return [label.strip() for label in labels] if all(map(_is_label, labels)) else []


def _is_label_set(reference: Any) -> bool:
    if isinstance(reference, dict) and len(reference) == 1:
        reference = next(iter(reference.values()))
    return isinstance(reference, list) and all(map(_is_label, reference))


def _is_label(text: object) -> bool:
    if not isinstance(text, str) or len(text) > LONGEST_LABEL or is_mathematical(text.strip()):
        return False
    return text.strip()[:1] not in ("", "{", "[", "#")


def _unwrapped(reference: Any, prompt: str) -> Any:
    """What the answer has to give: out of {"text": …}, of an object whose result is one field, of JSON in a string."""
    if isinstance(reference, str) and reference.strip()[:1] in ("{", "["):
        try:
            return json.loads(reference)
        except json.JSONDecodeError:
            return reference
    if not isinstance(reference, dict) or "json" in prompt.lower():
        return reference
    return next((reference[name] for name in _RESULT_FIELDS if name in reference), reference)


def _steps(reference: Any) -> str:
    steps = reference.get("steps") if isinstance(reference, dict) else None
    return "\n".join(str(step) for step in steps) if isinstance(steps, list) else ""
