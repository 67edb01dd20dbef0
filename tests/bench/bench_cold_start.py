"""Init and first call of every deployed function, with the layers as they are built: what a run waits for on AWS.

    .venv/bin/python -m pytest -s tests/bench/bench_cold_start.py

Each function starts in a new process as in Lambda: its folder, then the layers, read-only; then the standard library;
its settings of the template; no cache of bytecode but what the layers ship. Beside it stands the same start
without the layers' bytecode. The first call has an event that ends early, after all that the handler imports.
Where the function's role may use Bedrock's OpenAI-compatible endpoint, the first call includes the SDK, a client, and
the part of the client that the function uses: answers of models, or files and jobs.

The fastest of some starts counts, whose files are in the machine's page cache. What is bounded is the processor's time,
interpreter included. How long a processor takes differs by a factor of two, from machine to machine and, where machines
are shared, from hour to hour. So a plain start is measured right before each start: of a function that makes one client
of boto3, asks it for one item, and does nothing else. The median of these pairs tells what is the machine's and what is
the function's. Lambda gives a function a share of a processor in proportion to its memory, one whole at 1,769 MB;
"wall" is the processor's time at that share, computed.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from checks import sam_template
from checks.permissions import listed, statements_of
from embedded_aws import EmbeddedAws
from local.stack import RUNTIME
from tests.bench.benchmark_page import Note
from tests.bench.built_layers import Layers, build, install_boto3, read_only, without_bytecode

ROOT = sam_template.ROOT
STARTS = 8
STARTS_WITHOUT = 2
MOST_LAYER_MB = 120

MEGABYTES_OF_A_PROCESSOR = 1769
"""docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""


MOST_WITH_OPENAI, MOST_OF_MATHS, MOST_OF_OTHERS = 2.3, 0.4, 1.4
"""Usual starts. Where one takes 250 ms or less, these are at most 600, 120 and 350 ms."""

USUAL = """
import sys, time
sys.path[:0] = sys.argv[1:]
import boto3
client = boto3.client("dynamodb")
try:
    client.get_item(TableName="measured", Key={"id": {"S": "1"}})
except client.exceptions.ResourceNotFoundException:
    print(time.process_time() * 1000)
"""
"""What a function of boto3 does before it does anything of its own; it ends as the measured ones do."""

START = """
import json, re, sys, time
from pathlib import Path
began = time.perf_counter()
sys.path[:0] = sys.argv[1:4]
import app
initialised = time.perf_counter()
class Context:
    client_context = None
    function_name = function_version = invoked_function_arn = aws_request_id = "measured"
    memory_limit_in_mb = 512
    def get_remaining_time_in_millis(self):
        return 30_000
answered = "answered"
try:
    app.handler(json.loads(sys.argv[4]), Context())
except Exception as error:
    answered = type(error).__name__
if sys.argv[5]:  # what asks Bedrock imports the SDK when it comes to that; here it does so now
    from tunedrop.openai_sdk import openai
    client = openai.OpenAI(base_url="http://127.0.0.1:1/v1", api_key="measured")
    client.chat.completions if sys.argv[5] == "answers" else (client.files, client.fine_tuning.jobs)
ended = time.perf_counter()
# Not getrusage: its peak is that of the process that this one was forked from.
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
print(json.dumps({"init": (initialised - began) * 1000, "call": (ended - initialised) * 1000, "answered": answered,
                  "openai": "openai" in sys.modules,
                  "processor": time.process_time() * 1000, "megabytes": peak / 1024}))
"""


class Start(NamedTuple):
    """One start: milliseconds, megabytes, and how the first call ended."""

    init: float
    call: float
    answered: str
    openai: bool
    processor: float
    megabytes: float

    @property
    def milliseconds(self) -> float:
        return self.init + self.call


def functions() -> dict[str, dict[str, Any]]:
    """Each function of the translated template: its properties, its folder, and what it asks Bedrock for."""
    source = sam_template.read()
    resources = sam_template.translate(source)["Resources"]
    return {
        name: {
            **each["Properties"],
            "folder": ROOT / source["Resources"][name]["Properties"]["CodeUri"],
            "asks": asked_for(name, statements_of(resources, each["Properties"]["Role"]["Fn::GetAtt"][0])),
        }
        for name, each in resources.items()
        if each["Type"] == "AWS::Lambda::Function"
    }


def asked_for(name: str, statements: Iterable[Mapping[str, Any]]) -> str:
    """What a function with these statements asks Bedrock's OpenAI-compatible endpoint for; empty where it may not."""
    actions = (action for statement in statements for action in listed(statement["Action"]))
    if not any(action.startswith("bedrock-mantle:") for action in actions):
        return ""
    return "answers" if name in ASK_MODELS else "jobs"


def first_event(name: str) -> Any:
    """An event that takes the handler through its imports and its clients, and ends at a record that is not there."""
    if name == "GraderJudge":
        return []  # with a sample it would ask a model
    if name.startswith("Grader"):
        sample = {"role": "assistant", "content": "So #### 72"}
        row = {"reference_answer": {"text": "... #### 72"}, "tunedrop_grader": {"kind": "math"}}
        return [{"id": "1", "messages": [sample], "metadata": row}]
    if name in ("RegisterRun", "InboxWatch"):
        upload = json.loads((ROOT / "events/inbox_upload.json").read_text())
        started = {"execution_arn": EXECUTION, "started_at": "2026-01-01T00:00:00Z"}
        return {"input": upload, **started} if name == "RegisterRun" else upload
    if name == "ReleaseRun":
        return {"input": {"execution_arn": EXECUTION, "run_id": "measured"}}
    if name == "Api":
        caller = {"accountId": "123456789012", "userArn": "arn:aws:sts::123456789012:assumed-role/one/session"}
        context = {"identity": caller, "requestId": "1", "httpMethod": "GET", "path": "/runs/x", "stage": "v1"}
        return {"httpMethod": "GET", "path": "/runs/x", "resource": "/runs/{run_id}", "headers": {}} | {
            "pathParameters": {"run_id": "x"},
            "queryStringParameters": None,
            "requestContext": context,
            "body": None,
            "isBase64Encoded": False,
        }
    return {"run_id": "measured", "shard": 0, "validation_id": "measured"}


ASK_MODELS = frozenset({"RehearseGrader", "EvaluateShard", "GraderJudge"})
"""The functions that ask a model; the others of Bedrock's ask for files and jobs."""

ENDS = frozenset({"answered", "ResourceNotFoundException", "ExecutionDoesNotExist"})
"""How a first call ends that has come as far as AWS: what it asks for is not there."""

EXECUTION = "arn:aws:states:us-west-2:123456789012:execution:measured:measured"


def start(function: dict[str, Any], event: Any, endpoint: str, layers: Layers, before: list[str]) -> Start:
    """Start the function's process once and call it once. `before`: what makes the layers read-only for it."""
    variables = {
        name: value if isinstance(value, str) else "measured"
        for name, value in function["Environment"]["Variables"].items()
    }
    numbers = {name: "1" for name in variables if name.endswith(("_SECONDS", "_QUOTA", "_AT_ONCE", "_PER_MINUTE"))}
    given = {"GRADERS": "{}", "TEAMS": "{}", "MANTLE_BASE_URL": f"{endpoint}/v1", "ALLOWED_GRADERS": ""}
    given |= {"BEDROCK_API_KEY_SECRET": ""}
    environment = {**variables, **numbers, **{name: value for name, value in given.items() if name in variables}}
    words = [str(function["folder"]), *map(str, layers.folders), json.dumps(event), function["asks"]]
    return Start(**json.loads(last_line([*before, *INTERPRETER, START, *words], environment, endpoint)))


def usual_start(endpoint: str, packages: Path) -> float:
    """Milliseconds of processor time that a usual start takes with these packages."""
    return float(last_line([*INTERPRETER, USUAL, str(packages)], {}, endpoint))


INTERPRETER = [getattr(sys, "_base_executable", None) or sys.executable, "-I", "-S", "-c"]
"""Without this environment's packages."""


def last_line(words: list[str], environment: dict[str, str], endpoint: str) -> str:
    """The last line that a new process prints, which has AWS at this endpoint."""
    aws = {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-west-2", "AWS_DEFAULT_REGION": "us-west-2"}
    aws |= {
        "AWS_ACCESS_KEY_ID": "measured",
        "AWS_SECRET_ACCESS_KEY": "measured",
        "AWS_LAMBDA_FUNCTION_NAME": "measured",
    }
    ended = subprocess.run(
        words, env={"PATH": os.environ["PATH"], **environment, **aws}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()[-1]


@pytest.mark.timeout(1500)
def test_every_function_starts_in_time(note: Note, tmp_path: Path) -> None:
    if sys.version_info[:2] != (3, 13):
        pytest.skip("the layers hold bytecode of Python 3.13, so that no other Python can show what they cost")
    layers = build(tmp_path / "layers")
    modules = layers.modules()
    usual_packages = install_boto3(tmp_path / "usual")
    builds = {True: layers, False: without_bytecode(layers, tmp_path / "without")}
    head = ("function", "memory", "processor: without", "with", "wall: without", "with", "uses", "usual", "ended")
    lines = ["{:16} {:>7} {:>19} {:>8} {:>14} {:>8} {:>7}  {:>5}  {}".format(*head)]
    late = []
    with EmbeddedAws(
        region="us-west-2", runtime=RUNTIME, folder=tmp_path / "aws", code_folder=tmp_path / "code"
    ) as aws:
        deployed = functions()
        before = {which: read_only(each) for which, each in builds.items()}
        # By turns, so that some slow seconds of the machine are not all starts of one function.
        usual: dict[str, list[float]] = {name: [] for name in deployed}
        turns: dict[bool, list[dict[str, Start]]] = {True: [], False: []}
        for number in range(STARTS):
            for which in (True, False) if number < STARTS_WITHOUT else (True,):
                turns[which].append({})
                for name, each in deployed.items():
                    if which:
                        usual[name].append(usual_start(aws.endpoint, usual_packages))
                    turns[which][-1][name] = start(each, first_event(name), aws.endpoint, builds[which], before[which])
    note(
        "a usual start: a client of boto3 as pip installs it, and one call", min(itertools.chain(*usual.values())), "ms"
    )
    for name, function in deployed.items():
        best, without = (
            min((turn[name] for turn in turns[which]), key=lambda each: each.processor) for which in (True, False)
        )
        assert best.answered in ENDS, f"{name} ended early, as {best.answered}: what it imports later was not measured"
        slower = max(1.0, MEGABYTES_OF_A_PROCESSOR / function["MemorySize"])
        starts = [turn[name].processor for turn in turns[True]]
        usual_starts = statistics.median(mine / its for mine, its in zip(starts, usual[name], strict=True))
        most = MOST_OF_MATHS if name == "GraderPlain" else MOST_WITH_OPENAI if best.openai else MOST_OF_OTHERS
        lines.append(
            f"{name:16} {function['MemorySize']:4} MB {without.processor:16.0f} ms {best.processor:5.0f} ms "
            f"{without.processor * slower:11.0f} ms {best.processor * slower:5.0f} ms {best.megabytes:4.0f} MB  "
            f"{usual_starts:5.2f}  "
            f"{best.answered}{', openai' if best.openai else ''}"
        )
        note(
            f"{name}: init and first call",
            best.processor,
            "ms",
            versus="a usual start",
            ratio=1 / usual_starts,
            bound=f"at most {most} usual starts",
        )
        note(
            f"{name}: the same at its {function['MemorySize']} MB",
            best.processor * slower,
            "ms",
            versus="layers without bytecode",
            ratio=without.processor / best.processor,
        )
        if usual_starts >= most:
            late.append(f"{name}: {usual_starts:.2f} usual starts, at most {most} ({best.processor:.0f} ms)")
    size = layers.megabytes()
    lines.append(f"both layers, unzipped: {size:.0f} MB of at most {MOST_LAYER_MB}, {modules} modules with bytecode")
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
    note("both layers, unzipped", size, "MB", bound=f"at most {MOST_LAYER_MB} MB")
    assert modules > 0
    assert (layers.modules(), builds[False].modules()) == (modules, 0), "the layers could be written to"
    assert size < MOST_LAYER_MB
    assert late == []
