"""The `json` kind: structured extraction, graded field by field."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from tunedrop.graders.json_answer import SURROUNDINGS, NotOneDocument, Surroundings, documents_in, parse, read_answer
from tunedrop.graders.json_compare import Comparison
from tunedrop.graders.json_parts import AGAINST_SCHEMA, NO_JSON, as_text, charged, difference, worth_nothing
from tunedrop.graders.json_pointer import keys_of, pointer_to
from tunedrop.graders.json_schema import BoundedSchema, bounded_schema
from tunedrop.graders.named import Named, named_fields, pointers
from tunedrop.graders.pairing import best_pairs
from tunedrop.graders.sample import JSON, Grade, OptionsError, Part, Sample, no_choice, require_known
from tunedrop.graders.tool_call_texts import calls_in
from tunedrop.graders.tool_calls import Call, as_calls, calls_by_name, text_of_calls, with_known_name

_OPTIONS = ("fields", "default", "schema", "surroundings", "extra", "partial", "calls")
_EXTRA = ("wrong", "ignore")
_CALLS = ("any_order", "in_order")
_MOST_LISTED = 1_000
_MOST_COMPARED = 100
"""Values of an `enum`, and characters of a value, between which the nearest is looked for."""
_NO_CALLS: JSON = {"tool_calls": []}
_NAME_OF_CALL = Comparison(gate=True, weight=0)


@dataclass(frozen=True, slots=True)
class _Field:
    path: tuple[str, ...]
    expected: JSON
    comparison: Comparison

    @property
    def pointer(self) -> str:
        return pointer_to(self.path)


class JsonGrader:
    """Options:

    - `fields`: how fields are compared: JSON Pointer → comparator, or an object with `compare` and its settings.
      `*` stands for any one key (`/arguments/*`). A pointer to an object or array compares it as a whole.
    - `default`: the same for fields that no pointer names ("exact").
    - `schema`: a JSON Schema that the answer must satisfy, else it is worth nothing.
    - `surroundings` ("fence"): what may stand around the document: "none", "fence" (a code fence), "text" (anything,
      as long as there is one document only).
    - `extra` ("wrong"): a field that the reference does not have counts as a wrong one; "ignore" lets it pass.
    - `partial` (true): the reward is the weighted share of right fields; false: 1.0 or 0.0.

    - `calls` ("any_order"): where the reference is an array of calls of tools, whether their order counts ("in_order").

    A reference that is a call (an object of `name` and `arguments`), or an array of calls, is compared with the calls
    that the answer makes, beside its text or in it (`tool_calls`); pointers are those within a call. A call too many
    counts as a wrong one. Where no pointer names it, the name is a gate that weighs nothing beside the arguments: those
    of another function are worth nothing. A reference `{"tool_calls": []}` asks for an answer that calls nothing.

    `one_of` with `values: reference` reads an array in the reference as the accepted values, "" among them as leave to
    leave the field out: the possible answers of the Berkeley Function Calling Leaderboard are read as they are.

    A row may have two fields of its own: `accepted`, an object of JSON Pointer → array of values that `one_of` takes
    there (a field that is not in the reference may be given with one of them, or left out), and `optional`, an array
    of pointers that may be missing from the answer.
    """

    def __init__(
        self,
        *,
        fields: Mapping[tuple[str, ...], Comparison] | None = None,
        default: Comparison | None = None,
        schema: Mapping[str, JSON] | None = None,
        surroundings: Surroundings = "fence",
        ignore_extra: bool = False,
        partial: bool = True,
        calls_in_order: bool = False,
    ) -> None:
        self._fields = dict(fields or {})
        self._default = default or Comparison()
        self._schema = bounded_schema(schema) if schema is not None else None
        self._surroundings: Surroundings = surroundings
        self._ignore_extra = ignore_extra
        self._partial = partial
        self._calls_in_order = calls_in_order

    @classmethod
    def from_options(cls, options: Mapping[str, JSON]) -> Self:
        """Raises OptionsError for an unknown option, comparator or setting, and for what is no JSON Schema."""
        require_known(options, _OPTIONS, "The json grader knows")
        described = options.get("fields", {})
        if not isinstance(described, Mapping):
            raise OptionsError("The json grader's fields must be an object of JSON Pointer to comparator.")
        surroundings = next((known for known in SURROUNDINGS if known == options.get("surroundings", "fence")), None)
        if surroundings is None:
            raise no_choice("The json grader's surroundings must be", SURROUNDINGS, options["surroundings"])
        for name, allowed in (("extra", _EXTRA), ("calls", _CALLS)):
            if options.get(name, allowed[0]) not in allowed:
                raise no_choice(f"The json grader's {name} must be", allowed, options[name])
        partial = options.get("partial", True)
        if not isinstance(partial, bool):
            raise OptionsError(f"The json grader's partial must be true or false, got {partial!r}.")
        schema = options.get("schema")
        if schema is not None and not isinstance(schema, Mapping):
            raise OptionsError("The json grader's schema must be a JSON Schema, as an object.")
        return cls(
            fields={keys_of(path): Comparison.from_options(path, value) for path, value in described.items()},
            default=Comparison.from_options("default", options.get("default", "exact")),
            schema=schema,
            surroundings=surroundings,
            ignore_extra=options.get("extra") == "ignore",
            partial=partial,
            calls_in_order=options.get("calls") == "in_order",
        )

    def check_reference(self, reference: JSON, row: Mapping[str, JSON]) -> str | None:
        """Why the reference is no document to compare with (it must satisfy the schema itself), or None."""
        try:
            document = _document(reference)
            _accepted(row)
        except NotOneDocument as error:
            return f"the reference cannot be compared with: {error}"
        if self._schema is not None and (violation := _violation(self._schema, document, near=True)):
            return f"the reference itself violates the schema: {violation}"
        calls = as_calls(document) if self._schema is None else None
        fields = [field for each in calls or [document] for field in self._expected(each, call=bool(calls))]
        if not any(field.comparison.weight or field.comparison.gate for field in fields):
            return (
                "the reference has no field that weighs anything: in grader.options.fields, give one of its fields a "
                "`weight` above 0, or `gate: true`"
            )
        text = next(
            (each for each in fields if each.comparison.compare == "number" and isinstance(each.expected, str)), None
        )
        if text is not None:
            return f"{pointer_to(text.path)} is compared as a number, but is text here: write it without quotes"
        return None

    def named(self, reference: JSON, row: Mapping[str, JSON]) -> list[Named]:
        """The fields that `fields` names. A reference that asks for no call has no fields to be named."""
        document = _document(reference) if self._fields else _NO_CALLS
        if document == _NO_CALLS:
            return []
        return named_fields(self._fields, as_calls(document) or [document], _accepted(row)[0])

    def names(self, reference: JSON) -> Iterator[str]:
        """The pointers to the reference's fields."""
        document = _document(reference)
        for each in as_calls(document) or [document]:
            yield from pointers(each)

    def grade(self, sample: Sample) -> Grade:
        """Read the answer, compare each field. Raises NotOneDocument where the reference is no JSON."""
        reference = _document(sample.reference)
        accepted, optional = _accepted(sample.row)
        if reference == _NO_CALLS:
            return _no_call(sample)
        expected = as_calls(reference)
        made = (sample.calls or calls_in(sample.answer, _texts_of(expected))) if expected else ()
        if expected and len(expected) > 1 and not made:  # one call a line, or a fence
            made = as_calls(documents_in(sample.answer), written=True) or ()
        try:
            answer = read_answer(text_of_calls(made) or sample.answer, self._surroundings)
        except NotOneDocument as error:
            return worth_nothing(f"No document: {error}.", NO_JSON, parsed=False)
        if self._schema is not None and (violation := _violation(self._schema, answer)):
            return worth_nothing(f"The schema is violated: {violation}.", AGAINST_SCHEMA, parsed=True)
        names = {str(call["name"]) for call in expected or ()}
        given = (as_calls(answer, written=True) or calls_by_name(answer, names)) if expected else None
        if expected and given:
            given = tuple(with_known_name(call, names) for call in given)
            if len(expected) == len(given) == 1:
                return self._compare(given[0], expected[0], accepted, optional, call=True)
            return self._compare_calls(
                given, expected, lambda got, call: self._compare(got, call, accepted, optional, call=True)
            )
        return self._compare(answer, reference, accepted, optional)

    def _compare_calls(
        self, given: Sequence[Call], expected: Sequence[Call], compare: Callable[[Call, Call], Grade]
    ) -> Grade:
        """Several calls: each is compared with its like, and the reward is the mean over the calls of both sides."""
        grades = {
            (mine, theirs): compare(given[mine], expected[theirs])
            for mine in range(len(given))
            for theirs in range(len(expected))
            if not self._calls_in_order or mine == theirs
        }
        # A call that pays is paired first; of those that do not, the one that is most alike.
        pairs = best_pairs({pair: grade.reward + 1e-6 * grade.components["fields"] for pair, grade in grades.items()})
        matched = [grades[pair] for pair in pairs]
        size = max(len(given), len(expected))
        share = sum(grade.components["fields"] for grade in matched) / size
        correct = len(given) == len(expected) == len(matched) and all(grade.correct for grade in matched)
        wrong = [
            f"call {theirs + 1} ({grade.explanation.rstrip('.')})"
            for (_, theirs), grade in sorted(zip(pairs, matched, strict=True), key=lambda each: each[0][1])
            if not grade.correct
        ]
        if len(given) != len(expected):
            wrong.insert(0, f"{len(given)} calls instead of {len(expected)}")
        told = f"Not right: {'; '.join(wrong[:5])}." if wrong else "Every call is right."
        paid = sum(grade.reward for grade in matched) / size
        return Grade(
            reward=paid if self._partial else float(correct),
            components={"fields": share},
            correct=correct,
            explanation=told,
            metrics={"parsed": 1.0, "schema_valid": 1.0},
            parts=tuple(
                each._replace(name=f"call {theirs + 1} {each.name}", cost=each.cost / size)
                for (_, theirs), grade in sorted(zip(pairs, matched, strict=True), key=lambda each: each[0][1])
                for each in grade.parts
            ),
        )

    def _compare(
        self,
        answer: JSON,
        reference: JSON,
        accepted: Mapping[tuple[str, ...], Sequence[JSON]],
        optional: frozenset[tuple[str, ...]],
        *,
        call: bool = False,
    ) -> Grade:
        gained = possible = 0.0
        wrong: list[str] = []
        parts: list[Part] = []
        gates: list[str] = []
        expected = list(self._expected(reference, call=call))
        for field in expected:
            found, got = _look_up(answer, field.path)
            values = accepted.get(field.path)
            may_be_missing = field.path in optional
            if field.comparison.values_from_reference and isinstance(field.expected, list):
                values = field.expected
                may_be_missing = may_be_missing or "" in values
            if not found and may_be_missing:
                continue
            score = field.comparison.score(got, field.expected, values) if found else 0.0
            possible += field.comparison.weight
            gained += field.comparison.weight * score
            if score < 1.0 and (field.comparison.weight or field.comparison.gate):
                wrong.append(f"{field.pointer} {difference(found, got, field.expected)}")
                if field.comparison.gate:
                    gates.append(field.pointer)
            parts.append(_part(field, score, "" if score == 1.0 else as_text(got) if found else "(missing)"))
        if not self._ignore_extra:
            for path, value in _extra(answer, reference, {field.path for field in expected}):
                comparison = self._comparison_of(path)
                right = path in accepted and comparison.score(value, None, accepted[path]) == 1.0
                if not right:
                    possible += comparison.weight
                    wrong.append(f"{pointer_to(path)} (not asked for)")
                    parts.append(Part(pointer_to(path), 0.0, comparison.weight, "(no such field)", as_text(value)))
        share = gained / possible if possible else float(not wrong)
        correct = not wrong
        reward = 0.0 if gates else share if self._partial else float(correct)
        told = "every field is right" if correct else f"not right: {', '.join(wrong[:5])}{' …' if wrong[5:] else ''}"
        return Grade(
            reward=reward,
            components={"fields": share},
            correct=correct,
            explanation=f"{told[0].upper()}{told[1:]}.",
            metrics={"parsed": 1.0, "schema_valid": 1.0},
            parts=charged(parts, possible, 1.0 - reward, gates),
        )

    def _expected(self, reference: JSON, path: tuple[str, ...] = (), *, call: bool = False) -> Iterator[_Field]:
        """The reference's fields: objects are taken apart unless a pointer names them as a whole."""
        named = self._named(path)
        if call and isinstance(reference, Mapping) and self._named(("name",)) is None:
            weighs = not reference.get("arguments")
            yield _Field(("name",), reference["name"], replace(_NAME_OF_CALL, weight=float(weighs)))
            reference = {key: value for key, value in reference.items() if key != "name" and not weighs}
            if not reference:
                return
        if named is None and isinstance(reference, Mapping) and reference:
            for key, value in reference.items():
                yield from self._expected(value, (*path, key))
        else:
            yield _Field(path, reference, named or self._default)

    def _comparison_of(self, path: tuple[str, ...]) -> Comparison:
        return self._named(path) or self._default

    def _named(self, path: tuple[str, ...]) -> Comparison | None:
        if path in self._fields:
            return self._fields[path]
        for pattern, comparison in self._fields.items():
            if len(pattern) == len(path) and all(mine in ("*", key) for mine, key in zip(pattern, path, strict=True)):
                return comparison
        return None


def _texts_of(calls: Sequence[Call]) -> frozenset[tuple[str, str]]:
    """Which arguments of which functions are texts: some templates write "94105" without quotation marks."""
    found: set[tuple[str, str]] = set()
    for call in calls:
        arguments = call["arguments"]
        for key, value in arguments.items() if isinstance(arguments, Mapping) else ():
            accepted = value if isinstance(value, list) and value else [value]
            if all(isinstance(each, str) for each in accepted):
                found.add((str(call["name"]), key))
    return frozenset(found)


def _no_call(sample: Sample) -> Grade:
    """The grade where no call is wanted: whatever else the answer says, it calls nothing."""
    made = sample.calls or calls_in(sample.answer) or as_calls(_read(sample.answer), written=True)
    right = bool(sample.answer.strip()) and not made
    told = "A call was made, and none was wanted." if made else "No call was wanted, and none was made."
    return Grade(float(right), {"fields": float(right)}, right, told, {"parsed": 1.0, "schema_valid": 1.0})


def _read(answer: str) -> JSON:
    try:
        return read_answer(answer, "fence")
    except NotOneDocument:
        return None


def _part(field: _Field, score: float, got: str) -> Part:
    cost = field.comparison.weight * (1.0 - score)
    return Part(field.pointer, score, cost, "" if score == 1.0 else as_text(field.expected), got)


def _document(reference: JSON) -> JSON:
    """The reference as a document; a string is read as JSON, as the open-weight path sends objects as they are."""
    if isinstance(reference, str):
        return parse(reference)
    if reference is None:
        raise NotOneDocument("there is none")
    return reference


def _accepted(row: Mapping[str, JSON]) -> tuple[dict[tuple[str, ...], Sequence[JSON]], frozenset[tuple[str, ...]]]:
    accepted = row.get("accepted") or {}
    optional = row.get("optional") or []
    if not isinstance(accepted, Mapping) or not all(
        isinstance(values, Sequence) and not isinstance(values, str) for values in accepted.values()
    ):
        raise NotOneDocument("the row's `accepted` must be an object of JSON Pointer to array")
    if not isinstance(optional, Sequence) or not all(isinstance(path, str) for path in optional):
        raise NotOneDocument("the row's `optional` must be an array of JSON Pointers")
    return (
        {keys_of(path): values for path, values in accepted.items() if isinstance(values, Sequence)},
        frozenset(keys_of(str(path)) for path in optional),
    )


def _look_up(document: JSON, path: tuple[str, ...]) -> tuple[bool, JSON]:
    for key in path:
        if not isinstance(document, Mapping) or key not in document:
            return False, None
        document = document[key]
    return True, document


def _extra(
    answer: JSON, reference: JSON, expected: set[tuple[str, ...]], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], JSON]]:
    """What the answer has and the reference has not, as whole values."""
    if path in expected or not isinstance(answer, Mapping):
        return
    for key, value in answer.items():
        if isinstance(reference, Mapping) and key in reference:
            yield from _extra(value, reference[key], expected, (*path, key))
        else:
            yield (*path, key), value


def _violation(schema: BoundedSchema, document: JSON, *, near: bool = False) -> str:
    """Where and what rule is violated first; empty where none is. The value itself is not told; `near`: but the listed
    one that is nearest to it."""
    if not schema.takes(document):
        return "the document has more values than a schema of so many checks allows"
    error = next(iter(schema.validator.iter_errors(document)), None)
    if error is None:
        return ""
    pointer = pointer_to(tuple(str(key) for key in error.absolute_path))
    if error.validator == "enum":
        nearest = _nearest(error.instance, error.validator_value) if near else ""
        return f"the value at {pointer} is not one of those that `enum` lists{nearest}"
    return f"{error.validator} at {pointer}"


def _nearest(value: object, listed: object) -> str:
    """The listed text that a value is nearest to, or that the value says nothing; empty where neither is so."""
    if not isinstance(value, str) or not isinstance(listed, list):
        return ""
    if not value.strip():
        return ": it is blank"
    from difflib import get_close_matches

    plain = {each.casefold(): each for each in listed[:_MOST_LISTED] if isinstance(each, str)}
    found = get_close_matches(value[:_MOST_COMPARED].strip().casefold(), list(plain), n=1)
    return f"; the nearest of them is {plain[found[0]]!r}" if found else ""
