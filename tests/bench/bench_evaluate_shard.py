"""How near EvaluateShard comes to the rate that its model allows, and to the SDK that asks and does nothing else."""

from __future__ import annotations

import asyncio
import json
import sys
import time

import pytest
from openai import AsyncOpenAI

from local.stack import LocalStack
from tests.bench.benchmark_page import Note
from tests.bench.planned_run import planned_run, sums

ANSWERS = 1_920
IN_FLIGHT = 64
LATENCY_SECONDS = 1.0
MODEL = "openai.gpt-oss-20b"


def test_one_shard_process_loses_less_than_a_fourteenth_of_its_models_rate(note: Note) -> None:
    with LocalStack(stepped_schedules=True) as stack:
        run = planned_run(stack, rows=ANSWERS, tuned_model=MODEL, in_flight=IN_FLIGHT, concurrency=1, max_tokens=512)
        assert run.shards == 2
        warm = planned_run(stack, rows=10, tuned_model=MODEL)
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


@pytest.mark.parametrize("processes", [1, 4])
def test_shards_ask_nearly_as_fast_as_the_sdk_alone(note: Note, processes: int) -> None:
    """64 questions in flight a process; the SDK asks the same questions, with as many in flight, and grades nothing."""
    in_flight = IN_FLIGHT * processes
    latency = LATENCY_SECONDS * processes  # so that the local Bedrock, on the same two cores, is asked at one rate
    rows = ANSWERS // 2
    with LocalStack(stepped_schedules=True) as stack:
        run = planned_run(
            stack, rows=rows, tuned_model=MODEL, in_flight=IN_FLIGHT, concurrency=processes, max_tokens=512
        )
        planned_run(stack, rows=10 * processes, tuned_model=MODEL, concurrency=processes).evaluate_all(processes)
        stack.bedrock.set_switch("inference_seconds", latency)
        began = time.perf_counter()
        run.evaluate_all(processes)
        ours = time.perf_counter() - began
        began = time.perf_counter()
        asyncio.run(_ask(stack, rows * 2, in_flight))
        sdk = time.perf_counter() - began
    ratio = sdk / ours
    rate = rows * 2 / ours
    sys.stdout.write(f"{in_flight} in flight: {ours:.2f} s, asked, graded and stored; AsyncOpenAI alone {sdk:.2f} s\n")
    note(
        f"answers of {processes} EvaluateShard, {in_flight} in flight in all, {latency:g} s an answer",
        rate,
        "a second",
        versus="AsyncOpenAI, which only asks",
        ratio=ratio,
        bound="at least 0.8x",
    )
    assert ratio >= 0.8


async def _ask(stack: LocalStack, answers: int, in_flight: int) -> None:
    free = asyncio.Semaphore(in_flight)
    questions = [json.loads(line)["messages"] for line in sums(answers // 2)]
    async with AsyncOpenAI(base_url=stack.bedrock.base_url, api_key=stack.bedrock.api_key(), timeout=120) as client:

        async def ask(number: int) -> None:
            async with free:
                await client.chat.completions.create(
                    model=MODEL, messages=questions[number % len(questions)], max_tokens=512
                )

        await asyncio.gather(*(ask(number) for number in range(answers)))
