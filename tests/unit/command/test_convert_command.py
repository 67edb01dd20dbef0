"""`tunedrop convert`: a whole file in the service's format, or nothing and the line that is why."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from local.command import exits, main
from local.conversion import Source

PUBLISHED = Path(__file__).parents[2] / "data/gsm8k/train.jsonl.gz"
READY_TO_DROP = Path(__file__).parents[3] / "events/datasets/gsm8k"


def test_gsm8k_s_published_rows_become_the_folder_that_is_ready_to_drop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw, output = tmp_path / "raw.jsonl", tmp_path / "train.jsonl"
    raw.write_bytes(gzip.decompress(PUBLISHED.read_bytes()))
    prompt = '{question} Let\'s think step by step and output the final answer after "####".'
    words = ["convert", str(raw), "--output", str(output), "--rows", "300", "--final-answer-after", "####"]
    assert main.main([*words, "--prompt", prompt]) == 0
    assert output.read_bytes() == (READY_TO_DROP / "train.jsonl").read_bytes()
    assert capsys.readouterr().out.splitlines() == [
        f"Wrote {output}: 300 rows.",
        "Read as question/answer rows from JSON Lines.",
        "reference_answer is made of `answer`.",
    ]


def test_a_row_that_cannot_be_turned_leaves_the_output_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw, output = tmp_path / "raw.csv", tmp_path / "train.jsonl"
    raw.write_text("question,answer\na,b\nc\n", encoding="utf-8")
    output.write_text("before", encoding="utf-8")
    assert main.main(["convert", str(raw), "--output", str(output)]) == exits.REJECTED
    assert "line 3: expected 2 columns, as in the header, got 1;" in capsys.readouterr().err
    assert output.read_text(encoding="utf-8") == "before"
    assert {path.name for path in tmp_path.iterdir()} == {"raw.csv", "train.jsonl"}


def test_a_csv_is_told_by_its_name(tmp_path: Path) -> None:
    raw, output = tmp_path / "raw.csv", tmp_path / "train.jsonl"
    raw.write_text("text,label\nIt broke.,bug\n", encoding="utf-8")
    words = ["convert", str(raw), "--output", str(output), "--prompt", "Classify: {text}", "--answer", "label"]
    assert main.main(words) == 0
    assert output.read_text(encoding="utf-8") == (
        '{"messages":[{"role":"user","content":"Classify: It broke."}],"reference_answer":"bug"}\n'
    )


@pytest.mark.parametrize("words", [["nowhere.jsonl", "--output", "x"], ["{raw}", "--output", "no/where/x"]])
def test_a_file_that_is_not_there_is_told(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = tmp_path / "raw.jsonl"
    raw.write_text('{"question":"a","answer":"b"}\n', encoding="utf-8")
    assert main.main(["convert", *(word.format(raw=raw) for word in words)]) == exits.USAGE
    assert "No such file or directory" in capsys.readouterr().err


def test_a_folder_as_the_output_is_told_with_a_name_for_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["convert", "x.csv", "--output", str(tmp_path)]) == exits.USAGE
    assert f"{tmp_path} is a folder; name the file to write, such as {tmp_path}/train.jsonl" in capsys.readouterr().err


def test_what_is_left_out_is_said_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw, output = tmp_path / "raw.csv", tmp_path / "train.jsonl"
    raw.write_text("question,answer,name,id\na,b,Ann,1\nc,,Ann,2\n", encoding="utf-8")
    words = ["convert", str(raw), "--output", str(output)]
    assert main.main([*words, "--drop", "nmae", "--skip-blank-answers"]) == exits.REJECTED
    assert "do you mean 'name'? Nothing was written." in capsys.readouterr().err
    assert main.main([*words, "--drop", "name, id", "--skip-blank-answers"]) == 0
    assert output.read_text(encoding="utf-8").endswith('"reference_answer":"b"}\n')
    assert "Left out: 1 x row with a blank answer." in capsys.readouterr().out


@pytest.mark.parametrize("count", ["0", "-1", "many"])
def test_a_number_of_rows_below_1_is_refused(count: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(["convert", "x", "--output", str(tmp_path / "y"), "--rows", count])
    assert ended.value.code == exits.USAGE


def test_each_format_can_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("auto", "csv", *Source):
        words = ["convert", str(tmp_path / "nowhere"), "--output", str(tmp_path / "y"), "--from", name]
        assert main.main(words) == exits.USAGE
        assert "No such file" in capsys.readouterr().err
