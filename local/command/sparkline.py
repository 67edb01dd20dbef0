"""A row of numbers as a row of blocks."""

from __future__ import annotations

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int, *, low: float = 0.0, high: float = 1.0) -> str:
    """`values` as at most `width` blocks, on a scale from `low` to `high` (values outside are drawn at its ends).

    Where there are more values than blocks, each block is the mean of those that it stands for.
    """
    if not values or width < 1:
        return ""
    cells = min(width, len(values))
    drawn = []
    for cell in range(cells):
        part = values[cell * len(values) // cells : (cell + 1) * len(values) // cells]
        share = (sum(part) / len(part) - low) / (high - low)
        drawn.append(BLOCKS[min(len(BLOCKS) - 1, max(0, int(share * len(BLOCKS))))])
    return "".join(drawn)
