"""Runs that lie on this machine: found, compared, and their models asked again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.command import exits, kept_runs, main, places
from local.command.compare import side_by_side
from local.command.dataset_folder import DatasetFolder
from local.command.differences import SHOWN, changes, in_words, p_value, told_apart
from local.command.evaluate import kept_model, model_of, with_model
from tests.in_prove import in_prove
from tests.unit.command.kept_run_folder import ROWS, keep_run, leave_only_the_report
from tests.unit.reporting.sample_run import a_rejected_run, a_run
from tunedrop.reporting import row_texts
from tunedrop.reporting.report import build_report
from tunedrop.reporting.row_texts import Limits


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of build/runs."""
    folder = tmp_path / "runs"
    monkeypatch.setattr(places, "RUNS", folder)
    return folder


def told(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """What a command prints as JSON."""
    assert main.main([*words, "--json"]) == 0
    line: dict[str, Any] = json.loads(capsys.readouterr().out)
    return line


def test_a_report_is_found_by_the_beginning_of_its_runs_id(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = keep_run(runs, "sums-0123")
    keep_run(runs, "words-4567")
    found = told(capsys, "report", "sums")
    assert (found["run_id"], found["verdict"], found["simulated"]) == ("sums-0123", "improved", True)
    assert found["report"] == str(folder / "report.html")
    assert told(capsys, "report", str(folder))["run_id"] == "sums-0123"
    assert told(capsys, "report")["run_id"] == "words-4567", "the last one"
    assert main.main(["report", "sums"]) == 0
    shown = capsys.readouterr().out
    assert str(folder / "report.html") in shown
    assert "Simulated" in shown


def test_a_name_that_several_runs_have_means_the_latest_of_them(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for age, run_id in ((2, "sums-9"), (1, "sums-1"), (3, "sums-5")):
        report = keep_run(runs, run_id, name="sums") / "report.json"
        os.utime(report, (1_000 - age, 1_000 - age))
    keep_run(runs, "sums-more-1", name="sums-more")
    assert told(capsys, "report", "sums")["run_id"] == "sums-1"


@pytest.mark.parametrize(("name", "why"), [("s", "several runs begin with 's'"), ("x", "there is no run 'x'")])
def test_a_run_that_cannot_be_told_is_an_error_that_names_those_that_there_are(
    runs: Path, name: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    keep_run(runs, "sums-1")
    keep_run(runs, "sums-2")
    assert main.main(["report", name]) == exits.USAGE
    complaint = capsys.readouterr().err
    assert why in complaint
    assert "sums-1" in complaint


def test_without_any_run_the_error_says_how_one_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["report"]) == exits.USAGE
    assert "tunedrop demo" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../../planted", "a/../../../planted", "/planted"])
def test_no_object_of_a_run_is_written_outside_of_its_folder(aws: None, runs: Path, tmp_path: Path, name: str) -> None:
    client = boto3.client("s3")
    client.create_bucket(Bucket="runs", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    name = name if name[0] != "/" else str(tmp_path / "planted")
    for key in ("report.json", name):
        client.put_object(Bucket="runs", Key=f"runs/sums-1/{key}", Body=json.dumps(build_report(a_run())).encode())
    with pytest.raises(exits.CommandError, match="would be written outside of"):
        kept_runs.fetch("runs", "sums-1")
    assert list(tmp_path.rglob("planted")) == []


def test_a_run_of_a_deployed_stack_is_fetched_from_its_bucket(aws: None, runs: Path) -> None:
    client = boto3.client("s3")
    client.create_bucket(Bucket="runs", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    with pytest.raises(exits.UsageError, match="runs/sums-1/report.json does not exist"):
        kept_runs.fetch("runs", "sums-1")
    client.put_object(Bucket="runs", Key="runs/sums-1/report.json", Body=json.dumps(build_report(a_run())).encode())
    client.put_object(Bucket="runs", Key="runs/sums-1/evaluation/answers/00000/00000.jsonl", Body=b"{}")
    fetched = kept_runs.fetch("runs", "sums-1")
    assert fetched.folder == runs / "sums-1"
    assert (fetched.folder / "evaluation/answers/00000/00000.jsonl").read_bytes() == b"{}"


def test_two_runs_are_compared_on_the_rows_that_both_asked(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep_run(runs, "first", right=0.4)
    keep_run(runs, "second", right=0.8, rows=range(20, ROWS))
    keep_run(runs, "elsewhere", rows=range(1_000, 1_010))
    compared = told(capsys, "compare", "first", "second")
    assert compared["simulated"]
    assert compared["tuned"]["pairs"] == ROWS - 20
    assert compared["tuned"]["reward"]["low"] > 0
    assert compared["tuned"]["reward"]["p_value"] < 0.001
    assert [run["run_id"] for run in compared["runs"]] == ["first", "second"]
    assert told(capsys, "compare", "first", "elsewhere")["tuned"] is None
    assert main.main(["compare", "first", "second"]) == 0
    shown = capsys.readouterr().out
    assert "100 rows" in shown
    assert shown.startswith("Simulated")


def test_a_run_against_itself_differs_in_nothing(runs: Path) -> None:
    run = kept_runs.find(str(keep_run(runs, "sums")))
    compared = side_by_side(run, run)
    assert compared["changed"] == {}
    assert compared["tuned"]["reward"]["difference"] == 0
    assert compared["tuned"]["reward"]["p_value"] == 1


def test_a_grader_that_was_changed_is_named(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep_run(runs, "first", grader={"kind": "math", "arn": "grader:1"})
    keep_run(runs, "second", grader={"kind": "math", "arn": "grader:2"})
    assert told(capsys, "compare", "first", "second")["changed"]["grader.arn"] == ["grader:1", "grader:2"]
    main.main(["compare", "first", "second"])
    assert "The graders differ" in capsys.readouterr().out


def test_a_run_that_was_rejected_can_be_compared_and_says_so(runs: Path) -> None:
    keep_run(runs, "first")
    rejected = runs / "rejected"
    rejected.mkdir()
    (rejected / "report.json").write_text(json.dumps(build_report(a_rejected_run())))
    compared = side_by_side(kept_runs.find("first"), kept_runs.find("rejected"))
    assert compared["tuned"] is compared["base"] is None
    assert compared["runs"][1]["status"] == "REJECTED"


def test_the_models_figures_are_told_with_their_mean_rewards(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep_run(runs, "first")
    keep_run(runs, "second")
    for run in told(capsys, "compare", "first", "second")["runs"]:
        for figures in run["models"].values():
            assert 0 < figures["mean_reward"] < 1
            assert 0 < figures["accuracy"] < 1


def test_up_to_five_runs_are_compared_with_the_first(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, right in (("a1", 0.3), ("b2", 0.6), ("c3", 0.9)):
        keep_run(runs, name, right=right)
    compared = told(capsys, "compare", "a1", "b2", "c3")
    differences = [each["tuned"]["reward"]["difference"] for each in compared["comparisons"]]
    assert 0 < differences[0] < differences[1]
    assert [each["run_id"] for each in compared["comparisons"]] == ["b2", "c3"]
    assert main.main(["compare", "a1", "b2", "c3"]) == 0
    shown = capsys.readouterr().out
    assert "changed between first and third" in shown
    assert "third compared with first" in shown
    assert main.main(["compare", *["a1"] * 6]) == exits.USAGE
    assert "at most 5 runs" in capsys.readouterr().err


def test_the_page_of_a_comparison_has_every_shared_row_with_all_answers(runs: Path, tmp_path: Path) -> None:
    for name, right in (("a1", 0.3), ("b2", 0.9)):
        keep_run(runs, name, right=right)
    assert main.main(["compare", "a1", "b2", "--page", str(tmp_path)]) == 0
    page = (tmp_path / "compare.html").read_text()
    texts = json.loads(page.partition('id="row-texts">')[2].partition("</script>")[0])
    assert len(texts) == ROWS
    assert all([answer[0] for answer in row[4]] == [0, 1] for row in texts)
    index = json.loads(page.partition('id="data">')[2].partition("</script>")[0])["rows"]
    assert index["states"].count("g") > 0.5 * ROWS
    assert "default-src &#39;none&#39;" in page


@pytest.mark.parametrize("small", [in_prove(True), False])
def test_runs_of_which_only_the_reports_are_here_are_compared_alike(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: bool
) -> None:
    if not small:
        for name in ("PAGE_BYTES", "FILE_BYTES"):
            monkeypatch.setattr(row_texts, name, 3_000)
    folders = [keep_run(runs, name, right=right) for name, right in (("a1", 0.3), ("b2", 0.9), ("c3", 0.6))]
    with_files = side_by_side(*map(kept_runs.find, ("a1", "b2", "c3")))
    for folder in folders[:2]:
        leave_only_the_report(folder)
        assert bool(list((folder / "report_rows").iterdir())) is not small
    assert side_by_side(*map(kept_runs.find, ("a1", "b2", "c3"))) == with_files
    assert with_files["tuned"]["pairs"] == ROWS
    assert with_files["all_answers"]
    assert main.main(["compare", "a1", "b2", "--page", str(tmp_path)]) == 0
    page = (tmp_path / "compare.html").read_text()
    index = json.loads(page.partition('id="data">')[2].partition("</script>")[0])["rows"]
    assert index["rows"] == ROWS
    assert "prompt 17" in page + "".join(each.read_text() for each in tmp_path.glob("report_rows/*"))


def test_a_report_that_has_not_every_answer_and_rows_that_are_cut_are_told(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a1", "b2"):
        leave_only_the_report(keep_run(runs, name), limits=Limits(answer=300, row=10), samples=8)
    compared = told(capsys, "compare", "a1", "b2")
    assert compared["tuned"]["pairs"] == ROWS
    assert not compared["all_answers"]
    assert main.main(["compare", "a1", "b2"]) == 0
    assert "only the first 4 answers to a row are compared" in capsys.readouterr().out


def test_two_arns_that_differ_at_their_ends_are_not_told_as_one_text() -> None:
    start = "arn:aws:lambda:us-west-2:123456789012:function:tunedrop-dev-GraderPlain-0123456789ab:"
    was, now = told_apart(f"{start}3", f"{start}12")
    assert was != now
    assert was.endswith(':3"')
    assert now.endswith(':12"')
    assert max(len(was), len(now)) < SHOWN
    long = "x" * 200
    assert told_apart(f"{long}a{long}", f"{long}b{long}")[0].endswith("…")
    assert in_words("train", "ab", "cd").startswith("the training file has other contents")
    assert told_apart(None, 1) == ("null", "1")


def test_changes_are_named_by_their_path() -> None:
    assert changes({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}, "d": None}) == {"a.c": [2, 3]}


def test_a_recipe_is_changed_so_that_a_model_is_evaluated_and_nothing_trained(runs: Path, tmp_path: Path) -> None:
    keep_run(runs, "sums-1", tuned_model="ft:1")
    folder = tmp_path / "sums"
    folder.mkdir()
    (folder / "train.jsonl").write_bytes(b"{}\n")
    (folder / "test.jsonl").write_bytes(b"{}\n")
    (folder / "recipe.yaml").write_text("resumes: sums-0\nevaluation: {samples: 2}\n")
    changed = with_model(DatasetFolder.open(folder), model_of("sums-1"), tmp_path)
    assert [each.name for each in changed.siblings] == ["test.jsonl", "recipe.json"]
    assert json.loads(changed.siblings[1].read_bytes()) == {"evaluation": {"samples": 2}, "evaluate_only": "ft:1"}
    assert model_of("qwen.qwen3-32b") == "qwen.qwen3-32b"


def test_a_simulated_model_is_found_again_by_its_id(runs: Path) -> None:
    folder = keep_run(runs, "sums-1")
    assert kept_model("ft:1") is None
    (folder / "kept_model.json").write_text('{"model": "ft:1", "base": "openai.gpt-oss-20b"}')
    assert kept_model("ft:1") == {"model": "ft:1", "base": "openai.gpt-oss-20b"}
    assert kept_model("ft:2") is None


def test_a_run_is_not_compared_with_itself(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep_run(runs, "sums-1", name="sums", rows=range(2))
    os.utime(runs / "sums-1/report.json", (1, 1))
    keep_run(runs, "sums-2", name="sums", rows=range(2))
    assert main.main(["compare", "sums", "sums"]) == exits.USAGE
    error = capsys.readouterr().err
    assert "run sums-2 is named twice" in error
    assert "the runs of that name: sums-2, sums-1" in error
    assert main.main(["compare", "sums-1", "sums", "--json"]) == 0


def test_a_hash_is_told_by_its_beginning_and_a_p_value_never_as_0() -> None:
    assert in_words("train", "ab" * 32, "cd" * 32).endswith(": abababababababab… -> cdcdcdcdcdcdcdcd…")
    assert (p_value(0.00004), p_value(0.25)) == ("p < 0.0001", "p = 0.2500")
