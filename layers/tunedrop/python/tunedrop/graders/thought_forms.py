"""The table of forms in which models write their thoughts, and of the marks that begin and end their turns.

Each form is how a family of models, its template or a host of models writes it. Which of them reaches a grader on
Bedrock is UNCONFIRMED, so all are known. Harmony's channels, which have a grammar of their own, are in `harmony`.
"""

from __future__ import annotations

import re

from tunedrop.graders.late_pattern import late

TAGS = (
    "think",  # Qwen3, DeepSeek R1, GLM, MiniMax, Phi-4 reasoning
    "thinking",
    "thought",  # EXAONE
    "thoughts",
    "thought_process",
    "thinking_process",
    "reasoning_process",
    "internal_thought",
    "internal_thoughts",
    "inner_thought",
    "inner_thoughts",
    "cot",
    "reasoning",  # gpt-oss, as Bedrock's runtime shows it
    "scratchpad",
    "chain_of_thought",
    "inner_monologue",
    "internal_monologue",
    "inner_reasoning",
    "internal_reasoning",
    "reasoning_trace",
    "seed:think",  # Seed-OSS
    "longcat_think",  # LongCat
    "ant_thinking",
    "antthinking",
    "antml:thinking",
)
"""Names of tags, in any case; a tag may have attributes, and space around its name.

`analysis`, `reflection` and `rationale` are none: a task may ask for them as parts of the answer."""

PAIRS = {
    "[think]": "[/think]",  # Magistral
    "[thinking]": "[/thinking]",
    "[reasoning]": "[/reasoning]",
    "[begin of thought]": "[end of thought]",
    "◁think▷": "◁/think▷",  # Kimi
    "<|begin_of_thought|>": "<|end_of_thought|>",  # Sky-T1, OpenThinker
    "<|start_thinking|>": "<|end_thinking|>",  # Command A
    "<|begin_internal_thought|>": "<|end_internal_thought|>",
    "<|begin_of_thinking|>": "<|end_of_thinking|>",
    "<\uff5cbegin\u2581of\u2581thinking\uff5c>": "<\uff5cend\u2581of\u2581thinking\uff5c>",
    "<|begin_of_think|>": "<|end_of_think|>",
    "<|think_start|>": "<|think_end|>",
    "<|thinking_start|>": "<|thinking_end|>",
    "<|think_begin|>": "<|think_end|>",
    "<|thought_start|>": "<|thought_end|>",
    "<|start_think|>": "<|end_think|>",
    "<|reasoning_start|>": "<|reasoning_end|>",
    "<|start_reasoning|>": "<|end_reasoning|>",
    "<|begin_of_reasoning|>": "<|end_of_reasoning|>",
    "<|thought_begin|>": "<|thought_end|>",
    "<|reasoning|>": "<|/reasoning|>",
    "<|think|>": "<|/think|>",
    "<|thinking|>": "<|/thinking|>",
    "<|inner_prefix|>": "<|inner_suffix|>",  # Apertus
    "<|channel>thought": "<channel|>",  # Gemma
    "<unused94>thought": "<unused95>",  # MedGemma
}
"""Opening mark → closing mark, in any case."""

PROSE_OPENS = r"here(?:'s|’s| is) my thought process:"
PROSE_CLOSES = r"here(?:'s|’s| is) my response:"
"""Granite 3.2: sentences at the beginning of a line."""

ANSWER_BEGINS = ("<|begin_of_solution|>", "<|start_response|>", "<|start_text|>", "<|begin_of_response|>")
"""What stands before one of these is no answer."""

ANSWER_ENDS = (
    "<|end_of_solution|>", "<|end_response|>", "<|end_text|>", "<|end_of_response|>",
    "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|endoftext|>", "<|end_of_text|>", "<|end|>", "<|return|>", "<|call|>",
    "<|eot|>", "<|eos|>", "<|end_of_turn|>", "<|endofturn|>", "[|endofturn|]", "<|end_of_turn_token|>",
    "<|im_start|>", "<|start_header_id|>", "<|user|>", "<|observation|>", "<start_of_turn>",
    "<\uff5cend\u2581of\u2581sentence\uff5c>",  # DeepSeek
)  # fmt: skip
"""What stands behind one of these is another turn."""

TRAILING_ENDS = (
    "</s>", "<eos>", "<end_of_turn>", "<turn|>", "[eos]", "<end_of_utterance>",
    "<seed:eos>", "<sep>", "</longcat_s>", "<special_12>", "[e~[",  # Seed, Reka, LongCat, Nemotron, MiniMax
)  # fmt: skip
"""Ends of a turn that a text may hold as well: they count at the end only."""

TURN_HEADERS = (
    r"<\|im_start\|>\s?(?:assistant|model)?", r"<\|start_header_id\|>\s?assistant\s?<\|end_header_id\|>",
    r"<start_of_turn>\s?model", r"<\|assistant\|>", r"\[\|assistant\|\]", r"<\|begin_of_text\|>",
    r"<\|start_of_turn_token\|>\s?<\|chatbot_token\|>", r"<\|start_of_role\|>assistant<\|end_of_role\|>",
)  # fmt: skip
"""Regular expressions of what a template writes before the model's turn."""


def _any(literals: tuple[str, ...]) -> str:
    return "|".join(re.escape(literal) for literal in literals)


_TAG = "|".join(sorted(TAGS, key=len, reverse=True))
_BEGIN = r"<\s{0,2}[a-z/|\uff5c]|\[[tebr/|]|◁"
_BEGINS = late(_BEGIN, re.IGNORECASE)
_BEGINS_IN_PROSE = late(rf"{_BEGIN}|^[ \t]{{0,9}}here", re.IGNORECASE | re.MULTILINE)
_MARK = late(
    rf"<\s{{0,2}}(?P<tag>{_TAG})(?:\s[^<>]{{0,200}})?>"
    rf"|<\s{{0,2}}(?P<empty>{_TAG})\s{{0,9}}/>"
    rf"|<\s{{0,2}}/\s{{0,2}}(?P<closed>{_TAG})\s{{0,9}}>"
    rf"|(?P<open>{_any(tuple(PAIRS))})"
    rf"|(?P<close>{_any(tuple(PAIRS.values()))})"
    rf"|^[ \t]{{0,9}}(?P<prose>{PROSE_OPENS})"
    rf"|^[ \t]{{0,9}}(?P<response>{PROSE_CLOSES})"
    rf"|(?P<begin>{_any(ANSWER_BEGINS)})"
    rf"|(?P<end>{_any(ANSWER_ENDS)})"
    rf"|(?P<trailing>{_any(TRAILING_ENDS)})",
    re.IGNORECASE | re.MULTILINE,
)


def mark_at(text: str, position: int) -> re.Match[str] | None:
    """The mark that begins at this place; the name of its last group says of which sort it is."""
    return _MARK.match(text, position)


def next_mark(text: str, position: int, *, prose: bool) -> re.Match[str] | None:
    """The next mark. `prose` says whether sentences may be one: to look for them takes longer."""
    for begin in (_BEGINS_IN_PROSE if prose else _BEGINS).finditer(text, position):
        if (mark := _MARK.match(text, begin.start())) is not None:
            return mark
    return None


HEADER = late(rf"\s*(?:{'|'.join(TURN_HEADERS)})", re.IGNORECASE)

CLOSING = {
    **{name: late(rf"<\s{{0,2}}/\s{{0,2}}{name}\s{{0,9}}>", re.IGNORECASE) for name in TAGS},
    **{opened: late(re.escape(closed), re.IGNORECASE) for opened, closed in PAIRS.items()},
    "": late(rf"(?:^|(?<=[.!?:])[ \t])[ \t]{{0,9}}{PROSE_CLOSES}", re.IGNORECASE | re.MULTILINE),
}
"""The closing mark of each form, by the name of its tag or its opening mark; "" for the sentences."""
ALIKE = ("think", "thinking", "thought", "thoughts")
CLOSING_ALIKE = late(rf"<\s{{0,2}}/\s{{0,2}}(?P<name>{'|'.join(ALIKE)})\s{{0,9}}>", re.IGNORECASE)
"""What closes a tag that its own name never closes: `<think>…</thinking>`."""

HINTS = ("<", "[", "◁")
PROSE_HINTS = ("my thought process:", "my response:")
"""A text without any of these holds no mark: most answers are done with after looking for them."""
