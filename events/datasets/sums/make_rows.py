"""Writes train.jsonl and test.jsonl beside this file: sums of two numbers, each pair once. No row is anybody else's."""

from __future__ import annotations

import json
import random
from pathlib import Path

TRAIN, TEST = 120, 80
LEAST, MOST = 2, 50
# One worked example, as a turn of its own: without one, a model of 135 million parameters is hardly ever paid. The
# prompt is short, because the time of a training step grows with it.
EXAMPLE = (
    {"role": "system", "content": "Sums."},
    {"role": "user", "content": "26 + 47"},
    {"role": "assistant", "content": "26 + 47 = 73\n#### 73"},
)


def main() -> None:
    """Write both files."""
    numbers = range(LEAST, MOST + 1)
    pairs = [(first, second) for first in numbers for second in numbers if (first, second) != (26, 47)]
    chosen = random.Random(0).sample(pairs, TRAIN + TEST)
    folder = Path(__file__).parent
    for name, some in (("train", chosen[:TRAIN]), ("test", chosen[TRAIN:])):
        lines = [json.dumps(row(name, number, *pair)) for number, pair in enumerate(some, 1)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


def row(name: str, number: int, first: int, second: int) -> dict[str, object]:
    """One sum."""
    question = {"role": "user", "content": f"{first} + {second}"}
    return {
        "id": f"{name}-{number:03}",
        "messages": [*EXAMPLE, question],
        "reference_answer": f"{first} + {second} = {first + second}\n#### {first + second}",
    }


if __name__ == "__main__":
    main()
