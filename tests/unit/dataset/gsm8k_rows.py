"""GSM8K's published rows, turned into the service's format by the project's own converter."""

from __future__ import annotations

import gzip
import io
from functools import lru_cache
from pathlib import Path

from local.conversion import Conversion, Source, convert

PUBLISHED = Path(__file__).parents[2] / "data/gsm8k"
WALKTHROUGH = '{question} Let\'s think step by step and output the final answer after "####".'


@lru_cache(maxsize=8)
def gsm8k(name: str, prompt: str | None = None, rows: int | None = None) -> bytes:
    """`train` (7,473 rows) or `test` (1,319), as a file."""
    with gzip.open(PUBLISHED / f"{name}.jsonl.gz") as file:
        published = io.BytesIO(file.read())
    conversion = Conversion(prompt=prompt, final_answer_after="####")
    return b"".join(convert(published, Source.QUESTION_ANSWER, conversion, rows))
