"""Where an answer commits itself: after ####, in \\boxed, after "the answer is", or at its end.

The last commitment counts. Different values at one commitment (`\\boxed{1} or \\boxed{2}`, `#### 1` and at once
`#### 2`) are read as the list that they are, which equals no single number: hedging does not pay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tunedrop.graders.late_pattern import late
from tunedrop.graders.math.dress import MAX_REGION, half_width, is_prose
from tunedrop.graders.math.tokens import braced

MAX_TEXT = 60_000
"""How much of an answer's end is looked at: some 15,000 tokens."""

MAX_COMMITMENTS = 3
"""How many different values may stand after #### before it counts as trying them all."""


MOST_MARKERS = 500
"""Markers of one kind that are looked at, the last ones: no answer has as many."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """The stretch of text that an answer commits itself to, and what marked it."""

    marker: str
    """hashes, boxed, tag, phrase or none."""
    region: str
    position: int = 0


# What models write after they have answered: the next turn, or the next question of a few-shot text.
_TURN_END = late(r"<\|(?:im_end|im_start|eot_id|endoftext|end|user|end_of_turn|return)\|>|</s>|<end_of_turn>")
_NEXT_QUESTION = late(r"\n[ \t]{0,8}(?:#{1,6} ?)?(?:Q|Question|Problem|User|Human) ?\d{0,3}[:.] ")
_NEXT_QUESTION_WORDS = ("Q", "Problem", "User", "Human")
_HASHES = late(r"#{4}(?!#)[ \t]{0,20}")
_ANSWER = late(
    r"answer|\bans(?=\s?[.:=])|final result|réponse|respuesta|resposta|risposta|antwort|ответ|jawaban|odpowiedź"
    r"|cevap|đáp án|答案|答え|정답|الإجابة|उत्तर",
    re.IGNORECASE,
)
_ANSWER_WORDS = (
    *(
        "nswer",
        "NSWER",
        "Ans",
        "ans",
        "ANS",
        "inal result",
        "inal Result",
        "éponse",
        "espuesta",
        "esposta",
        "isposta",
        "ntwort",
        "твет",
    ),
    *("awaban", "dpowied", "evap", "áp án", "答", "정답", "الإجابة", "उत्तर"),
)
# From the word "answer" on. Every repetition is bounded: whatever stands there, a match takes constant time.
_IS = late(
    r"""(?:[ ]?\([^()\n]{0,40}\))?
      (?:\s{1,3}(?:to|for|of|in)\s[^.:=\n]{1,100}?)?
      [*_]{0,3}\s{0,3}(?:,\s{0,2}(?:then|therefore|thus|hence|so)\s{0,2},?\s{0,2})?
      (?:['’]s\b|is\b|was\b|equals\b|est\b|es\b|é\b|è\b|ist\b|lautet\b|adalah\b|là\b|[是为は은는]|(?:would|will|should|must)\sbe\b|:|=|≈|[-–—]\s)[*_]{0,3}
      (?:\s{0,3}(?:therefore|thus|hence|simply|just|exactly|approximately|about|also|then|equal\sto|:|=|indeed|only)){0,2}
      [ \t]{0,20}:?[ \t]{0,20}[*_]{0,3}:?[ \t]{0,20}""",
    re.VERBOSE | re.IGNORECASE,
)
_ANSWER_HEADING = late(r"[ \t]{0,20}[*_]{0,3}:?[*_]{0,3}[ \t]{0,20}\n")
_LETTER_A = late(r"(?:^|\n)[ \t]{0,20}[*_]{0,3}A[*_]{0,3}:[*_]{0,3}[ \t]{0,20}")
_BOXED = late(r"\\{1,4}(?:begin)?(?:boxed|fbox|framebox)(?![A-Za-z])\s{0,20}")
_BETWEEN = late(
    r"(?:[\s$,;:.*+()\[\]{}]|\\[()\[\],;:! ]|\\(?:quad|qquad|text|textrm|mbox)\b"
    r"|\b(?:and|or|also|maybe|perhaps|possibly|alternatively|either)\b)*",
    re.IGNORECASE,
)
_PARTS = late(
    r"(?![^\0]{0,80}\b(?:wait|no|not|so|thus|therefore|hence|then|instead|rather|correction|or)\b)[^.!?:;\n]{0,60}\band\b[^.!?:;\n]{0,40}",
    re.IGNORECASE,
)
"""Words between two boxes of an answer in parts: "\\boxed{1} paper and \\boxed{2} bins"."""
_MAX_BETWEEN = 80
_HEADING = late(r"\d+[.)]\s+\D|\d*[.)]?\s*[A-Z][A-Za-z ]{1,80}\d*:?\s*$")
"""What follows #### where it is a heading of Markdown; text must come after it, else it is the answer."""
_PERCENT_AFTER = late(r"[\s$)\\\]]{0,4}(?:\\?%|percent\b|pct\b)")
_VALUE = late(
    r"""[\s*_"'`“‘(\[\]{:=~]*(?:(?:USD?|EUR|GBP|INR|Rs\.?)\s?)?
    (?:[-+−–—±$€£¥₹\\\d½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒√∞∅π|]|\.\d
      |(?:approximately|about|around|roughly|minus|negative|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven
         |twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy
         |eighty|ninety|half|an?\s(?:hundred|half|third|quarter|fourth|fifth|sixth|eighth|tenth))\b
      |[A-Za-z]\([^A-Za-z]|[A-Za-z]\s?\\[A-Za-z]|[\u0391-\u03a9\u03b1-\u03c9](?![^\W\d_])
      |(?:[A-Za-z](?:\^\{?-?\d{1,3}\}?|[²³])?\s){1,5}[A-Za-z](?:\^\{?-?\d{1,3}\}?|[²³])?[\s.*_$]{0,9}\Z
      |(?![a-z]{2,3}\s[-−+][\d.½])[A-Za-z]{1,3}(?:_(?:\w|\{[^{}\s]{1,9}\}))?(?:\([A-Za-z0-9, ]{1,9}\))?\s?
        (?:$|[=<>≤≥≈∈+\-*/^,²³.:)\]}]|\\(?:in|leq?(?:slant)?|geq?(?:slant)?|lt|gt|neq?|approx|equiv)(?![A-Za-z]))
      |(?:option|choice|letter)\s\(?[A-J]\b|all\s(?:the\s)?reals?\b|(?:sqrt|sin|cos|tan|log|ln|pi|infinity|x|y|n)\b)""",
    re.VERBOSE | re.IGNORECASE,
)


def visible(answer: str) -> str:
    """The end of the answer that counts: without what runs on after the model's turn."""
    text = half_width(answer[-MAX_TEXT:]).strip()
    if "<|" in text or "</s>" in text or "<end_of_turn>" in text:
        ended = _TURN_END.search(text)
        if ended and ended.start() > 0:
            text = text[: ended.start()]
    if any(word in text for word in _NEXT_QUESTION_WORDS):
        asked = _NEXT_QUESTION.search(text)
        if asked and find_commitment(text[: asked.start()], textual=False):
            text = text[: asked.start()]
    return text


_PLAIN_NUMBER = r"\$?(-?(?:\d{1,3}(?:,\d{3})+|\d{1,18})(?:\.\d{1,9})?)"
_PLAIN_ENDING = late(
    rf"(?:(####)[ \t]{{0,4}}{_PLAIN_NUMBER}"
    rf"|(\\boxed)\{{{_PLAIN_NUMBER}\}}\$?"
    rf"|([Aa]nswer(?: is|:)(?:\*\*)? ?){_PLAIN_NUMBER})\.?\s{{0,9}}\Z",
    re.ASCII,
)
_PLAIN_TAIL = 60
_NOT_PLAIN = ("<|", "</s>", "<end_of_turn>", *_NEXT_QUESTION_WORDS)


def plain_ending(answer: str) -> Commitment | None:
    """The commitment of an answer that ends in its only marker and a plain number, as most do; None for any other.

    It says nothing that `find_commitment` would not; it says it in a fraction of the time.
    """
    match = _PLAIN_ENDING.search(answer, max(0, len(answer) - _PLAIN_TAIL))
    if match is None or len(answer) > MAX_TEXT or any(word in answer for word in _NOT_PLAIN):
        return None
    hashes, first, boxed, second, _, third = match.groups()
    if (hashes and answer.count("####") > 1) or (boxed and answer.count("box") > 1):
        return None
    marker = "hashes" if hashes else "boxed" if boxed else "phrase"
    return Commitment(marker, first or second or third, match.start())


_EMPTY = late(
    r"<answer>\s{0,40}</answer>|\\(?:boxed|fbox|framebox)\s{0,9}\{(?:\s|\\text\s{0,3}\{\s{0,9}\}|\\[,;: ]){0,9}\}"
    r"|####[ \t*_:$.]{0,40}\Z|\b(?:answer|final\sresult)[ \t*_]{0,9}(?:is|would\sbe|[:=])[\s*_.:]{0,40}\Z"
    r"|\b(?:answer|final\sresult)[ \t*_]{0,9}(?:is|would\sbe|[:=])[\s*_:]{0,9}"
    r"(?:I\s(?:do\snot|don['’]t|cannot|can['’]t)|unknown\b|unclear\b|undetermined\b|unsure\b|not\s(?:known|clear|given|sure)\b|N/A\b|n\.a\.|none\b|_{3,}|\?)"
    r"|(?:réponse|respuesta|resposta|risposta|antwort|ответ|答案|答え|정답)\s{0,3}"
    r"(?:est|es|é|è|ist|是|は|는|은)?[\s:：*_]{0,9}\Z"
    r"|^[\s*_#]{0,9}(?:final\s)?answer[\s*_.:]{0,40}\Z",
    re.IGNORECASE | re.MULTILINE,
)


def ends_in_nothing(text: str, commitment: Commitment | None) -> bool:
    """Whether the last commitment is empty: `<answer></answer>`, `\\boxed{}`, `####` or "Answer:" at the end."""
    if not any(word in text for word in ("box", "####", *_ANSWER_WORDS)):
        return False
    begin = 0 if commitment is None else commitment.position + 1
    return _EMPTY.search(text, begin) is not None


def find_commitment(text: str, *, textual: bool) -> Commitment | None:
    """The last marked commitment of the text, or None where nothing is marked.

    `textual`: a phrase such as "the answer is" may be followed by any words; else only by what looks like a value.
    """
    found = (_boxed(text), _hashes(text), _tag(text), _phrase(text, textual))
    marked = [commitment for commitment in found if commitment is not None and commitment.region]
    return max(marked, key=lambda commitment: commitment.position) if marked else None


def starts_with_value(region: str) -> bool:
    """Whether a stretch of text begins with something that may be a value: a number, a formula, a name with `=`."""
    return _VALUE.match(region) is not None


def _boxed(text: str) -> Commitment | None:
    """The last \\boxed with those that stand beside it, joined as a list."""
    if "box" not in text:
        return None
    boxes: list[tuple[int, int, str]] = []
    for match in list(_BOXED.finditer(text))[-MOST_MARKERS:]:
        if match.start() < (boxes[-1][1] if boxes else 0):
            continue  # a box in a box
        if match.end() >= len(text):
            break
        if text[match.end()] == "{":
            inner, end = braced(text, match.end())
        else:
            end = match.end() + len(text[match.end() : match.end() + 40].split(maxsplit=1)[0].rstrip("$.,"))
            inner = text[match.end() : end]
        boxes.append((match.start(), end, inner[:MAX_REGION].strip()))
    if not boxes:
        return None
    group = [boxes[-1]]
    for box in reversed(boxes[:-1]):
        if group[0][0] - box[1] > _MAX_BETWEEN:
            break
        if not any(pattern.fullmatch(text, box[1], group[0][0]) for pattern in (_BETWEEN, _PARTS)):
            break
        group.insert(0, box)
    region = ", ".join(dict.fromkeys(inner for _, _, inner in group))
    if _PERCENT_AFTER.match(text, boxes[-1][1]):
        region += " \\%"
    return Commitment("boxed", region, boxes[-1][0])


def _hashes(text: str) -> Commitment | None:
    if "####" not in text:
        return None
    lines: list[tuple[int, int, str]] = []
    for match in list(_HASHES.finditer(text))[-MOST_MARKERS:]:
        line, end = _line(text, match.end())
        following = line.find("####")
        if following >= 0:
            line, end = line[:following], match.end() + following
        elif not line.strip(" *_:$\\[("):
            line, end = _line(text, end + 1)
        line = line.strip()
        if line and not (_HEADING.match(line.strip(" *_")) and text[end : end + MAX_REGION].strip()):
            lines.append((match.start(), end, line))
    if not lines:
        return None
    group = [lines[-1]]
    for line_before in reversed(lines[:-1]):
        between = text[line_before[1] : min(group[0][0], line_before[1] + _MAX_BETWEEN)]
        if _is_a_step(line_before[2]) or between.strip(" \t\r\n*_,;.") not in ("", "or", "and"):
            break
        group.insert(0, line_before)
    different = list(dict.fromkeys(line for _, _, line in lines if line == lines[-1][2] or not _is_a_step(line)))
    if len(different) <= MAX_COMMITMENTS:
        different = list(dict.fromkeys(line for _, _, line in group))
    return Commitment("hashes", ", ".join(different)[:MAX_REGION], lines[-1][0])


_STEP = late(
    r"(?:\b[A-Za-z]{2,}\b.{0,40}?){2}|\d\s{0,2}[-+*/×·⋅÷]\s{0,2}\d.{0,60}=|\b(?:wrong|incorrect|no|not|wait)\b",
    re.IGNORECASE,
)


def _is_a_step(line: str) -> bool:
    """Whether a line after #### is a step or was taken back (`9 eggs left`, `16 - 3 = 13`, `25, which is wrong`)."""
    return _STEP.search(line[:200]) is not None


def _line(text: str, start: int) -> tuple[str, int]:
    """The rest of the line from `start`, and where it ends; of a very long line the beginning."""
    limit = min(len(text), start + MAX_REGION)
    end = text.find("\n", start, limit)
    end = limit if end < 0 else end
    return text[start:end], end


def _tag(text: str) -> Commitment | None:
    """The last <answer>…</answer> with those that stand directly before it, joined as a list."""
    regions: list[str] = []
    position = end = len(text)
    while len(regions) <= MAX_COMMITMENTS:
        closed = text.rfind("</answer>", 0, end)
        opened = text.rfind("<answer>", 0, closed) if closed >= 0 else -1
        if opened < 0 or closed - opened > MAX_REGION or (regions and text[closed + len("</answer>") : end].strip()):
            break
        regions.insert(0, text[opened + len("<answer>") : closed].strip())
        position = opened if len(regions) == 1 else position
        end = opened
    return Commitment("tag", ", ".join(dict.fromkeys(regions)), position) if regions else None


def _phrase(text: str, textual: bool) -> Commitment | None:
    if any(word in text for word in _ANSWER_WORDS):
        for match in reversed(list(_ANSWER.finditer(text))[-MOST_MARKERS:]):
            found, heading = _after_phrase(text, match.end())
            if found and (textual or starts_with_value(found) or (heading and not is_prose(found))):
                return Commitment("phrase", found, match.start())
    if "A:" in text or "A*" in text:
        for match in reversed(list(_LETTER_A.finditer(text))[-MOST_MARKERS:]):
            line, _ = _line(text, match.end())
            if starts_with_value(line) and len(line.split()) <= 8:
                return Commitment("phrase", line.strip(), match.start())
    return None


def _after_phrase(text: str, start: int) -> tuple[str, bool]:
    """What stands after "answer is" or "Answer:", or below a heading "Answer", and whether it was a heading.

    The rest of the line, or the next line that says something; empty where there is none.
    """
    heading = _ANSWER_HEADING.match(text, start)
    match = heading or _IS.match(text, start)
    if match is None:
        return "", False
    at = match.end()
    for _ in range(4):
        line, end = _line(text, at)
        if line.strip(" \t*_:$\\[](){}#-"):
            return line.strip(), heading is not None
        at = end + 1
        if at >= len(text):
            break
    return "", False
