"""Speed of the maths grader: against Math-Verify on GSM8K-style answers, and its cold start.

    .venv/bin/python -m pytest -s tests/bench/bench_math_grader.py

Both graders get the same answers in the same run, by turns in blocks, so that a busy machine slows both.
"""

from __future__ import annotations

import gzip
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import math_verify
import pytest

from tests.bench.benchmark_page import Note
from tests.hostile_answers import hostile
from tunedrop.graders.math.grader import MathGrader
from tunedrop.graders.sample import Sample

ROOT = Path(__file__).resolve().parents[2]
ROWS = 300
BLOCK = 50
TIMES_AS_FAST = 20
START_MILLISECONDS = 150
HOSTILE = 2_000
HOSTILE_MILLISECONDS = 50


def solutions() -> list[tuple[str, str]]:
    """GSM8K's own solutions, ended in the ways that models end theirs, with the answer."""
    with gzip.open(ROOT / "tests" / "data" / "gsm8k" / "test.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line)["answer"].rsplit("####", 1) for line in lines]
    endings = ("#### {}", "The final answer is $\\boxed{{{}}}$.", "The answer is {}.", "**Answer:** ${}")
    return [
        (steps + endings[place % len(endings)].format(answer.strip()), answer.strip())
        for place, (steps, answer) in enumerate(rows[:ROWS])
    ]


@pytest.mark.timeout(600)
def test_it_is_twenty_times_as_fast_as_math_verify(note: Note) -> None:
    rows = solutions()
    grader = MathGrader()
    ours, theirs, right, verified = 0.0, 0.0, 0, 0
    for text, answer in rows:  # each pattern is compiled at its first use: some milliseconds, once a process
        grader.grade_quickly(Sample("s", [], text, answer, {}))
    for text, answer in rows[:BLOCK]:
        math_verify.verify(math_verify.parse(answer), math_verify.parse(text))
    for block in range(0, len(rows), BLOCK):
        started = time.process_time()
        for text, answer in rows[block : block + BLOCK]:
            right += bool(grader.grade_quickly(Sample("s", [], text, answer, {})).correct)
        ours += time.process_time() - started

        started = time.process_time()
        for text, answer in rows[block : block + BLOCK]:
            verified += math_verify.verify(math_verify.parse(answer), math_verify.parse(text))
        theirs += time.process_time() - started
    sys.stdout.write(
        f"\n{len(rows)} answers: tunedrop {ours / len(rows) * 1e6:.0f} µs each, Math-Verify "
        f"{theirs / len(rows) * 1e6:.0f} µs each, {theirs / ours:.0f} times as fast; "
        f"found right: tunedrop {right}, Math-Verify {verified}\n"
    )
    each = ours / len(rows) * 1e6
    note("one answer graded", each, "µs", versus="Math-Verify", ratio=theirs / ours, bound=f"{TIMES_AS_FAST}x")
    note("of 300 right answers found right", right, "", versus="Math-Verify", ratio=right / verified, bound="all")
    assert right == len(rows)
    assert theirs / ours >= TIMES_AS_FAST


@pytest.mark.timeout(900)
def test_hostile_text_takes_at_most_50_ms_at_the_999th_of_1000(note: Note) -> None:
    grader = MathGrader()
    times = []
    for _, answer, reference in hostile(HOSTILE):
        sample = Sample("s", [], answer, reference, {})
        started = time.thread_time()  # processor time: a busy machine changes nothing
        grader.grade_quickly(sample)
        times.append((time.thread_time() - started) * 1000)
    slowest = sorted(times)[int(HOSTILE * 0.999) - 1]
    sys.stdout.write(
        f"\n{HOSTILE:,} hostile answers: median {statistics.median(times):.2f} ms, p99.9 {slowest:.1f} ms\n"
    )
    note("hostile answer, p99.9", slowest, "ms", bound=f"at most {HOSTILE_MILLISECONDS} ms")
    assert slowest <= HOSTILE_MILLISECONDS


def run_once(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_its_start_and_first_call_take_less_than_150_ms(note: Note) -> None:
    code = """
import sys, time
started = time.perf_counter()
sys.path[:0] = sys.argv[1:]
import app
class Context:
    client_context = None
    function_name, function_version = "grader", "1"
    def get_remaining_time_in_millis(self):
        return 300_000
(told,) = app.handler([{"id": "1", "messages": [{"role": "assistant", "content": "So #### 72"}],
                        "metadata": {"reference_answer": {"text": "... #### 72"}},
                        "tunedrop_grader": {"kind": "math"}}], Context())
assert told["aggregate_reward_score"] == 1.0
print((time.perf_counter() - started) * 1000)
"""
    layers = ROOT / "build" / "local" / "layers" / "dependencies" / "python"
    paths = [ROOT / "functions" / "grader", ROOT / "layers" / "tunedrop" / "python", layers]
    command = [sys.executable, "-I", "-c", code, *map(str, paths)]
    environment = {**os.environ, "GRADER_TRUST": "plain"}
    times = [float(run_once(command, environment).splitlines()[-1]) for _ in range(7)]
    sys.stdout.write(
        f"\ninit and first call: median {statistics.median(times):.0f} ms, fastest {min(times):.0f} ms of {len(times)}"
    )
    note("start and first call", statistics.median(times), "ms", bound=f"at most {START_MILLISECONDS} ms")
    assert statistics.median(times) < START_MILLISECONDS
