"""One line of evaluation output: what one candidate model answered to one row, and what the grader made of it.

The file format is JSON Lines, UTF-8, one object a line with exactly the fields of `Answer`. A shard appends lines, the
conclusion streams them; nothing ever holds all of them in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import orjson

from tunedrop.graders.sample import Part
from tunedrop.graders.thoughts import cut_thoughts

BASE = "base"
TUNED = "tuned"
CHECKPOINT = "checkpoint:"
REFERENCE = "reference:"

# The OpenAI API's finish reason of an answer that met `max_tokens`.
TRUNCATED = "length"


MOST_OF_A_THOUGHT = 8_000
"""Characters of a thought that are kept: as many as a report shows of it."""


class AnswerLineBrokenError(ValueError):
    """A line of an answers file is not an `Answer`; the message names the file, the line, the field and what to do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of one candidate to one sample of one row, graded or not.

    `row` counts the lines of the test set from 0, `sample` the answers to one row from 0. `candidate` is "base",
    "tuned", "checkpoint:<id>" or "reference:<model id>". `reward` (0 to 1) and `correct` are None where the grader gave
    none; `ungraded` says why there is no grade. Tokens and latency are None where the service did not tell them.
    """

    row: int
    sample: int
    candidate: str
    prompt_sha256: str
    answer: str
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    latency_seconds: float | None = None
    reward: float | None = None
    correct: bool | None = None
    components: Mapping[str, float] = field(default_factory=dict)
    ungraded: str | None = None
    explanation: str = ""
    parts: tuple[Part, ...] = ()
    """The answer part by part, where the grader told it so."""
    thought: str = ""
    """The end of what the model thought, where its host shows that beside the answer; `MOST_OF_A_THOUGHT` at most.
    Thoughts within the text are in `answer`."""

    @property
    def truncated(self) -> bool:
        """Whether the model was cut off at `max_tokens`, so that its answer is not what it wanted to say."""
        return self.finish_reason == TRUNCATED

    @property
    def unfinished(self) -> bool:
        """Whether the answer ended within the model's thoughts, so that there is none."""
        if self.truncated and not self.answer.strip() and self.components.get("thought_length"):
            return True
        return bool(self.components.get("unfinished_thought")) or cut_thoughts(self.answer).unfinished

    @property
    def graded(self) -> bool:
        """Whether the answer counts. A truncated one never does: to drop only its zeros would flatter the model."""
        return self.reward is not None and self.ungraded is None and not self.truncated

    @property
    def why_ungraded(self) -> str | None:
        """The reason why the answer does not count, or None where it does."""
        if self.graded:
            return None
        if self.ungraded is not None:
            return self.ungraded
        if self.truncated:
            return "truncated at max_tokens, within its thoughts" if self.unfinished else "truncated at max_tokens"
        return "the grader gave no reward"

    def to_line(self) -> bytes:
        """The answer as one JSON line, with its line feed.

        Lone surrogates, which UTF-8 cannot hold, become U+FFFD: a model may write anything.
        """
        fields = {name: getattr(self, name) for name in _FIELDS}
        fields["components"] = dict(self.components)
        fields["parts"] = [list(part) for part in self.parts]
        try:
            return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
        except orjson.JSONEncodeError:
            for name in ("answer", "explanation", "ungraded", "candidate", "thought"):
                if isinstance(fields[name], str):
                    fields[name] = _without_surrogates(fields[name])
            fields["parts"] = [
                [_without_surrogates(each) if isinstance(each, str) else each for each in part]
                for part in fields["parts"]
            ]
            return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


def _without_surrogates(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


_FIELDS = tuple(Answer.__dataclass_fields__)
_KNOWN = frozenset(_FIELDS)
_TYPES: dict[str, tuple[type, ...]] = {
    "row": (int,),
    "sample": (int,),
    "candidate": (str,),
    "prompt_sha256": (str,),
    "answer": (str,),
    "finish_reason": (str, type(None)),
    "prompt_tokens": (int, type(None)),
    "completion_tokens": (int, type(None)),
    "latency_seconds": (float, int, type(None)),
    "reward": (float, int, type(None)),
    "correct": (bool, type(None)),
    "components": (dict,),
    "ungraded": (str, type(None)),
    "explanation": (str,),
    "parts": (list,),
    "thought": (str,),
}
_REQUIRED = ("row", "sample", "candidate", "prompt_sha256", "answer")
_NAMES = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "an object",
    list: "an array",
}


def parse_answer(line: bytes | str, *, source: str = "answers", number: int = 0) -> Answer:
    """The answer that one line holds.

    `source` and `number` (the line, counted from 1) name the line in the error.
    Raises `AnswerLineBrokenError` where the line is not JSON, lacks a field, has an unknown one or one of a wrong type.
    """
    try:
        fields: Any = orjson.loads(line)
    except orjson.JSONDecodeError as problem:
        raise _broken(source, number, f"expected one JSON object, got {_shown(line)} ({problem})") from problem
    if not isinstance(fields, dict):
        raise _broken(source, number, f"expected one JSON object, got {_shown(line)}")
    for name in _REQUIRED:
        if name not in fields:
            raise _broken(source, number, f"the field {name!r} is missing")
    for name, value in fields.items():
        _check_field(name, value, source, number)
    if "parts" in fields:
        try:
            fields["parts"] = tuple(
                Part(str(name), float(credit), float(cost), str(expected), str(got))
                for name, credit, cost, expected, got in fields["parts"]
            )
        except (TypeError, ValueError) as problem:
            raise _broken(source, number, f"the field 'parts' has something that is no part ({problem})") from problem
    return Answer(**fields)


def read_answers(lines: Iterable[bytes | str], *, source: str = "answers") -> Iterator[Answer]:
    """The answers of a file's lines, one after another; blank lines are passed over. Raises as `parse_answer` does."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield parse_answer(line, source=source, number=number)


def _check_field(name: str, value: object, source: str, number: int) -> None:
    if name not in _KNOWN:
        raise _broken(source, number, f"the field {name!r} is unknown; known are {', '.join(_FIELDS)}")
    kinds = _TYPES[name]
    # bool is an int in Python, but `true` is no row number.
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        expected = " or ".join(_NAMES.get(kind, "null") for kind in kinds if (kind is not int or float not in kinds))
        raise _broken(source, number, f"the field {name!r} must be {expected}, got {value!r:.80}")
    if name in ("row", "sample") and isinstance(value, int) and value < 0:
        raise _broken(source, number, f"the field {name!r} counts from 0, got {value}")
    if name == "reward" and isinstance(value, float) and not isfinite(value):
        raise _broken(source, number, f"the field 'reward' must be finite, got {value!r}")


def _broken(source: str, number: int, what: str) -> AnswerLineBrokenError:
    return AnswerLineBrokenError(
        f"{source}, line {number}: {what}. The shard stopped while it wrote this file, or someone edited the "
        "file; delete the shard's answers and run its shard again."
    )


def _shown(line: bytes | str) -> str:
    return repr(line[:80])
