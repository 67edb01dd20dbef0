"""Reading a recipe's text, as JSON or as YAML, and saying which of its values no record can keep."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tunedrop.outcomes import RecipeInvalid
from tunedrop.recipe_values import Refused, number_of, object_of, short, wrong_number

RECIPE_BYTES = 128 * 1024
"""Longest recipe that is read, in bytes, and longest JSON text of it. A recipe of a person's making has a few hundred.
A record of a call has it twice, as it was sent and with its defaults, and DynamoDB takes 400 KB an item."""

MOST_LEVELS = 32
"""How deep objects and lists may nest, the recipe itself counted: what DynamoDB and most readers of JSON take."""

MOST_PROBLEMS = 20
"""Problems that are told at once; more are counted."""

LONGEST_PROBLEM = 500
"""Characters of one problem's sentence."""

LONGEST_NAME = 256
"""Characters of a field's name."""

# C0 without tab and line ends, DEL, C1; what turns the direction of the text around it; halves of surrogate pairs.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_LINE_ENDS = re.compile("[\t\n\r\u2028\u2029]")


def parse(text: bytes, file_name: str) -> Mapping[str, Any]:
    """What a recipe file says, before its fields are checked: JSON if the name ends in `.json`, otherwise YAML.

    Raises:
        RecipeInvalid: not readable as what its name says, too long, not one object of fields, or a value that the
            record cannot keep as it is written.
    """
    if len(text) > RECIPE_BYTES:
        raise RecipeInvalid(f"{file_name}: expected at most {RECIPE_BYTES} bytes, got {len(text)}; shorten it")
    try:
        written = text.decode("utf-8-sig")
        document = read_json(written) if file_name.endswith(".json") else _read_yaml(written)
    except UnicodeDecodeError as error:
        raise RecipeInvalid(
            f"{file_name} cannot be read: byte {error.start + 1} is not UTF-8; save the file as UTF-8"
        ) from None
    except RecursionError:
        raise RecipeInvalid(
            f"{file_name} cannot be read: it nests deeper than {MOST_LEVELS} levels; write it flatter"
        ) from None
    except ValueError as error:
        raise RecipeInvalid(f"{file_name} cannot be read: {error}{_way(written, file_name)}") from None
    if document is None:
        return {}
    if isinstance(document, Refused):
        raise RecipeInvalid(f"{file_name}: {document.why}")
    if not isinstance(document, dict):
        raise RecipeInvalid(
            f"{file_name}: expected fields with values, got {_kind(document)}; write a field a line, as `model: NAME`"
        )
    require_storable(document)
    return document


def _way(written: str, file_name: str) -> str:
    """What to do about a text that is not what its name says, where that is plain."""
    begins = written.lstrip()
    if file_name.endswith(".json") and not begins:
        return "; it is empty: write {}, or leave the file out"
    if begins.startswith("```"):
        return "; leave out the lines of ``` around it"
    if not file_name.endswith(".json") or begins.startswith(("[", '"')):
        return ""
    if re.search(r"^[ \t]*(?://|/\*|#)", written, re.MULTILINE):
        return "; JSON has no comments: leave them out, or name the file recipe.yaml and begin each with #"
    return "" if begins.startswith("{") else "; if it is YAML, name it recipe.yaml"


def _read_yaml(written: str) -> Any:
    from tunedrop.recipe_yaml import read_yaml  # only where a recipe was dropped as YAML

    return read_yaml(written)


def read_json(written: str) -> Any:
    """A JSON text, with `Refused` where a value would not be kept as it is written. Raises ValueError."""
    return json.loads(
        written, object_pairs_hook=object_of, parse_int=number_of, parse_float=number_of, parse_constant=number_of
    )


def require_storable(document: Mapping[str, Any]) -> None:
    """Check that the record and its readers can keep every value of a recipe as it is.

    Raises:
        RecipeInvalid: names each field whose value cannot be kept.
    """
    problems = []
    for problem in _problems(document):
        problems.append(problem)
        if len(problems) > MOST_PROBLEMS:
            break
    if problems:
        raise RecipeInvalid(together(problems))
    size = len(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())
    if size > RECIPE_BYTES:
        raise RecipeInvalid(f"the recipe: expected at most {RECIPE_BYTES} bytes as JSON, got {size}; shorten it")


def together(problems: list[str]) -> str:
    """Several problems in one message: the first ones, and whether there are more."""
    shown = "; ".join(
        each if len(each) <= LONGEST_PROBLEM else each[: LONGEST_PROBLEM - 1] + "…" for each in problems[:MOST_PROBLEMS]
    )
    return shown if len(problems) <= MOST_PROBLEMS else f"{shown}; there are more: mend these first"


def place(path: tuple[str, ...]) -> str:
    """A field's name with the names of its sections: printable, and with its middle cut out if it is long."""
    parts = [short(repr(part)[1:-1]) for part in path]
    if len(parts) > 8:
        parts = [*parts[:4], "…", *parts[-3:]]
    return ".".join(parts)


def _problems(document: Mapping[str, Any]) -> Iterator[str]:
    waiting: list[tuple[tuple[str, ...], Any]] = [((), document)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, (dict, list)):
            if len(path) >= MOST_LEVELS:
                yield f"recipe field `{place(path)}`: expected at most {MOST_LEVELS} levels of fields and lists"
                continue
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            inner = []
            for name, each in pairs:
                own = (*path, str(name))
                if isinstance(value, dict) and (why := _wrong_name(name)):
                    yield f"recipe field `{place(own)}`: {why}"
                else:
                    inner.append((own, each))
            waiting += reversed(inner)
        elif why := _wrong_value(value):
            yield f"recipe field `{place(path)}`: {why}"


def _wrong_name(name: Any) -> str | None:
    if not 1 <= len(name) <= LONGEST_NAME:
        return f"expected a name of 1 to {LONGEST_NAME} characters, got {len(name)}"
    if _UNSEEN.search(name) or _LINE_ENDS.search(name):
        return "expected a name without control characters"
    return None


def _wrong_value(value: Any) -> str | None:
    if isinstance(value, Refused):
        return value.why
    if isinstance(value, str):
        unseen = _UNSEEN.search(value)
        why = "expected text without control characters and halves of characters, got"
        return f"{why} {ascii(unseen[0])[1:-1]}" if unseen else None
    if isinstance(value, bool) or value is None:
        return None
    return wrong_number(repr(value))


def _kind(value: Any) -> str:
    names = {dict: "fields", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return "nothing" if value is None else names.get(type(value), type(value).__name__)
