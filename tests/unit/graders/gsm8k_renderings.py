"""GSM8K's answers, written in the many ways in which models write them.

A rendering is a marker (how the answer is announced) with a form (how the number is written). Each takes the answer as
a whole number and gives the text of a model's answer. None mentions the number itself in its reasoning, so that a
grader cannot find it anywhere but where the answer is given.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path

Form = Callable[[int], str]
DATA = Path(__file__).resolve().parents[2] / "data" / "gsm8k"

REASONING = "First there are 3 groups of 1,017 and then half of them leave.\nSo 0.5 of 2034 is what we look for.\n"

PLAIN: dict[str, Form] = {
    "digits": lambda n: f"{n}",
    "thousands": lambda n: f"{n:,}",
    "dollars": lambda n: f"${n:,}" if n >= 0 else f"-${-n:,}",
    "dollars and cents": lambda n: f"${n:,}.00" if n >= 0 else f"-${-n:,}.00",
    "decimal": lambda n: f"{n}.0",
    "full stop": lambda n: f"{n}.",
    "unit": lambda n: f"{n:,} apples",
    "unit and full stop": lambda n: f"{n} miles per hour.",
    "dollars in words": lambda n: f"{n} dollars",
    "euros": lambda n: f"€{n}" if n >= 0 else f"-€{-n}",
    "percent": lambda n: f"{n}%",
    "percent in words": lambda n: f"{n} percent",
    "bold": lambda n: f"**{n}**",
    "bold with unit": lambda n: f"**{n:,} apples**",
    "italic": lambda n: f"*{n}*",
    "true minus": lambda n: f"{n}".replace("-", "−"),
    "inline formula": lambda n: f"${n}$",
    "inline price": lambda n: rf"$\${n}$" if n >= 0 else rf"$-\${-n}$",
    "inline unit": lambda n: rf"${n}\text{{ apples}}$",
    "parentheses": lambda n: rf"\({n}\)",
    "equation": lambda n: f"x = {n}",
    "sum": lambda n: f"{n - 7} + 7 = {n}",
    "hour": lambda n: f"{n} hours a day",
    "with remark": lambda n: f"{n} (in total)",
}
LATEX: dict[str, Form] = {
    "digits": lambda n: f"{n}",
    "thousands": lambda n: f"{n:,}",
    "braced thousands": lambda n: f"{n:,}".replace(",", "{,}"),
    "thin thousands": lambda n: f"{n:,}".replace(",", r"\,"),
    "squeezed thousands": lambda n: f"{n:,}".replace(",", r",\!"),
    "price": lambda n: rf"\${n:,}" if n >= 0 else rf"-\${-n:,}",
    "decimal": lambda n: f"{n}.00",
    "unit": lambda n: rf"{n}\text{{ apples}}",
    "roman unit": lambda n: rf"{n}\,\mathrm{{km}}",
    "percent": lambda n: rf"{n}\%",
    "degrees": lambda n: rf"{n}^\circ",
    "equation": lambda n: f"x = {n}",
    "fraction": lambda n: rf"\frac{{{2 * n}}}{{2}}",
    "bold": lambda n: rf"\mathbf{{{n}}}",
    "text": lambda n: rf"\text{{{n}}}",
    "words around": lambda n: f"{n} apples",
}
PLAIN_MARKERS: dict[str, str] = {
    "hashes": "#### {}",
    "hashes without space": "####{}",
    "hashes with two spaces": "####  {}",
    "bold hashes": "**#### {}**",
    "hashes, next line": "####\n{}",
    "hashes, then a blank line": "#### {}\n\n",
    "heading, then hashes": "#### Step 2: add\n2 + 2 = 4\n#### {}",
    "answer is": "The answer is {}",
    "so the answer is": "So, the answer is: {}",
    "final answer is": "Therefore, the final answer is {}",
    "bold final answer": "**Final Answer:** {}",
    "final answer heading": "**Final Answer**\n\n{}",
    "markdown heading": "### Answer\n{}",
    "answer": "Answer: {}",
    "shouted": "ANSWER: {}",
    "A": "A: {}",
    "tag": "<answer>{}</answer>",
    "after thoughts": "<think>Is it 5?</think>\nThe answer is {}",
    "next question": "The answer is {}\n\nQuestion: What is 1 + 1?\nThe answer is 2.",
    "end of turn": "The answer is {}<|im_end|>\n<|im_start|>user\nand 5?",
    "second thoughts": "The answer is 123457. Wait, I have forgotten something. The answer is {}",
    "therefore": "Therefore, in the end there are {}",
}
LATEX_MARKERS: dict[str, str] = {
    "boxed": r"\boxed{{{}}}",
    "boxed in a formula": r"So the answer is $\boxed{{{}}}$.",
    "boxed in a display": "Thus\n\\[\n\\boxed{{{}}}\n\\]",
    "boxed after a heading": "**Final Answer**\n\n$$\\boxed{{{}}}$$",
    "boxed, then a remark": r"The total is \(\boxed{{{}}}\). This took 50 minutes.",
    "boxed, formula before it": r"$2 + 2 = 4$, and so $x = \boxed{{{}}}$",
    "second box": r"\boxed{{123457}}? No: I counted twice, so \boxed{{{}}}.",
    "fbox": r"\fbox{{{}}}",
}


def answers(split: str = "test") -> list[int]:
    """The whole-number answers of a split of GSM8K."""
    with gzip.open(DATA / f"{split}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [int(json.loads(line)["answer"].rsplit("####", 1)[1].replace(",", "")) for line in lines]


WAYS: list[tuple[str, str, Form]] = [
    (f"{marker}: {form}", template, write)
    for markers, forms in ((PLAIN_MARKERS, PLAIN), (LATEX_MARKERS, LATEX))
    for marker, template in markers.items()
    for form, write in forms.items()
]


def renderings(number: int, *, start: int = 0, stride: int = 1) -> Iterator[tuple[str, str]]:
    """An answer in every way, or in every `stride`-th from `start` on: the way's name and the text."""
    for name, template, write in WAYS[start::stride]:
        yield name, REASONING + template.format(write(number))


def wrong(number: int) -> Iterator[int]:
    """Answers that are near, but wrong: one off, ten times, with the other sign, digits turned or dropped."""
    turned = int(str(abs(number))[::-1])
    near = [number + 1, number - 1, number * 10, -number, turned, number // 10, number + 1000, 2 * number]
    yield from dict.fromkeys(other for other in near if other != number)
