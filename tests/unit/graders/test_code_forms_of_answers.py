"""Where the code grader finds the program of an answer, in whatever a model writes it."""

from __future__ import annotations

import ast
import json

import pytest

from tunedrop.graders.code.answer import program_of

PROGRAM = "def add(a, b):\n    return a + b"
WRONG = PROGRAM.replace("+", "-")


def returned(answer: str) -> list[str]:
    """What the functions `add` of the program return, the last one last; the program must be Python."""
    return [
        ast.unparse(part.body[-1].value)
        for part in ast.parse(program_of(answer, ["add"])).body
        if isinstance(part, ast.FunctionDef) and isinstance(part.body[-1], ast.Return) and part.body[-1].value
    ]


@pytest.mark.parametrize(
    "answer",
    [
        f"```py3\n{PROGRAM}\n```",
        f"```text\n{PROGRAM}\n```",
        f"```tool_code\n{PROGRAM}\n```",
        f"```solution.py\n{PROGRAM}\n```",
        f"```javascript\nfunction add(a, b) {{ return a - b }}\n```\n```plaintext\n{PROGRAM}\n```",
        f"python\n{PROGRAM}",
        f"{PROGRAM}\n```",
        f"{PROGRAM}\n```\nThis adds.",
        f"{PROGRAM}\n```\nIt prints:\n```\n5\n```",
        f"{PROGRAM}\nThis function adds two numbers.",
        f"### Solution\n{PROGRAM}\n### Explanation\nIt adds.",
        f">>> {PROGRAM.replace(chr(10), chr(10) + '... ')}\n...\n>>> add(1, 2)\n3",
        f"\ufeff{PROGRAM}",
        f"```python\n\u200b{PROGRAM}\n```",
        "```python\n" + PROGRAM.replace("    ", "\u00a0\u00a0\u00a0\u00a0") + "\n```",
        f"<code>{PROGRAM}</code>",
        f'<pre><code class="language-python">{PROGRAM}</code></pre>',
        f"\\begin{{lstlisting}}[language=Python]\n{PROGRAM}\n\\end{{lstlisting}}",
        f"\\begin{{minted}}{{python}}\n{PROGRAM}\n\\end{{minted}}",
        json.dumps({"explanation": "It adds.", "code": PROGRAM}),
        f"```json\n{json.dumps({'solution': PROGRAM})}\n```",
        json.dumps({"code": f"```python\n{PROGRAM}\n```"}),
    ],
)
def test_a_program_is_found_in(answer: str) -> None:
    assert returned(answer) == ["a + b"]


def test_python_counts_before_a_text_that_looks_like_it() -> None:
    assert returned(f"```text\n{WRONG}\n```\n```python\n{PROGRAM}\n```") == ["a + b"]
    assert returned(f"```text\n{PROGRAM}\n```\n```python\n{WRONG}\n```") == ["a - b"]


def test_a_fence_below_the_repeated_task_is_no_end_of_one() -> None:
    assert returned(f"def add(a, b):\n    return None\n\n```\n{PROGRAM}\n```") == ["a + b"]


def test_a_hard_space_within_a_text_stays() -> None:
    assert "'\u00a0'" in program_of("```python\ndef add(a, b):\n    return '\u00a0'\n```", ["add"])


@pytest.mark.parametrize("block", ["n = int(input())\nprint(n)", "import sys\nprint(sys.stdin.read())"])
def test_a_program_that_reads_its_input_is_found_in_a_text_fence(block: str) -> None:
    assert program_of(f"Here:\n```text\n{block}\n```", []).strip() == block
    assert program_of(f"{block}\n```\n", []).strip() == block
