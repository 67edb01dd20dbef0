"""How long the conclusion's arithmetic takes at the sizes that it meets: printed, with bounds for regressions."""

from __future__ import annotations

import random
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable

from tests.bench.benchmark_page import Note
from tests.unit.reporting.sample_run import a_run
from tunedrop.evaluation.answers import Answer, parse_answer
from tunedrop.evaluation.comparison import compare
from tunedrop.evaluation.guard_rails import Profile
from tunedrop.evaluation.statistics import paired_difference
from tunedrop.evaluation.tally import Tally
from tunedrop.reporting.page import render_html
from tunedrop.reporting.report import build_report

ROWS = 20_000


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def timed(note: Note, what: str, work: Callable[[], object], *, most_seconds: float) -> None:
    """Run `work` once, say how long it took, and fail where that is beyond the bound."""
    started = time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    say(f"{what}: {seconds:.3f} s")
    note(what, seconds, "s", bound=f"at most {most_seconds} s")
    assert seconds < most_seconds


def test_intervals_of_20_000_rows(note: Note) -> None:
    chance = random.Random(1)
    right_or_wrong = [float(chance.choice((-1, 0, 0, 0, 1, 1))) for _ in range(ROWS)]
    all_different = [chance.gauss(0.02, 0.3) for _ in range(ROWS)]
    timed(note, "interval and test, 20,000 right or wrong", lambda: paired_difference(right_or_wrong), most_seconds=0.5)
    timed(note, "interval and test, 20,000 different rewards", lambda: paired_difference(all_different), most_seconds=5)


def test_the_whole_conclusion_of_20_000_rows_and_two_candidates_in_flat_memory(note: Note) -> None:
    chance = random.Random(2)
    work = "He sold half as many in May, so 48/2 = 24 clips, and 48+24 = 72 in all. " * 8
    lines = [
        Answer(0, 0, "base", "0" * 64, f"{work}\n#### {number}", "stop", 90, 150, 1.0, 1.0, correct=True).to_line()
        for number in range(100)
    ]
    tally, profiles = Tally(ROWS), {"base": Profile(), "tuned": Profile()}

    def stream() -> None:
        for row in range(ROWS):
            for candidate in ("base", "tuned"):
                read = parse_answer(lines[row % 100])
                right = chance.random() < 0.6
                answer = Answer(
                    row,
                    0,
                    candidate,
                    read.prompt_sha256,
                    read.answer,
                    "stop",
                    90,
                    150,
                    1.0,
                    float(right),
                    correct=right,
                )
                tally.add(answer)
                profiles[candidate].add(answer)

    timed(note, "40,000 answers of 600 characters parsed, tallied, profiled", stream, most_seconds=20)
    tracemalloc.start()
    timed(note, "comparison of 20,000 rows", lambda: compare(tally, "base", "tuned", level=0.05), most_seconds=3)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    say(f"memory of the comparison: {peak:.1f} MB")
    note("memory of that comparison", peak, "MB", bound="at most 50 MB")
    assert peak < 50


def test_the_page_of_1319_rows(note: Note) -> None:
    report = build_report(a_run(1_319))
    timed(note, "report.html of 1,319 rows", lambda: render_html(report), most_seconds=2)


def test_the_import_in_a_fresh_process(note: Note) -> None:
    program = (
        "import time; s=time.perf_counter(); import tunedrop.evaluation.verdict, tunedrop.reporting.report; "
        "e=time.perf_counter(); import tunedrop.reporting.page; p=time.perf_counter(); print(f'{e-s:.3f} {p-e:.3f}')"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    evaluation, page = (float(part) for part in told.stdout.split())
    say(f"import of evaluation: {evaluation * 1000:.0f} ms, of the page beside it: {page * 1000:.0f} ms")
    note("import of the evaluation in a fresh process", evaluation * 1000, "ms", bound="at most 500 ms")
    note("import of the page beside it", page * 1000, "ms", bound="at most 500 ms")
    assert evaluation < 0.5
    assert page < 0.5
