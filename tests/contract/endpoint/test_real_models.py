"""`rehearse` and `evaluate` with a model at an endpoint: its own answers, graded here, and said to be so."""

from __future__ import annotations

import gzip
import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.command import exits, places
from local.command.main import main
from tests.contract.endpoint.stand_in import (
    ALWAYS_RIGHT,
    NEVER_RIGHT,
    SOMETIMES_RIGHT,
    StandIn,
    serving,
    sums,
)
from tests.in_prove import in_prove
from tunedrop.graders.own_file import FOLDER_VARIABLE
from tunedrop.sampling import asking

RECIPE = "rehearsal: {prompts: 8, samples: 4}\nevaluation: {max_tokens: 64}\n"


@pytest.fixture
def server() -> Iterator[StandIn]:
    with serving() as started:
        yield started


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(places, "BUILD", tmp_path / "build")
    monkeypatch.setenv(FOLDER_VARIABLE, "")  # which a command sets in its own process
    return sums(tmp_path / "sums", recipe=RECIPE)


def told(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, Any, str]:
    """The exit code, the JSON of the last line, and what people read."""
    code = main([str(word) for word in words])
    out = capsys.readouterr()
    return code, json.loads(out.out.splitlines()[-1]) if out.out else None, out.err


def test_a_rehearsal_asks_the_model_grades_here_and_keeps_every_answer(
    server: StandIn, dataset: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "mine")
    words = ("rehearse", dataset, "--endpoint", server.url, "--model", SOMETIMES_RIGHT, "--json")
    code, document, shown = told(capsys, *words)
    assert (code, document["status"], document["simulated"]) == (0, "GO", False), shown
    assert document["answers_from"] == [f"{SOMETIMES_RIGHT} at {server.url}"]
    assert document["rehearsal"]["mean_reward"] == 0.5
    assert document["rehearsal"]["groups_with_signal"] == 1.0
    assert document["rehearsal"]["reference_reward"] == 1.0
    assert (len(server.asked), server.keys) == (32, {"Bearer mine"})
    assert {each["max_tokens"] for each in server.asked} == {64}
    kept = json.loads((Path(document["folder"]) / "rehearsal.json").read_text())
    assert "make ####" in json.dumps(kept)
    assert kept["answers_from"] == document["answers_from"]
    assert f"Real: the answers of {SOMETIMES_RIGHT}" in shown
    assert "The model is simulated" not in shown
    page = Path(document["page"]).read_text()
    assert document["page"] in shown
    assert f"Real: the answers of {SOMETIMES_RIGHT} at {server.url}, graded on this machine" in html.unescape(page)
    assert "Simulated" not in page
    for part in ("Reward 1", "Reward 0", "What cheats got", "make ####", "Go"):
        assert part in page, part


@pytest.mark.parametrize("beside", [True, in_prove(False)])
def test_a_grader_of_one_s_own_grades_a_real_model_s_answers(
    server: StandIn, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], beside: bool
) -> None:
    """It pays for even sums alone."""
    file = dataset / "grader.py" if beside else tmp_path / "even.py"
    file.write_text(
        '"""even: pays for even sums."""\n\nDEADLINE_SECONDS = 60\n\n\n'
        "def grade(sample):\n    return float(int(sample.answer.split()[-1]) % 2 == 0)\n"
    )
    named = () if beside else ("--grader-file", file)
    words = ("rehearse", dataset, "--endpoint", server.url, "--model", SOMETIMES_RIGHT, *named, "--json")
    code, document, _ = told(capsys, *words)
    assert document["rehearsal"] is not None, document["reason"]
    assert document["rehearsal"]["mean_reward"] == 0.5
    kept = json.loads((Path(document["folder"]) / "rehearsal.json").read_text())
    for group in kept["groups"]:
        for each in group["answers"]:
            assert each["reward"] == (int(each["answer"].split()[-1]) % 2 == 0)
    assert code in (0, 2)


def test_packed_files_are_read_as_those_that_are_not(
    server: StandIn, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("train.jsonl", "test.jsonl"):
        (dataset / f"{name}.gz").write_bytes(gzip.compress((dataset / name).read_bytes()))
        (dataset / name).unlink()
    words = ("evaluate", ALWAYS_RIGHT, dataset, "--endpoint", server.url, "--base", NEVER_RIGHT, "--rows", "8")
    code, result, shown = told(capsys, *words, "--json")
    assert (code, result["comparison"]["pairs"], result["verdict"]) == (0, 8, "improved"), shown


@pytest.mark.parametrize("model", [ALWAYS_RIGHT, NEVER_RIGHT])
def test_a_model_from_which_nothing_can_be_learned_is_rejected(
    server: StandIn, dataset: Path, capsys: pytest.CaptureFixture[str], model: str
) -> None:
    code, document, _ = told(capsys, "rehearse", dataset, "--endpoint", server.url, "--model", model, "--json")
    assert (code, document["status"], document["reason"]["error"]) == (2, "REJECTED", "NoSignal")


def test_an_evaluation_compares_two_models_and_keeps_every_answer(
    server: StandIn, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("evaluate", ALWAYS_RIGHT, dataset, "--endpoint", server.url, "--base", SOMETIMES_RIGHT, "--rows", "20")
    code, result, _ = told(capsys, *words, "--json")
    assert (code, result["verdict"], result["simulated"]) == (0, "improved", False)
    assert result["comparison"]["pairs"] == 20
    assert result["comparison"]["reward"]["difference"] == 0.5
    assert result["candidates"]["base"]["model"] == SOMETIMES_RIGHT
    answers = (Path(result["folder"]) / "answers.jsonl").read_text().splitlines()
    assert len(answers) == 40
    assert main([str(word) for word in words]) == 0
    shown = capsys.readouterr().out
    assert f"base   {SOMETIMES_RIGHT}: mean reward 0.500" in shown
    assert f"Real: the answers of {SOMETIMES_RIGHT} at {server.url} and of {ALWAYS_RIGHT}" in shown


@pytest.mark.parametrize(
    "case",
    [
        ((), "", "name the model that"),
        (("--model", "a"), "grader: {kind: judge, options: {model: b, prompt: c}}", "grader"),
        (("--model", "a"), "grader: {kind: exacct}", "exact"),
    ],
)
def test_what_cannot_be_rehearsed_here_is_said_before_anything_is_asked(
    server: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str], case: tuple[tuple[str, ...], str, str]
) -> None:
    more, recipe, says = case
    folder = sums(tmp_path / "odd", recipe=recipe)
    assert main(["rehearse", str(folder), "--endpoint", server.url, *more]) == 64
    assert says in capsys.readouterr().err
    assert server.asked == []


def test_an_endpoint_that_does_not_answer_is_said(
    dataset: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunedrop.sampling.asking.FIRST_WAIT_SECONDS", 0.001)
    words = ("rehearse", dataset, "--endpoint", "http://127.0.0.1:9/v1", "--model", "a", "--json")
    code, document, _ = told(capsys, *words)
    assert (code, document["status"], document["reason"]["error"]) == (1, "FAILED", "ServiceBusy")


def test_an_endpoint_where_nobody_answers_is_said_without_a_traceback(
    dataset: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "FIRST_WAIT_SECONDS", 0.01)
    url = "http://127.0.0.1:1/v1"
    assert main(["rehearse", str(dataset), "--endpoint", url, "--model", "m"]) == exits.FAILED
    out = capfd.readouterr()
    shown = " ".join(f"{out.out} {out.err}".split())
    assert f"m at {url} gave no answer" in shown
    assert "No answer was graded." in shown
    assert "Traceback" not in shown
    assert main(["rehearse", str(dataset), "--endpoint", "nowhere", "--model", "m"]) == exits.USAGE
    assert "--endpoint takes a URL" in capfd.readouterr().err
