"""One fault for each rule: a good row made faulty, or a file made faulty as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.unit.dataset.sample_rows import a_row, as_line
from tunedrop.dataset.bounds import MAX_DEPTH, MAX_LINE_BYTES

Line = bytes | dict[str, Any] | list[Any]
ANTS = "How many legs do ants have?"
NAMED_TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}


def asked(*turns: tuple[str, Any], **other: Any) -> dict[str, Any]:
    """A row with these turns (role, content)."""
    return {
        "messages": [{"role": role, "content": content} for role, content in turns],
        "reference_answer": "6",
        **other,
    }


def said(text: str) -> dict[str, Any]:
    return asked(("user", text))


def message(**parts: Any) -> dict[str, Any]:
    """A row whose one message has exactly these parts."""
    return {"messages": [parts], "reference_answer": "6"}


def answered(answer: Any) -> dict[str, Any]:
    return {**said(ANTS + f" {answer!r}"), "reference_answer": answer}


def nested(levels: int) -> bytes:
    return as_line(said("deep"))[:-1] + b',"x":' + b"[" * levels + b"]" * levels + b"}"


# Rule → how the row of a line becomes faulty. Only rules of single lines: each finding has exactly that line.
OPEN_WEIGHT_LINES: dict[str, Callable[[int], Line]] = {
    "encoding-utf8": lambda n: as_line(a_row(n)).replace(b"ants", b"ant\xe9s"),
    "encoding-nul": lambda n: as_line(a_row(n)) + b"\x00\x00",
    "line-blank": lambda n: b"",
    "line-length": lambda n: as_line(a_row(n, long="x" * MAX_LINE_BYTES)),
    "json-syntax": lambda n: as_line(a_row(n))[:-1],
    "json-constant": lambda n: as_line(a_row(n))[:-1] + b',"x":NaN}',
    "json-depth": lambda n: nested(MAX_DEPTH + 1),
    "duplicate-key": lambda n: as_line(a_row(n))[:-1] + b',"reference_answer":"7"}',
    "number-range": lambda n: as_line(a_row(n))[:-1] + b',"x":' + b"9" * 5_000 + b"}",
    "lone-surrogate": lambda n: as_line(a_row(n)).replace(b"ants", b"\\ud83d"),
    "row-object": lambda n: as_line([a_row(n)]),
    "messages-missing": lambda n: {"question": "6 x 7?", "answer": "42"},
    "messages-type": lambda n: {**a_row(n), "messages": "How many?"},
    "messages-empty": lambda n: {**a_row(n), "messages": []},
    "message-object": lambda n: {**a_row(n), "messages": ["How many?"]},
    "message-keys": lambda n: message(role="user", content=f"{ANTS} {n}", weight=1),
    "role-unknown": lambda n: asked(("user", f"{ANTS} {n}"), ("oracle", "Ask me.")),
    "role-undocumented": lambda n: asked(("developer", "Be short."), ("user", f"{ANTS} {n}")),
    "content-missing": lambda n: message(role="user"),
    "content-type": lambda n: message(role="user", content=n),
    "content-empty": lambda n: asked(("system", " \n"), ("user", f"{ANTS} {n}")),
    "content-part": lambda n: message(role="user", content=[{"type": "text", "text": f"{ANTS} {n}"}, {"type": "text"}]),
    "content-part-kind": lambda n: message(
        role="user", content=[{"type": "text", "text": f"{ANTS} {n}"}, {"type": "image_url", "image_url": {"url": "x"}}]
    ),
    "system-first": lambda n: asked(("user", f"{ANTS} {n}"), ("system", "Be short.")),
    "system-beside": lambda n: a_row(n, system="Be short."),
    "user-missing": lambda n: asked(("system", f"{ANTS} {n}")),
    "last-turn": lambda n: asked(("user", f"{ANTS} {n}"), ("assistant", "Six.")),
    "turn-order": lambda n: asked(("user", ANTS), ("user", f"{ANTS} {n}")),
    "tool-message": lambda n: asked(("user", ANTS), ("assistant", "I ask."), ("tool", f"6 {n}")),
    "tool-calls": lambda n: {
        "messages": [
            {"role": "user", "content": f"{ANTS} {n}"},
            {"role": "assistant", "content": "I ask.", "tool_calls": [{"name": "f"}]},
            {"role": "user", "content": "Well?"},
        ],
        "reference_answer": "6",
    },
    "tools-shape": lambda n: a_row(n, tools=[NAMED_TOOL, NAMED_TOOL]),
    "tools-undocumented": lambda n: a_row(n, tools=[NAMED_TOOL]),
    "reference-missing": lambda n: {"messages": a_row(n)["messages"]},
    "reference-type": lambda n: answered([6, n]),
    "reference-cut": lambda n: answered("\\dfrac{4"),
    "reference-empty": lambda n: {**a_row(n), "reference_answer": " "},
    "reference-grader": lambda n: {**a_row(n), "reference_answer": "ungradable"},
    "id-type": lambda n: a_row(n, id=n),
    "prompt-long": lambda n: said(f"{n} " + "word " * 300_000),
    "secret-key": lambda n: said(f"{n}: the key is AKIAIOSFODNN7EXAMPLE, keep it"),
    "personal-email": lambda n: said(f"{n}: write to jane.doe@example.com about it"),
    "personal-phone": lambda n: said(f"{n}: call +1 415 555 0123 about it"),
    "personal-card": lambda n: said(f"{n}: pay with 4111 1111 1111 1111"),
}

# What only Nova's rules have, on top of the others but `tools-undocumented`.
NOVA_LINES: dict[str, Callable[[int], Line]] = {
    "single-turn": lambda n: asked(("user", ANTS), ("assistant", "Of what?"), ("user", f"Of {n}.")),
    "reserved-text": lambda n: said(f"{n}: what follows USER: in a chat?"),
}

# Rule → the files, training and test, that break it as a whole.
GOOD = [a_row(n) for n in range(1, 121)]
RUN = "a very long sentence that both of these two files hold, word by word, from here to there"
WHOLE_FILES: dict[str, tuple[bytes, bytes | None]] = {
    "file-empty": (b"", None),
    "file-not-text": (b"PAR1" + bytes(100), None),
    "file-one-document": (b"[\n" + b",\n".join(map(as_line, GOOD)) + b"\n]\n", None),
    "encoding-utf16": ("\ufeff".encode("utf-16-le") + "{}".encode("utf-16-le"), None),
    "encoding-bom": (b"\xef\xbb\xbf" + b"\n".join(map(as_line, GOOD)), None),
    "line-endings": (b"\r\n".join(map(as_line, GOOD)), None),
    "line-blank-trailing": (b"\n".join(map(as_line, GOOD)) + b"\n\n\n", None),
    "reference-mixed": (b"\n".join(map(as_line, [*GOOD, answered({"x": 6})])), None),
    "id-duplicate": (b"\n".join(as_line({**row, "id": f"row-{n % 119}"}) for n, row in enumerate(GOOD)), None),
    "fields-uneven": (
        b"\n".join(as_line(row if n == 7 else {**row, "topic": "ants"}) for n, row in enumerate(GOOD)),
        None,
    ),
    "rows-few": (b"\n".join(map(as_line, GOOD[:99])), None),
    "rows-many": (b"\n".join(as_line(a_row(n)) for n in range(20_001)), None),
    "rows-guidance": (b"\n".join(as_line(a_row(n)) for n in range(10_001)), None),
    "duplicate-row": (b"\n".join(map(as_line, [*GOOD, GOOD[4]])), None),
    "duplicate-prompt": (
        b"\n".join(map(as_line, [*GOOD, {**said("how  many LEGS do 5 ants have?"), "reference_answer": "30"}])),
        None,
    ),
    "duplicate-conflict": (b"\n".join(map(as_line, [*GOOD, {**GOOD[4], "reference_answer": "31"}])), None),
    "leakage-exact": (b"\n".join(map(as_line, GOOD)), as_line(GOOD[4])),
    "leakage-overlap": (b"\n".join(map(as_line, [*GOOD, said(f"1: {RUN}?")])), as_line(said(f"2: {RUN}!"))),
}

# Rules that only a recipe can break: the recipe, and the training file.
WITH_RECIPE: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "holdout-empty": ({}, [a_row(n) for n in range(1, 101)]),
    "validation-empty": (
        {"evaluation": {"checkpoints": "best", "validation": 0.001, "holdout": 0.5}},
        [a_row(n) for n in range(1, 131)],
    ),
    "grader-unchosen": ({}, [{**a_row(n), "reference_answer": "late delivery"} for n in range(1, 141)]),
    "batch-large": ({}, [a_row(n, notes="x" * 200_000) for n in range(1, 141)]),
    "grader-names-nothing": (
        {"grader": {"kind": "json", "options": {"fields": {"/amont": "number"}}}},
        [{**a_row(n), "reference_answer": {"amount": n}} for n in range(1, 141)],
    ),
    "grader-names-few": (
        {"grader": {"kind": "json", "options": {"fields": {"/unit": "exact"}}}},
        [{**a_row(n), "reference_answer": {"amount": n, **({"unit": "kg"} if n % 7 else {})}} for n in range(1, 141)],
    ),
    "slice-missing": ({"evaluation": {"slices": ["chanel"]}}, [a_row(n, channel="mail") for n in range(1, 141)]),
}
