"""A contest's letter with its option's text: `\\textbf{(B) } 12`, `(B) 8`, `B: 12`."""

from __future__ import annotations

from tunedrop.graders.late_pattern import late

_OPTION = late(r"\s*\(?\s*([A-J])\s*(?:\)|[.:])\s*(?=[^\s,;&])")
_ALONE = late(r"\s*(?:[Oo]ption\s|[Cc]hoice\s|[Ll]etter\s)?\(?\s*([A-J])\s*[).:]?\s*")
_DRESS = late(
    r"\\(?:text|textbf|textrm|mathrm|mathbf|textit|bf|rm)\s{0,3}\{([^{}]{0,40})\}|\\[,;: !]|~|\\qquad|\\quad|\$"
)


def split_option(text: str) -> tuple[str | None, str]:
    """The letter in front of an option and the option's text, which is empty where the letter stands alone.

    None and the text as it is where no letter of an option stands in front: `B + 12`, `(A, B)`, `AB`.
    """
    head = text[:120]
    if not any(letter in head for letter in "ABCDEFGHIJ"):
        return None, text
    plain = _DRESS.sub(lambda match: match[1] or " ", head) + text[120:]
    alone = _ALONE.fullmatch(plain)
    if alone is not None:
        return alone[1], ""
    option = _OPTION.match(plain)
    return (option[1], plain[option.end() :].strip()) if option is not None else (None, text)
