"""Answers of every form: the right result where it should be, and nowhere where it should not."""

from __future__ import annotations

import ast
import json
import re
from typing import Any, ClassVar

import pytest

from local.bedrock.chance import generator
from local.bedrock.policy import BEHAVIOURS, Behaviour
from local.bedrock.rendering import form_of, labels_of
from local.bedrock.rendering.maths import plain_number, wrong_result
from local.bedrock.rendering.structured import changed

MANY = 60


def row(reference: Any, prompt: str = 'Think, and end with "####".', **fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": prompt}], "reference_answer": reference, **fields}


def said(of: dict[str, Any], behaviour: Behaviour, right: bool, labels: tuple[str, ...] = ()) -> list[str]:
    """Many answers, each of another wording."""
    form = form_of(of, labels)
    assert form is not None
    return [form.render(behaviour, right, generator("style", number)) for number in range(MANY)]


def numbers(text: str) -> list[float]:
    return [float(found.replace(",", "")) for found in re.findall(r"-?\d[\d,]*(?:\.\d+)?", text)]


GSM8K = row("She sold 48/2 = <<48/2=24>>24 in May.\nTogether 48+24 = <<48+24=72>>72.\n#### 72")


CALLS = row({"ground_truth": ["area(base=10, unit='cm')", "math.sum(of=[1, 2])"]}, "Call the functions.")


class TestPythonCalls:
    def test_the_asked_format_has_a_call_a_line_and_another_one_list_of_them(self) -> None:
        assert set(said(CALLS, Behaviour.ASKED_FORMAT, True)) == {"area(base=10, unit='cm')\nmath.sum(of=[1, 2])"}
        assert set(said(CALLS, Behaviour.OTHER_FORMAT, True)) == {"[area(base=10, unit='cm'), math.sum(of=[1, 2])]"}

    def test_a_wrong_answer_calls_the_same_functions_with_other_arguments(self) -> None:
        for text in said(CALLS, Behaviour.ASKED_FORMAT, False):
            lines = text.splitlines()
            assert [line.partition("(")[0] for line in lines] == ["area", "math.sum"]
            assert lines != CALLS["reference_answer"]["ground_truth"]
            assert all(isinstance(ast.parse(line, mode="eval").body, ast.Call) for line in lines)

    def test_a_text_that_is_no_call_with_named_literals_is_another_form(self) -> None:
        for other in ("f(1)", "f()", "f(a=b)", "print", ["f(a=1)", "no"], "f(**{'a': 1})"):
            form = form_of(row(other))
            assert type(form).__name__ != "PythonCalls", other


class TestMaths:
    def test_the_asked_format_ends_with_the_marker_and_the_work_has_no_annotations(self) -> None:
        for text in said(GSM8K, Behaviour.ASKED_FORMAT, True):
            assert text.endswith("\n#### 72")
            assert "<<" not in text

    def test_another_format_says_the_result_without_the_marker(self) -> None:
        texts = said(GSM8K, Behaviour.OTHER_FORMAT, True)
        assert all("####" not in text for text in texts)
        assert {text.splitlines()[-1] for text in texts} == {r"\boxed{72}", "The answer is 72."}

    def test_a_wrong_answer_has_the_right_number_nowhere(self) -> None:
        for behaviour in BEHAVIOURS:
            for text in said(GSM8K, behaviour, False):
                assert 72.0 not in numbers(text), text

    def test_a_buried_result_is_followed_by_other_numbers(self) -> None:
        for text in said(GSM8K, Behaviour.WRONG_FORMAT, True):
            assert 72.0 in numbers(text)[:-1]
            assert numbers(text)[-1] != 72.0
            assert "####" not in text

    def test_a_small_result_is_not_repeated_by_the_numbers_around_it(self) -> None:
        for text in said(row("#### 3"), Behaviour.WRONG_FORMAT, True):
            assert numbers(text).count(3.0) == 1
        for text in said(row("#### 3"), Behaviour.WRONG_FORMAT, False):
            assert 3.0 not in numbers(text)

    def test_hedging_lists_the_right_result_neither_first_nor_last(self) -> None:
        for text in said(GSM8K, Behaviour.HEDGED, True):
            marked = re.findall(r"#### (\S+)", text)
            assert len(marked) == 3
            assert marked[1] == "72"
            assert "72" not in (marked[0], marked[2])

    def test_padding_is_long_and_ends_in_the_asked_format(self) -> None:
        longest = max(map(len, said(GSM8K, Behaviour.ASKED_FORMAT, True)))
        for text in said(GSM8K, Behaviour.PADDED, True):
            assert len(text) > 4 * longest
            assert text.endswith("#### 72")

    def test_an_empty_answer_is_empty(self) -> None:
        assert set(said(GSM8K, Behaviour.EMPTY, False)) == {""}

    @pytest.mark.parametrize(
        ("prompt", "ending"),
        [
            (r"Give the answer in \boxed{}.", r"\boxed{72}"),
            ("Provide your final answer in the format: ANSWER: <your answer>", "ANSWER: 72"),
            ("What is it?", "#### 72"),
        ],
    )
    def test_the_format_is_the_one_that_the_prompt_asks_for(self, prompt: str, ending: str) -> None:
        assert all(text.endswith(ending) for text in said(row("#### 72", prompt), Behaviour.ASKED_FORMAT, True))

    @pytest.mark.parametrize("reference", ["72", 72, {"text": "72"}, {"final_answer": "72", "steps": ["x = 72"]}])
    def test_a_number_is_a_mathematical_reference_however_it_is_wrapped(self, reference: Any) -> None:
        assert all(text.endswith("#### 72") for text in said(row(reference), Behaviour.ASKED_FORMAT, True))

    @pytest.mark.parametrize(
        "right", ["72", "0", "-3", "1,080", "3.50", "$18", "15%", "7 apples", "1", r"\frac{1}{2}", "x = 4"]
    )
    def test_a_wrong_result_is_another_of_the_same_form(self, right: str) -> None:
        for number in range(MANY):
            wrong = wrong_result(right, generator(number))
            assert wrong != right
            assert plain_number(wrong) is None or plain_number(wrong) != plain_number(right)
            assert re.sub(r"[\d,.-]+", "", wrong) == re.sub(r"[\d,.-]+", "", right)


class TestJson:
    REFERENCE: ClassVar[Any] = {
        "name": "area",
        "arguments": {"base": 10, "unit": "square metres of land", "exact": True, "x": [1, 2]},
    }
    ROW: ClassVar[dict[str, Any]] = row(REFERENCE, "Answer with a JSON object.")

    def test_the_asked_format_is_the_bare_document(self) -> None:
        assert all(json.loads(text) == self.REFERENCE for text in said(self.ROW, Behaviour.ASKED_FORMAT, True))
        assert all(json.loads(text) != self.REFERENCE for text in said(self.ROW, Behaviour.ASKED_FORMAT, False))

    def test_another_format_is_fenced(self) -> None:
        for text in said(self.ROW, Behaviour.OTHER_FORMAT, True):
            assert json.loads(text.removeprefix("```json\n").removesuffix("\n```")) == self.REFERENCE

    def test_the_wrong_format_does_not_parse(self) -> None:
        for text in said(self.ROW, Behaviour.WRONG_FORMAT, True):
            with pytest.raises(json.JSONDecodeError):
                json.loads(text)

    def test_hedging_gives_three_documents_with_the_right_one_in_the_middle(self) -> None:
        for text in said(self.ROW, Behaviour.HEDGED, True):
            documents = [json.loads(part) for part in text.split("\nor\n")]
            assert [document == self.REFERENCE for document in documents] == [False, True, False]

    @pytest.mark.parametrize(
        "document", [{}, [], {"a": None}, {"a": {}}, [1], {"a": ""}, "text", {"n": 0.5}, {"b": [[]]}]
    )
    def test_a_changed_document_is_never_the_same(self, document: Any) -> None:
        for number in range(MANY):
            assert changed(document, generator(number)) != document

    def test_a_reference_that_is_json_in_a_string_is_a_document(self) -> None:
        texts = said(row('{"a": 1}', "JSON please"), Behaviour.ASKED_FORMAT, True)
        assert all(json.loads(text) == {"a": 1} for text in texts)


class TestCode:
    SOURCE = "def double(x):\r\n  y = x * 2\r\n  return y"
    TESTS: ClassVar[list[str]] = ["assert double(2) == 4", "assert double(0) == 0", "assert double(-3) == -6"]
    ROW: ClassVar[dict[str, Any]] = row({"tests": TESTS, "code": SOURCE}, "Write a function that doubles.")

    @staticmethod
    def passes(source: str) -> bool:
        names: dict[str, Any] = {}
        try:
            exec(source, names)  # noqa: S102 - code of this very test
            for test in TestCode.TESTS:
                exec(test, names)  # noqa: S102 - as above
        except (AssertionError, TypeError):
            return False
        return True

    @staticmethod
    def blocks(text: str) -> list[str]:
        return re.findall(r"```python\n(.*?)\n```", text, re.DOTALL)

    def test_right_code_passes_its_tests_and_wrong_code_fails_them(self) -> None:
        for behaviour in (Behaviour.ASKED_FORMAT, Behaviour.PADDED):
            assert all(self.passes(self.blocks(text)[0]) for text in said(self.ROW, behaviour, True))
            assert not any(self.passes(self.blocks(text)[0]) for text in said(self.ROW, behaviour, False))
        assert all(self.passes(text) for text in said(self.ROW, Behaviour.OTHER_FORMAT, True))

    def test_hedged_code_ends_with_a_wrong_version(self) -> None:
        for text in said(self.ROW, Behaviour.HEDGED, True):
            assert [self.passes(block) for block in self.blocks(text)] == [False, True, False]

    def test_the_wrong_format_is_no_python(self) -> None:
        for text in said(self.ROW, Behaviour.WRONG_FORMAT, True):
            with pytest.raises(SyntaxError):
                ast.parse(text)

    def test_the_code_may_stand_beside_the_reference(self) -> None:
        beside = row({"tests": self.TESTS}, "Write it.", code=self.SOURCE)
        assert all(self.passes(self.blocks(text)[0]) for text in said(beside, Behaviour.ASKED_FORMAT, True))

    def test_tests_without_code_do_not_tell_what_is_right(self) -> None:
        assert form_of(row({"tests": self.TESTS}, "Write it.")) is None


class TestLabelsAndProse:
    def test_a_label_is_said_alone_and_a_wrong_one_is_another_known_label(self) -> None:
        spam = row("spam", "Which label?")
        labels = ("spam", "offer", "personal")
        assert set(said(spam, Behaviour.ASKED_FORMAT, True, labels)) == {"spam"}
        assert set(said(spam, Behaviour.ASKED_FORMAT, False, labels)) == {"offer", "personal"}

    def test_without_known_labels_the_opposite_is_the_wrong_one(self) -> None:
        assert set(said(row("Yes", "Is it?"), Behaviour.ASKED_FORMAT, False)) == {"No"}
        assert set(said(row("B", "Which?"), Behaviour.ASKED_FORMAT, False)) == {"A", "C", "D"}

    def test_labels_are_told_from_numbers_prose_and_documents(self) -> None:
        assert labels_of(row("spam")) == ["spam"]
        assert labels_of(row({"label": "spam"})) == ["spam"]
        assert labels_of(row({"labels": ["spam", "off topic"]})) == ["spam", "off topic"]
        for other in ("72", "#### 72", "{}", "a sentence that is far too long to be the label of anything", "", None):
            assert labels_of(row(other)) == []

    def test_a_wrong_set_of_labels_is_made_of_the_labels_known(self) -> None:
        labels = ("spam", "offer", "shouting")
        for right in (["spam"], ["offer", "shouting"], []):
            many = row({"labels": right}, 'Answer with a JSON object: {"labels": [...]}')
            for text in said(many, Behaviour.ASKED_FORMAT, False, labels):
                wrong = json.loads(text)["labels"]
                assert wrong != right
                assert set(wrong) <= set(labels)
            assert json.loads(said(many, Behaviour.ASKED_FORMAT, True, labels)[0]) == {"labels": right}

    def test_prose_is_said_in_full_and_a_wrong_answer_shares_nothing_with_it(self) -> None:
        text = "The tenant has to give notice in writing three months before the lease is to end."
        prose = row(text, "When must notice be given?")
        assert set(said(prose, Behaviour.ASKED_FORMAT, True)) == {text}
        assert all(text not in wrong for wrong in said(prose, Behaviour.ASKED_FORMAT, False))


def test_a_row_without_a_reference_does_not_tell_what_is_right() -> None:
    assert form_of({"messages": [{"role": "user", "content": "hello"}]}) is None
