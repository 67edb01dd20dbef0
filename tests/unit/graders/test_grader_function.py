"""The deployed grader function: what it answers, what it imports, and what it writes to its log."""

from __future__ import annotations

import importlib.util
import json
import logging
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tunedrop.graders.deployed import LAYOUTS, wire_form
from tunedrop.graders.graded import Layout, Rollout

ROOT = Path(__file__).resolve().parents[3]
BATCH = [
    {
        "id": "a",
        "messages": [
            {"role": "user", "content": "secret question"},
            {"role": "assistant", "content": "secret #### 72"},
        ],
        "metadata": {"reference_answer": {"text": "#### 72"}, "tunedrop_grader": {"kind": "math"}},
    },
    {
        "id": "b",
        "messages": [{"role": "nova_assistant", "content": [{"type": "text", "text": "secret #### 71"}]}],
        "reference_answer": "#### 72",
        "tunedrop_grader": {"kind": "math"},
    },
    {"id": "c", "messages": [{"role": "assistant", "content": "secret"}], "tunedrop_grader": {"kind": "math"}},
]


class Context:
    def __init__(self, custom: dict[str, str] | None = None, seconds: float = 300.0) -> None:
        self.client_context = None if custom is None else SimpleNamespace(custom=custom)
        self._seconds = seconds
        self.function_name, self.function_version = "grader-plain", "3"

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


def load(monkeypatch: pytest.MonkeyPatch, trust: str) -> ModuleType:
    monkeypatch.setenv("GRADER_TRUST", trust)
    spec = importlib.util.spec_from_file_location("grader_app", ROOT / "functions" / "grader" / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_batch_is_answered_as_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    told = load(monkeypatch, "plain").handler(BATCH, Context())

    assert [(one["id"], one["aggregate_reward_score"]) for one in told] == [("a", 1.0), ("b", 0.0), ("c", 0.0)]
    assert all(set(one) == {"id", "aggregate_reward_score", "metrics_list"} for one in told)
    assert {metric["name"] for metric in told[2]["metrics_list"]} == {"grader_error"}
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_explanations_come_when_the_client_context_asks_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    app = load(monkeypatch, "plain")

    assert all("explanation" in one for one in app.handler(BATCH, Context({"tunedrop_explain": "1"})))
    assert not any("explanation" in one for one in app.handler(BATCH, Context({"other": "1"})))


WRONG_GRADERS: list[tuple[str, Any]] = [
    ("names no kind", None),
    ("names no kind", {}),
    ("names no kind", {"thoughts": "keep"}),
    ("names no kind", {"kind": ["math"]}),
    ("must be an object", "math"),
    ("no grader of kind 'maths'", {"kind": "maths"}),
    ("no option", {"kind": "math", "labels": ["a"]}),
    ("the kind 'code': it needs the code grader function", {"kind": "code"}),
    ("the kind 'judge': it needs the judge grader function", {"kind": "judge"}),
    ("the kind 'judge'", {"kind": "composite", "parts": {"a": {"kind": "exact"}, "b": {"kind": "judge"}}}),
    ("the kind 'code'", {"kind": "composite", "parts": {"a": {"kind": "code"}}}),
    ("the kind 'judge'", {"kind": "composite", "type": "score_model", "model": "x", "input": [{"role": "user"}]}),
]


def in_layout(layout: Layout, row: dict[str, Any]) -> dict[str, Any]:
    rollout = Rollout("x", {"messages": [{"role": "user", "content": "?"}], **row}, "So #### 72")
    read: dict[str, Any] = json.loads(json.dumps(wire_form(rollout, layout)))
    return read


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_row_names_its_grader_in_every_layout(monkeypatch: pytest.MonkeyPatch, layout: Layout) -> None:
    app = load(monkeypatch, "plain")
    rows = [
        {"reference_answer": "#### 72", "tunedrop_grader": {"kind": "math"}},
        {"reference_answer": "#### 72", "tunedrop_grader": {"kind": "math", "require_format": "boxed"}},
        {"reference_answer": "So #### 72", "tunedrop_grader": {"kind": "exact"}},
    ]
    told = app.handler([in_layout(layout, row) for row in rows], Context())
    assert [one["aggregate_reward_score"] for one in told] == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_row_without_a_grader_that_the_function_may_run_is_a_named_error(
    monkeypatch: pytest.MonkeyPatch, layout: Layout
) -> None:
    app = load(monkeypatch, "plain")
    rows = [{"reference_answer": "#### 72", "tunedrop_grader": named} for _, named in WRONG_GRADERS]
    del rows[0]["tunedrop_grader"]
    told = app.handler([in_layout(layout, row) for row in rows], Context({"tunedrop_explain": "1"}))
    for (said, _), one in zip(WRONG_GRADERS, told, strict=True):
        assert {each["name"] for each in one["metrics_list"]} == {"grader_error", "grader_refused"}, one
        assert said in one["explanation"]


@pytest.mark.parametrize(("trust", "other"), [("code", "judge"), ("judge", "code")])
def test_a_function_runs_plain_kinds_and_its_own_but_no_others(
    monkeypatch: pytest.MonkeyPatch, trust: str, other: str
) -> None:
    app = load(monkeypatch, trust)
    rows = [{"reference_answer": "So #### 72", "tunedrop_grader": {"kind": kind}} for kind in ("exact", other)]
    told = app.handler([in_layout("row", row) for row in rows], Context())
    assert [one["aggregate_reward_score"] for one in told] == [1.0, 0.0]
    assert "grader_refused" in {each["name"] for each in told[1]["metrics_list"]}


def test_no_text_of_the_training_data_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        load(monkeypatch, "plain").handler(BATCH, Context({"tunedrop_explain": "1"}))

    written = caplog.text + "".join(capfd.readouterr())
    told = json.loads(written)
    assert (told.pop("GradedAnswers"), told.pop("GraderErrors")) == (3, 1)
    assert told.pop("_aws")["CloudWatchMetrics"][0]["Dimensions"] == [["grader"], ["function"]]
    del told["seconds"]
    assert "secret" not in written
    assert "72" not in json.dumps(told)


def test_the_plain_function_imports_nothing_that_slows_its_start() -> None:
    code = """
import os, sys
os.environ["GRADER_TRUST"] = "plain"
sys.path[:0] = sys.argv[1:]
import app
class Context:
    client_context = None
    function_name, function_version = "grader", "1"
    def get_remaining_time_in_millis(self):
        return 300_000
began = {name for name in sys.modules if name.startswith("tunedrop.graders.")}
app.handler([{"id": "1", "messages": [{"role": "assistant", "content": "So #### 72"}], "reference_answer": "72",
              "tunedrop_grader": {"kind": "math"}}], Context())
assert "tunedrop.graders.math.grader" in sys.modules
print(sorted(began & {"tunedrop.graders.math", "tunedrop.graders.composite", "tunedrop.graders.judge"}))
slow = {"boto3", "botocore", "pydantic", "aws_lambda_powertools", "openai", "sympy", "math_verify", "re2", "rapidfuzz"}
print(sorted(slow & {name.partition(".")[0] for name in sys.modules}))
"""
    paths = [str(ROOT / "functions" / "grader"), str(ROOT / "layers" / "tunedrop" / "python")]
    told = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True)

    _, before, after = told.stdout.splitlines()
    assert (before, after) == ("[]", "[]")
