"""Which labels an answer commits to: as JSON in the shapes that models write, or in words."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping

from tunedrop.graders.denied_labels import denied_alone, given_and_denied
from tunedrop.graders.json_answer import NotOneDocument, read_answer
from tunedrop.graders.json_compare import words
from tunedrop.graders.label_phrases import (
    APPLIES,
    ARTICLE,
    CONFIDENCE,
    KIND_BEHIND,
    LAST_CLAUSE,
    LEAD_IN,
    NONE_APPLIES,
    OPENING,
    TAKEN_BACK,
)
from tunedrop.graders.late_pattern import late
from tunedrop.graders.sample import JSON

FIELDS = ("labels", "label", "categories", "category", "answer")
"""The member of an object that holds its labels, in a reference as in an answer."""
_ANSWER_FIELDS = (
    *FIELDS, "result", "results", "violations", "violation", "tags", "tag", "classes", "class", "classification",
    "prediction", "predictions", "output", "verdict", "decision", "flags", "name", "intent", "intents", "topic",
    "topics", "type", "sentiment", "polarity", "emotion", "emotions", "tone", "stance", "safety", "final_label",
    "predicted_label", "final_answer", "primary_category", "predicted_category", "predicted_class",
)  # fmt: skip
_APPLYING = frozenset({"applies", "applicable", "present", "detected", "flagged", "matches", "violated"})
"""Members of an object that say whether its label applies."""
LONGEST_PLAIN_ANSWER = 400
"""Characters of an answer in words: a label is short, and who writes more than this has not committed to one."""
LONGEST_EXPLAINED_ANSWER = 4_000
"""Characters of an answer that begins with a line of labels and explains them."""
_LONGEST_LABEL = 6
"""Words of a label that is looked for in an explanation."""
MOST_LABELS = 200
_DEEPEST = 4
_YES = ("true", "yes", "y", "1", "x", "applies", "present", "✓", "✅")
_NO = ("false", "no", "n", "0", "none", "absent", "not present", "does not apply", "✗", "❌")
_BOTH = late(r"^(?:both|all\sof|as)\s+", re.IGNORECASE)
_EXPLAINED = late(
    r"\n\s*\n\s*[*_#]{0,3}(?:explanation|reason(?:ing)?|rationale|justification|because|why|note)\b"
    r"|\n[ \t]*[*_#-]{0,3}[ \t]?(?:explanation|reason(?:ing)?|rationale|justification)[*_]{0,3}[ \t]?:",
    re.IGNORECASE,
)
_FENCED = late(r"\s*`{3}\w{0,20}\n([^`]{1,400}?)\s*`{3}\s*")
_CHECKED = late(r"\s*(?:[-*+]\s*)?(?:\[(?P<box>[ xX✓])\]|(?P<sign>[✅✓✔☑✗✘❌☐]\ufe0f?))\s*(?P<label>[^\n]{1,120})")
_SEPARATOR = late(r"[,;\n|/+、，；]|\s(?:and|&|as\swell\sas|und|et|y)\s")
_LIST_MARK = late(
    r"(?:^|(?<=\s))(?:\d{1,3}[.)](?=[^\W\d])|\(?\d{1,3}[.):]|\(?(?:[a-z]|[ivx]{2,4})[.)]|[-*•–]|#(?=\w))\s*(?<=[\s#.)])(?=\S)"
)
_FLAG_LINE = late(r"\s*[*_`\"']{0,3}([^:=\n,;]{1,120}?)[*_`\"']{0,3}\s*[:=]\s*[*_`]{0,3}([^\n,;]{1,20}?)[*_`.]{0,4}\s*")
_CHECKED_BEHIND = late(
    r"\s*(?:[-*+]\s*)?(?P<label>[^\n✅✓✔☑✗✘❌☐:]{1,120}?)\s*[:=-]?\s*(?P<sign>[✅✓✔☑✗✘❌☐]\ufe0f?)\s*"
)
_REASON = late(r"\s*(?:\s[-–—]\s|:\s|\(|\s(?:because|since|as)\s)(?P<why>[^\n]{1,300})", re.IGNORECASE)
_IN_BRACKETS = late(r"\s*\(([^()\n]{1,200})\)")
_DENIES = late(r"\b(?:no|not|none|never|without|absent|lacks?|neither|nor|unlikely|false)\b|n['’]t\b", re.IGNORECASE)
_LEFT_OUT = late(
    r"\b(?:no|not|never|(?:doe?s?|would|should)(?:n['’]t)|excluded?|excluding|reject(?:ed|ing)?|ruled\sout)\b[^.!?\n:]{0,40}:[\s*_]{0,9}\Z|\bnot[\s*_]{0,9}\Z",
    re.IGNORECASE,
)
"""A line above the labels that leaves them out: `Labels that do not apply:`."""
_LIST_AT_END = late(r"(?m:^)[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t][^\n]*(?:\n+[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t][^\n]*)+\Z")
_ANSWERED = late(r"[*_]{0,2}(yes|no|true|false)[*_]{0,2}[,.;:–—][*_]{0,2}\s", re.IGNORECASE)
"""`Yes, the claim is supported.`"""
_IN_A_TAG = late(r"<([A-Za-z_]{1,20})>(.{0,400})</\1>", re.DOTALL)
_PYTHON_LIST = late(r"[\[({]\s*((?:'[^'\"\\\n]{0,120}'\s*,?\s*){1,50})[\])}]")
"""A list as Python prints it."""
_BARE_LIST = late(
    r"(?:\[(?=[^\[\]{}\"'\n]{1,400}\])|\{(?=[^\[\]{}\"':\n]{1,400}\}))\s*([^\[\]{}\"'\n]{1,400}?)\s*[\]}]"
)
_TAGS = late(r"(?:<([A-Za-z_]{1,20})>[^<>]{1,200}</\1>[\s,]{0,9}){2,40}")
_BOX = late(r"\\boxed\s?\{\s*(?:\\(?:text|textbf|mathrm|texttt)\s?\{([^{}]{1,400})\}|([^{}]{1,400}))\s*\}")
LONGEST_BOXED = 4_000
"""Characters of an answer's end that may hold its boxes."""
_DECORATION = " \t*_`\"'\u201c\u201d\u2018\u2019.!#>()[]{}:-"


def read_labels(answer: str, known: Mapping[str, str], none: str) -> frozenset[str] | None:
    """The labels that an answer commits to, as `words` writes them; None where it commits to nothing that can be read.

    `known`: every label there is (empty: any may be named). `none` is the label that stands for no label at all.
    """
    answer = text = _as_json(_unwrapped(answer).strip())
    if text.endswith(("?", "\uff1f")):
        return None  # who asks has not committed
    if words(text) not in (*known, "no") and NONE_APPLIES.fullmatch(words(text)):
        return frozenset({none})
    # An answer that begins as a document must be one, whole: half of one commits to nothing.
    in_text = len(text) <= LONGEST_PLAIN_ANSWER and text[:1] not in ("{", "[")
    if (bare := _BARE_LIST.fullmatch(text)) is not None:
        answer = text = bare[1]
    ticked = _checked(text, {*known, none}) if known and len(text) <= LONGEST_PLAIN_ANSWER else None
    if ticked is not None:  # `[ ]` is no empty array there
        return frozenset(ticked) or frozenset({none})
    try:
        document = read_answer(answer, "text" if in_text else "fence")
    except NotOneDocument:
        found = _in_words(answer, {*known, none} if known else None, none)
    else:
        found = _in_document(document, {*known, none} if known else None, _DEEPEST)
    if found is None:
        return None
    return frozenset(label for label in found if label) or frozenset({none})


def _unwrapped(answer: str) -> str:
    """The answer without what is written around its labels: tags, boxes, a fence that holds no JSON."""
    if _TAGS.fullmatch(answer.strip()) is not None:  # <label>spam</label><label>hate</label>
        answer = "\n".join(re.findall(r">([^<>]{1,200})</", answer))
    elif (tagged := _IN_A_TAG.fullmatch(answer.strip())) is not None:
        answer = tagged[2]
    if "\\boxed" in answer:
        answer = _boxed(answer)
    fenced = _FENCED.fullmatch(answer)
    return answer if fenced is None or fenced[1][:1] in ("{", "[") else fenced[1]


def _boxed(answer: str) -> str:
    """What the boxes of an answer hold, a line each: `The label is \\boxed{\\text{spam}}.`; the answer without any."""
    held = [one or other for one, other in _BOX.findall(answer[-LONGEST_BOXED:])]
    return "\n".join(held) or answer


def _as_json(text: str) -> str:
    """The JSON of a list or an object as Python prints it, `{'label': 'spam'}`; any other text as it is."""
    if (quoted := _PYTHON_LIST.fullmatch(text)) is not None:
        return json.dumps(re.findall(r"'([^'\n]*)'", quoted[1]))
    if len(text) > LONGEST_PLAIN_ANSWER or text[:1] != "{" or "'" not in text:
        return text
    try:  # parsed, never run
        printed = ast.literal_eval(text)
        return json.dumps(printed) if isinstance(printed, dict) else text
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return text


def member(document: Mapping[str, JSON], names: tuple[str, ...] = FIELDS) -> JSON:
    """The member that holds the labels, None where there is none."""
    return next((document[name] for name in names if name in document), None)


def _in_document(document: JSON, known: set[str] | None, depth: int) -> list[str] | None:
    if isinstance(document, Mapping):
        return _in_object(document, known, depth)
    if isinstance(document, str):
        parts = _parts(document, known)
        return parts if parts or not document.strip() else [words(document)]
    if not isinstance(document, list) or len(document) > MOST_LABELS:
        return None
    found: list[str] = []
    for item in document:
        read = [words(item)] if isinstance(item, str) else _in_item(item, known, depth)
        if read is None:
            return None
        found += read
    return found


def _in_item(item: JSON, known: set[str] | None, depth: int) -> list[str] | None:
    """An item of a list that is no text: `{"label": "spam"}`, also with `"applies": false`."""
    if not isinstance(item, Mapping) or depth <= 1:
        return None
    flags = [flag for name, value in item.items() if (flag := _flag(value)) is not None and words(name) != "label"]
    if len(flags) == 1 and not flags[0] and member(item, _ANSWER_FIELDS) is not None:
        return []
    return _in_object(item, known, depth - 1)


def _in_object(document: Mapping[str, JSON], known: set[str] | None, depth: int) -> list[str] | None:
    flags = {words(name): flag for name, value in document.items() if (flag := _flag_within(value)) is not None}
    named = {name: flag for name, flag in flags.items() if known is None or name in known}
    if named and (known is not None or len(flags) == len(document)):
        return [name for name, applies in named.items() if applies]
    inner = member(document, _ANSWER_FIELDS)
    if inner is not None and any(not flag for name, flag in flags.items() if name in _APPLYING):
        return []
    if inner is None or depth <= 1:
        return None if inner is None and not any(name in document for name in FIELDS) else []
    return _in_document(inner, known, depth - 1)


def _flag_within(value: JSON) -> bool | None:
    """A flag, also as the only one of an object: `{"applies": true, "reason": "…"}`."""
    if not isinstance(value, Mapping):
        return _flag(value)
    flags = [flag for name, each in value.items() if words(name) in _APPLYING and (flag := _flag(each)) is not None]
    return flags[0] if len(flags) == 1 else None


def _flag(value: JSON) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return value == 1
    if isinstance(value, str):
        text = value.strip().casefold()
        return True if text in _YES else False if text in _NO else None
    return None


def _in_words(answer: str, known: set[str] | None, none: str) -> list[str] | None:
    """Labels written out: the whole answer, or its last line, must be nothing but labels (and "The label is")."""
    text = answer.strip()
    if text[:1] in ("{", "["):
        return None  # it was to be JSON, and is not
    for candidate in _candidates(text, known):
        if len(candidate) > LONGEST_PLAIN_ANSWER:
            continue
        flagged = _flagged(candidate, known)
        if flagged is not None:
            return flagged
        candidate = CONFIDENCE.sub("", candidate)  # noqa: PLW2901 (what is left of it)
        stripped = candidate.strip(_DECORATION)
        opened = OPENING.sub("", stripped, count=1).lstrip(_DECORATION)
        led = _BOTH.sub("", LEAD_IN.sub("", opened, count=1), count=1).lstrip(_DECORATION)
        if led != stripped and words(led) not in (known or ()) and NONE_APPLIES.fullmatch(words(led)):
            return [none]
        plain = APPLIES.sub("", led, count=1)
        parts = (known is not None and _parts(stripped, known)) or _parts(led, known) or _parts(plain, known)
        parts = parts or _parts(_without_aside(led, known), known)
        parts = parts or _with_reasons(candidate, known) or _with_reasons(led, known) or _in_a_noun(plain, known)
        parts = parts or _but_not(stripped, known, none)
        if not parts:
            continue
        if known is not None:
            return parts
        return parts if led != stripped or len(led.split()) <= 3 * len(parts) else None
    return None


def _candidates(text: str, known: set[str] | None) -> Iterator[str]:
    """What may be the labels: the text without an explanation, its last line, its first, its last clause."""
    whole = text
    if len(text) > LONGEST_PLAIN_ANSWER:
        text = text.rpartition("\n")[2].strip()
    explained = _EXPLAINED.search(text)
    yield text[: explained.start()] if explained else text
    listed = _LIST_AT_END.search(text)
    start = text.rfind("\n") + 1 if listed is None else listed.start()
    if not _LEFT_OUT.search(text[:start]):
        yield text[start:]
    if known is None:
        return
    answered = _ANSWERED.match(whole)
    if answered is not None and words(answered[1]) in known and len(whole) <= LONGEST_EXPLAINED_ANSWER:
        behind = whole[answered.end() :]
        if not TAKEN_BACK.match(behind) and not _names_one(behind, known):
            yield answered[1]
    first, _, rest = whole.partition("\n")
    if len(whole) <= LONGEST_EXPLAINED_ANSWER and not TAKEN_BACK.match(rest) and not _names_one(rest, known):
        yield first
    if (last := LAST_CLAUSE.search(text)) is not None:
        yield last["clause"]


def _names_one(text: str, known: set[str]) -> bool:
    """Whether a text names a known label anywhere."""
    found = [words(each) for each in text.split()]
    return any(
        "".join(found[start : start + size]) in known
        for start in range(len(found))
        for size in range(1, _LONGEST_LABEL)
    )


def _in_a_noun(text: str, known: set[str] | None) -> list[str]:
    """The label of `a billing issue` or `positive sentiment`; none where it is not one known label."""
    if known is None:
        return []
    bare = ARTICLE.sub("", text.strip(_DECORATION), count=1)
    return next((found for each in (bare, KIND_BEHIND.sub("", bare, count=1)) if (found := _parts(each, known))), [])


def _but_not(text: str, known: set[str] | None, none: str) -> list[str]:
    """The labels of a text that denies others, too; the label of none where it denies every other one."""
    if known is None:
        return []
    if (alone := denied_alone(text)) is not None and set(_parts(alone, known)) >= known - {none}:
        return [none]
    for given, denied in given_and_denied(text):
        led = LEAD_IN.sub("", given.strip(_DECORATION), count=1).lstrip(_DECORATION)
        parts = _parts(led, known) or _in_a_noun(led, known)
        others = _parts(denied, known) or _in_a_noun(denied, known)
        if parts and others and not {*parts} & {*others}:
            return parts
    return []


def _parts(text: str, known: set[str] | None) -> list[str]:
    """The labels that a text consists of; none where something else stands in it, too."""
    whole = words(text)  # a label may have "and" in it, or a number in front
    if known is not None and whole in known:
        return [whole]
    listed = [words(part) for part in _SEPARATOR.split(_LIST_MARK.sub("\n", text))]
    found = [part for part in listed if part]
    return found if known is None or all(part in known for part in found) else []


def _without_aside(text: str, known: set[str] | None) -> str:
    """The text without a remark in brackets behind it, if that names no label: `spam (an advertisement)`."""
    found = re.fullmatch(r"([^()]{1,120})\(([^()]{1,200})\)?[\s.]*", text)
    if found is None or known is None or any(label in words(found[2]) for label in known):
        return ""
    return found[1]


def _with_reasons(text: str, known: set[str] | None) -> list[str]:
    """The labels of a list that gives a reason for each: `1. spam - it advertises`; empty where a reason denies."""
    if known is None:
        return []
    found = []
    bare = text
    for aside in _IN_BRACKETS.finditer(text):
        if _DENIES.search(aside[1]) or any(label in words(aside[1]) for label in known):
            return []
        bare = bare.replace(aside[0], "", 1)
    if bare != text and (parts := _parts(bare, known)):
        return parts
    for listed in text.split("\n"):
        mark = _LIST_MARK.match(listed.strip())
        line = listed.strip()[mark.end() if mark else 0 :]
        if not line:
            continue
        reason = _REASON.search(line)
        name = words(line[: reason.start()] if reason else line)
        why = reason["why"] if reason else ""
        if name not in known or _DENIES.search(why) or any(label in words(why) for label in known - {name}):
            return []
        found.append(name)
    return found


def _flagged(text: str, known: set[str] | None) -> list[str] | None:
    """`spam: yes` line by line, or parted by commas: the labels that apply; None where the text is no such list."""
    if known is None:
        return None
    if (checked := _checked(text, known)) is not None:
        return checked
    applying: list[str] = []
    for part in re.split(r"[\n,;]", _LIST_MARK.sub("\n", text)):
        if not part.strip():
            continue
        found = _FLAG_LINE.fullmatch(part)
        flag = _flag(found[2]) if found is not None else None
        if found is None or flag is None or words(found[1]) not in known:
            return None
        if flag:
            applying.append(words(found[1]))
    return applying if text.strip() else None


def _checked(text: str, known: set[str]) -> list[str] | None:
    """The labels that are ticked in a list of boxes, of ticks and crosses, or in a table; None for any other text."""
    lines = [line for line in text.strip().split("\n") if line.strip()]
    if len(lines) > 1 and all(line.strip().startswith("|") for line in lines):
        return _in_table(lines, known)
    found = [_CHECKED.fullmatch(line) for line in lines]
    if found and not any(found):
        behind = [_CHECKED_BEHIND.fullmatch(line) for line in lines]
        if all(match is not None and words(match["label"]) in known for match in behind):
            return [words(each["label"]) for each in behind if each is not None and each["sign"][0] in "✅✓✔☑"]
    if not found or not all(match is not None and words(match["label"]) in known for match in found):
        return None
    return [
        words(each["label"]) for each in found if each is not None and (each["box"] or each["sign"])[0] in "xX✓✅✔☑"
    ]


def _in_table(lines: list[str], known: set[str]) -> list[str] | None:
    applying = []
    for number, line in enumerate(lines):
        cells = [cell.strip(" *_`") for cell in line.strip().strip("|").split("|")]
        if len(cells) == 2 and words(cells[0]) in known and (flag := _flag(cells[1])) is not None:
            applying += [words(cells[0])] if flag else []
        elif number > 1:  # below a heading and its line there are labels only
            return None
    return applying
