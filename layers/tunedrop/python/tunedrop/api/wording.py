"""What is wrong with a request, in the API's own words: the field, what was expected, and what came."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

LONGEST_SHOWN = 60
"""Characters of a value, or of a name, that an answer repeats."""

MOST_TOLD = 20
"""Fields that one answer names."""

_DATASET = '`{"uri": "s3://BUCKET/KEY"}` or `{"upload_id": "..."}`'
_URI = "`s3://BUCKET/KEY`: a bucket's name (3 to 63 of a-z, 0-9, `.`, `-`) and a file's key, at most 1100 characters"
_RUN_ID = "the id of a run, as `run_id` gives it"

EXPECTED: Mapping[str, str] = {
    "name": "text of 1 to 100 characters, not only spaces, without control characters",
    "dataset": _DATASET,
    "dataset.uri": _URI,
    "dataset.upload_id": "the `upload_id` that POST /uploads gave",
    "test": _DATASET,
    "test.uri": _URI,
    "test.upload_id": "the `upload_id` that POST /uploads gave",
    "recipe": "an object, or a recipe's name (1 to 100 of A-Z, a-z, 0-9, `.`, `_`, `-`); send a text as `recipe_text`",
    "recipe_text": "the text of a recipe, of at most 131072 characters",
    "resumes": _RUN_ID,
    "evaluate_only": "a model's id: text of 1 to 2048 characters without control characters",
    "labels": "at most 20 texts by name, each of 1 to 128 characters without control characters",
    "bytes": "the file's size, a whole number from 1 to 1073741824",
    "run_id": _RUN_ID,
    "reason": "text of at most 500 characters, without control characters",
    "validation_id": "the `validation_id` that POST /validations gave",
    "status": "RUNNING, SUCCEEDED, REJECTED, FAILED or CANCELLED",
    "search": "text of 1 to 100 characters",
    "limit": "a whole number, at least 1 and at most 100 (runs) or 1000 (steps)",
    "page": "`next` of the page before, of at most 400 characters",
    "after": "a step's number, a whole number from 0",
    "Idempotency-Key": "1 to 128 printable ASCII characters without spaces",
}
"""What each field, parameter and header of a request must be. A test holds it to docs/openapi.json."""

_REFERENCES = ("dataset", "test")
_OF_A_REFERENCE = ("uri", "upload_id")
_MISSING = object()


def wrong_fields(errors: Iterable[Mapping[str, Any]], body: Any, known: Sequence[str]) -> list[dict[str, str]]:
    """Each wrong field once: `field` and `expected`, from pydantic's errors and the body as it was sent.

    `known`: the members that the body may have.
    """
    told: dict[str, str] = {}
    for error in errors:
        place, *path = (str(part) for part in error["loc"])
        if place == "body" and not path:
            told["body"] = f"expected one JSON object, got {shown(body)}"
        elif place != "body":
            field = _header(path[0]) if place == "header" else path[0]
            got = "nothing" if error["type"] == "missing" else shown(error.get("input"))
            told[field] = f"expected {EXPECTED[field]}; got {got}"
        elif path[0] not in known:
            told[short(path[0])] = not_known(path[0], known)
        else:
            told |= _wrong_member(path[0], body.get(path[0], _MISSING) if isinstance(body, dict) else _MISSING)
        if len(told) >= MOST_TOLD:
            break
    return [{"field": field, "expected": expected} for field, expected in told.items()]


def not_known(name: str, known: Sequence[str]) -> str:
    """That there is no such name, with the nearest one that there is, or all."""
    nearest = get_close_matches(name[:LONGEST_SHOWN], known, n=1)
    if nearest:
        return f"is not known; did you mean `{nearest[0]}`?"
    return f"is not known; known are {', '.join(known)}" if known else "is not known; no fields are allowed here"


def shown(value: Any) -> str:
    """A value of a request, which is a text or was read from JSON, as JSON, cut where it is long."""
    return short(json.dumps(value))


def short(text: str) -> str:
    """A text in ASCII, cut where it is long."""
    plain = ascii(text)[1:-1]
    return plain if len(plain) <= LONGEST_SHOWN else f"{plain[: LONGEST_SHOWN - 1]}…"


def _wrong_member(name: str, value: Any) -> dict[str, str]:
    if name in _REFERENCES and isinstance(value, dict):
        unknown = [each for each in value if each not in _OF_A_REFERENCE]
        if unknown:
            return {f"{name}.{short(each)}": not_known(each, _OF_A_REFERENCE) for each in unknown[:MOST_TOLD]}
        if len(value) == 1:
            ((member, given),) = value.items()
            return {f"{name}.{member}": f"expected {EXPECTED[f'{name}.{member}']}; got {shown(given)}"}
    got = "nothing" if value is _MISSING else shown(value)
    return {name: f"expected {EXPECTED[name]}; got {got}"}


def _header(name: str) -> str:
    """A header as it is written: the framework gives it in lower case."""
    return name.title()
