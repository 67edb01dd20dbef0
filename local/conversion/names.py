"""Names by which fields are known as question or answer, and what is said where none is."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Final

from local.conversion.fault import ConversionError, FieldMissingError
from local.conversion.fields import parsed
from tunedrop.dataset.show import shown

QUESTIONS: Final = ("question", "problem", "query", "prompt", "input", "instruction")
ANSWERS: Final = (
    ("reference_answer",),
    ("answer",),
    ("ground_truth", "solution", "target", "ideal", "expected_answer", "expected_output"),
    ("completion", "output", "response", "label"),
)
"""Fields that are taken for the reference where --answer names none, the surest first."""
_IN_CONVERSATIONS: Final = 3
"""How many of these groups are looked for before the assistant's last message is the reference."""
_IDS: Final = frozenset({"id", "ID", "index", "idx", "uuid", "custom_id", "column 1"})
"""Fields that are neither question nor answer, and so are named last in a hint."""
_SHOWN: Final = 8


def question_of(row: Mapping[str, Any]) -> str | None:
    """The field that is the question by its name, in upper or lower case."""
    return next((found for name in QUESTIONS if (found := _spelt(row, name)) is not None), None)


def known_answer(others: Mapping[str, Any], *, in_conversation: bool) -> str | None:
    """The field that is the answer by its name. Raises ConversionError where two may be meant."""
    for group in ANSWERS[:_IN_CONVERSATIONS] if in_conversation else ANSWERS:
        spelt = [(name, _spelt(others, name)) for name in group]
        found = [as_is for name, as_is in spelt if as_is is not None and not _is_mark(name, others[as_is])]
        if len(found) > 1:
            raise ConversionError(
                f"the answer may be {' or '.join(map(repr, found))}; name it, as in --answer {_quoted(found[0])}"
            )
        if found:
            return found[0]
    return None


def not_named(wanted: str, row: Mapping[str, Any]) -> ConversionError:
    """What a row lacks, with the words that name it by the row's own fields."""
    refuse_preferences(row, prompted=wanted == "answer")
    inner = next((key for key, value in row.items() if isinstance(value, Mapping) and _holds_a_row(value)), None)
    if wanted == "question" and inner is not None:
        return ConversionError(
            f"expected the field 'question', got a row within {shown(inner)}; take it out: "
            f"jq -c '.{inner}' FILE > rows.jsonl"
        )
    names = sorted((path for key in list(row)[:_SHOWN] for path in _paths(row, key)), key=_last)
    named = next((found for group in ANSWERS for name in group if (found := _spelt(row, name)) in names), None)
    if named is not None:
        others = [name for name in names if name != named][:1] if wanted == "question" else []
        names = [*others, named]
    fields = ", ".join(map(shown, list(row)[:_SHOWN])) or "no other field"
    way = "name the field by --question FIELD, or write the prompt by --prompt, and the answer by --answer FIELD"
    if wanted == "answer":
        way = "give each row its answer, in a field such as reference_answer"
    if wanted == "answer" and names:
        way = f"name it, as in --answer {_quoted(names[0])}"
    elif len(names) > 1:
        template = shlex.quote(f"Sort this: {{{names[0]}}}")
        way = f"name it, as in --question {_quoted(names[0])} --answer {_quoted(names[1])} (or --prompt {template})"
    return FieldMissingError(f"expected the field {wanted!r}, got a row with {fields}; {way}")


def _holds_a_row(value: Mapping[str, Any]) -> bool:
    return any(isinstance(value.get(name), list) for name in ("messages", "conversations", "contents"))


def refuse_preferences(row: Mapping[str, Any], *, prompted: bool) -> None:
    """Raise ConversionError for a row that says which of two answers is better, and no reference."""
    good, bad = next((pair for pair in _PREFERENCES if pair[0] in row), ("", ""))
    if not good:
        return
    kind = f"a row of preferences (`{good}`, `{bad}`)"
    if prompted:
        raise ConversionError(f"{kind}; --answer {good} makes it the reference")
    raise ConversionError(f"{kind} without a `prompt`; write the turns before the answer into `prompt`")


_PREFERENCES: Final = (("chosen", "rejected"), ("preferred_output", "non_preferred_output"))


def _is_mark(name: str, value: Any) -> bool:
    """Whether a `label` only says that the answer beside it is wanted."""
    return name == "label" and isinstance(value, bool)


def _spelt(row: Mapping[str, Any], name: str) -> str | None:
    """The field's name as the row spells it; None where there is none, or several."""
    if name in row:
        return name
    found = [key for key in row if isinstance(key, str) and key.strip().lower() == name]
    return found[0] if len(found) == 1 else None


def _paths(row: Mapping[str, Any], key: Any) -> list[str]:
    """A field's name, or the names of the fields within it."""
    if not isinstance(key, str):
        return []
    inner = parsed(row[key])
    if isinstance(inner, Mapping) and inner:
        return [f"{key}.{name}" for name in list(inner)[:_SHOWN] if isinstance(name, str)]
    return [key]


def _last(path: str) -> bool:
    return path in _IDS or path.endswith(("_id", "Id"))


def _quoted(name: str) -> str:
    return shlex.quote(name)
