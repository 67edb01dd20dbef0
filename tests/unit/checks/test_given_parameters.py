"""What samconfig.toml gives for the parameters is read as SAM reads it, and each fault is said before the build."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from checks import sam_template
from checks.before_deploy import looks
from checks.given_parameters import faults, given

TEAMS = '{"research": {"callers": ["arn:aws:iam::123456789012:role/research-*"]}}'


def parameters() -> dict[str, Any]:
    found: dict[str, Any] = sam_template.read()["Parameters"]
    return found


@pytest.mark.parametrize(
    "overrides",
    [
        f"Stage=dev Teams='{TEAMS}'",
        'Stage=dev Teams="' + TEAMS.replace('"', '\\"') + '"',
        ["Stage=dev", f"Teams='{TEAMS}'"],
        {"Stage": "dev", "Teams": TEAMS},
        f"ParameterKey=Stage,ParameterValue=dev ParameterKey=Teams,ParameterValue='{TEAMS}'",
    ],
)
def test_every_form_in_which_sam_takes_a_value_is_read_and_has_no_fault(overrides: object) -> None:
    assert given(overrides) == ({"Stage": "dev", "Teams": TEAMS}, [])
    assert list(faults(overrides, parameters())) == []


def test_a_list_in_a_table_is_one_value_with_commas() -> None:
    overrides = {"ApiAccounts": ["111122223333", "444455556666"], "SweepMinutes": 15}
    assert given(overrides)[0] == {"ApiAccounts": "111122223333,444455556666", "SweepMinutes": "15"}
    assert list(faults(overrides, parameters())) == []


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (f"Stage=dev Teams={TEAMS}", "SAM would leave out '\"research\":"),
        (["Stage=dev", f"Teams={TEAMS}"], "SAM would leave out '\"research\":"),
        ("Stage=dev, Encryption=aws", "Stage: expected one of dev, staging, prod, got 'dev,'"),
        ("Stage=dev Encryption = aws", "SAM would leave out 'Encryption = aws'"),
        ("NoticeEmail=me@example.org", "NoticeEmail: the template has no such parameter, and SAM would ignore it; did"),
        ("Encryption=none", "Encryption: expected one of customer, aws, got 'none'"),
        ("SweepMinutes=1", "SweepMinutes: expected a whole number from 2 to 1,440, got '1'"),
        ("SweepMinutes=15min", "SweepMinutes: expected a whole number from 2 to 1,440, got '15min'"),
        ("OperationsEmail=ops", "OperationsEmail: expected: Empty, or an e-mail address. Got 'ops'"),
        ("SourceObjects=arn:aws:s3:::a/*,s3://b/", "SourceObjects: expected: Empty, or ARNs of S3 objects"),
        (f"Teams='{{\"a\": \"{'x' * 2000}\"}}'", "Teams: expected at most 2,000 characters, got 2,009"),
        ("Teams='{\"research\": {\"caller\": []}}'", "research"),
        ("Limits='{\"run\": {\"hour\": 3}}'", "hour"),
        ("Retention='{\"runs_days\": 3}'", "Retention"),
    ],
)  # fmt: skip
def test_each_fault_of_what_is_given_is_told_with_what_was_expected(overrides: object, told: str) -> None:
    (fault, *_) = faults(overrides, parameters())
    assert told in fault


def test_a_quote_that_never_ends_is_read_in_linear_time() -> None:
    assert given("Teams='" + "a" * 50_000)[0] == {"Teams": "'" + "a" * 50_000}


def test_the_stages_of_samconfig_and_every_example_in_the_documents_have_no_fault() -> None:
    settings = tomllib.loads((sam_template.ROOT / "samconfig.toml").read_text())
    stages = parameters()["Stage"]["AllowedValues"]
    examples = [settings[stage]["deploy"]["parameters"]["parameter_overrides"] for stage in stages]
    assert [each["Stage"] for each in examples] == stages
    for page in ("deploy.md", "own-graders.md"):
        text = (sam_template.ROOT / "docs" / page).read_text()
        tables = [tomllib.loads(each) for each in re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]
        examples += [each["parameter_overrides"] for table in tables for each in _deployments(table)]
        examples += re.findall(r"ARGS='--parameter-overrides ([^']+)'", text)
    assert len(examples) >= 6
    for example in examples:
        assert list(faults(example, parameters())) == [], example


def _deployments(table: dict[str, Any]) -> list[dict[str, Any]]:
    return [stage["deploy"]["parameters"] for stage in table.values()]


def test_a_fault_of_what_is_given_is_an_error_before_anything_is_built(tmp_path: Path) -> None:
    configuration = tmp_path / "samconfig.toml"
    text = (sam_template.ROOT / "samconfig.toml").read_text()
    configuration.write_text(
        text.replace('Encryption = "aws"\nSweepMinutes = "60"', 'Encrypt = "aws"\nSweepMinutes = "1"')
    )
    made = [each for each in looks("dev", configuration=configuration) if each.name == "parameters"]
    assert [(each.result, each.says.split(":")[0]) for each in made] == [
        ("error", "Encrypt"),
        ("error", "SweepMinutes"),
    ]
