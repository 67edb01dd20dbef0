"""Secrets and personal data are found by kind and line, and their text is repeated nowhere."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.unit.dataset.gsm8k_rows import gsm8k
from tests.unit.dataset.sample_rows import as_line, check, found, good_rows
from tunedrop.dataset.findings_page import render_page
from tunedrop.dataset.secrets import Mark, Scan, redacted

SECRETS = {
    Mark.EMAIL: ["jane.doe@corp.example.com", "x+y@z.io", "JANE_DOE%1@sub.domain.co.uk"],
    Mark.PHONE: ["+1 415 555 0123", "+14155550123", "(415) 555-0123", "415-555-0123", "415.555.0123",
                 "+49 30 901820", "+44 (0)20 7946 0958"],
    Mark.CARD: ["4111 1111 1111 1111", "4111-1111-1111-1111", "5555555555554444",
                "3782 822463 10005", "6011000990139424"],
    Mark.KEY: [
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAY34FZKBOKMUTVV7A",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "sk-proj-abcdefghijklmnopqrstuvwx",
        "ghp_" + "a1B2" * 9,
        "github_pat_" + "a1B2c3" * 4,
        "xoxb-123456789012-abcdef",
        "AIza" + "a1B2c" * 7,
        "hf_" + "abcDEF" * 6,
        "bedrock-api-key-" + "YWJjZGVm" * 4,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln",
        "-----BEGIN RSA PRIVATE KEY-----",
    ],
}  # fmt: skip
HARMLESS = [
    "12 + 13 = 25 and 1,000,000 - 999,999 = 1",
    "1234567890123456",
    "4111 1111 1111 1112",
    "0000 0000 0000 0000",
    "5+12345678901",
    "in 2019-2020 he had 100-20-3000",
    "3.14159265358979",
    "task-based and risk-averse",
    "a @ b, meet @noon",
    "AKIA is a name",
    "<<48*2=96>>96 and 20/5=<<20/5=4>>4",
]


def row(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], "reference_answer": "6"}


@pytest.mark.parametrize(("mark", "text"), [(mark, text) for mark, texts in SECRETS.items() for text in texts])
def test_a_secret_is_a_warning_of_its_kind_at_its_line_and_is_never_repeated(mark: Mark, text: str) -> None:
    report = check([*good_rows(), row(f"The thing is {text}, as you know.")])
    (finding,) = report.findings
    assert (finding.rule, finding.severity, finding.line, finding.field) == (
        mark,
        "warning",
        121,
        "messages[0].content",
    )
    assert report.valid
    for said in (json.dumps(report.to_json()), render_page(report, "it"), redacted(f"({text})")):
        assert text not in said


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_a_secret_is_none(text: str) -> None:
    assert check([*good_rows(), row(text)]).findings.groups() == []


def test_gsm8k_has_none() -> None:
    assert Scan().marks(gsm8k("train")) == []


def test_several_on_a_line_are_one_finding_with_their_number() -> None:
    report = check([*good_rows(), row("a@b.example, c@d.example and e@f.example, or +1 415 555 0123")])
    assert [(each.rule, each.message) for each in report.findings] == [
        ("personal-email", "3 times an e-mail address"),
        ("personal-phone", "a phone number"),
    ]


def test_an_address_in_any_field_or_key_is_found_with_its_path() -> None:
    rows: list[Any] = good_rows()
    rows[0]["contact"] = {"mail": ["x", "a@b.example"]}
    rows[1]["a@b.example"] = 1
    rows[2]["reference_answer"] = "a@b.example"
    fields = [(finding.line, finding.field) for finding in found(check(rows), "personal-email")]
    assert fields == [(1, "contact.mail[1]"), (2, "(a key)"), (3, "reference_answer")]


def test_an_address_that_is_written_with_escapes_is_found() -> None:
    line = as_line(row("write to a@b.example")).replace(b"@", b"\\u0040")
    assert [finding.line for finding in found(check([*good_rows(), line]), "personal-email")] == [121]


def test_a_secret_in_a_broken_line_or_a_wrong_value_is_not_repeated_either() -> None:
    key = "AKIAIOSFODNN7EXAMPLE"
    rows: list[Any] = good_rows()
    rows[3] = b'{"messages": ' + key.encode() + b"}"
    rows[4] = {**rows[4], "id": [key], key: 1, "reference_answer": [key]}
    rows[5] = {**rows[5], "messages": [{"role": key, "content": "x", key: 1}]}
    report = check(rows)
    assert key not in json.dumps(report.to_json())
    assert key not in render_page(report, "it")
    assert {finding.line for finding in found(report, "secret-key")} == {4, 5, 6}


@pytest.mark.parametrize(
    "text", ["a@" * 500_000, "1-" * 500_000, "+1 " * 500_000, "4111 " * 400_000, "aws_secret_access_key" * 40_000]
)
def test_almost_secrets_take_linear_time(text: str) -> None:
    started = time.process_time()
    check([*good_rows(), row(text)])
    assert time.process_time() - started < 5
