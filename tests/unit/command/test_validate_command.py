"""`tunedrop validate`: one JSON document or a text report, and an exit code that says whether the dataset is valid."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.command import exits, main
from local.command.byte_progress import ByteProgress
from tests.unit.dataset.sample_rows import a_row, as_file, good_rows

READY_TO_DROP = Path(__file__).parents[3] / "events/datasets/gsm8k"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    rows: list[Any] = good_rows()
    rows[6] = b"{broken"
    rows[9] = {**a_row(10), "messages": [{"role": "user", "content": "mail jane.doe@corp.example"}]}
    path = tmp_path / "train.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + as_file(rows).getvalue())
    return path


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder as the working directory."""
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")


def test_json_is_one_document_and_the_exit_code_is_0_when_valid(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["validate", str(READY_TO_DROP), "--json", "--grader", "math", "--model", "qwen.qwen3-32b"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert (document["valid"], document["rows"], document["test_rows"]) == (True, 300, 250)
    assert document["findings"] == []
    assert captured.err == ""


def test_what_is_not_valid_is_named_with_its_line_and_ends_with_2(
    broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["validate", str(broken), "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["valid"] is False
    told = {
        (finding["rule"], finding["severity"], finding["line"], finding["field"]) for finding in document["findings"]
    }
    assert told == {
        ("json-syntax", "error", 7, ""),
        ("encoding-bom", "warning", 1, ""),
        ("personal-email", "warning", 10, "messages[0].content"),
    }


def test_the_text_report_has_verdict_findings_and_hints(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["validate", str(broken)]) == 2
    shown = capsys.readouterr().out
    for said in ("Not valid: 1 error", "json-syntax", " 7  a key is missing", "→ ", "What is in it", "Where to start"):
        assert said in shown
    assert "jane.doe" not in shown
    assert all(len(line) <= 110 for line in shown.splitlines())


def test_a_corrected_copy_and_a_page_are_written_when_asked_for(
    broken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = broken.read_bytes()
    copy, page = tmp_path / "copy.jsonl", tmp_path / "findings.html"
    assert main.main(["validate", str(broken), "--corrected", str(copy), "--page", str(page)]) == 2
    assert copy.read_bytes() == before.removeprefix(b"\xef\xbb\xbf")
    assert broken.read_bytes() == before
    assert "json-syntax" in page.read_text(encoding="utf-8")
    assert "mended a byte order mark" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.jsonl"], "nowhere.jsonl cannot be read: No such file or directory"),
        (["."], "has no train.jsonl (it is empty)"),
        (["{broken}", "--test", "nowhere.jsonl"], "nowhere.jsonl cannot be read"),
        (["{broken}", "--model", "gpt-oss-20b"], "--model: 'gpt-oss-20b' cannot be tuned by Bedrock RFT. Did you mean"),
        (["{broken}", "--grader", "maths"], "--grader: There is no grader of kind 'maths'"),
        (["{broken}", "--corrected", "{broken}"], "would overwrite its own source"),
        (["{broken}", "--corrected", "no/where"], "no/where cannot be written"),
        (["-", "--corrected", "copy"], "standard input cannot be read twice"),
    ],
)
def test_what_is_named_and_not_there_is_told_in_a_sentence(
    words: list[str], message: str, broken: Path, elsewhere: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["validate", *(word.format(broken=broken) for word in words)]) == exits.USAGE
    assert message in capsys.readouterr().err


def test_standard_input_is_read_in_a_process_of_its_own() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from local.command.main import main; raise SystemExit(main())",
            "validate",
            "-",
            "--json",
        ],
        input=as_file([*good_rows(), b"[1]"]).getvalue(),
        capture_output=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 2
    assert done.stderr == b""
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["rule"], finding["line"]) == ("row-object", 121)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_shows_after_two_seconds_and_only_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, patience, shows in ((Terminal(), 0.0, True), (Terminal(), 60.0, False), (io.StringIO(), 0.0, False)):
        monkeypatch.setattr("local.command.byte_progress.PATIENCE_SECONDS", patience)
        monkeypatch.setattr(sys, "stderr", stream)
        with ByteProgress("checking", 100) as progress:
            progress(10)
            progress(40)
        assert ("checking" in stream.getvalue()) is shows


def test_the_row_cap_can_be_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "few.jsonl"
    path.write_bytes(as_file(good_rows(3)).getvalue())
    assert main.main(["validate", str(path), "--no-row-cap"]) == 0
    assert main.main(["validate", str(path)]) == 2
    assert "rows-few" in capsys.readouterr().out


def folder_of(path: Path, rows: list[Any], recipe: str | None = None) -> str:
    path.mkdir()
    (path / "train.jsonl").write_bytes(as_file(rows).getvalue())
    if recipe is not None:
        (path / "recipe.yaml").write_text(recipe, encoding="utf-8")
    return str(path)


def test_a_folder_is_looked_at_with_its_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labelled = [{**row, "reference_answer": {"team": "billing"}} for row in good_rows(150)]
    assert main.main(["validate", folder_of(tmp_path / "a", labelled)]) == 2
    told = capsys.readouterr().out
    assert "math, by default" in told
    assert "`grader: {kind: json}` in recipe.yaml can" in told
    assert main.main(["validate", folder_of(tmp_path / "b", labelled, "grader: {kind: json}")]) == 0
    assert main.main(["validate", folder_of(tmp_path / "c", good_rows(100))]) == 2
    assert "none is left to test on" in capsys.readouterr().out


def test_all_that_is_wrong_with_the_recipe_is_told_beside_the_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = "modle: x\ngrader: {kindd: math}\nslices: [chanel]\n"
    rows = [a_row(n, channel="mail") for n in range(1, 150)]
    assert main.main(["validate", folder_of(tmp_path / "a", rows, recipe)]) == 2
    told = " ".join(capsys.readouterr().out.split())
    for said in (
        "`modle` is not known; did you mean `model`?",
        "did you mean `kind`?",
        "did you mean `evaluation.slices`?",
    ):
        assert said in told
    assert "do you mean `channel`?" in told
    assert main.main(["validate", str(tmp_path / "a"), "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["valid"] is False
    assert "modle" in document["recipe"]["recipe_problem"]


def test_a_file_alone_says_what_could_not_be_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(tmp_path / "a", good_rows())
    assert main.main(["validate", f"{folder}/train.jsonl"]) == 0
    assert "Name the folder to check everything that a run would check" in " ".join(capsys.readouterr().out.split())


def test_a_packed_folder_is_told_as_the_same_folder_unpacked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for name, pack in (("plain", bytes), ("packed", gzip.compress)):
        folder = Path(folder_of(tmp_path / name, [*good_rows(), {"messages": []}]))
        text = (folder / "train.jsonl").read_bytes()
        (folder / "train.jsonl").unlink()
        (folder / ("train.jsonl" if name == "plain" else "train.jsonl.gz")).write_bytes(pack(text))
        assert main.main(["validate", str(folder), "--json"]) == 2
        told.append(json.loads(capsys.readouterr().out))
    assert told[0] == told[1]
    assert {finding["line"] for finding in told[0]["findings"] if finding["rule"] == "messages-empty"} == {121}


def test_a_folder_with_a_training_file_packed_and_as_it_is_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(folder_of(tmp_path / "a", good_rows()))
    (folder / "train.jsonl.gz").write_bytes(gzip.compress((folder / "train.jsonl").read_bytes()))
    assert main.main(["validate", str(folder)]) == 64
    assert "keep only one of them" in capsys.readouterr().err


def test_a_broken_packed_file_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed = tmp_path / "train.jsonl.gz"
    packed.write_bytes(b"\x1f\x8b\x08" + bytes(200))
    assert main.main(["validate", str(packed)]) == 2
    told = capsys.readouterr().out
    assert "the packed file is broken" in told
    assert "gzip -k train.jsonl" in told
