"""A model's thoughts are cut once, in whichever form they come, before any kind looks at the answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.in_prove import a_third_in_each_run
from tunedrop.graders.batch import grade_batch
from tunedrop.graders.row_options import RowGrader
from tunedrop.graders.sample import OptionsError
from tunedrop.graders.thoughts import cut_thoughts

FORMS: dict[str, tuple[str, str]] = {
    **{f"<{tag}>": (f"<{tag}>", f"</{tag}>") for tag in (
        "think", "thinking", "thought", "thoughts", "reasoning", "scratchpad", "seed:think", "THINK", "Thinking",
    )},
    "a tag with space": ("<think >", "</think >"),
    "a tag with attributes": ('<reasoning effort="high">\n', "\n</reasoning>\n\n"),
    "[THINK]": ("[THINK]", "[/THINK]"),
    "Kimi": ("◁think▷", "◁/think▷"),
    "OpenThinker": ("<|begin_of_thought|>", "<|end_of_thought|>\n\n<|begin_of_solution|>"),
    "Command A": ("<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>"),
    "Granite in prose": ("Here is my thought process:\n", "\nHere is my response:\n"),
    "Granite, contracted": ("Here's my thought process: ", "\n\nHere's my response: "),
    "Apertus": ("<|inner_prefix|>", "<|inner_suffix|>"),
    "Gemma": ("<|channel>thought\n", "<channel|>"),
    "a closing mark alone": ("", "</think>\n\n"),
    "a closing mark of Kimi's alone": ("", "◁/think▷"),
    "behind the template's header": ("<|im_start|>assistant\n<think>\n", "\n</think>\n\n"),
    "harmony": ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    "harmony, opened by the prompt": ("", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    "harmony from its start": (
        "<|start|>assistant<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>",
    ),
    "harmony with a constraint": (
        "<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>",
    ),
    "harmony with commentary": (
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
    ),
    "harmony without special tokens": ("analysisThey say: ", "assistantfinal"),
    "harmony without special tokens, in lower case": ("analysisso, ", "assistantfinal"),
    "harmony without special tokens, with commentary": ("analysisWell.assistantcommentary", "assistantfinal"),
    "harmony without special tokens, opened by the prompt": ("", ".assistantfinal"),
}  # fmt: skip
UNFINISHED = ["<think>", "harmony", "harmony without special tokens", "[THINK]", "Granite in prose"]
ENDS = [
    "", "<|im_end|>", "<|eot_id|>", "<|endoftext|>", "</s>", "<|end|>", "<|return|>", "<end_of_turn>", "<|im_end|>\n",
    "<|END_RESPONSE|>", "<|end_of_solution|>", "<|im_end|>\n<|im_start|>user\nAnd now?",
]  # fmt: skip
CODE_RIGHT = "```python\ndef double(x):\n    return 2 * x\n```"
CODE_WRONG = "```python\ndef double(x):\n    return x\n```"
KINDS: dict[str, tuple[dict[str, Any], Any, str, str]] = {
    # kind: options, reference, a right answer, a wrong one
    "math": ({}, "43", "The answer is 43.", "The answer is 41."),
    "exact": ({}, "refund", "refund", "other"),
    "json": ({}, {"label": "refund"}, '{"label": "refund"}', '{"label": "other"}'),
    "moderation": ({"labels": ["spam", "hate", "none"]}, ["spam"], '["spam"]', '["hate"]'),
    "composite": ({"parts": {"a": {"kind": "exact"}}}, "refund", "refund", "other"),
    "code": ({}, {"tests": ["assert double(4) == 8"]}, CODE_RIGHT, CODE_WRONG),
}


def answers_of(kind: str, reference: Any, turns: list[Any], **options: Any) -> list[dict[str, Any]]:
    rows = [
        {"id": str(number), "messages": [{"role": "user", "content": "?"}, turn], "reference_answer": reference}
        for number, turn in enumerate(
            turn if isinstance(turn, dict) else {"role": "assistant", "content": turn} for turn in turns
        )
    ]
    return grade_batch(rows, RowGrader.of(kind, options), sample_deadline_seconds=60)


def rewards(kind: str, reference: Any, turns: list[Any], **options: Any) -> list[float]:
    return [told["aggregate_reward_score"] for told in answers_of(kind, reference, turns, **options)]


def metrics(told: dict[str, Any]) -> dict[str, float]:
    return {metric["name"]: metric["value"] for metric in told["metrics_list"]}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "code"])
def test_every_kind_grades_what_stands_behind_the_thoughts_in_each_form(kind: str) -> None:
    options, reference, right, wrong = KINDS[kind]
    right_behind = [f"{opens}{wrong}{closes}{right}" for opens, closes in FORMS.values()]
    wrong_behind = [f"{opens}{right}{closes}{wrong}" for opens, closes in FORMS.values()]

    told = dict(zip(FORMS, rewards(kind, reference, right_behind, **options), strict=True))
    assert told == dict.fromkeys(FORMS, 1.0)
    told = dict(zip(FORMS, rewards(kind, reference, wrong_behind, **options), strict=True))
    assert told == dict.fromkeys(FORMS, 0.0)


@pytest.mark.parametrize(("opens", "closes"), FORMS.values(), ids=FORMS)
def test_code_in_thoughts_is_cut_in_each_form(opens: str, closes: str) -> None:
    assert cut_thoughts(f"{opens}\n{CODE_WRONG}\n{closes}{CODE_RIGHT}").answer == CODE_RIGHT
    assert cut_thoughts(f"{opens}\n{CODE_WRONG}\n{closes}").answer == ""


def test_code_behind_thoughts_is_run_and_code_in_them_is_not() -> None:
    options, reference, right, wrong = KINDS["code"]
    turns = [f"<think>\n{wrong}\n</think>{right}", f"<think>\n{right}\n</think>{wrong}", f"<think>{right}</think>"]

    assert rewards("code", reference, turns, **options) == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("end", ENDS)
def test_an_answer_ends_where_the_turn_ends(end: str) -> None:
    assert cut_thoughts(f"<think>Hm.</think>refund{end}").answer == "refund"
    assert cut_thoughts(f"refund{end}").answer.strip() == "refund"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "form", ["<think>", "harmony", "harmony without special tokens", "[THINK]", "Granite in prose"]
)
def test_thoughts_without_an_answer_are_worth_nothing_and_no_error(kind: str, form: str) -> None:
    options, reference, right, _ = KINDS[kind]
    opens, closes = FORMS[form]
    unfinished, nothing = answers_of(kind, reference, [f"{opens}{right}", f"{opens}{right}{closes}\n"], **options)

    assert unfinished["aggregate_reward_score"] == nothing["aggregate_reward_score"] == 0.0
    assert metrics(unfinished)["unfinished_thought"] == 1.0
    assert metrics(nothing)["unfinished_thought"] == 0.0
    for told in (unfinished, nothing):
        assert "grader_error" not in metrics(told)
        assert metrics(told)["thought_length"] >= len(right)


def test_a_definition_that_pays_for_what_is_missing_does_not_pay_for_thoughts_alone() -> None:
    definition = {"type": "string_check", "input": "{{sample.output_text}}", "operation": "ne", "reference": "bad"}
    said = ["<think>bad", "<think>bad</think>", "good"]
    rows = [{"messages": [{"role": "assistant", "content": text}]} for text in said]

    told = grade_batch(rows, RowGrader.of("composite", definition), sample_deadline_seconds=60)

    assert [each["aggregate_reward_score"] for each in told] == [0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>a<think>b</think>c</think>refund", "refund"),
        ("<think>I use <think> tags.</think>refund", "refund"),
        ("<think>a</think>\n<think>b</think>\nrefund", "refund"),
        ("<thinking>a <thought>b</thought> c</thinking>refund", "refund"),
        ("<think>a <scratchpad>b</scratchpad> The answer is 43", ""),
        ("<think/>refund", "refund"),
        ("<think>\n\n</think>\n\nrefund", "refund"),
        ("</think>refund", "refund"),
        ("The answer is 43. <think>Was it?</think>", "The answer is 43."),
        ("Let me see. <think>The answer is 43.</think> I do not know.", "Let me see. \n I do not know."),
        ("The answer is 43.\n<think>Or is it 44? Let", ""),
        ("He says \"hello</think>refund", "refund"),
        ("They don't say 'x</think>{\"label\": \"refund\"}", '{"label": "refund"}'),
        ("```python\ndef f(): ...\n</think>\n```python\nx = 1\n```", "```python\nx = 1\n```"),
        ("<think>a</think><response>refund</response>", "refund"),
        ("analysisSix times seven.assistantanalysisOr not.assistantfinalrefund", "refund"),
        ("<|channel|>final<|message|>refund", "refund"),
        ("<|channel|>finalrefund", "refund"),
        ("<|start|>assistant<|message|>refund<|return|>", "refund"),
        ("refund<|end|><|start|>assistant<|channel|>analysis<|message|>and now?", "refund"),
        ("<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>analysis<|message|>b<|end|>", ""),
        ("finalRefund", "Refund"),
        ("analysis\nwe look.\nassistant\nanalysis\nor not.\nassistant\nfinal\nrefund", "refund"),
        ("\ufeff<think>a</think>refund", "refund"),
    ],
)  # fmt: skip
def test_thoughts_in_odd_places_are_cut(text: str, answer: str) -> None:
    assert cut_thoughts(text).answer == answer


@pytest.mark.parametrize(
    "text",
    [
        '{"tag": "<think>", "text": "a <think>b</think> c", "end": "</think> x"}',
        '{\n  "tag": "<|im_end|>",\n  "text": "say \\"<reasoning>\\" twice"\n}',
        "```python\ndef show():\n    print('<reasoning>')\n    print(\"</reasoning>\")\n```",
        '```python\nTEMPLATE = """\n<think>\nhello\n</think>\n"""\n```',
        "def show():\n    return '<think>' + str(1) + '</think>'",
        'def show():\n    return f"<think>{1}"',
        "Write `<think>` before and `</think>` behind.",
        "Use the <think> tag for that.",
        '"<|channel|>final<|message|>" begins the answer of gpt-oss.',
        "analysis of the text shows a refund",
        "analysis: a refund",
        "Finally, 42.",
        "final answer: 42",
        "<s>struck</s> out",
        "I think [think about it] that x < 3.",
        "The assistant's final answer",
    ],
)
def test_what_an_answer_says_of_thoughts_is_left_to_it(text: str) -> None:
    cut = cut_thoughts(text)

    assert cut.answer == text
    assert not cut.unfinished


@pytest.mark.parametrize(
    "beside",
    [
        {"reasoning_content": "or other?"},
        {"reasoning": "or other?"},
        {"reasoning_details": [{"type": "reasoning.text", "text": "or other?"}]},
        {"content": [{"type": "reasoning", "text": "or other?"}, {"type": "text", "text": "refund"}]},
        {"content": [{"type": "thinking", "thinking": "or other?"}, {"type": "text", "text": "refund"}]},
        {"content": [{"type": "thinking", "thinking": [{"text": "or other?"}]}, {"type": "text", "text": "refund"}]},
        {"content": [{"reasoningContent": {"reasoningText": {"text": "or other?"}}}, {"text": "refund"}]},
        {"content": [{"type": "reasoning", "summary": [{"text": "or other?"}]}, {"type": "text", "text": "refund"}]},
    ],
)  # fmt: skip
def test_thoughts_beside_the_text_are_measured_and_not_graded(beside: dict[str, Any]) -> None:
    (told,) = answers_of("exact", "refund", [{"role": "assistant", "content": "refund", **beside}])

    assert told["aggregate_reward_score"] == 1.0
    assert metrics(told)["thought_length"] == len("or other?")


def test_thoughts_beside_no_text_are_no_answer() -> None:
    turn = {"role": "assistant", "content": None, "reasoning_content": "refund"}
    (told,) = answers_of("exact", "refund", [turn])

    assert told["aggregate_reward_score"] == 0.0
    assert "grader_error" not in metrics(told)


def test_a_refusal_is_what_the_model_said() -> None:
    field = {"role": "assistant", "content": None, "refusal": "I cannot say."}
    part = {"role": "assistant", "content": [{"type": "refusal", "refusal": "I cannot say."}]}

    assert rewards("exact", "I cannot say.", [field, part]) == [1.0, 1.0]
    assert rewards("math", "43", [field, part]) == [0.0, 0.0]


def test_an_answer_without_thoughts_has_no_metric_of_them() -> None:
    (told,) = answers_of("exact", "refund", ["refund"])

    assert "thought_length" not in metrics(told)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_keep_the_thoughts(kind: str) -> None:
    options, reference, right, _ = KINDS[kind]
    RowGrader.of(kind, {**options, "thoughts": "keep"})

    with pytest.raises(OptionsError, match="thoughts must be one of cut, keep, got 'drop'"):
        RowGrader.of(kind, {**options, "thoughts": "drop"})
    row = {"id": "1", "messages": [{"role": "assistant", "content": f"<think>{right}</think>"}]}
    kept = {**row, "reference_answer": reference, "tunedrop_grader": {"thoughts": "keep"}}
    (told,) = grade_batch([kept], RowGrader.of(kind, options), sample_deadline_seconds=60)
    assert metrics(told)["thought_length"] == len(right)


def test_a_pattern_can_ask_for_the_thoughts_that_are_kept() -> None:
    options = {"mode": "regex", "pattern": r"(?s)<think>.+</think>\s*<answer>.+</answer>"}
    said = "<think>Hm.</think>\n<answer>refund</answer>"

    assert rewards("exact", None, [said], **options, thoughts="keep") == [1.0]
    assert rewards("exact", None, [said], **options) == [0.0]


HOSTILE: dict[str, Callable[[int], str]] = {
    "opening tags": lambda n: "<think>" * n,
    "opening tags behind an answer": lambda n: "x <think>" * n,
    "closing tags": lambda n: "</think>" * n,
    "closing tags behind words": lambda n: "x </think>" * n,
    "pairs": lambda n: "x <think>y</think>" * n,
    "pairs of many forms": lambda n: "x <think>y</think> [THINK]z[/THINK] ◁think▷ a" * (n // 3),
    "tags that never end": lambda n: "<think " * n,
    "quotes around closing tags": lambda n: "\"'</think>" * n,
    "fences that close at the end": lambda n: "```a\n</think>\n" * n + "```",
    "fences that never close": lambda n: "x\n~~~~ b\n<think>\n" * n,
    "fences of growing length": lambda n: "".join(f"{'`' * (3 + k % 40)}a\n<think>\n" for k in range(n)),
    "a long line of quoted marks": lambda n: '{"a": "' + "<think>" * n + '"}',
    "quotes": lambda n: "\" <think>' ` " * n,
    "escapes": lambda n: "x" + '"\\' * n + "<think>",
    "ends of turns": lambda n: "</s>" * n + "x",
    "ends of turns behind an answer": lambda n: "x</s> " * n + "x",
    "headers": lambda n: "<|im_start|>assistant\n" * n,
    "harmony's starts": lambda n: "<|start|>assistant" * n,
    "harmony's channels": lambda n: "<|channel|>analysis<|message|>" * n,
    "harmony's recipients": lambda n: "<|channel|>commentary to=" + "a" * 150 + "<" * n,
    "harmony without tokens": lambda n: "analysisX" + "assistantcommentary to=functions.f " * n,
    "thoughts that quote their end": lambda n: "<think>'</think>'" * n,
    "roles that call": lambda n: "assistant to=functions.a " * n,
    "roles that call, led": lambda n: "analysisX" + "assistant to=functions.a" * n,
    "finals": lambda n: "assistantfinal" * n,
    "spaces": lambda n: "<think></think>" + " " * n + "x",
    "sentences": lambda n: "here is my thought process:\n" * n,
    "brackets": lambda n: "[" * n,
    "angles": lambda n: "<" * n,
}


@pytest.mark.parametrize("kind", a_third_in_each_run(HOSTILE))
def test_the_time_of_cutting_grows_as_the_text_does(kind: str) -> None:
    attack = HOSTILE[kind]

    def seconds(size: int) -> float:
        text = attack(size)
        spent = []
        for _ in range(3):
            began = time.process_time()
            cut_thoughts(text)
            spent.append(time.process_time() - began)
        return min(spent)

    small, large = seconds(1_000), seconds(8_000)

    assert large < 24 * small + 0.01, f"8 times the text took {large / small:.0f} times as long"


def test_any_turn_of_a_model_can_be_sent_to_a_worker() -> None:
    turn = {"role": "assistant", "content": "<think>\ud83d</think>" + json.dumps({"label": "refund"})}

    assert rewards("json", {"label": "refund"}, [turn]) == [1.0]
