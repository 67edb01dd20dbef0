"""docs/own-graders.md: each grader on the page does what the page says."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from tunedrop.graders.own import try_out
from tunedrop.graders.sample import OptionsError

PAGE = (Path(__file__).resolve().parents[3] / "docs/own-graders.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```python\n# (\S+)\n(.*?)```\n(?=\n|\Z)", re.DOTALL)
FILES = dict(BLOCK.findall(PAGE))


@pytest.fixture
def page(tmp_path: Path) -> Path:
    for name, source in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return tmp_path


def test_the_page_has_the_four_examples() -> None:
    assert set(FILES) == {"graders/brief.py", "graders/sql_rows.py", "graders/worked_out.py", "judge/app.py"}


@pytest.mark.parametrize(
    ("answer", "options", "reward"),
    [("It is Paris.", {}, 1.0), ("It is Rome.", {}, 0.0), ("Paris it is, I think.", {"words": 3}, 0.0)],
)
def test_the_first_grader_pays_short_right_answers(
    page: Path, answer: str, options: dict[str, Any], reward: float
) -> None:
    assert try_out(page / "graders/brief.py", answer, "Paris", options=options).reward == reward


def test_the_first_grader_refuses_options_and_references_that_it_does_not_know(page: Path) -> None:
    with pytest.raises(OptionsError, match="has no option 'wrods'; it has words"):
        try_out(page / "graders/brief.py", "Paris", "Paris", options={"wrods": 3})
    with pytest.raises(ValueError, match="must be a text"):
        try_out(page / "graders/brief.py", "Paris", 7)


SCHEMA = "CREATE TABLE city(name TEXT, people INT); INSERT INTO city VALUES ('Oslo', 7), ('Rome', 28), ('Bern', 1);"


@pytest.mark.parametrize(
    ("answer", "reward"),
    [
        ("```sql\nSELECT name FROM city WHERE people > 5\n```", 1.0),
        ("SELECT name FROM city WHERE NOT people <= 5 ORDER BY name DESC", 1.0),
        ("SELECT name FROM city", 0.0),
        ("SELECT nam FROM city", 0.0),
        ("I cannot say.", 0.0),
        ("DROP TABLE city", 0.0),
        ("ATTACH DATABASE 'FOLDER/mark' AS other", 0.0),
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n", 0.0),
        ("", 0.0),
    ],
)
def test_the_executable_check_pays_the_query_with_the_right_rows(page: Path, answer: str, reward: float) -> None:
    query = "SELECT name FROM city WHERE people > 5"
    graded = try_out(page / "graders/sql_rows.py", answer.replace("FOLDER", str(page)), query, row={"schema": SCHEMA})
    assert graded.reward == reward
    assert not (page / "mark").exists()


@pytest.mark.parametrize(
    ("answer", "reward"),
    [
        ("3 * 6 = 18 and 18 + 2 = 20.\n#### 20", 1.0),
        ("#### 20", 0.85),
        ("3 * 6 = 18 and 18 + 2 = 20.\n#### 19", 0.0),
        ("#### 20" + " so" * 300, 0.8),
    ],
)
def test_the_weighted_mix_pays_work_only_beside_a_right_number(page: Path, answer: str, reward: float) -> None:
    assert try_out(page / "graders/worked_out.py", answer, "20").reward == pytest.approx(reward)


def test_the_judge_asks_the_model_and_reads_its_number(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("bedrock-runtime", region_name="us-west-2", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(boto3, "client", lambda _: client)
    answers = {"messages": [{"role": "assistant", "content": "Please sit."}], "id": "7"}
    asked = {"modelId": ANY, "system": ANY, "messages": ANY, "inferenceConfig": ANY}
    with Stubber(client) as bedrock:
        for text in ("0.75", "3"):
            message = {"role": "assistant", "content": [{"text": text}]}
            bedrock.add_response(
                "converse",
                {
                    "output": {"message": message},
                    "stopReason": "end_turn",
                    "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
                    "metrics": {"latencyMs": 1},
                },
                asked,
            )
        handler = runpy.run_path(str(page / "judge/app.py"))["handler"]
        told = [handler([json.loads(json.dumps(answers))], None) for _ in range(2)]
    assert [batch[0]["aggregate_reward_score"] for batch in told] == [0.75, 1.0]
    assert told[0][0]["id"] == "7"
