"""Recipes that no run can have, each with the field and the words by which it is refused; and some that a run keeps."""

from __future__ import annotations

import json
from typing import Any


def schema_of(schema: Any) -> bytes:
    """A recipe as JSON whose grader has this schema."""
    return json.dumps({"grader": {"kind": "json", "options": {"schema": schema}}}).encode()


def doubling(steps: int) -> dict[str, Any]:
    """A schema of `steps` definitions, each of which refers twice to the next: 2^steps checks of one value."""
    defined: dict[str, Any] = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(steps)}
    return {"$defs": {**defined, f"d{steps}": {}}, "$ref": "#/$defs/d0"}


def within(levels: int) -> bytes:
    """A recipe of so many levels, itself the first."""
    return schema_of(json.loads('{"not": ' * (levels - 4) + "{}" + "}" * (levels - 4)))


_OPTIONS = "grader: {kind: json, options: {schema: {const: %s}}}"
_CONST = "`grader.options.schema.const`"
FORTY = "9" * 40

REFUSED: dict[str, tuple[str, bytes, str]] = {
    "more digits than a record keeps": ("recipe.yaml", f"evaluation: {{rows: {FORTY}}}".encode(), "`evaluation.rows`"),
    "digits without end": ("recipe.json", b'{"budget": {"steps": ' + b"7" * 9_000 + b"}}", "`budget.steps`"),
    "too many decimals": ("recipe.json", b'{"gates": {"level": 0.' + b"1" * 39 + b"}}", "at most 38 digits"),
    "too near to zero": (
        "recipe.yaml",
        b"gates: {level: 3.0e-150}",
        "`gates.level`: expected 0, or a number from 1E-130",
    ),
    "no longer a number": (
        "recipe.json",
        b'{"gates": {"level": 1e-4000}}',
        "`gates.level`: expected 0, or a number from",
    ),
    "a level that nothing meets": ("recipe.yaml", b"gates: {level: 1.0e-20}", "`gates.level`"),
    "beyond every double": (
        "recipe.json",
        b'{"budget": {"dollars": 1e999}}',
        "`budget.dollars`: expected a finite number",
    ),
    "infinite": ("recipe.yaml", (_OPTIONS % "-.Inf").encode(), f"{_CONST}: expected a finite number"),
    "no number": (
        "recipe.json",
        b'{"rehearsal": {"temperature": NaN}}',
        "`rehearsal.temperature`: expected a finite number, got NaN",
    ),
    "infinite in JSON": (
        "recipe.json",
        b'{"budget": {"dollars": -Infinity}}',
        "`budget.dollars`: expected a finite number, got -Inf",
    ),
    "a date": ("recipe.yaml", (_OPTIONS % "2031-12-24").encode(), f"{_CONST}: 2031-12-24 is a date"),
    "a time": ("recipe.yaml", (_OPTIONS % "12:30").encode(), f"{_CONST}: 12:30 is a number in base 60"),
    "base 8": ("recipe.yaml", b"evaluation: {seed: 0755}", "`evaluation.seed`: 0755 is a number in base 8"),
    "bytes": ("recipe.yaml", (_OPTIONS % "!!binary aGk=").encode(), f"{_CONST}: expected text"),
    "a set": ("recipe.yaml", (_OPTIONS % "!!set {a, b}").encode(), f"{_CONST}: expected a list or fields"),
    "a tag without its value": ("recipe.yaml", b"budget: {steps: !!int ''}", "`budget.steps`: has the tag !!int"),
    "a number as a name": ("recipe.yaml", b"labels: {2031: x}", "`labels.2031`: expected a name as text"),
    "true as a name": ("recipe.yaml", b"labels: {true: x}", "`labels.true`: expected a name as text"),
    "fields as a name": ("recipe.yaml", b"labels: {[a]: x}", "`labels.?`: expected a name as text"),
    "a field twice": ("recipe.yaml", b"model: a\nmodel: b", "`model`: occurs twice"),
    "a field twice in JSON": (
        "recipe.json",
        b'{"gates": {"level": 0.1, "level": 0.2}}',
        "`gates.level`: occurs twice",
    ),
    "a merge key": ("recipe.yaml", b"gates: {<<: {level: 0.1}}", "`gates.<<`: merge keys"),
    "aliases": ("recipe.yaml", b"a: &a [1, 1]\nb: [*a, *a]", "aliases (*name) are not allowed"),
    "several documents": ("recipe.yaml", b"model: a\n---\nmodel: b", "expected a single document"),
    "a list": ("recipe.json", b"[1]", "expected fields with values, got a list"),
    "a tab": ("recipe.yaml", b"gates:\n\tlevel: 0.1", "line 2"),
    "a zero byte": ("recipe.yaml", b"model: a\x00b", "special characters are not allowed"),
    "UTF-16": ("recipe.yaml", "model: x".encode("utf-16"), "byte 1 is not UTF-8"),
    "an escape in a name": (
        "recipe.json",
        rb'{"gr\u001b[2Jader": 1}',
        r"`gr\x1b[2Jader`: expected a name without control",
    ),
    "a turned name": ("recipe.json", rb'{"gates": {"\u202elevel": 1}}', r"`gates.\u202elevel`"),
    "a control character": (
        "recipe.json",
        rb'{"labels": {"a": "b\u009b31m"}}',
        "`labels.a`: expected text without control",
    ),
    "a line break in a label": ("recipe.json", rb'{"labels": {"a": "b\nc"}}', "`labels.a`"),
    "half of a character": ("recipe.json", schema_of({"enum": ["\udc00"]}), "`grader.options.schema.enum.0`"),
    "half of a character in a name": ("recipe.json", rb'{"labels": {"\ud83d": "x"}}', r"`labels.\ud83d`"),
    "labels without end": (
        "recipe.json",
        json.dumps({"labels": dict.fromkeys(map(str, range(21)), "x")}).encode(),
        "20",
    ),
    "33 levels": ("recipe.json", within(33), "at most 32 levels"),
    "more levels than can be read": ("recipe.yaml", b"a: " + b"[" * 9_000, "levels"),
    "references that double": ("recipe.json", schema_of(doubling(20)), "too costly"),
    "a reference to itself": ("recipe.json", schema_of({"$ref": "#"}), "too costly"),
    "a reference to nothing": ("recipe.json", schema_of({"$ref": "#/$defs/x"}), "names no part"),
    "a reference to elsewhere": (
        "recipe.json",
        schema_of({"$ref": "https://example.org/s"}),
        "leads out of the schema",
    ),
    "a repetition within a repetition": ("recipe.json", schema_of({"pattern": "^(a+)+$"}), "too costly"),
    "alternatives that overlap": ("recipe.json", schema_of({"patternProperties": {"^(a|a)*$": {}}}), "too costly"),
    "what RE2 does not take": ("recipe.json", schema_of({"pattern": "(?=a)b"}), "no pattern that RE2 takes"),
    "another's former pointer": (
        "recipe.yaml",
        b"promotion: {parameter: /tunedrop/a/previous}",
        "`promotion.parameter`",
    ),
    "too long": ("recipe.json", b'{"model": "' + b"x" * 249_000 + b'"}', "expected at most 131072 bytes"),
    "very many unknown fields": ("recipe.yaml", b"".join(b"f%d: 1\n" % n for n in range(2_000)), "`f0` is not known"),
    "an unknown field with a long name": ("recipe.json", json.dumps({"x" * 9_000: 1}).encode(), "1 to 256 characters"),
}
"""What it is: the file's name, its content, and a part of the sentence that refuses it."""

KEPT: dict[str, Any] = {
    "two ids of 19 digits": {"enum": [8123456789012345678, 8123456789012345679]},
    "all decimals of a double": {"const": 2.71828182845905},
    "38 digits": {"const": int("1" * 38)},
    "a whole number as a decimal": {"const": 2.0},
    "a tree": {"$defs": {"n": {"properties": {"l": {"$ref": "#/$defs/n"}, "r": {"$ref": "#/$defs/n"}}}}},
    "any JSON": {
        "anyOf": [
            {"type": ["string", "number", "boolean", "null"]},
            {"type": "array", "items": {"$ref": "#"}},
            {"type": "object", "additionalProperties": {"$ref": "#"}},
        ]
    },
    "a careful pattern": {"pattern": r"^[^@\s]+@([a-z0-9-]+\.)+[a-z]{2,}$"},
    "32 levels": json.loads('{"not": ' * 28 + "{}" + "}" * 28),
}
"""Schemas that a run keeps to the last digit."""
