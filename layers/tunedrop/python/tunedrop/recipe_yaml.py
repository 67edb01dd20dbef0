"""Reads a recipe that is written in YAML: only the part of YAML that means the same to every reader.

YAML 1.1 reads `010` as 8, `1:30` as 90, `no` as false, `2020-01-01` as a date, and `1e-5` as text. Here `true` and
`false` are the booleans and `1e-5` is a number, as in YAML 1.2; what else the two versions read differently is refused
by its field, with what to write instead. So the options that a run uses are those that its recipe shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

from tunedrop.recipe_values import MOST_DIGITS, Refused, number_of, object_of, short


class _Loader(yaml.SafeLoader):
    """Composes without aliases, because a few lines of them can stand for gigabytes. Raises RecursionError early."""

    _level = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise ValueError("aliases (*name) are not allowed")
        self._level += 1
        if self._level > _MOST_COMPOSED:
            raise RecursionError
        node = super().compose_node(parent, index)
        self._level -= 1
        return node

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        # A scalar without a tag and without quotes is resolved by its text, below.
        if kind is yaml.ScalarNode and implicit[0]:
            return _PLAIN
        return super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]  # the stubs' own omission


def read_yaml(written: str) -> Any:
    """A YAML text in JSON's types, with `Refused` for each value that no recipe can have; None for an empty text.

    Raises:
        ValueError: the text is not YAML, has aliases, or has several documents.
    """
    try:
        loader = _Loader(written)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        where = error.problem_mark or error.context_mark
        line = f" at line {where.line + 1}, column {where.column + 1}" if where else ""
        told = ", ".join(part for part in (error.context, error.problem) if part)
        tab = "; indent with spaces, not with tabs" if "'\\t'" in told else ""
        raise ValueError(f"{told}{line}{tab}") from None
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    return None if node is None else _value(node)


def _value(node: yaml.Node) -> Any:
    """The value of a node of YAML, in JSON's types."""
    tag = node.tag.removeprefix("tag:yaml.org,2002:")
    content: Any = node.value
    if isinstance(content, str):
        return _scalar(tag, content)
    if tag == "seq" and all(not isinstance(each, tuple) for each in content):
        return [_value(each) for each in content]
    if tag == "map" and all(isinstance(each, tuple) for each in content):
        return object_of([_pair(key, value) for key, value in content])
    return Refused(f"expected a list or fields without a tag, got the tag {short(ascii(node.tag)[1:-1])}")


def _pair(key: yaml.Node, value: yaml.Node) -> tuple[str, Any]:
    if not isinstance(key.value, str):
        return "?", Refused("expected a name as text, got a list or fields as the name")
    name = _scalar(key.tag.removeprefix("tag:yaml.org,2002:"), key.value)
    if key.tag == _PLAIN and key.value == "<<":
        return "<<", Refused("merge keys (<<) are not allowed")
    if not isinstance(name, str):
        return key.value, Refused(f"expected a name as text, got {short(key.value) or 'nothing'}; put it in quotes")
    return name, _value(value)


def _scalar(tag: str, text: str) -> Any:
    if tag == _PLAIN:
        return _plain_scalar(text)
    if tag == "str":
        return text
    if tag in ("int", "float", "bool", "null"):
        value = _plain_scalar(text)
        if isinstance(value, Refused) or _tag_of(value) == tag:
            return value
        if tag == "float" and _tag_of(value) == "int":
            return float(value)
        return Refused(f"has the tag !!{tag}, got {short(text) or 'nothing'}")
    return Refused(f"expected text, a number, true, false or null, got a value with the tag {short(ascii(tag)[1:-1])}")


def _tag_of(value: Any) -> str:
    return "null" if value is None else type(value).__name__


def _plain_scalar(text: str) -> Any:
    for form, read in _FORMS:
        if form.fullmatch(text):
            return read(text)
    return text


def _based(text: str) -> int | Refused:
    """A number with 0x or 0b before it."""
    try:
        return (
            int(text.replace("_", ""), 0)
            if len(text) < 100
            else Refused(f"expected a number of at most {MOST_DIGITS} digits")
        )
    except ValueError:
        return Refused(f"expected a number, got {short(text)}")


def _decimal(text: str) -> int | float | Refused:
    return number_of(text.replace("_", ""))


def _ambiguous(what: str) -> Callable[[str], Refused]:
    return lambda text: Refused(
        f"{short(text)} is {what} for some readers of YAML; put it in quotes"
        f"{', or write the number as decimal' * ('number' in what)}"
    )


_MOST_COMPOSED = 100
"""Levels of nodes: more than a recipe may have (`MOST_LEVELS` in recipe_text.py), which says where it has too many."""

_PLAIN = "plain"
"""The tag of a scalar without a tag of its own and without quotes."""

_FORMS: tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...] = (
    (re.compile(r"~|null|Null|NULL|"), lambda _: None),
    (re.compile(r"true|True|TRUE|false|False|FALSE"), lambda text: text.lower() == "true"),
    (re.compile(r"[-+]?(?:0|[1-9][0-9_]*)"), _decimal),
    (re.compile(r"[-+]?(?:0x[0-9a-fA-F_]+|0b[01_]+)"), _based),
    (
        re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"),
        lambda text: Refused(f"expected a finite number, got {text}"),
    ),
    (re.compile(r"[-+]?0o?[0-7_]+"), _ambiguous("a number in base 8")),
    (re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"), _ambiguous("a number in base 60")),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?"), _ambiguous("a date")),
    (re.compile(r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?"), _decimal),
)
"""What a plain scalar may be, tried in this order; anything else is text."""
