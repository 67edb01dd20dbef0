"""Whatever two files hold: the checker reads them to their ends and says what it found, never more than that."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.dataset.sample_rows import as_line, good_rows
from tunedrop.catalog import Family, models
from tunedrop.dataset.check import check_dataset
from tunedrop.dataset.correct import write_corrected
from tunedrop.graders.row_options import RowGrader

GOOD = [as_line(row) for row in good_rows()]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
ROWS = st.fixed_dictionaries(
    {},
    optional={
        "messages": st.lists(
            st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]) | JSON, "content": JSON}),
            max_size=3,
        )
        | JSON,
        "reference_answer": JSON,
        "id": JSON,
        "tools": JSON,
    },
)


@st.composite
def mutated(draw: Any) -> bytes:
    """A good line with some bytes taken out, doubled or replaced."""
    line = draw(st.sampled_from(GOOD))
    start = draw(st.integers(0, len(line)))
    end = min(len(line), start + draw(st.integers(0, 5)))
    return bytes(line[:start] + draw(st.binary(max_size=5)) + line[end:])


LINES = st.one_of(
    st.sampled_from(GOOD), mutated(), st.binary(max_size=60), (ROWS | JSON).map(lambda row: json.dumps(row).encode())
)
FILES = st.lists(LINES, max_size=8).map(b"\n".join) | st.binary(max_size=100)
FAMILIES = {model.family: model for model in models()}


def check(examples: int) -> None:
    grader = RowGrader.of("math")

    @settings(max_examples=examples)
    @given(FILES, st.none() | FILES, st.sampled_from(list(Family)), st.booleans())
    def any_files(train: bytes, test: bytes | None, family: Family, graded: bool) -> None:
        report = check_dataset(
            io.BytesIO(train),
            test=None if test is None else io.BytesIO(test),
            family=family,
            model=FAMILIES[family],
            grader=grader if graded else None,
        )
        told = json.dumps(report.to_json(), allow_nan=False)
        assert not report.valid, "so few rows are never a valid dataset"
        for finding in report.findings:
            body = (test or b"") if finding.file.startswith("test") else train
            assert finding.message
            assert finding.line is None or 1 <= finding.line <= body.count(b"\n") + 1, told
        corrected = io.BytesIO()
        write_corrected(io.BytesIO(train), corrected)

    any_files()


def test_any_file_is_checked_to_its_end() -> None:
    check(50)


@pytest.mark.prove
def test_any_of_many_files_is_checked_to_its_end() -> None:
    check(6_000)
