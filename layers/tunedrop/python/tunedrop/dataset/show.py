"""A value in a few printable characters, safe for a terminal and for a page, without secrets."""

from __future__ import annotations

from typing import Any, Final

from tunedrop.dataset.secrets import redacted

MAX_SHOWN: Final = 80
"""Characters of a value that a finding repeats."""


def cleaned(text: str) -> str:
    """`text` fit to be printed: secrets blacked out, what cannot be seen (but line breaks) as escapes."""
    plain = redacted(text)
    if plain.isprintable():
        return plain
    return "".join(
        character if character.isprintable() or character == "\n" else repr(character)[1:-1] for character in plain
    )


def shown(value: Any) -> str:
    """`value` as one short line: cut to MAX_SHOWN, control and direction characters escaped, secrets blacked out."""
    if isinstance(value, dict):
        names = ", ".join(shown(key) for key in list(value)[:4])
        return f"an object with {names}{', …' if len(value) > 4 else ''}" if value else "an empty object"
    if isinstance(value, list):
        return f"an array of {len(value)}" if value else "an empty array"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        # Blacked out before it is cut, and from a longer piece, so that a cut does not hide what a secret is.
        text = repr(redacted(value[: MAX_SHOWN * 4]))
        return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**MAX_SHOWN else "a whole number of many digits"
    return text[:MAX_SHOWN]
