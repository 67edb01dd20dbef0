"""On hostile rows, written as JSON text by hand, the quick ways come to what the careful way comes to."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.dataset.sample_rows import a_row, as_line
from tunedrop.catalog import Family
from tunedrop.dataset.file_check import FileCheck
from tunedrop.dataset.findings import Findings, finding_json
from tunedrop.graders.row_options import RowGrader

STRINGS = st.sampled_from(
    [
        '"6"', '""', '" "', '"{}"', '" null "', '"a \\u0062 c"', '"\\ud83d"', '"\\ud83d\\ude00"', '"\\udc00\\ud800"',
        '"\\u00e9é"', '"\\u0000"', '"\x7f"', '"\x01"', '"a\tb"', '"\\/\\"\\\\"', '"\\x"', '"1e999"', "'6'",
        '"[EOS] user: "', '"ﬁ Größe"', '"me@example.org"', '"4111 1111 1111 1111"', '"\\frac{1"', '"#### 72"',
        '"unended',
    ]
)  # fmt: skip
NUMBERS = st.sampled_from(
    [
        "6", "-0", "-0.0", "0.1", "01", "1.", ".5", "1e5", "1e999", "-1E+400",
        "4111111111111111.5e400", "9" * 99, "9" * 308,
        "9" * 309, "9" * 400, "9" * 4300, "9" * 4301, "18446744073709551616", "9007199254740993", "NaN", "Infinity",
        "-Infinity", "1e-999", "0." + "3" * 400, "+1", "0x1F",
    ]
)  # fmt: skip
WORDS = st.sampled_from(["true", "false", "null", "None", "tru", ""])
SPACES = st.sampled_from(["", " ", "\t", "  \t ", "\r", "\x0b", "\u00a0"])
KEYS = st.sampled_from(
    ['"messages"', '"role"', '"content"', '"id"', '"a"', '"\\u0061"', '"reference_answer"', '"\\ud800"']
)


def arrays(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(parts, max_size=3).map(lambda all_of: "[" + ",".join(all_of) + "]")


def objects(keys: st.SearchStrategy[str], parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(keys, SPACES, SPACES, parts).map(lambda each: f"{each[0]}{each[1]}:{each[2]}{each[3]}")
    return st.lists(pair, max_size=4).map(lambda all_of: "{" + ",".join(all_of) + "}")


DEEP = st.tuples(st.sampled_from([1, 150, 198, 199, 200, 201, 254, 255, 256, 1_100]), STRINGS).map(
    lambda deep: "[" * deep[0] + deep[1] + "]" * deep[0]
)
VALUES = st.recursive(
    STRINGS | NUMBERS | WORDS | DEEP, lambda parts: arrays(parts) | objects(KEYS, parts), max_leaves=6
)
ROLES = st.sampled_from(
    ['"user"', '"system"', '"assistant"', '"tool"', '"developer"', '"User"', "1", "null", '"\\u0075ser"']
)
CONTENTS = (
    STRINGS | st.just('"What is 6 times 7?"') | STRINGS.map(lambda text: f'[{{"type":"text","text":{text}}}]') | VALUES
)
MESSAGES = st.one_of(
    st.tuples(ROLES, CONTENTS).map(lambda turn: f'{{"role":{turn[0]},"content":{turn[1]}}}'),
    st.tuples(ROLES, CONTENTS, KEYS, VALUES).map(
        lambda turn: f'{{"content":{turn[1]},"role":{turn[0]},{turn[2]}:{turn[3]}}}'
    ),
    VALUES,
)
CONVERSATIONS = st.just('[{"role":"user","content":"What is 6 times 7?"}]') | arrays(MESSAGES) | VALUES
TOOL = '{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}'
TOOLS = st.sampled_from(
    [f"[{TOOL}]", f"[{TOOL},{TOOL}]", "[1]", "[true]", "[1.0]", "[]", "null", "[18446744073709551616]"]
)
ROWS = st.tuples(
    CONVERSATIONS,
    st.just('"42"') | VALUES,
    st.lists(
        st.tuples(KEYS, VALUES).map(lambda pair: f"{pair[0]}:{pair[1]}") | TOOLS.map(lambda tools: f'"tools":{tools}'),
        max_size=2,
    ),
    SPACES,
).map(
    lambda row: (
        row[3] + "{" + ",".join([f'"messages":{row[0]}', f'"reference_answer":{row[1]}', *row[2]]) + "}" + row[3]
    )
)
RAW = st.sampled_from(
    [b"", b" \r", b"\xff", b"\x00", b"{}", b"[]", b'{"messages":', b"}\n{", as_line(a_row(1)) + as_line(a_row(2)),
     as_line(a_row(1)) + b"," + as_line(a_row(2)), b'"\xed\xa0\x80"', as_line(a_row(3)).replace(b"ants", b"\xc3\x28")]
)  # fmt: skip
LINES = (
    ROWS.map(lambda row: row.encode("utf-8", "surrogatepass"))
    | RAW
    | st.integers(0, 9).map(lambda n: as_line(a_row(n)))
)


def outcome(body: bytes, family: Family, kind: str | None, *, quick: bool) -> tuple[Any, ...]:
    findings = Findings(family)
    grader = None if kind is None else RowGrader.of(kind)
    check = FileCheck("train", findings, family, grader=grader, quick=quick)
    check.read(io.BytesIO(body))
    groups = [(group.rule.id, group.count, group.lines()) for group in findings.groups()]
    return (
        [finding_json(each) for each in findings],
        groups,
        check.facts().statistics.to_json(),
        check.refused,
        check.rows,
    )


@given(
    st.lists(LINES, min_size=1, max_size=12),
    st.sampled_from(list(Family)),
    st.sampled_from([None, "math", "exact", "json"]),
    st.sampled_from([a_row(3), a_row(3, id="y"), a_row(3, a=1)]),
)
def test_quick_and_careful_come_to_the_same_on_hostile_rows(
    lines: list[bytes], family: Family, kind: str | None, first: Any
) -> None:
    # The first rows show the shape by which later ones could be read at once.
    body = b"\n".join([*map(as_line, [a_row(1), a_row(2, id="x"), first, a_row(4)]), *lines, *lines, *lines])
    quick, careful = (outcome(body, family, kind, quick=quick) for quick in (True, False))
    assert repr(quick) == repr(careful)


@pytest.mark.parametrize("number", ["1e999", "-1E+400", "4111111111111111.5e400", "9" * 400])
def test_a_number_beyond_a_double_is_found_in_any_row(number: str) -> None:
    plain = as_line(a_row(1, weight=1))
    large = plain.replace(b'"weight": 1', f'"weight": {number}'.encode())
    assert large != plain
    findings = Findings(Family.OPEN_WEIGHT)
    FileCheck("train", findings, Family.OPEN_WEIGHT).read(io.BytesIO(b"\n".join([plain] * 5_000 + [large])))
    assert [group.lines() for group in findings.groups() if group.rule.id == "number-range"] == ["5001"]


def test_escapes_in_a_row_that_is_nested_too_deep_are_passed_over() -> None:
    findings = Findings(Family.OPEN_WEIGHT)
    line = b'{"a": ' + b"[" * 300 + b'"\\u0061"' + b"]" * 300 + b"}"
    FileCheck("train", findings, Family.OPEN_WEIGHT).read(io.BytesIO(line))
    assert [group.rule.id for group in findings.groups()] == ["json-depth"]
