"""The quick way over plain rows comes to what the careful way comes to, and saves nothing but time."""

from __future__ import annotations

import io
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.dataset.faults import OPEN_WEIGHT_LINES
from tests.unit.dataset.sample_rows import a_row, as_file, as_line, good_rows
from tunedrop.catalog import Family
from tunedrop.dataset.file_check import FileCheck
from tunedrop.dataset.findings import Findings, finding_json
from tunedrop.dataset.lines import FIRST_READ_BYTES
from tunedrop.dataset.plain_rows import PlainRows
from tunedrop.dataset.secrets import Scan

Outcome = tuple[list[dict[str, Any]], list[tuple[str, int, str]], dict[str, Any], int, str]


def outcome(body: bytes, *, quick: bool, family: Family = Family.OPEN_WEIGHT) -> Outcome:
    findings = Findings(family)
    check = FileCheck("train", findings, family, quick=quick)
    check.read(io.BytesIO(body))
    groups = [(group.rule.id, group.count, group.lines()) for group in findings.groups()]
    facts = check.facts()
    return [finding_json(each) for each in findings], groups, facts.statistics.to_json(), facts.rows, facts.sha256


HARMLESS = st.sampled_from(
    [
        a_row,
        lambda n: a_row(n, ground_truth=str(n)),
        lambda n: a_row(n, id=f"row-{n}", weight=n / 2),
        lambda n: a_row(n % 7),
        lambda n: {"reference_answer": "“6”", "messages": [{"content": f"Größe {n} ﬁ", "role": "user"}]},
        lambda n: a_row(n, tags=["a", "b"], more={"x": n}),
        lambda n: as_line(a_row(n)) + b"  ",
        lambda n: as_line(a_row(n)).replace(b'": ', b'" : '),
        lambda n: json.dumps(a_row(n, text='it says ": and \\": too')).encode(),
        lambda n: {**a_row(n), "messages": [{"role": "system", "content": "Be short."}, *a_row(n)["messages"]]},
        lambda n: a_row(n, deep=[[[[n]]]]),
        lambda n: as_line(a_row(n)).replace(b"ants", b"\\u0061nts"),
    ]
)
FAULTY = st.sampled_from(
    [make for rule, make in OPEN_WEIGHT_LINES.items() if rule not in ("line-length", "prompt-long")]
)


@given(st.lists(st.tuples(HARMLESS | FAULTY, st.integers(1, 400)), max_size=25), st.integers(0, 60))
def test_quick_and_careful_come_to_the_same(odd: list[tuple[Any, int]], plain: int) -> None:
    lines = [make(number) for make, number in odd] + good_rows(plain)
    random.Random(plain).shuffle(lines)
    body = as_file(lines).getvalue()
    for family in Family:
        assert outcome(body, quick=True, family=family) == outcome(body, quick=False, family=family)


def lines_taken_carefully(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the lines that are read the careful way from now on."""
    taken: list[int] = []
    original = FileCheck._single

    def noted(self: FileCheck, line: int, raw: bytes, *, quick: bool) -> tuple[str | None, str | None]:
        taken.append(line)
        return original(self, line, raw, quick=quick)

    monkeypatch.setattr(FileCheck, "_single", noted)
    return taken


def test_plain_rows_take_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    careful = lines_taken_carefully(monkeypatch)
    outcome(as_file([a_row(n, id=str(n)) for n in range(10_000)]).getvalue(), quick=True)
    # The first rows show the shape.
    assert len(careful) < 20
    careful.clear()
    body = as_file([a_row(n, ground_truth=str(n)) for n in range(10_000)]).getvalue()
    outcome(body, quick=True)
    # The scan of the first block did not know the field, so that it could not tell whether it is there twice.
    assert len(careful) < 1 + body.count(b"\n", 0, FIRST_READ_BYTES)


def test_one_odd_line_does_not_send_its_whole_block_the_careful_way(monkeypatch: pytest.MonkeyPatch) -> None:
    careful = lines_taken_carefully(monkeypatch)
    rows: list[Any] = good_rows(3_000)
    rows[1_500] = b"{broken"
    outcome(as_file(rows).getvalue(), quick=True)
    assert 1_501 in careful
    assert len(careful) < 40


@pytest.mark.parametrize("scanned", [False, True])
def test_lines_that_are_only_whole_together_are_refused(scanned: bool) -> None:
    row = as_line(a_row(1, note="x"))
    keys = ("messages", "reference_answer", "note")
    scan, reader = Scan(keys=keys), PlainRows()

    def is_read(*lines: bytes) -> bool:
        block = b"\n".join(lines)
        return reader.read(block, keys, row_a_line=scanned and not scan.marks(block)) is not None

    assert is_read(row)
    assert is_read(row, row)
    assert is_read(row + b"\r", row)
    assert not scan.marks(row + b"\r\n" + row + b"\n" + row)
    for cut in range(len(row)):
        for others in ((), (row,), (row + b"," + row,), (row + b"," + row, row)):
            assert not is_read(row[:cut], row[cut:], *others)
            assert not is_read(row[:cut] + b"\r", b" " + row[cut:], *others)
    for lines in (
        (row + b"," + row,),
        (row + b",",),
        (b'{"a":[' + row, row + b"]}", row + b"," + row),
        (b"", row),
        (b"\r", row),
        (b" ", row),
        (row, b""),
        (row, b" \r"),
        (row, b"", b"", row),
        (b" \r",),
        (b"1", b"2"),
    ):
        assert not is_read(*lines)
