"""Whose format a row has, and how its prompt is found. Answers are `convert`'s, as most formats name them alike."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any, Final

from local.conversion import ground_truth, invocation_log
from local.conversion.fault import ConversionError
from local.conversion.fields import is_blank, parsed, take
from local.conversion.notes import Notes
from local.conversion.service_answers import said_by
from local.conversion.task import Task
from local.conversion.tools import RESPONSES, TOOLS
from local.conversion.turns import answer_of, is_conversation, text_of_content, turns_of
from tunedrop.dataset.show import shown


class Source(enum.StrEnum):
    """The formats of a row that are read."""

    QUESTION_ANSWER = "qa"
    OPENAI = "openai"
    TRL = "trl"
    VERL = "verl"
    SHAREGPT = "sharegpt"
    ALPACA = "alpaca"
    CONVERSE = "converse"
    EVAL_PROTOCOL = "eval-protocol"
    GEMINI = "gemini"
    EVALS = "evals"
    GROUND_TRUTH = "ground-truth"
    INVOCATION_LOG = "invocation-log"


_LOG: Final = "ModelInvocationLog"
TITLES: Final = {
    Source.QUESTION_ANSWER: "question/answer rows",
    Source.OPENAI: "OpenAI's rows (`messages`)",
    Source.TRL: "TRL's rows (`prompt`)",
    Source.VERL: "verl's rows (`prompt`, `reward_model`)",
    Source.SHAREGPT: "ShareGPT's rows (`conversations`)",
    Source.ALPACA: "Alpaca's rows (`instruction`, `input`, `output`)",
    Source.CONVERSE: "Converse rows (`system`, content blocks)",
    Source.EVAL_PROTOCOL: "rows of Fireworks' eval-protocol (`messages`, `ground_truth`)",
    Source.GEMINI: "Gemini's rows (`contents`)",
    Source.EVALS: "rows of OpenAI's evals (`input`, `ideal`)",
    Source.GROUND_TRUTH: "a SageMaker Ground Truth manifest",
    Source.INVOCATION_LOG: "Bedrock's invocation log",
}


def unwrapped(row: dict[str, Any]) -> dict[str, Any]:
    """The record of an invocation log that CloudWatch Logs exports as a text; any other row as it is."""
    for key in ("@message", "message"):
        inner = parsed(row.get(key)) if isinstance(row.get(key), str) else None
        if isinstance(inner, dict) and inner.get("schemaType") == _LOG:
            return inner
    return row


def recognised(row: Mapping[str, Any]) -> Source:
    """The format of a row, by its fields; question/answer where none is recognised."""
    if row.get("schemaType") == _LOG or ("modelId" in row and isinstance(row.get("input"), dict)):
        return Source.INVOCATION_LOG
    if isinstance(row.get("modelInput"), dict) and ("modelOutput" in row or "error" in row):
        return Source.INVOCATION_LOG
    for key, is_so, source in _BY_KEY:
        if key in row and is_so(row):
            return source
    return Source.QUESTION_ANSWER


def read(source: Source, row: dict[str, Any], notes: Notes, *, answered: bool = False) -> Task:
    """The row's prompt; `answered`: its answer is known. Raises ConversionError where it is not what the format has."""
    if source is Source.INVOCATION_LOG:
        return invocation_log.read(row, notes)
    if source is Source.GROUND_TRUTH:
        return ground_truth.read(row, answered=answered)
    if source is Source.ALPACA:
        return _alpaca(row, notes)
    key = _CONVERSATION[source]
    if source is Source.SHAREGPT and key not in row:
        key = "conversation"
    others = {name: value for name, value in row.items() if name != key}
    said = (
        parsed(row.get(key)) if isinstance(row.get(key), str) and row[key].lstrip().startswith("[{") else row.get(key)
    )
    if isinstance(said, str) and source in (Source.TRL, Source.VERL):
        return Task([{"role": "user", "content": said}], others)
    if isinstance(said, dict) and isinstance(said.get("messages"), list):  # as OpenAI's rows of preferences
        others = {**{name: value for name, value in said.items() if name != "messages"}, **others}
        said = said["messages"]
    if source is Source.CONVERSE and others.get("schemaVersion") == "bedrock-conversation-2024":
        del others["schemaVersion"]
    return Task(turns_of(said, key, notes), others)


def system_of(others: dict[str, Any], notes: Notes) -> tuple[str, dict[str, Any]]:
    """The text of a row's own system field (blank: none), and the other fields without it."""
    for name in _SYSTEM:
        if name in others:
            rest = {key: value for key, value in others.items() if key != name}
            value = others[name]
            return ("" if is_blank(value) else text_of_content(value, name, notes)), rest
    return "", others


_SYSTEM: Final = (
    *("system", "system_prompt", "systemPrompt", "systemInstruction", "system_instruction"),
    "instructions",  # OpenAI's Responses
)


def lifted(row: dict[str, Any], question: str) -> dict[str, Any]:
    """The row with the system prompt and the tools that stand beside a question within another field, such as
    `request.messages`."""
    within = question.rpartition(".")[0]
    for key in (*_SYSTEM, *TOOLS) if within else ():
        if key not in row:
            try:
                value, row = take(row, f"{within}.{key}")
            except ConversionError:
                continue
            row = {**row, key: value}
    return row


def text_of_answer(value: Any, notes: Notes) -> Any:
    """An answer that is a conversation, or what a service answered, as its last turn's text; any other as it is."""
    value = said_by(value)
    if isinstance(value, list) and value and all(map(_is_turn, value)):
        return answer_of(turns_of(value, "the answer", notes)[-1], notes)
    return value


def _is_turn(item: Any) -> bool:
    return isinstance(item, dict) and (not item.keys().isdisjoint(("role", "from")) or item.get("type") in RESPONSES)


def history_of(row: dict[str, Any], notes: Notes) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The turns before the question, where `history` has them (pairs of texts, or messages); and the row without it.

    No turns: the row has no history, or one in another form.
    """
    history = parsed(row.get("history"))
    rest = {key: value for key, value in row.items() if key != "history"}
    if is_conversation(history):
        return turns_of(history, "history", notes), rest
    if not isinstance(history, list) or not history or not all(map(_is_pair, history)):
        return [], row
    texts = [text for pair in history for text in pair]
    return [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(texts)], rest


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(text, str) for text in value)


def _alpaca(row: dict[str, Any], notes: Notes) -> Task:
    instruction, given = row.get("instruction"), row.get("input")
    for name, value in (("instruction", instruction), ("input", given)):
        if value is not None and not isinstance(value, str):
            raise ConversionError(
                f"expected `{name}`, a text, got {shown(value)}; --from qa --prompt '{{instruction}} {{input}}' writes "
                "both out"
            )
    turns, row = history_of(row, notes)
    if not is_blank(row.get("history")):
        raise ConversionError(f"expected `history`, pairs of texts, got {shown(row['history'])}")
    asked = "\n\n".join(text for text in (instruction, given) if text and text.strip())
    others = {key: value for key, value in row.items() if key not in ("instruction", "input", "history")}
    return Task([*turns, {"role": "user", "content": asked}], others)


def _has_blocks(row: Mapping[str, Any]) -> bool:
    """Whether a row with messages is Converse's: a list of system texts, or parts without a type."""
    if isinstance(row.get("system"), list):
        return True
    messages = row.get("messages")
    contents = (
        [turn.get("content") for turn in messages if isinstance(turn, dict)] if isinstance(messages, list) else []
    )
    return any(
        isinstance(part, dict) and "type" not in part
        for content in contents
        if isinstance(content, list)
        for part in content
    )


def _is_manifest(row: Mapping[str, Any]) -> bool:
    return any(isinstance(key, str) and key.endswith("-metadata") for key in row)


def _always(_row: Mapping[str, Any]) -> bool:
    return True


_CONVERSATION: Final = {
    Source.OPENAI: "messages",
    Source.CONVERSE: "messages",
    Source.EVAL_PROTOCOL: "messages",
    Source.TRL: "prompt",
    Source.VERL: "prompt",
    Source.SHAREGPT: "conversations",
    Source.GEMINI: "contents",
    Source.EVALS: "input",
}
_BY_KEY: Final[tuple[tuple[str, Callable[[Mapping[str, Any]], bool], Source], ...]] = (
    ("messages", _has_blocks, Source.CONVERSE),
    ("messages", lambda row: "ground_truth" in row, Source.EVAL_PROTOCOL),
    ("messages", _always, Source.OPENAI),
    ("conversations", _always, Source.SHAREGPT),
    ("conversation", lambda row: isinstance(row["conversation"], list), Source.SHAREGPT),
    ("contents", lambda row: isinstance(row["contents"], list), Source.GEMINI),
    ("source", _is_manifest, Source.GROUND_TRUTH),
    ("source-ref", _is_manifest, Source.GROUND_TRUTH),
    ("input", lambda row: isinstance(row["input"], list) and "instruction" not in row, Source.EVALS),
    (
        "input",
        lambda row: isinstance(row["input"], dict) and isinstance(row["input"].get("messages"), list),
        Source.EVALS,
    ),
    ("prompt", lambda row: "reward_model" in row, Source.VERL),
    ("prompt", _always, Source.TRL),
    ("instruction", lambda row: "output" in row or "input" in row, Source.ALPACA),
)
