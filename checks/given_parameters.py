"""What samconfig.toml gives for the template's parameters, read as SAM's command reads it, and what is wrong with it.

SAM reads as much of `parameter_overrides` as it understands and leaves out the rest, and it gives CloudFormation only
those parameters that the template has. So a value with a space or a quote that is not quoted is cut off, and a misspelt
name is ignored, both without a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from tunedrop.limits.limits import Limits, LimitsInvalid
from tunedrop.retention.rules import Retention, RetentionInvalid
from tunedrop.teams import Teams, TeamsInvalid

# As samcli/cli/types.py has it, but without its nested repetition, which takes exponential time.
_VALUE = r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|(?:\\.|[^ "\\])+)"""
_NAME = r"""([A-Za-z0-9"']+)"""
_FORMS = (
    re.compile(rf"ParameterKey={_NAME},ParameterValue={_VALUE}", re.DOTALL),
    re.compile(rf" {_NAME}={_VALUE}", re.DOTALL),
)
_SHOWN = 60
"""Characters of a value that a message shows."""

_READ_AS: Mapping[str, Callable[[str], object]] = {
    "Teams": Teams.parse,
    "Limits": Limits.parse,
    "Retention": Retention.parse,
}
"""The parameters that are JSON: the functions read them with these, so what is refused here would fail in every run."""


def given(overrides: object) -> tuple[dict[str, str], list[str]]:
    """The values by name in `parameter_overrides` (a text, a list of texts or a table), and what SAM leaves out."""
    if isinstance(overrides, Mapping):
        return {str(name): _plain(_joined(value)) for name, value in overrides.items()}, []
    values: dict[str, str] = {}
    left_out: list[str] = []
    for text in overrides if isinstance(overrides, list) else [overrides]:
        if isinstance(text, Mapping):
            values |= given(text)[0]
            continue
        padded = f" {str(text).strip()}"
        form = next((each for each in _FORMS if each.search(padded)), _FORMS[-1])
        values |= {_plain(name): _plain(value) for name, value in form.findall(padded)}
        left_out += [rest for rest in (each.strip() for each in form.sub("\n", padded).split("\n")) if rest]
    return values, left_out


def faults(overrides: object, parameters: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What is wrong with `parameter_overrides`: a sentence for each fault. `parameters` are the template's."""
    values, left_out = given(overrides)
    for text in left_out:
        yield (
            f"SAM would leave out {text[:_SHOWN]!r} without a word: put a value with spaces or quotes into "
            "single quotes (docs/deploy.md, Set parameters)"
        )
    for name, value in values.items():
        if name not in parameters:
            nearest = get_close_matches(name, parameters, n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            yield f"{name}: the template has no such parameter, and SAM would ignore it{hint}"
        else:
            yield from _faults_of(name, value, parameters[name])


def _faults_of(name: str, value: str, parameter: Mapping[str, Any]) -> Iterator[str]:
    listed = parameter["Type"] == "CommaDelimitedList"
    pattern, told = parameter.get("AllowedPattern"), repr(value[:_SHOWN])
    if value not in parameter.get("AllowedValues", [value]):
        yield f"{name}: expected one of {', '.join(parameter['AllowedValues'])}, got {told}"
    elif len(value) > parameter.get("MaxLength", len(value)):
        yield f"{name}: expected at most {parameter['MaxLength']:,} characters, got {len(value):,}"
    elif parameter["Type"] == "Number":
        yield from _faults_of_a_number(name, value, parameter)
    elif pattern and not all(re.search(pattern, each) for each in (value.split(",") if listed else [value])):
        yield f"{name}: expected: {parameter['ConstraintDescription']} Got {told}"
    elif name in _READ_AS:
        try:
            _READ_AS[name](value)
        except (TeamsInvalid, LimitsInvalid, RetentionInvalid) as invalid:
            yield str(invalid)


def _faults_of_a_number(name: str, value: str, parameter: Mapping[str, Any]) -> Iterator[str]:
    least, most = parameter["MinValue"], parameter["MaxValue"]
    if not (re.fullmatch(r"[0-9]{1,12}", value) and least <= int(value) <= most):
        yield f"{name}: expected a whole number from {least:,} to {most:,}, got {value[:_SHOWN]!r}"


def _joined(value: object) -> str:
    """A value of a table as text; a list is one text with commas."""
    return ",".join(str(each).strip() for each in value) if isinstance(value, list) else str(value)


def _plain(text: str) -> str:
    """A text without the quotes around it, and without the backslashes before quotes and spaces in it."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    return text.replace("\\ ", " ").replace('\\"', '"').replace("\\'", "'")
