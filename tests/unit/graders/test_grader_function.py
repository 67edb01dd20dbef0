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

ROOT = Path(__file__).resolve().parents[3]
BATCH = [
    {
        "id": "a",
        "messages": [
            {"role": "user", "content": "secret question"},
            {"role": "assistant", "content": "secret #### 72"},
        ],
        "metadata": {"reference_answer": {"text": "#### 72"}},
    },
    {
        "id": "b",
        "messages": [{"role": "nova_assistant", "content": [{"type": "text", "text": "secret #### 71"}]}],
        "reference_answer": "#### 72",
    },
    {"id": "c", "messages": [{"role": "assistant", "content": "secret"}]},
]


class Context:
    def __init__(self, custom: dict[str, str] | None = None, seconds: float = 300.0) -> None:
        self.client_context = None if custom is None else SimpleNamespace(custom=custom)
        self._seconds = seconds
        self.function_name, self.function_version = "grader-math", "3"

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


def load(monkeypatch: pytest.MonkeyPatch, kind: str, options: dict[str, Any] | None = None) -> ModuleType:
    monkeypatch.setenv("GRADER_KIND", kind)
    monkeypatch.setenv("GRADER_OPTIONS", json.dumps(options) if options else "")
    spec = importlib.util.spec_from_file_location("grader_app", ROOT / "functions" / "grader" / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_batch_is_answered_as_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    told = load(monkeypatch, "math").handler(BATCH, Context())

    assert [(one["id"], one["aggregate_reward_score"]) for one in told] == [("a", 1.0), ("b", 0.0), ("c", 0.0)]
    assert all(set(one) == {"id", "aggregate_reward_score", "metrics_list"} for one in told)
    assert {metric["name"] for metric in told[2]["metrics_list"]} == {"grader_error"}
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_explanations_come_when_the_client_context_asks_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    app = load(monkeypatch, "math")

    assert all("explanation" in one for one in app.handler(BATCH, Context({"tunedrop_explain": "1"})))
    assert not any("explanation" in one for one in app.handler(BATCH, Context({"other": "1"})))


def test_the_options_of_the_environment_are_the_graders(monkeypatch: pytest.MonkeyPatch) -> None:
    app = load(monkeypatch, "math", {"require_format": "boxed"})

    assert [one["aggregate_reward_score"] for one in app.handler(BATCH[:1], Context())] == [0.0]


def test_no_text_of_the_training_data_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        load(monkeypatch, "math").handler(BATCH, Context({"tunedrop_explain": "1"}))

    written = caplog.text + "".join(capfd.readouterr())
    told = json.loads(written)
    assert (told.pop("GradedAnswers"), told.pop("GraderErrors")) == (3, 1)
    assert told.pop("_aws")["CloudWatchMetrics"][0]["Dimensions"] == [["grader"], ["function"]]
    del told["seconds"]
    assert "secret" not in written
    assert "72" not in json.dumps(told)


def test_the_maths_function_imports_nothing_that_slows_its_start() -> None:
    code = """
import os, sys
os.environ["GRADER_KIND"] = "math"
sys.path[:0] = sys.argv[1:]
import app
slow = {"boto3", "botocore", "pydantic", "aws_lambda_powertools", "openai", "sympy", "math_verify", "re2", "rapidfuzz"}
print(sorted(slow & {name.partition(".")[0] for name in sys.modules}))
"""
    paths = [str(ROOT / "functions" / "grader"), str(ROOT / "layers" / "tunedrop" / "python")]
    told = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[]"
