"""Answers that are made to stall, exhaust or break the maths grader."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

MEGABYTE = 1_000_000
REFERENCES = [
    "#### 72", r"\frac{\sqrt{3}}{2}", "(1,2)", r"\{1,2,3\}", "Evelyn", "x^2+3x+1", r"\begin{pmatrix}1\\2\end{pmatrix}",
    "y=2x+3", "204_5", r"[0,1)\cup(2,3)", "1, 2, 3", "0.3333",
]  # fmt: skip
ATTACKS: dict[str, Callable[[int], str]] = {
    # values that cannot be computed
    "tower of powers": lambda n: r"\boxed{" + "^{".join(["9"] * (n % 30 + 3)) + "}" * (n % 30 + 2) + "}",
    "tower in plain text": lambda n: "#### " + "**".join(["9"] * (n % 50 + 3)),
    "factorials": lambda n: rf"\boxed{{({n + 2000}!)!{'!' * (n % 40)}}}",
    "binomials": lambda n: rf"\boxed{{\binom{{{n + 2000}}}{{{n + 1000}}}^{{{n}}}}}",
    "huge exponent": lambda n: f"#### 1e{n}99999999",
    "tiny exponent": lambda n: rf"\boxed{{10^{{-{n}99999999}}}}",
    "huge matrix power": lambda n: (
        r"\boxed{\begin{pmatrix}" + r"\\".join(["&".join(["9"] * 25)] * 25) + rf"\end{{pmatrix}}^{{{n}}}}}"
    ),
    "determinant": lambda n: r"\boxed{\begin{vmatrix}" + r"\\".join(["&".join([str(n)] * 9)] * 9) + r"\end{vmatrix}}",
    # nesting
    "nested braces": lambda n: r"\boxed{" + "{" * (2000 + n) + "1" + "}" * (2000 + n) + "}",
    "nested parentheses": lambda n: "#### " + "(" * (2000 + n) + "1" + ")" * (2000 + n),
    "nested fractions": lambda n: r"\boxed{" + r"\frac{1}{" * (200 + n) + "1" + "}" * (200 + n) + "}",
    "nested roots": lambda n: r"\boxed{" + r"\sqrt{" * (200 + n) + "2" + "}" * (200 + n) + "}",
    "nested functions": lambda n: r"\boxed{" + r"\sin(" * (100 + n) + "1" + ")" * (100 + n) + "}",
    "signs": lambda n: r"\boxed{" + "-" * (1500 + n % 400) + "1}",
    "bars": lambda n: r"\boxed{" + "|" * (500 + n) + "x" + "|" * (500 + n) + "}",
    "unclosed boxes": lambda n: r"\boxed{" * (MEGABYTE // 10 + n),
    "unclosed environments": lambda n: r"\boxed{" + r"\begin{pmatrix}" * (100 + n % 20) + "}",
    # many of something
    "50,000 numbers": lambda n: "#### " + " ".join(map(str, range(n, 50_000 + n))),
    "50,000 numbers in a box": lambda n: r"\boxed{" + ",".join(map(str, range(n, 50_000 + n))) + "}",
    "hundred thousand markers": lambda n: "#### " * (100_000 + n),
    "hundred thousand commitments": lambda n: f"#### {n}\n" * 100_000,
    "hundred thousand boxes": lambda n: rf"\boxed{{{n}}}" * 100_000,
    "answer is, again and again": lambda n: "answer is " * (90_000 + n),
    "answer to": lambda n: "the answer to " + "x " * (300_000 + n),
    "final answer headings": lambda n: "Final Answer\n" * (70_000 + n),
    "tags": lambda n: "<answer>" * (100_000 + n),
    "ends of turns": lambda n: "<|im_end|>" * (90_000 + n),
    "thoughts": lambda n: "</think> " * (90_000 + n),
    "questions": lambda n: "\nQuestion: " * (80_000 + n),
    "sums and sets": lambda n: r"\boxed{" + r"\cup".join([rf"\{{{n},2,3\}}"] * 140) + "}",
    "plus-minus": lambda n: r"\boxed{" + ",".join([rf"{n}\pm 2"] * 180) + "}",
    "relations": lambda n: r"\boxed{" + "<".join(["x"] * (400 + n % 500)) + "}",
    "struck out": lambda n: "~~a" * (20_000 + n) + r"\cancel{" * 9_000,
    "chinese numbers": lambda n: "一千万亿" * (15_000 + n),
    "points between thousands": lambda n: "1.234.567," * (6_000 + n),
    "numbers in words": lambda n: "seventy-two and a half " * (6_000 + n),
    "all but": lambda n: "all real numbers except 2" + " and 3" * (20_000 + n),
    "conditions": lambda n: r"\boxed{" + ", ".join(f"x > {n + k}" for k in range(180)) + "}",
    "congruences": lambda n: r"\boxed{" + r"2 \equiv " * (200 + n % 9) + r"1 \pmod{7}}",
    "intervals": lambda n: r"\boxed{" + r"\cup".join(rf"({k},{k + n}]" for k in range(130)) + "}",
    # a megabyte, and what regular expressions dislike
    "letters": lambda n: "a" * (MEGABYTE + n),
    "spaces": lambda n: " " * (MEGABYTE + n),
    "line breaks": lambda n: "Final Answer" + "\n" * (MEGABYTE + n),
    "hashes": lambda n: "#" * (MEGABYTE + n),
    "digits": lambda n: "7" * (MEGABYTE + n),
    "decimals": lambda n: "0." + "3" * (MEGABYTE + n),
    "dollars": lambda n: "$" * (MEGABYTE + n),
    "dollars and letters": lambda n: "$a" * (MEGABYTE // 2 + n),
    "stars": lambda n: "**a" * (MEGABYTE // 3 + n),
    "opened formulas": lambda n: "\\(" * (MEGABYTE // 2 + n),
    "slashes": lambda n: "1/" * (MEGABYTE // 2 + n),
    "commas": lambda n: "1," * (MEGABYTE // 2 + n),
    "minus signs": lambda n: "5" + "-" * (MEGABYTE + n) + "5",
    "mixed numbers": lambda n: "1 1/2 " * (160_000 + n),
    "backslashes": lambda n: "\\" * (MEGABYTE + n),
    "regex bomb": lambda n: "#### " + "(a+)+" * (300 + n) + "b",
    "repeating decimals": lambda n: r"\boxed{0." + "12" * (900 + n % 50) + r"\overline{3}}",
    "ellipses": lambda n: "0." + "12" * (2000 + n) + "...",
    "white space after the marker": lambda n: "answer" + " \t" * (MEGABYTE // 2 + n) + "is 5",
    "calculations": lambda n: "<<" * (MEGABYTE // 2 + n),
    "null characters": lambda n: "\0" * (MEGABYTE + n),
    "half surrogates": lambda n: "\ud800" * (1000 + n),
    "emoji": lambda n: "😀" * (100_000 + n),
    "lost delimiters": lambda n: "(" * 400 + "\\frac{1}{2}" * (100 + n) + "[" * 400,
    "half-open intervals": lambda n: r"\boxed{" + "]1,2[" * (350 + n % 40) + "}",
    "corrections": lambda n: "The answer is 1" + ", no, wait, " * (20_000 + n),
    "units of all sizes": lambda n: "The answer is " + "2 hours 30 minutes " * (5_000 + n),
    "denials": lambda n: "not 72 " * (100_000 + n),
    "distances": lambda n: r"\boxed{" + "|x|<" * (400 + n) + "3}",
    "Arabic digits": lambda n: "#### " + "\u0661\u0662" * (1000 + n),
}


def hostile(count: int) -> Iterator[tuple[str, str, str]]:
    """Attacks of every kind in turn, each with other sizes and references: name, answer, reference."""
    chance = random.Random(20_260_717)
    kinds = list(ATTACKS.items())
    for number in range(count):
        name, attack = kinds[number % len(kinds)]
        yield name, attack(chance.randrange(1, 100)), chance.choice(REFERENCES)
