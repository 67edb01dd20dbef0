"""Names by which fields are known as question or answer, and what is said where none is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final

from local.conversion.fault import ConversionError, FieldMissingError
from local.conversion.fields import parsed
from local.conversion.turns import is_conversation
from tunedrop.dataset.show import shown

QUESTIONS: Final = ("question", "problem", "query", "prompt", "input", "instruction")
ANSWERS: Final = (
    ("reference_answer",),
    ("answer",),
    ("ground_truth", "solution", "target", "ideal", "expected_answer", "expected_output"),
    (
        *("completion", "output", "response", "label"),
        *("reference", "expected", "expected_response", "reference_response"),
        *("correct_answer", "final_answer", "gold_answer", "gold"),
    ),
)
"""Fields that are taken for the reference where --answer names none, the surest first."""
_IN_CONVERSATIONS: Final = 3
"""How many of these groups are looked for before the assistant's last message is the reference."""
_IDS: Final = frozenset({"id", "ID", "index", "idx", "uuid", "custom_id", "column 1"})
"""Fields that are neither question nor answer, and so are named last in a hint."""
_SHOWN: Final = 8


def question_of(row: Mapping[str, Any]) -> str | None:
    """The field that is the question by its name, however it is spelt."""
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
    return "choices" if _are_choices(others.get("choices")) else None


def _are_choices(value: Any) -> bool:
    """Whether a field holds what a service answered, as OpenAI's Chat Completions have it."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping) and "message" in value[0]


def not_named(wanted: str, row: Mapping[str, Any]) -> ConversionError:
    """What a row lacks, with the words that name it by the row's own fields."""
    refuse_preferences(row, prompted=wanted == "answer")
    names = sorted((path for key in list(row)[:_SHOWN] for path in _paths(row, key)), key=_last)
    turns = next(_conversations(row), None) if wanted == "question" else None
    inner, _, within = (turns or "").partition(".")
    candidates = dict.fromkeys([*names, *(key for key in row if isinstance(key, str))])
    likely = sorted(
        (name for name in candidates if name.partition(".")[0] != inner and _rank(name)[0] < _OTHER), key=_rank
    )
    if within and not likely:
        return ConversionError(
            f"expected the field 'question', got a row within {shown(inner)}; take it out: "
            f"jq -c '.{inner}' FILE > rows.jsonl"
        )
    if likely:
        others = [name for name in names if name != likely[0]][:1] if wanted == "question" else []
        names = [*others, likely[0]]
    if turns is not None:
        names = [turns, *likely[:1]]
    fields = ", ".join(map(shown, list(row)[:_SHOWN])) or "no other field"
    way = "name the field by --question FIELD, or write the prompt by --prompt, and the answer by --answer FIELD"
    if wanted == "answer":
        way = "give each row its answer, in a field such as reference_answer"
    if wanted == "answer" and names:
        way = f"name it, as in --answer {_quoted(names[0])}"
    elif turns is not None:
        answer = f" --answer {_quoted(likely[0])}" if likely else ""
        way = f"name the conversation, as in --question {_quoted(turns)}{answer}"
    elif len(names) > 1:
        template = shlex.quote(f"Sort this: {{{names[0]}}}")
        way = f"name it, as in --question {_quoted(names[0])} --answer {_quoted(names[1])} (or --prompt {template})"
    return FieldMissingError(f"expected the field {wanted!r}, got a row with {fields}; {way}")


def _conversations(row: Mapping[str, Any]) -> Iterator[str]:
    """The paths of fields that hold turns: `dialog`, or `inputs.messages` for one within another."""
    for key, value in row.items():
        if is_conversation(value):
            yield key
        elif isinstance(value, Mapping):
            yield from (f"{key}.{name}" for name in value if is_conversation(value[name]))


_OTHER: Final = 5
_LIKE_ANSWERS: Final = re.compile(
    r"correct|answer|solution|target|truth|expected|gold|reference|label|completion|response"
)

_UNLIKE_ANSWERS: Final = re.compile(r"incorrect|wrong|distract|rejected")


def _rank(path: str) -> tuple[int, int]:
    """How likely a field is the answer by its name, the likeliest first; `_OTHER` and above: not at all."""
    within, _, last = path.rpartition(".")
    known = [plain_name(name) for group in ANSWERS for name in group]
    place = known.index(plain_name(last)) if plain_name(last) in known else len(known)
    surest = sum(map(len, ANSWERS[:_IN_CONVERSATIONS]))
    if _last(path):
        return _OTHER + 1, 0
    if place < len(known):
        return (0 if not within else 1 if place < surest else 3), place
    if _LIKE_ANSWERS.search(plain_name(last)) and not _UNLIKE_ANSWERS.search(plain_name(last)):
        return (4 if within else 2), 0
    return _OTHER, 0


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
    wanted = plain_name(name)
    found = [key for key in row if isinstance(key, str) and plain_name(key) == wanted]
    return found[0] if len(found) == 1 else None


def plain_name(name: str) -> str:
    """A field's name however it is spelt: `reference_answer`, `Reference Answer` and `referenceAnswer` are the same."""
    return _BETWEEN.sub("", name.strip()).lower()


_BETWEEN: Final = re.compile(r"(?<=[^\W_])[\s_-]+(?=[^\W_])")


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
