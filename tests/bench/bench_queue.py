"""What one look of AwaitTurn costs while a thousand runs wait, as many as the line holds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import pytest

from tests.bench.benchmark_page import Note
from tunedrop.queue.line import MOST_WAITING, Line, Rules
from tunedrop.queue.place import place_of

TEAMS = 30
MOST_MILLISECONDS = 100
MOST_BYTES = 400 * 1024
"""Of an item of DynamoDB (docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html)."""
NOW = "2026-11-26T12:00:00.000Z"
RULES = Rules(jobs_at_once=2, probe_seconds=600)


def milliseconds(work: Callable[[], object], times: int = 20) -> float:
    """Processor time of one of `times` repetitions, the fastest."""
    spent = []
    for _ in range(times):
        began = time.process_time()
        work()
        spent.append((time.process_time() - began) * 1000)
    return min(spent)


@pytest.fixture(scope="module")
def full_line() -> Line:
    """Two runs train, and all the others wait."""
    line = Line()
    for number in range(MOST_WAITING + 1):
        run_id = f"a-dataset-of-a-team-{number:04}-0123456789abcdef"
        line = line.joined(run_id, f"team-{number % TEAMS}", 0, NOW).granted(run_id, RULES, NOW)
    return line


def test_a_look_at_a_line_of_a_thousand_costs_a_fraction_of_a_state(full_line: Line, note: Note) -> None:
    text = full_line.to_text()
    last = list(full_line.in_order())[-1]

    def look() -> None:
        line = Line.of_text(text).joined(last, "team-0", 0, NOW).granted(last, RULES, NOW)
        assert place_of(line, last, RULES, NOW) is not None
        line.to_text()

    spent = milliseconds(look)
    waiting = len(full_line.waiting)
    sys.stdout.write(f"a look with {waiting:,} waiting: {spent:.1f} ms of processor time, {len(text):,} bytes\n")
    note(f"a look of AwaitTurn, {waiting:,} waiting", spent, "ms", bound=f"at most {MOST_MILLISECONDS} ms")
    note(f"the line of {waiting:,}", len(text) / 1024, "KB", bound="at most 400 KB, an item of DynamoDB")
    assert spent <= MOST_MILLISECONDS
    assert len(text) <= MOST_BYTES
