"""Answers that call tools are compared call by call, in whichever shape the model or its host writes them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.in_prove import a_third_in_each_run
from tunedrop.graders.batch import grade_batch
from tunedrop.graders.pairing import best_pairs
from tunedrop.graders.row_options import RowGrader
from tunedrop.graders.sample import OptionsError
from tunedrop.graders.tool_call_texts import calls_in
from tunedrop.graders.tool_calls import as_calls

AREA: dict[str, Any] = {"name": "area", "arguments": {"base": 10, "height": 5}}
SUM: dict[str, Any] = {"name": "math.sum", "arguments": {"of": [1, 2], "exact": True}}
TEXT = json.dumps(AREA["arguments"])


def turn(**fields: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, **fields}


def call(made: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "c1",
        "type": "function",
        "function": {"name": made["name"], "arguments": json.dumps(made["arguments"])},
    }


BESIDE: dict[str, dict[str, Any]] = {
    "chat completions": turn(tool_calls=[call(AREA)]),
    "chat completions, with a word": turn(content="I will look.", tool_calls=[call(AREA)]),
    "chat completions, with thoughts": turn(content="<think>Which?</think>", tool_calls=[call(AREA)]),
    "chat completions, arguments as an object": turn(tool_calls=[{"function": AREA}]),
    "the old chat completions": turn(function_call={"name": "area", "arguments": TEXT}),
    "Responses": turn(content=[{"type": "function_call", "call_id": "c", "name": "area", "arguments": TEXT}]),
    "Converse": turn(
        content=[{"text": "So."}, {"toolUse": {"toolUseId": "t", "name": "area", "input": AREA["arguments"]}}]
    ),
    "Messages": turn(content=[{"type": "tool_use", "id": "t", "name": "area", "input": AREA["arguments"]}]),
}
WRITTEN = {
    "JSON": json.dumps(AREA),
    "JSON with parameters": json.dumps({"name": "area", "parameters": AREA["arguments"]}),
    "JSON of the interface": json.dumps({"tool_calls": [call(AREA)]}),
    "JSON in a fence": f"```json\n{json.dumps(AREA)}\n```",
    "Hermes": f"<tool_call>\n{json.dumps(AREA)}\n</tool_call>",
    "Hermes, with a word": f"I will look.\n<tool_call>{json.dumps(AREA)}</tool_call><|im_end|>",
    "Hermes, behind thoughts": f"<think>Or sum?</think><tool_call>{json.dumps(AREA)}</tool_call>",
    "Qwen Coder": "<tool_call>\n<function=area>\n<parameter=base>\n10\n</parameter>\n<parameter=height>\n5\n"
    "</parameter>\n</function>\n</tool_call>",
    "GLM": "<tool_call>area\n<arg_key>base</arg_key>\n<arg_value>10</arg_value>\n<arg_key>height</arg_key>\n"
    "<arg_value>5</arg_value>\n</tool_call>",
    "Mistral": f"[TOOL_CALLS][{json.dumps(AREA)}]</s>",
    "Mistral, newer": f"[TOOL_CALLS]area[ARGS]{TEXT}",
    "Llama": f"<|python_tag|>{json.dumps(AREA)}<|eom_id|>",
    "Llama, a function": f"<function=area>{TEXT}</function>",
    "Granite": f"<|tool_call|>[{json.dumps(AREA)}]",
    "Command A": "<|START_THINKING|>Area.<|END_THINKING|><|START_ACTION|>"
    + json.dumps([{"tool_call_id": "0", "tool_name": "area", "parameters": AREA["arguments"]}]) + "<|END_ACTION|>",
    "Kimi": f"<|tool_calls_section_begin|><|tool_call_begin|>functions.area:0<|tool_call_argument_begin|>{TEXT}"
    "<|tool_call_end|><|tool_calls_section_end|>",
    "Python": "[area(base=10, height=5)]",
    "harmony": "<|channel|>analysis<|message|>Area.<|end|><|start|>assistant<|channel|>commentary to=functions.area "
    f"<|constrain|>json<|message|>{TEXT}<|call|>",
    "harmony, the role called": "<|start|>assistant to=functions.area<|channel|>commentary json<|message|>"
    f"{TEXT}<|call|>",
    "harmony without special tokens": f"analysisArea.assistantcommentary to=functions.area json{TEXT}",
}  # fmt: skip


def told(turns: list[Any], reference: Any, **options: Any) -> list[dict[str, Any]]:
    rows = [
        {"messages": [each if isinstance(each, dict) else turn(content=each)], "reference_answer": reference}
        for each in turns
    ]
    return grade_batch(rows, RowGrader.of("json", options), sample_deadline_seconds=60, explain=True)


def rewards(turns: list[Any], reference: Any, **options: Any) -> list[float]:
    return [each["aggregate_reward_score"] for each in told(turns, reference, **options)]


def test_a_call_is_read_in_each_shape() -> None:
    shapes = {**BESIDE, **WRITTEN}

    assert dict(zip(shapes, rewards(list(shapes.values()), AREA), strict=True)) == dict.fromkeys(shapes, 1.0)


def test_a_wrong_argument_is_wrong_in_each_shape_and_is_named() -> None:
    shapes = {**BESIDE, **WRITTEN}
    other = {"name": "area", "arguments": {"base": 10, "height": 6}}

    for name, answer in zip(shapes, told(list(shapes.values()), other), strict=True):
        assert answer["aggregate_reward_score"] == 0.5, name
        assert "/arguments/height (5, not 6)" in answer["explanation"], name


def test_a_reference_may_be_in_the_interfaces_shape() -> None:
    answers = [BESIDE["chat completions"], WRITTEN["Hermes"]]

    for reference in ({"tool_calls": [call(AREA)]}, [call(AREA)], json.dumps([AREA])):
        assert rewards(answers, reference) == [1.0, 1.0]


def test_several_calls_may_come_in_any_order_unless_it_counts() -> None:
    both = [turn(tool_calls=[call(AREA), call(SUM)]), turn(tool_calls=[call(SUM), call(AREA)])]

    assert rewards(both, [AREA, SUM]) == [1.0, 1.0]
    first, second = rewards(both, [AREA, SUM], calls="in_order")
    assert first == 1.0
    assert second < 0.5
    with pytest.raises(OptionsError, match="calls must be one of"):
        RowGrader.of("json", {"calls": "sorted"})


def test_a_call_too_many_or_too_few_is_a_wrong_one() -> None:
    more, fewer = told([turn(tool_calls=[call(AREA), call(SUM)]), turn(tool_calls=[call(AREA)])], [AREA])
    assert more["aggregate_reward_score"] == 0.5
    assert "2 calls instead of 1" in more["explanation"]
    assert fewer["aggregate_reward_score"] == 1.0
    assert rewards([turn(tool_calls=[call(AREA)])], [AREA, SUM]) == [0.5]
    assert rewards([turn(tool_calls=[call(AREA)] * 2)], [AREA], partial=False) == [0.0]


def test_python_calls_of_several_functions_are_read() -> None:
    assert rewards(["[area(base=10, height=5), math.sum(of=[1, 2], exact=True)]"], [SUM, AREA]) == [1.0]


def test_a_field_of_a_call_can_be_compared_in_its_own_way() -> None:
    fields = {"/name": {"compare": "exact", "gate": True}, "/arguments/*": {"compare": "number", "tolerance": 1}}
    near = turn(tool_calls=[call({"name": "area", "arguments": {"base": 10.5, "height": 5}})])
    wrong = turn(tool_calls=[call({**AREA, "name": "volume"})])

    assert rewards([near, wrong], AREA, fields=fields) == [1.0, 0.0]


@pytest.mark.parametrize(
    "text",
    [
        "area(10, 5)", "[area(base=open('x'))]", "area(**{'base': 10})", "(lambda: 1)()", "area(base=1+2j)",
        "area(base={1, 2})", "f(a=" + "(" * 5000 + ")" * 5000 + ")", "f(a=" + "9" * 9000 + ")", "f(a=b'x')", "f(",
        "area(base=1e999)",
    ],
)  # fmt: skip
def test_python_that_is_no_call_with_literals_is_no_call(text: str) -> None:
    assert calls_in(text) == ()


def test_arguments_of_another_function_earn_nothing_unless_the_name_has_a_weight() -> None:
    other = turn(tool_calls=[call({**AREA, "name": "volume"})])

    (answer,) = told([other], AREA)
    assert answer["aggregate_reward_score"] == 0.0
    assert "/name" in answer["explanation"]
    assert rewards([other], AREA, fields={"/name": "exact"}) == [pytest.approx(2 / 3)]
    assert rewards([turn(tool_calls=[call({**AREA, "name": "volume"}), call(SUM)])], [AREA, SUM]) == [0.5]


def test_it_is_said_where_a_call_differs() -> None:
    arguments = {"base": 10, "unit": "cm", "of": list(range(50))}
    (answer,) = told([turn(tool_calls=[call({"name": "area", "arguments": arguments})])], AREA)
    assert answer["explanation"] == (
        "Not right: /arguments/height (missing), /arguments/unit (not asked for), /arguments/of (not asked for)."
    )
    (answer,) = told([turn(tool_calls=[call({"name": "sum", "arguments": {"of": [3] * 50, "exact": 1}})])], SUM)
    assert answer["explanation"] == (
        'Not right: /name ("sum", not "math.sum"), /arguments/of ([3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, …, not '
        "[1, 2]), /arguments/exact (1, not true)."
    )


def test_an_answer_that_calls_nothing_can_be_asked_for() -> None:
    nothing: dict[str, Any] = {"tool_calls": []}
    said = ["I cannot do that.", BESIDE["Converse"], WRITTEN["Hermes"], WRITTEN["JSON in a fence"], WRITTEN["Python"]]

    assert rewards([*said, ""], nothing) == [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert RowGrader.of("json", {}).check_reference(nothing, {}) is None


def test_an_extraction_with_a_name_is_no_call() -> None:
    assert as_calls({"name": "Ann", "arguments": {"for": []}, "age": 5}) is None
    assert as_calls({"name": "Ann", "input": {"age": 5}}) is None
    assert as_calls({"name": "Ann", "arguments": 3}) is None
    assert rewards([json.dumps({"name": "Ann", "input": {"age": 5}})], {"name": "Ann", "input": {"age": 5}}) == [1.0]


def test_other_kinds_read_a_call_as_its_json() -> None:
    row = {"messages": [BESIDE["chat completions"]], "reference_answer": json.dumps(AREA)}

    (answer,) = grade_batch([row], RowGrader.of("exact", {}))

    assert answer["aggregate_reward_score"] == 1.0


def test_calls_are_paired_so_that_most_are_right() -> None:
    scores = {(0, 0): 1.0, (0, 1): 0.9, (1, 0): 0.9, (1, 1): 0.0}

    assert sorted(best_pairs(scores)) == [(0, 1), (1, 0)]
    assert len(best_pairs({(a, b): 1.0 for a in range(20) for b in range(20)})) == 20


HOSTILE: dict[str, Callable[[int], str]] = {
    "blocks that never end": lambda n: "<tool_call>" * n,
    "parameters that never end": lambda n: "<tool_call><function=f>" + "<parameter=a>" * n,
    "keys that never end": lambda n: "<tool_call>f\n" + "<arg_key>" * n,
    "Mistral's marks": lambda n: "[TOOL_CALLS]" * n,
    "functions": lambda n: "<function=f>" * n,
    "lists within lists": lambda n: "<tool_calls><tool_call>" * n,
    "separators": lambda n: "<tool_call>" + "function<tool_sep>" * n,
    "marks of Llama and Apertus": lambda n: "<|python_start|><|tools_prefix|>" * n,
    "a long name": lambda n: "<tool_call>" + "a" * n,
}


@pytest.mark.parametrize("attack", a_third_in_each_run(HOSTILE))
def test_the_time_of_reading_calls_grows_as_the_text_does(attack: str) -> None:
    def seconds(size: int) -> float:
        text = HOSTILE[attack](size)
        spent = []
        for _ in range(3):
            began = time.process_time()
            calls_in(text)
            spent.append(time.process_time() - began)
        return min(spent)

    small, large = seconds(1_000), seconds(8_000)

    assert large < 24 * small + 0.01, f"8 times the text took {large / small:.0f} times as long"
