"""How numbers and names are written for people, the same in the page and in the model card."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

NOTHING = "–"


def number(value: float | None, kind: str) -> str:
    """A number as its kind is written: "reward", "share", "change", "count" or "p"; a dash where there is none."""
    if value is None:
        return NOTHING
    if kind == "reward":
        return f"{value:.3f}"
    if kind == "share":
        return f"{value:.1%}"
    if kind == "change":
        # A true minus sign is as wide as the plus.
        return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")
    if kind == "count":
        return f"{value:,.0f}"
    if kind == "p":
        return "below 0.0001" if value < 0.0001 else f"{value:.4f}"
    raise ValueError(f"no such kind of number: {kind!r}")


def seconds(value: float | None) -> str:
    """A latency: 12 ms, 0.85 s, 12 s."""
    if value is None:
        return NOTHING
    if value < 0.1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.2f} s" if value < 10 else f"{value:,.0f} s"


def duration(value: float | None) -> str:
    """A span of time: 45 s, 12 min 5 s, 3 h 20 min."""
    if value is None:
        return NOTHING
    if value < 60:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60:,} h {minutes % 60} min"


def counted(count: int, noun: str) -> str:
    """How many there are: 1 row, 2 rows, 1,319 rows. The noun takes an s."""
    return f"{count:,} {noun if count == 1 else f'{noun}s'}"


def file_name(file: str) -> str:
    """The file of a finding about the dataset, as it is called in the folder."""
    return f"{file}.jsonl" if file in ("train", "test") else file


def coded(text: str) -> Markup:
    """A message for the page: what stands between backticks as code, everything escaped."""
    pieces = re.split(r"`([^`\n]+)`", str(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if place % 2 else escape(piece) for place, piece in enumerate(pieces)
    )


def words(name: str) -> str:
    """A rule's or a field's name as words: no_signal_within_groups becomes "no signal within groups"."""
    return str(name).replace("_", " ").replace("-", " ")
