"""How near one shard process comes to the rate that its model allows: 64 questions at once, a second an answer."""

from __future__ import annotations

import sys
import time

from local.stack import LocalStack
from tests.bench.benchmark_page import Note
from tests.bench.planned_run import planned_run

ANSWERS = 1_920
IN_FLIGHT = 64
LATENCY_SECONDS = 1.0


def test_one_shard_process_loses_less_than_a_fourteenth_of_its_models_rate(note: Note) -> None:
    with LocalStack(stepped_schedules=True) as stack:
        run = planned_run(
            stack, rows=ANSWERS, tuned_model="openai.gpt-oss-20b", in_flight=IN_FLIGHT, concurrency=1, max_tokens=512
        )
        assert run.shards == 2
        warm = planned_run(stack, rows=10, tuned_model="openai.gpt-oss-20b")
        warm.evaluate(0)
        stack.bedrock.set_switch("inference_seconds", LATENCY_SECONDS)
        began = time.perf_counter()
        run.evaluate(0)
        seconds = time.perf_counter() - began
    rate, ideal = ANSWERS / seconds, IN_FLIGHT / LATENCY_SECONDS
    share = rate / ideal
    sys.stdout.write(
        f"{ANSWERS:,} answers in {seconds:.2f} s, asked, graded and stored: {rate:.1f} a second, {share:.1%} of ideal\n"
    )
    note(
        f"answers of one EvaluateShard, {IN_FLIGHT} in flight, {LATENCY_SECONDS:g} s an answer",
        rate,
        "a second",
        versus=f"the model's {ideal:g} a second",
        ratio=share,
        bound="at least 93% of them",
    )
    assert share >= 0.93
