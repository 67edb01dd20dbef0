"""The pages on security, limits and governance name tests that there are, and every finding that is accepted."""

from __future__ import annotations

import re
from typing import Any

import pytest

from checks import findings, sam_template

PAGE = (sam_template.ROOT / "docs/security.md").read_text()
LIMITS = (sam_template.ROOT / "docs/limits.md").read_text()
GOVERNANCE = (sam_template.ROOT / "docs/governance.md").read_text()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(\S+\.py::\w+)`", PAGE + LIMITS + GOVERNANCE))))
def test_the_test_that_shows_it_exists(name: str) -> None:
    path, _, test = name.partition("::")
    assert f"\ndef {test}(" in (sam_template.ROOT / "tests" / path).read_text()


ASSETS = ("money", "rows", "model", "roles", "verdict", "availability", "machine")


def section(heading: str) -> str:
    return PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def test_each_attack_has_its_asset_what_stops_it_and_a_test() -> None:
    for threat in section("Threats").split("\n### ")[1:]:
        rows = [line for line in threat.splitlines() if line.startswith("| ")][1:]
        assert rows
        row = rf"\| (?:{'|'.join(ASSETS)}) \| \S.* \| \S.* \| `\S+::\w+` \|"
        assert [line for line in rows if not re.fullmatch(row, line)] == []


def test_the_marks_of_assets_and_attackers_are_those_of_the_threats() -> None:
    """Each attacker of the table has a section, which names the assets with a mark, and no other."""
    threats = {each.split("\n")[0]: each for each in section("Threats").split("\n### ")[1:]}
    table = [line for line in section("Assets and attackers").splitlines() if line.startswith(("| [", "| attacker"))]
    assert table[0] == f"| attacker | {' | '.join(ASSETS)} |"
    marked = {}
    for line in table[1:]:
        title = line[3:].partition("]")[0]
        marks = line.split("|")[2:-1]
        marked[title] = [asset for asset, mark in zip(ASSETS, marks, strict=True) if mark.strip()]
    assert marked == {
        title: [asset for asset in ASSETS if f"\n| {asset} |" in threat] for title, threat in threats.items()
    }
    assert len(marked) >= 9


def test_what_is_not_held_is_said() -> None:
    assert len(re.findall(r"^- \*\*", section("What is not held"), re.MULTILINE)) >= 10


def test_each_limit_says_what_happens_at_it_and_has_a_test() -> None:
    rows = [line for line in LIMITS.splitlines() if line.startswith("| ") and not line.startswith("| limit")]
    assert len(rows) >= 20
    assert [line for line in rows if not re.fullmatch(r"\| .+ \| .+ \| `\S+::\w+` \|", line)] == []


def test_the_page_lists_the_accepted_findings() -> None:
    section = PAGE.split("\n## What checkov finds and we accept\n")[1].split("\n## ")[0]
    listed = [line for line in section.splitlines() if line.startswith("| CKV")]
    assert listed == [
        f"| {each.check} | `{each.resources}` | {each.asks_for} | {each.why} |" for each in findings.ACCEPTED
    ]


def test_a_finding_without_a_reason_is_a_fault_and_so_is_a_reason_without_a_finding() -> None:
    accepted = findings.ACCEPTED[:1]
    known = findings.Finding(accepted[0].check, f"{accepted[0].resources}.Api", "asks")
    other = findings.Finding(accepted[0].check, "AWS::S3::Bucket.Runs", "asks")
    assert findings.faults([known], accepted) == []
    (line,) = findings.faults([known, other], accepted)
    assert line.startswith(f"{accepted[0].check} at AWS::S3::Bucket.Runs: asks.")
    (line,) = findings.faults([], accepted)
    assert "remove it" in line


def test_checkov_sees_the_template_with_the_parameters_defaults(translated: dict[str, Any]) -> None:
    seen = findings.by_default(translated)["Resources"]
    encryption = seen["RunsBucket"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert "SourceObjectsPolicy" not in seen
    assert "DataKey" in seen
    assert "Fn::If" not in str(seen)
