"""How the report shows a prompt in which tools are called."""

from __future__ import annotations

import json
from typing import Any

from tunedrop.states.conclude_run import shown_prompt

AREA = {"name": "area", "arguments": {"base": 10}}
CALL = {"id": "c", "type": "function", "function": {"name": "area", "arguments": '{"base": 10}'}}
TOOLS: list[Any] = [{"type": "function", "function": {"name": name}} for name in ("area", "sum")]


def test_a_prompt_with_calls_of_tools_shows_them_with_their_results_and_the_tools() -> None:
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "How large?"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c", "content": "50"},
        {"role": "assistant", "content": "And now?", "tool_calls": [CALL]},
    ]
    shown = shown_prompt({"messages": messages, "tools": TOOLS})
    call = json.dumps(AREA)
    expected = ["How large?", call, "50", f"And now?\n<tool_call>\n{call}\n</tool_call>", "Tools: area, sum"]
    assert shown.split("\n\n") == expected


def test_a_prompt_without_tools_is_its_texts() -> None:
    messages = [{"role": "system", "content": "Add."}, {"role": "user", "content": [{"type": "text", "text": "2 + 2"}]}]
    assert shown_prompt({"messages": messages}) == "Add.\n\n2 + 2"
    assert shown_prompt({"messages": messages, "tools": "none"}) == "Add.\n\n2 + 2"
