"""Times as Tunedrop writes them: ISO 8601 in UTC with milliseconds, so that they sort as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def text(moment: datetime) -> str:
    """`moment` as `2026-01-31T12:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now_text() -> str:
    """The present as `text` writes it."""
    return text(now())


def parse(written: str) -> datetime:
    """The moment that `text`, or AWS with any offset, wrote.

    Raises:
        ValueError: not an ISO 8601 time.
    """
    moment = datetime.fromisoformat(written.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def for_people(written: str) -> str:
    """A moment as people read it, to the minute: `2026-01-31 12:00 UTC`. Raises ValueError for a text that is none."""
    return parse(written).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def seconds_from_now(seconds: float) -> str:
    """The moment that lies `seconds` ahead, as text."""
    return text(now() + timedelta(seconds=seconds))


def has_passed(written: str) -> bool:
    """Whether the moment lies behind us."""
    return parse(written) <= now()
