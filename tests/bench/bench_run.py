"""What a whole run takes and costs, its waits and its training taken away; beside it a script that does the same work.

    .venv/bin/python -m pytest -s tests/bench/bench_run.py

The run goes through the deployed pipeline on this machine, from the upload of its files (100 rows, 20 test rows) to its
notice: Wait states wait for nothing, and the local Bedrock trains and answers at once. The script does by OpenAI's SDK
what nobody can leave out: the file, the job, and the answers of both models; it checks, grades and keeps nothing.

The functions' logs tell their time and memory. Here each has a whole processor, on Lambda its memory's share of one
(docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html). So GB-seconds are told twice: as they are here, and as
if a function never waited for anything but the processor, which is the most that they can be; these are priced. The
price leaves out Bedrock, storage, logs, metrics and the key.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest

from checks.cost import PRICES_OF, Item, dollars
from embedded_aws.calls import Call
from embedded_aws.waiting import until
from local.command.subscriber import subscribe
from local.stack import LocalStack
from tests.bench.benchmark_page import Note
from tests.workflow.pipeline.application import QUICK, TEST, TRAIN, Application
from tunedrop.recipe import Evaluation

RUNS = 5
MODEL = "qwen.qwen3-32b"
MEGABYTES_OF_A_PROCESSOR = 1769
TRANSITIONS_OF_A_SHARD = 3
RECORD_KB = 8
"""Of a run's record, as docs/cost.md counts it: a write has twice that for an index, a read is one of 4 KB."""
MOST_SECONDS, MOST_GB_SECONDS, MOST_TRANSITIONS, MOST_CALLS, MOST_DOLLARS = 5.0, 10.0, 50, 250, 0.003


class Measured(NamedTuple):
    """One run: seconds, GB-seconds here and at most on Lambda, invocations, state transitions, AWS calls by action."""

    seconds: float
    gb_seconds: float
    most_gb_seconds: float
    invocations: int
    transitions: int
    calls: Counter[str]

    def items(self) -> Iterator[Item]:
        """What it costs, in the units of docs/cost.md."""

        def made(*actions: str) -> int:
            return sum(self.calls[action] for action in actions)

        yield Item("Lambda, GB-second on arm64", self.most_gb_seconds, "")
        yield Item("Lambda, request", self.invocations, "")
        yield Item("Step Functions, state transition", self.transitions, "")
        yield Item("S3, write request", made("s3:PutObject", "s3:ListObjectsV2"), "")
        yield Item("S3, read request", made("s3:GetObject", "s3:HeadObject"), "")
        written = made("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem")
        yield Item("DynamoDB, write unit", written * 3 * RECORD_KB, "")
        yield Item("DynamoDB, read unit", made("dynamodb:GetItem", "dynamodb:Query") * RECORD_KB / 4, "")
        yield Item("SNS, request", made("sns:Publish"), "")


def measured_run(application: Application) -> Measured:
    """Take a dataset from its upload to its notice."""
    logs = application.stack.aws.functions.logs.path(application.function("EvaluateShard"))
    before = {path: path.stat().st_size for path in logs.parent.glob("*.log")}
    calls: Counter[str] = Counter()

    def count(call: Call) -> None:
        if call.caller is not None:  # a role of the stack, and not this test
            calls[f"{call.service}:{call.action}"] += 1

    stop = application.stack.aws.calls.observe(count)
    began = time.perf_counter()
    name = application.drop()
    until(lambda: application.notices_of(name), f"the notice of {name}")
    seconds = time.perf_counter() - began
    assert application.end(name)["status"] == "SUCCEEDED"
    arn = application.record(name).execution_arn
    until(lambda: application.states.describe_execution(executionArn=arn)["status"] == "SUCCEEDED", "the end")
    stop()
    told = {path: path.read_text()[before.get(path, 0) :] for path in logs.parent.glob("*.log")}
    billed = [
        (int(milliseconds) / 1000, int(megabytes))
        for milliseconds, megabytes in re.findall(
            r"Billed Duration: (\d+) ms\tMemory Size: (\d+) MB", "".join(told.values())
        )
    ]
    history = application.states.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    entered = sum("stateEnteredEventDetails" in event for event in history)
    return Measured(
        seconds=seconds,
        gb_seconds=sum(each * megabytes for each, megabytes in billed) / 1024,
        most_gb_seconds=sum(each * max(megabytes, MEGABYTES_OF_A_PROCESSOR) for each, megabytes in billed) / 1024,
        invocations=len(billed),
        transitions=entered + TRANSITIONS_OF_A_SHARD * told[logs].count("REPORT RequestId"),
        calls=calls,
    )


def by_script(application: Application) -> float:
    """The same file, job and answers by the SDK alone; seconds."""
    client, asking = application.bedrock, Evaluation()
    grader = {"type": "lambda", "lambda": {"function": application.stack.outputs["GraderPlainArn"]}}
    method = {"type": "reinforcement", "reinforcement": {"grader": grader}}
    questions = [json.loads(line)["messages"] for line in TEST.splitlines()]
    began = time.perf_counter()
    file = client.files.create(file=("train.jsonl", TRAIN), purpose="fine-tune")
    made = client.fine_tuning.jobs.create(model=MODEL, training_file=file.id, extra_body={"method": method})
    until(lambda: client.fine_tuning.jobs.retrieve(made.id).status == "succeeded", "the job")
    tuned = client.fine_tuning.jobs.retrieve(made.id).fine_tuned_model or ""
    with ThreadPoolExecutor(asking.in_flight) as threads:
        for model in (MODEL, tuned):
            list(
                threads.map(
                    lambda messages, model=model: client.chat.completions.create(
                        model=model, messages=messages, max_tokens=asking.max_tokens
                    ),
                    questions,
                )
            )
    return time.perf_counter() - began


@pytest.mark.timeout(900)
def test_a_run_adds_some_seconds_and_costs_a_third_of_a_cent(note: Note) -> None:
    with LocalStack(switches=QUICK, stepped_schedules=True, wait_factor=0.0, parameters={"SettleSeconds": 0}) as stack:
        clients = stack.aws.client("sqs"), stack.aws.client("sns")
        application = Application(stack, subscribe(*clients, stack.outputs["NoticesTopicArn"], "subscriber"))
        measured_run(application)  # whose functions all start anew
        by_script(application)
        runs, scripts = [], []
        for _ in range(RUNS):
            runs.append(measured_run(application))
            scripts.append(by_script(application))
    best, script = min(runs, key=lambda run: run.seconds), min(scripts)
    calls = sum(best.calls.values())
    price = dollars(best.items())
    sys.stdout.write(
        f"a run: {best.seconds:.2f} s (the script {script:.2f} s), {best.gb_seconds:.2f} GB-seconds here and at most "
        f"{best.most_gb_seconds:.2f} on Lambda, {best.invocations} invocations, {best.transitions} transitions, "
        f"{calls} calls, {price:.5f} dollars: "
        + ", ".join(f"{each.unit} {each.dollars:.6f}" for each in best.items())
        + "\n"
    )
    note(
        "upload to notice, waits and training taken away",
        best.seconds,
        "s",
        versus="file, job and answers by OpenAI's SDK",
        ratio=script / best.seconds,
        bound=f"at most {MOST_SECONDS:g} s",
    )
    note("functions' own time at their memory", best.gb_seconds, "GB-seconds")
    note(
        "the same, if all of it is the processor's",
        best.most_gb_seconds,
        "GB-seconds",
        bound=f"at most {MOST_GB_SECONDS:g}",
    )
    note("state transitions", best.transitions, "", bound=f"at most {MOST_TRANSITIONS}")
    note("calls of AWS by its roles, Bedrock's left out", calls, "", bound=f"at most {MOST_CALLS}")
    note(
        f"a thousand such runs, list prices of {PRICES_OF}",
        price * 1000,
        "dollars",
        bound=f"at most {MOST_DOLLARS * 1000:g} dollars",
    )
    assert best.seconds <= MOST_SECONDS
    assert best.most_gb_seconds <= MOST_GB_SECONDS
    assert best.transitions <= MOST_TRANSITIONS
    assert calls <= MOST_CALLS
    assert price <= MOST_DOLLARS
