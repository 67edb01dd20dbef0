"""What answers look like around the text that is compared: punctuation, fences, lists and flags."""

from __future__ import annotations

from typing import Any

import pytest

from tunedrop.graders.exact import ExactGrader
from tunedrop.graders.json_answer import NotOneDocument, read_answer
from tunedrop.graders.moderation import ModerationGrader
from tunedrop.graders.sample import Sample

SAME = [
    ("**Paris**", "Paris"),
    ("Paris.", "paris"),
    ("it's", "its"),
    ("well-known", "well known"),
    ("U.S.", "US"),
    ("“Paris”", "Paris"),
    ("Paris!", "Paris"),
    ("- refund", "refund"),
    ("# Refund", "refund"),
    ("> refund", "refund"),
    ("`refund`", "refund"),
    ("_refund_", "refund"),
    ("Label: refund", "label refund"),
    ("(refund)", "refund"),
    ("1,000", "1,000"),
    ("3.5", "3.5"),
    ("\uff30aris", "Paris"),
    ("refund — urgent", "refund urgent"),
    ("¿Qué?", "qué"),
    ("东京。", "东京"),
    ("C++", "c++"),
    ("x < y", "x < y"),
    ("10:30", "10:30"),
    ("refund_request", "refund_request"),
    ("St. John's", "St Johns"),
    ("*Paris*.", "Paris"),
    ("**Paris.**", "Paris"),
    ("\u22125", "-5"),
    ("Paris**", "Paris"),
    ("\\boxed{Paris}", "Paris"),
    ("$\\boxed{\\text{Paris}}$.", "Paris"),
]
"""Texts that differ by punctuation or by emphasis alone."""
DIFFERENT = [
    ("-5", "5"),
    ("x<y", "x>y"),
    ("5%", "5"),
    ("$5", "€5"),
    ("$5", "5"),
    ("C++", "C"),
    ("C#", "C"),
    ("+5", "-5"),
    ("3.5", "35"),
    ("1.5", "1 5"),
    ("1,000", "1 000"),
    ("2*3", "23"),
    ("2/3", "23"),
    ("a=b", "a b"),
    ("a+b", "a-b"),
    (">5", "5"),
    (">5", "<5"),
    ("≥5", "5"),
    ("#1", "1"),
    ("~5", "5"),
    ("-5", "- -5"),
    ("!x", "x"),
    ("a&b", "a|b"),
    ("@bob", "bob"),
    ("x^2", "x2"),
    ("10:30", "1030"),
    ("not paid", "paid"),
    ("−5", "5"),
    ("±5", "5"),
    ("a/b", "ab"),
    ("3-5", "35"),
    ("-x", "x"),
    ("x != y", "x = y"),
    ("a\\b", "ab"),
    ("A*", "A"),
    ("*args", "args"),
    ("_x", "x"),
]
"""Texts that differ by a sign, an operator, a unit or a number's own mark."""
SQUAD = [
    ("US", "U.S."),
    ("it's", "its"),
    ("well-known", "wellknown"),
    ("the cat", "cat"),
    ("1,000", "1000"),
    ("É", "é"),
]
FENCED: list[tuple[str, Any]] = [
    ('```json\r\n{"a": 1}\r\n```', {"a": 1}),
    ('```json {"a": 1}```', {"a": 1}),
    ('```{"a": 1}```', {"a": 1}),
    ('```json\n{"a": "```x```"}\n```', {"a": "```x```"}),
    ('~~~json\n{"a":1}\n~~~', {"a": 1}),
    ('````json\n{"a":1}\n````', {"a": 1}),
    ('```JSON\n{"a":1}```', {"a": 1}),
    ('\n\n```\n{"a":1}\n```\n', {"a": 1}),
    ('{"a":1}', {"a": 1}),
    ('``` json\n{"a":1}\n```', {"a": 1}),
    ('   ```json\n   {"a":1}\n   ```', {"a": 1}),
    ('```json\n{"a":"x\\n```\\ny"}\n```', {"a": "x\n```\ny"}),
    ('\ufeff{"a":1}', {"a": 1}),
    ('```json\r{"a":1}\r```', {"a": 1}),
    ('```jsonc\n{"a":1}\n```', {"a": 1}),
    ("```\n[1,2]\n```", [1, 2]),
]
IN_TEXT: list[tuple[str, Any]] = [
    ('Here:\n```json\n{"a":1}\n```\nDone.', {"a": 1}),
    ('Sure {"a":1} ok', {"a": 1}),
    ('{"a":1}\n\n[1] See p. 3\n[2] idem', {"a": 1}),
    ('{"a": 1}[1]\n\n[1]: http://x', {"a": 1}),
    ('The result is:\n{"a":1}\n* note: {x}', {"a": 1}),
    ('See [1].\n{"a":1}\n[1] the mail', {"a": 1}),
    ('```python\nx={"a":2}\n```\n```json\n{"a":1}\n```', {"a": 1}),
]
HEDGED = ['{"a":1}\n{"a":2}', '```json\n{"a":1}\n```\n```json\n{"a":2}\n```']
SPAM_AND_HATE = [
    "1. spam\n2. hate",
    "1) spam\n2) hate",
    "- spam\n- hate",
    "* spam\n* hate",
    "• spam\n• hate",
    "spam, hate",
    "spam and hate",
    "spam\nhate",
    '["spam","hate"]',
    '{"categories": {"spam": true, "hate": true, "none of these": false}}',
    '{"spam": true, "hate": true}',
    '{"flagged": true, "categories": {"spam": true, "hate": true}}',
    '{"labels": ["spam","hate"]}',
    '```json\n["spam","hate"]\n```',
    'Labels: ```json\n["spam","hate"]\n```',
    'Labels:\n```json\n["spam","hate"]\n```',
    'json\n["spam", "hate"]',
    "The labels are spam and hate.",
    "Labels: spam, hate",
    'Labels: ["spam", "hate"]',
    "The labels are:\n1. spam\n2. hate",
    "(1) spam (2) hate",
    "1. **spam**\n2. **hate**",
    "spam; hate",
    "spam | hate",
    "spam/hate",
    "spam + hate",
    '"spam", "hate"',
    '{"label": "spam, hate"}',
    '{"spam": 1, "hate": 1, "none of these": 0}',
    '{"labels": {"spam": true, "hate": true}}',
    '{"spam": "yes", "hate": "yes", "none of these": "no"}',
    '[{"label": "spam"}, {"label": "hate"}]',
    '{"result": ["spam", "hate"]}',
    '{"violations": ["spam","hate"]}',
    "spam: yes\nhate: yes\nnone of these: no",
    "spam: true, hate: true",
    "a) spam\nb) hate",
    "Spam & Hate",
    "This is spam and hate.",
    '{"labels": ["spam", "hate"], "reason": "x"}',
    "- [x] spam\n- [x] hate\n- [ ] none of these",
    "\\boxed{spam, hate}",
    "The labels are \\boxed{\\text{spam}} and \\boxed{hate}.",
]
LABELS = ["spam", "hate", "none of these"]


def exact(answer: str, reference: str, **options: Any) -> float:
    return ExactGrader.from_options(options).grade_quickly(Sample("s", [], answer, reference, {})).reward


def moderation(answer: str, reference: list[str]) -> float:
    grader = ModerationGrader.from_options({"labels": LABELS, "none": "none of these"})
    return grader.grade(Sample("s", [], answer, reference, {})).reward


@pytest.mark.parametrize(("answer", "reference"), SAME)
def test_punctuation_and_emphasis_do_not_count(answer: str, reference: str) -> None:
    assert exact(answer, reference) == 1.0


@pytest.mark.parametrize(("answer", "reference"), DIFFERENT)
def test_signs_operators_and_units_count(answer: str, reference: str) -> None:
    assert (exact(answer, reference), exact(reference, answer)) == (0.0, 0.0)


@pytest.mark.parametrize(("answer", "reference"), SQUAD)
def test_f1_deletes_punctuation_as_squad_does(answer: str, reference: str) -> None:
    assert exact(answer, reference, mode="f1") == 1.0


@pytest.mark.parametrize("surroundings", ["fence", "text"])
@pytest.mark.parametrize(("answer", "document"), FENCED)
def test_a_fence_is_read_however_it_is_written(answer: str, document: Any, surroundings: Any) -> None:
    assert read_answer(answer, surroundings) == document


@pytest.mark.parametrize(("answer", "document"), IN_TEXT)
def test_footnotes_and_other_blocks_are_no_second_document(answer: str, document: Any) -> None:
    assert read_answer(answer, "text") == document


@pytest.mark.parametrize("answer", HEDGED)
def test_two_documents_are_hedging(answer: str) -> None:
    with pytest.raises(NotOneDocument, match="expected one"):
        read_answer(answer, "text")


@pytest.mark.parametrize("answer", SPAM_AND_HATE)
def test_labels_are_read_however_they_are_listed(answer: str) -> None:
    assert moderation(answer, ["spam", "hate"]) == 1.0
    assert moderation(answer, ["none of these"]) == 0.0


@pytest.mark.parametrize("answer", ["- [x] spam\n- [ ] hate", "[x] spam", "\u2611 spam\n\u2610 hate", "\\boxed{spam}"])
def test_the_label_that_is_ticked_or_boxed_is_read(answer: str) -> None:
    assert moderation(answer, ["spam"]) == 1.0


@pytest.mark.parametrize("answer", ["none", "None.", "none of these", "[]", '{"labels": []}', "spam: no\nhate: no"])
def test_no_label_is_read_however_it_is_said(answer: str) -> None:
    assert moderation(answer, []) == 1.0


@pytest.mark.parametrize("answer", ["not spam", "maybe spam or hate or none of these", "", '{"labels": ["spam"]'])
def test_an_answer_that_does_not_commit_is_not_paid(answer: str) -> None:
    assert moderation(answer, ["spam", "hate"]) == 0.0
