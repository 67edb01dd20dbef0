"""A JSON Schema of a recipe or a row, bounded before it is used: in size, in depth, in its patterns, and in its cost.

Checking a document may cost far more than the schema's length: references that double, two ways into the same
recursion, and patterns that go back and forth. Each is counted here before any document is looked at.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from tunedrop.graders.json_answer import DEEPEST
from tunedrop.graders.pattern import compiled
from tunedrop.graders.sample import JSON, OptionsError

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

MOST_CHECKS = 1_000
"""How often one value of a document may be held against a part of the schema. A union of fifty tools takes some 200."""

MOST_CHECKS_IN_ALL = 300_000
"""How often all values of a document may be held against parts of the schema together: a second or two."""

MOST_STATES = 2_000
"""Sets of parts that may be looked at to find that out."""

LONGEST_SCHEMA = 64 * 1024
"""Characters of a schema's JSON text: it travels with each row."""

DEEPEST_SCHEMA = 64

# The keywords that hold schemas, by what they are applied to: the value itself, the values of an object, the items of
# an array, or nothing yet. Each may hold a schema, a list of them, or names with them.
_HERE = ("not", "if", "then", "else", "allOf", "anyOf", "oneOf", "dependentSchemas", "dependencies")
_OF_OBJECTS = ("patternProperties", "unevaluatedProperties")
_OF_ARRAYS = ("contains", "unevaluatedItems")
_LEFT_OVER = ("unevaluatedProperties", "unevaluatedItems")
_LISTED = ("prefixItems", "items")
_BEYOND_LISTED = ("items", "additionalItems")
_ELSEWHERE = ("$dynamicRef", "$recursiveRef")
_NAMED = ("properties", "patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions")
_ALL = {*_HERE, *_OF_OBJECTS, *_OF_ARRAYS, *_LISTED, *_BEYOND_LISTED, *_NAMED, "additionalProperties", "propertyNames"}

Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BoundedSchema:
    """A schema that is ready to check documents."""

    validator: Validator
    most_checks: int
    """How often one value may be held against a part of it."""

    def takes(self, document: JSON) -> bool:
        """Whether a document has few enough values to be checked in bounded time."""
        return _count(document) * self.most_checks <= MOST_CHECKS_IN_ALL


def bounded_schema(schema: Mapping[str, JSON]) -> BoundedSchema:
    """What checks a document against the schema, its patterns by RE2.

    Raises:
        OptionsError: it is no JSON Schema, or one that would cost too much.
    """
    try:
        text = json.dumps(schema, sort_keys=True, allow_nan=False)
    except (RecursionError, ValueError) as error:
        raise OptionsError(f"The json grader's schema cannot be written as JSON: {error}.") from None
    if len(text) > LONGEST_SCHEMA:
        raise OptionsError(
            f"The json grader's schema has {len(text):,} characters of JSON; expected at most {LONGEST_SCHEMA:,}."
        )
    return _cached_schema(text)


@lru_cache(maxsize=64)
def _cached_schema(schema_text: str) -> BoundedSchema:
    from jsonschema import SchemaError, validators  # loaded only where there is a schema
    from referencing import Registry

    schema: Any = json.loads(schema_text)
    _require_shallow(schema)
    kind = validators.validator_for(schema, default=validators.Draft202012Validator)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        raise OptionsError(f"The json grader's schema is no JSON Schema: {error.message[:200]}") from None
    parts = _Parts(schema)
    parts.require_patterns()
    parts.require_bounded_cost()
    extended = validators.extend(  # type: ignore[no-untyped-call]  # the library's own omission
        kind,
        {
            "pattern": _pattern,
            "patternProperties": _pattern_properties,
            "additionalProperties": _additional_properties,
            "uniqueItems": _unique_items,
            "enum": partial(_enum, parts.listed_values()),
        },
    )
    empty: Registry[Any] = Registry()  # without it, a remote $ref would be fetched from the network
    return BoundedSchema(extended(schema, registry=empty), parts.most_checks)


def _count(document: JSON) -> int:
    count, waiting = 0, [document]
    while waiting:
        value = waiting.pop()
        count += 1
        if isinstance(value, Mapping):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return count


class _Parts:
    """The parts of a schema by their places, and which part is applied where."""

    def __init__(self, schema: JSON) -> None:
        self._found: dict[Place, Any] = {}
        self.most_checks = 1
        waiting: list[tuple[Place, Any]] = [((), schema)]
        while waiting:
            place, part = waiting.pop()
            self._found[place] = part
            if isinstance(part, Mapping):
                waiting += [
                    (place + inner, value) for keyword in part for inner, value in _schemas_below(part, keyword)
                ]

    def require_patterns(self) -> None:
        """Raise OptionsError for a pattern that RE2 does not take, or that others would need too long for."""
        for place, part in self._found.items():
            if not isinstance(part, Mapping):
                continue
            if isinstance(part.get("pattern"), str):
                compiled(part["pattern"], _named((*place, "pattern")))
            for written in part.get("patternProperties") or ():
                compiled(written, _named((*place, "patternProperties")))

    def listed_values(self) -> dict[int, frozenset[Any]]:
        """What each `enum` of the schema lists, by the id of its list, which lives as long as the schema does."""
        lists = (part["enum"] for part in self._found.values() if isinstance(part, Mapping) and "enum" in part)
        return {id(values): frozenset(map(_key, values)) for values in lists}

    def require_bounded_cost(self) -> None:
        """Raise OptionsError where one value would be held against too many parts, or a reference leads to itself.

        From the parts that a value is held against follow those of its inner values, level by level, as deep as
        documents may be. A set of parts that was met before is not followed again.
        """
        first = self._all_here(Counter({(): 1}))
        seen = {frozenset(first.items())}
        level = [first]
        for _ in range(DEEPEST):
            following: list[Counter[Place]] = []
            for state in level:
                for inner in self._inner_states(state):
                    whole = self._all_here(inner)
                    key = frozenset(whole.items())
                    if key not in seen:
                        seen.add(key)
                        following.append(whole)
                        if len(seen) > MOST_STATES:
                            raise _too_costly("its parts combine in too many ways", ())
            level = following

    def _all_here(self, parts: Counter[Place]) -> Counter[Place]:
        """The parts that are applied to a value to which `parts` are, how often each."""
        whole: Counter[Place] = Counter()
        total = 0
        waiting = [(place, times, 0) for place, times in parts.items()]
        while waiting:
            place, times, depth = waiting.pop()
            total += times
            if total > MOST_CHECKS or depth > DEEPEST:
                raise _too_costly(f"one value would be checked more than {MOST_CHECKS:,} times", place)
            whole[place] += times
            # To find what is left over, the library holds a value against the parts beside `unevaluated…` once more.
            again = 2 if any(keyword in self._keywords(place) for keyword in _LEFT_OVER) else 1
            waiting += [(other, times * again, depth + 1) for other in self._applied_here(place)]
        self.most_checks = max(self.most_checks, total)
        return whole

    def _keywords(self, place: Place) -> Mapping[str, Any]:
        part = self._found[place]
        return part if isinstance(part, Mapping) else {}

    def _applied_here(self, place: Place) -> Iterator[Place]:
        part = self._found[place]
        if not isinstance(part, Mapping):
            return
        for keyword in _HERE:
            for inner, _ in _schemas_below(part, keyword):
                yield place + inner
        if isinstance(part.get("$ref"), str):
            yield self._target(part["$ref"], (*place, "$ref"))
        for keyword in _ELSEWHERE:
            if keyword in part:
                yield ()

    def _inner_states(self, state: Counter[Place]) -> Iterator[Counter[Place]]:
        """The parts applied to the values of an object, to its names, and to the items of an array, each on its own."""
        parts = [(place, times, self._found[place]) for place, times in state.items()]
        mappings = [(place, times, part) for place, times, part in parts if isinstance(part, Mapping)]
        names = {name for _, _, part in mappings for name in part.get("properties") or ()}
        numbers = {number for _, _, part in mappings for number in range(len(_listed(part)))}
        slots: list[Callable[[Mapping[str, Any]], Iterator[Place]]] = [
            *(partial(_of_name, name=name) for name in (*sorted(names), None)),
            *(partial(_of_item, number=number) for number in (*sorted(numbers), None)),
            lambda part: _places_below(part, "propertyNames"),
        ]
        for slot in slots:
            inner: Counter[Place] = Counter()
            for place, times, part in mappings:
                for below in slot(part):
                    inner[place + below] += times
            if inner:
                yield inner

    def _target(self, reference: str, place: Place) -> Place:
        """The place that a reference names. Anchors and other documents are not followed."""
        if not reference.startswith("#"):
            raise OptionsError(
                f"The json grader's schema: `{_named(place)}` leads out of the schema ({reference[:60]!r}); expected a "
                "reference such as #/$defs/name."
            )
        pointer = reference[1:]
        keys = tuple(key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:])
        if (pointer and not pointer.startswith("/")) or keys not in self._found:
            raise OptionsError(
                f"The json grader's schema: `{_named(place)}` names no part of it ({reference[:60]!r}); expected a "
                "reference such as #/$defs/name."
            )
        return keys


def _of_name(part: Mapping[str, Any], *, name: str | None) -> Iterator[Place]:
    """The parts applied to the value of a name that an object has; None for one that no part knows."""
    if name in (part.get("properties") or {}):
        yield "properties", str(name)
    else:
        yield from _places_below(part, "additionalProperties")
    for keyword in _OF_OBJECTS:
        yield from _places_below(part, keyword)


def _of_item(part: Mapping[str, Any], *, number: int | None) -> Iterator[Place]:
    """The parts applied to an item of an array, by its number; None for one beyond those that are listed."""
    listed = _listed(part)
    if number is not None and number < len(listed):
        yield listed[number]
    else:
        for keyword in _BEYOND_LISTED:
            if isinstance(part.get(keyword), (Mapping, bool)):
                yield (keyword,)
    for keyword in _OF_ARRAYS:
        yield from _places_below(part, keyword)


def _listed(part: Mapping[str, Any]) -> list[Place]:
    return [
        place for keyword in _LISTED if isinstance(part.get(keyword), list) for place in _places_below(part, keyword)
    ]


def _places_below(part: Mapping[str, Any], keyword: str) -> Iterator[Place]:
    return (place for place, _ in _schemas_below(part, keyword))


def _schemas_below(part: Mapping[str, Any], keyword: str) -> Iterator[tuple[Place, Any]]:
    """The schemas in a keyword's value, each with its place below the part."""
    value = part.get(keyword)
    if keyword not in _ALL:
        return
    if keyword in _NAMED:
        if isinstance(value, Mapping):
            yield from (((keyword, name), each) for name, each in value.items() if isinstance(each, (Mapping, bool)))
    elif isinstance(value, list):
        yield from (((keyword, str(number)), each) for number, each in enumerate(value))
    elif isinstance(value, (Mapping, bool)):
        yield (keyword,), value


def _require_shallow(schema: JSON) -> None:
    waiting: list[tuple[JSON, int]] = [(schema, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST_SCHEMA:
            raise OptionsError(f"The json grader's schema nests deeper than {DEEPEST_SCHEMA} levels.")
        if isinstance(value, Mapping):
            waiting += [(inner, depth + 1) for inner in value.values()]
        elif isinstance(value, list):
            waiting += [(inner, depth + 1) for inner in value]


def _too_costly(why: str, place: Place) -> OptionsError:
    at = f" (by way of `{_named(place)}`)" if place else ""
    return OptionsError(f"The json grader's schema is too costly: {why}{at}; use fewer references and combinations.")


def _named(place: Place) -> str:
    return "/".join(("schema", *(key[:40] for key in place[-6:])))


def _pattern(validator: Any, pattern: str, instance: Any, _: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if validator.is_type(instance, "string") and not compiled(pattern, "schema").search(instance):
        yield ValidationError("does not match the pattern")


def _pattern_properties(validator: Any, patterns: Mapping[str, Any], instance: Any, _: Any) -> Iterator[Any]:
    if not validator.is_type(instance, "object"):
        return
    for pattern, inner in patterns.items():
        search = compiled(pattern, "schema").search
        for name, value in instance.items():
            if search(name):
                yield from validator.descend(value, inner, path=name, schema_path=pattern)


def _additional_properties(validator: Any, additional: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    from jsonschema import ValidationError

    if not validator.is_type(instance, "object"):
        return
    known = schema.get("properties", {})
    searches = [compiled(pattern, "schema").search for pattern in schema.get("patternProperties", {})]
    for name, value in instance.items():
        if name in known or any(search(name) for search in searches):
            continue
        if validator.is_type(additional, "object"):
            yield from validator.descend(value, additional, path=name)
        elif additional is False:
            yield ValidationError("has a property that the schema does not know")


def _unique_items(validator: Any, wanted: Any, instance: Any, _: Any) -> Iterator[Any]:
    """In linear time; the library compares each item with each where they are objects."""
    from jsonschema import ValidationError

    if wanted is True and validator.is_type(instance, "array"):
        keys = {_key(item) for item in instance}
        if len(keys) != len(instance):
            yield ValidationError("has an item twice")


def _enum(known: Mapping[int, frozenset[Any]], _: Any, values: Any, instance: Any, __: Any) -> Iterator[Any]:
    """In constant time, however many values are listed. `known` has each list's values, by its id."""
    from jsonschema import ValidationError

    if _key(instance) not in known[id(values)]:
        yield ValidationError("is none of the listed values")


def _key(value: JSON) -> Any:
    """The same for two values that JSON Schema calls equal: 1 is 1.0, and true is no number."""
    if isinstance(value, Mapping):
        return "object", frozenset((name, _key(inner)) for name, inner in value.items())
    if isinstance(value, list):
        return "array", tuple(map(_key, value))
    return ("boolean" if isinstance(value, bool) else "plain"), value
