"""Every rule that a dataset is checked against, as data: id, severity for each family, reason, source.

A rule's code asks the same question for every family; what differs is its severity here (None: the rule does not apply)
and the `RowFormat`. Sources are the places where the service's documentation, AWS's own validators or a standard say
so. Where no source confirms what the service does, the rule is at most a warning and `UNCONFIRMED` says so in its
source.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tunedrop.catalog import Family

MIN_ROWS = 100
MAX_ROWS = 20_000
"""Rows of a training file: "100-20K examples" (open-weight), minimum 100 and maximum 20,000 prompts (Nova)."""
READ_ROWS = 10 * MAX_ROWS
"""Lines that are checked of a file that has too many rows anyway; those beyond are counted only. A limit of ours."""
GUIDANCE_MAX_ROWS = 10_000
"""AWS's best-practices post advises 100 to 10,000 rows."""
MAX_LINE_BYTES = 4 * 1024 * 1024
"""A limit of this checker: Lambda takes at most 6 MB an invocation, so a longer row could never reach a grader."""
MAX_DEPTH = 256
"""A limit of this checker (RFC 8259 section 9 allows one); Python graders give up at some 1,000 levels."""


class Severity(enum.StrEnum):
    """What a finding means for the dataset: an error makes it invalid, a warning and a note do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Rule:
    """One question that is asked of a dataset."""

    id: str
    severity: Mapping[Family, Severity | None]
    reason: str
    """One sentence: why it matters."""
    source: str
    expected: str
    """What a good line has; the "expected" of a finding that says nothing more exact."""
    hint: str
    """What the data's owner can do."""
    fixable: bool = False
    """Whether the corrected copy mends it without touching what a row says."""


@dataclass(frozen=True, slots=True)
class RowFormat:
    """What differs between the families in the shape of a row."""

    roles: frozenset[str]
    """Documented roles."""
    other_roles: frozenset[str]
    """Roles that one of AWS's tools or OpenAI's format knows, but that the service does not document."""
    message_keys: frozenset[str]
    reserved_texts: tuple[str, ...]
    """Texts that one of AWS's validators refuses inside a message (lower case)."""


_ROLES = frozenset({"system", "user", "assistant"})
_MESSAGE_KEYS = frozenset({"role", "content", "tool_calls", "tool_call_id"})

FORMATS: Mapping[Family, RowFormat] = MappingProxyType(
    {
        Family.OPEN_WEIGHT: RowFormat(
            roles=_ROLES,
            other_roles=frozenset({"developer", "tool"}),
            message_keys=_MESSAGE_KEYS | {"name"},
            reserved_texts=(),
        ),
        Family.NOVA: RowFormat(
            roles=_ROLES,
            other_roles=frozenset({"developer", "tool", "bot"}),
            message_keys=_MESSAGE_KEYS,
            reserved_texts=("system:", "user:", "assistant:", "[eos]", "<image>", "<video>"),
        ),
    }
)

_OPEN_WEIGHT_DATA = "Bedrock user guide, rft-prepare-data-open-weight"
_NOVA_DATA = "Bedrock user guide, rft-prepare-data"
_FORGE = "AWS's nova-forge-sdk, rft_dataset_validator.py"
_NOVA_SAMPLES = "AWS's amazon-nova-samples, nova_ft_dataset_validator.py"
_RFC = "RFC 8259"
_UNCONFIRMED = "UNCONFIRMED by AWS's documentation"
_OURS = "Tunedrop"

E, W, N = Severity.ERROR, Severity.WARNING, Severity.NOTE


def _both(severity: Severity) -> Mapping[Family, Severity | None]:
    return MappingProxyType({Family.OPEN_WEIGHT: severity, Family.NOVA: severity})


def _each(*, open_weight: Severity | None, nova: Severity | None) -> Mapping[Family, Severity | None]:
    return MappingProxyType({Family.OPEN_WEIGHT: open_weight, Family.NOVA: nova})


_TABLE: tuple[Rule, ...] = (
    # --- The file as bytes -------------------------------------------------------------------------------------
    Rule(
        "file-empty", _both(E),
        "The file has no rows, so there is nothing to train on.",
        _OPEN_WEIGHT_DATA, "at least one row", "Drop the file that holds the rows.",
    ),
    Rule(
        "file-one-document", _both(E),
        "The file is one JSON document over several lines, but the service reads one object a line.",
        _OPEN_WEIGHT_DATA, "JSON Lines: one JSON object a line",
        "Write every row on a line of its own, without an array around them: jq -c '.[]' FILE.",
    ),
    Rule(
        "file-not-text", _both(E),
        "The file is compressed, or in another program's format, but the service reads JSON Lines.",
        _OPEN_WEIGHT_DATA, "JSON Lines: one JSON object a line", "Convert it to JSON Lines: tunedrop convert.",
    ),
    Rule(
        "file-packed", _both(E),
        "Tunedrop unpacks gzip files, but it cannot unpack this one.",
        _OURS, "a whole gzip file of at most 1 GiB of text",
        "Pack it again (gzip -k train.jsonl), or pack fewer rows.",
    ),
    Rule(
        "encoding-utf16", _both(E),
        "JSON files must be UTF-8; this file is UTF-16 or UTF-32.",
        f"{_RFC} section 8.1", "UTF-8", "Save the file as UTF-8: iconv -f UTF-16 -t UTF-8 FILE.",
    ),
    Rule(
        "encoding-utf8", _both(E),
        "Bytes that are not UTF-8 cannot be read as text.",
        f"{_RFC} section 8.1", "UTF-8", "Save the file as UTF-8; the line holds bytes of another encoding.",
    ),
    Rule(
        "encoding-bom", _both(W),
        "A byte order mark before the first row makes strict readers refuse the first line.",
        f"{_RFC} section 8.1; what the service does is {_UNCONFIRMED}", "no byte order mark",
        "Take the corrected copy, or save the file as UTF-8 without BOM.", fixable=True,
    ),
    Rule(
        "encoding-nul", _both(E),
        "A zero byte is not text: the file was cut off, or a program wrote it as binary data.",
        f"{_RFC} section 7", "no zero byte", "Write the row again; perhaps a program did not close the file.",
    ),
    Rule(
        "line-endings", _both(W),
        "Most tools read lines that end in CR LF, but not all do.",
        f"{_RFC} section 2; what the service does is {_UNCONFIRMED}", "lines that end in LF",
        "Take the corrected copy, or save the file with Unix line endings.", fixable=True,
    ),
    Rule(
        "line-blank", _both(E),
        "An empty line between rows is not a JSON object.",
        _OPEN_WEIGHT_DATA, "one JSON object a line",
        "Take the corrected copy, which leaves the line out.", fixable=True,
    ),
    Rule(
        "line-blank-trailing", _both(W),
        "A reader may take empty lines after the last row for broken rows.",
        f"What the service does is {_UNCONFIRMED}", "nothing after the last row",
        "Take the corrected copy, which leaves them out.", fixable=True,
    ),
    Rule(
        "line-length", _both(E),
        "Lambda takes at most 6 MB an invocation, so no grader could receive this row; Tunedrop did not read it.",
        f"A limit of {_OURS}: {MAX_LINE_BYTES // 1024 // 1024} MiB a line", f"at most {MAX_LINE_BYTES:,} bytes a line",
        "Shorten the row; a missing line break makes a whole file one line.",
    ),
    # --- JSON --------------------------------------------------------------------------------------------------
    Rule(
        "json-syntax", _both(E),
        "A line that is not JSON cannot be read.",
        _RFC, "one JSON object", "Write rows with a JSON library; do not build JSON by joining strings.",
    ),
    Rule(
        "json-constant", _both(E),
        "NaN and Infinity are not JSON, although some writers produce them.",
        f"{_RFC} section 6", "a number, a string or null", "Write null or a string in its place.",
    ),
    Rule(
        "json-depth", _both(E),
        "Many readers fail on objects and arrays nested this deep; Tunedrop did not read the row.",
        f"{_RFC} section 9; a limit of {_OURS}", f"at most {MAX_DEPTH} levels",
        "Flatten the value, or give it as a string.",
    ),
    Rule(
        "duplicate-key", _both(W),
        "If a key occurs twice, readers keep only one of its values, and not all keep the same one.",
        f"{_RFC} section 4", "each key once", "Keep only the value that you mean.",
    ),
    Rule(
        "number-range", _both(W),
        "Readers turn a number this large into infinity or refuse it; Python stops at 4,300 digits.",
        f"{_RFC} section 6", "a number that fits in a double", "Give the number as a string.",
    ),
    Rule(
        "lone-surrogate", _both(W),
        "Half of a surrogate pair is not a character and cannot be written as UTF-8.",
        f"{_RFC} section 8.2", "both halves, or neither", "The text was cut within a character; write it whole.",
    ),
    # --- The row -----------------------------------------------------------------------------------------------
    Rule(
        "row-object", _both(E),
        "Every row is a JSON object.",
        _OPEN_WEIGHT_DATA, "an object", 'Write rows as {"messages": [...], "reference_answer": ...}.',
    ),
    Rule(
        "messages-missing", _both(E),
        "Without messages there is no prompt.",
        _OPEN_WEIGHT_DATA, "`messages`",
        "To convert tables and the rows of other tools: tunedrop convert.",
    ),
    Rule(
        "messages-type", _both(E),
        "The messages are an array, in the order of the conversation.",
        _OPEN_WEIGHT_DATA, "an array of messages", 'Write [{"role": "user", "content": "..."}].',
    ),
    Rule(
        "messages-empty", _both(E),
        "A conversation without messages has no prompt.",
        _OPEN_WEIGHT_DATA, "at least one message", "Leave the row out, or give it its prompt.",
    ),
    Rule(
        "message-object", _both(E),
        "A message is an object with a role and content.",
        _OPEN_WEIGHT_DATA, "an object", 'Write {"role": "user", "content": "..."}.',
    ),
    Rule(
        "message-keys", _each(open_weight=W, nova=E),
        "AWS's validator for Nova rejects other keys in a message; for open-weight models no others are documented.",
        f"{_FORGE}; for open-weight models {_UNCONFIRMED}", "role, content, tool_calls, tool_call_id",
        "Move the value to a field of the row; the grader gets the row's fields.",
    ),
    Rule(
        "role-unknown", _both(E),
        "Each message needs a known role.",
        _OPEN_WEIGHT_DATA, "system, user or assistant", "Set the role: system, user or assistant.",
    ),
    Rule(
        "role-undocumented", _both(W),
        "The documentation names system, user and assistant only; AWS's own validators disagree about others.",
        f"{_OPEN_WEIGHT_DATA}; {_FORGE} and {_NOVA_SAMPLES} disagree; {_UNCONFIRMED}", "system, user or assistant",
        "Change `developer` to `system`; put a tool's result into the prompt.",
    ),
    Rule(
        "content-missing", _both(E),
        "A message without content says nothing.",
        _OPEN_WEIGHT_DATA, "`content`", "Give the message its text, or leave it out.",
    ),
    Rule(
        "content-type", _both(E),
        "Content is a string, or an array of text parts.",
        f"{_OPEN_WEIGHT_DATA}; AWS's walkthrough shows text parts", "a string or an array of text parts",
        "Write numbers and objects as text.",
    ),
    Rule(
        "content-empty", _both(E),
        "A blank message says nothing.",
        f"{_OPEN_WEIGHT_DATA}; {_FORGE}", "text", "Give the message its text, or leave it out.",
    ),
    Rule(
        "content-part", _both(E),
        "A part of content is an object with a type, and a text part has its text.",
        "AWS's walkthrough", '{"type": "text", "text": "..."}', 'Write {"type": "text", "text": "..."}.',
    ),
    Rule(
        "content-part-kind", _each(open_weight=W, nova=E),
        "The service trains on text only.",
        f"{_NOVA_DATA}: text only; for open-weight models {_UNCONFIRMED}", "parts of type text",
        "Leave images and other parts out.",
    ),
    Rule(
        "system-first", _each(open_weight=W, nova=E),
        "A system message must come first, and only once.",
        f"{_FORGE}; for open-weight models {_UNCONFIRMED}", "one system message, at the start",
        "Move the system message to the front; if there are several, join them.",
    ),
    Rule(
        "user-missing", _each(open_weight=W, nova=E),
        "Without a user message there is no question.",
        f"{_FORGE}; for open-weight models {_UNCONFIRMED}", "at least one user message",
        "Give the question the role user.",
    ),
    Rule(
        "last-turn", _both(W),
        "The model answers the last turn, so it cannot be the assistant's own.",
        f"Follows from training on answers; {_UNCONFIRMED}", "a last message from the user",
        "Move the assistant's last message to reference_answer.",
    ),
    Rule(
        "turn-order", _both(W),
        "Chat templates expect user and assistant to take turns, starting with the user.",
        f"Chat templates of the models; {_UNCONFIRMED}", "user and assistant in turn",
        "Join messages of the same speaker.",
    ),
    Rule(
        "single-turn", _each(open_weight=None, nova=E),
        "Nova trains on single turns: one user message and no assistant message.",
        "Nova user guide, nova-rft: text only, single turn only", "one user message",
        "Put the earlier turns into the user message.",
    ),
    Rule(
        "tool-message", _both(W),
        "A tool message must name, by tool_call_id, a call that the assistant made before it.",
        f"OpenAI chat format; {_UNCONFIRMED}", "tool_call_id of a call before it",
        "Give the call and its answer the same id, in this order.",
    ),
    Rule(
        "tool-calls", _both(W),
        "Only the assistant makes tool calls: an array of function calls with an id, a name and arguments as a string.",
        f"OpenAI chat format; {_UNCONFIRMED}",
        '[{"id": "...", "type": "function", "function": {"name": "...", "arguments": "{...}"}}]',
        "Write the calls in this shape, in an assistant's message.",
    ),
    Rule(
        "tools-shape", _each(open_weight=W, nova=E),
        "Tools are a list of functions with unique names and a JSON schema of their parameters.",
        f"{_FORGE}; for open-weight models {_UNCONFIRMED}",
        '[{"type": "function", "function": {"name", "description", "parameters": {"type": "object"}}}]',
        "Write each tool in this shape.",
    ),
    Rule(
        "tools-undocumented", _each(open_weight=W, nova=None),
        "No source says what the service does with tools for open-weight models.",
        f"{_OPEN_WEIGHT_DATA}; {_UNCONFIRMED}", "no `tools`",
        "Describe the tools in the prompt, or try a few rows first.",
    ),
    Rule(
        "reserved-text", _each(open_weight=None, nova=W),
        "One of AWS's validators rejects texts that look like the special tokens of a chat template.",
        f"{_NOVA_SAMPLES}; {_FORGE} does not; {_UNCONFIRMED}", "no " + ", ".join(FORMATS[Family.NOVA].reserved_texts),
        "Write it another way, unless the text needs it.",
    ),
    Rule(
        "reference-missing", _both(W),
        "Without reference_answer the grader has nothing to compare the answer with.",
        f"{_OPEN_WEIGHT_DATA} lists it, AWS's walkthrough says optional and mandatory; {_UNCONFIRMED}",
        "`reference_answer`", "Give every row the answer that it is graded by.",
    ),
    Rule(
        "reference-type", _each(open_weight=W, nova=E),
        "The reference answer must be a string or an object.",
        f"{_OPEN_WEIGHT_DATA}: string or object; {_FORGE} refuses others", "a string or an object",
        "Write numbers as strings, arrays within an object.",
    ),
    Rule(
        "reference-empty", _each(open_weight=W, nova=E),
        "With an empty reference answer the grader grades every answer alike.",
        f"{_FORGE}; for open-weight models {_UNCONFIRMED}", "something to compare with",
        "Add the reference answer, or leave the row out.",
    ),
    Rule(
        "reference-cut", _both(W),
        "With a cut-off reference right answers count as wrong; patterns that stop at the first closing brace cut so.",
        _OURS, "the whole answer", "Extract the answers from their source again, and count the braces.",
    ),
    Rule(
        "reference-grader", _both(E),
        "The chosen grader cannot use this row's answer, so every rollout of it would score 0.",
        "The grader itself, row by row", "an answer that the grader can use",
        "Change the reference answer as the message says, or choose another grader.",
    ),
    Rule(
        "reference-mixed", _both(N),
        "The references have several shapes, but most graders can use only one of them.",
        _OURS, "answers of one shape", "Give them all one shape, unless the grader takes each of them.",
    ),
    Rule(
        "id-type", _each(open_weight=W, nova=E),
        "An id must be text and not blank.",
        f"{_OPEN_WEIGHT_DATA} shows a string; {_FORGE} refuses others", "a string", "Write the id as a string.",
    ),
    Rule(
        "id-duplicate", _both(W),
        "Nobody can tell rows with the same id apart in the grader's logs.",
        f"Where the service takes a sample's id from is {_UNCONFIRMED}", "an id of its own", "Give each row a new id.",
    ),
    Rule(
        "fields-uneven", _both(N),
        "This row lacks a field that most rows pass to the grader.",
        f"{_OPEN_WEIGHT_DATA}: other fields are passed on to the grader", "the fields of the other rows",
        "Add the field, if the grader uses it.",
    ),
    # --- The set -----------------------------------------------------------------------------------------------
    Rule(
        "rows-few", _both(E),
        "The service trains on at least 100 rows.",
        f"{_OPEN_WEIGHT_DATA}; {_NOVA_DATA}", f"at least {MIN_ROWS} rows", "Add rows.",
    ),
    Rule(
        "rows-many", _both(E),
        "The service trains on at most 20,000 rows.",
        f"{_OPEN_WEIGHT_DATA}; {_NOVA_DATA}", f"at most {MAX_ROWS:,} rows",
        "Take a sample; AWS advises 100 to 10,000 rows.",
    ),
    Rule(
        "rows-guidance", _both(N),
        "AWS's best practices advise 100 to 10,000 rows; more cost more and seldom help.",
        "AWS blog, best practices for RFT (April 2026)", f"at most {GUIDANCE_MAX_ROWS:,} rows",
        "Try with a sample first.",
    ),
    Rule(
        "prompt-long", _both(W),
        "The prompt may not fit the model (tokens are estimated as UTF-8 bytes / 4).",
        "The model's context in the catalog; an estimate", "a prompt that fits the model", "Shorten the prompt.",
    ),
    Rule(
        "duplicate-row", _both(W),
        "The same prompt and answer twice: you pay for it twice, and it counts twice.",
        _OURS, "each row once", "Keep one of them.",
    ),
    Rule(
        "duplicate-prompt", _both(W),
        "The same prompt, apart from case and white space: you pay for it twice, and it counts twice.",
        _OURS, "each prompt once", "Keep one of them.",
    ),
    Rule(
        "duplicate-conflict", _both(W),
        "The same prompt with another answer: whatever the model answers, one of the two rows counts it as wrong.",
        _OURS, "one answer for each prompt", "Keep the right one.",
    ),
    Rule(
        "leakage-exact", _both(E),
        "A test prompt that is also in the training file measures memory, not skill.",
        _OURS, "no test prompt in the training file", "Take the row out of the training file or out of the test file.",
    ),
    Rule(
        "leakage-overlap", _both(W),
        "A test prompt shares a run of 13 or more words with a training prompt: it may be the same task.",
        "13-grams as in GPT-3's contamination study (arXiv:2005.14165, appendix C)", "no long run of words in both",
        "Look at the pair; if both are the same task, take one out.",
    ),
    # --- What the recipe asks of the rows ------------------------------------------------------------------------
    Rule(
        "holdout-empty", _both(E),
        "Without a test file Tunedrop keeps some training rows for the test, but there are too few rows.",
        _OURS, f"more than {MIN_ROWS} rows, or a test file", "Drop a test.jsonl beside train.jsonl, or more rows.",
    ),
    Rule(
        "validation-empty", _both(E),
        "The recipe keeps some training rows to choose a checkpoint by, but there are too few rows.",
        _OURS, f"more than {MIN_ROWS} rows", "Drop more rows, or set evaluation.checkpoints to last.",
    ),
    Rule(
        "grader-unchosen", _both(W),
        "The recipe chooses no grader, so answers are graded as mathematics, but most references are words.",
        _OURS, "a grader that is made for the references",
        "Choose one in recipe.yaml: `grader: {kind: exact}` compares words.",
    ),
    Rule(
        "slice-missing", _both(W),
        "The recipe names a slice by a field that no row of the test set has.",
        _OURS, "a field of the rows", "Name a field of the rows in evaluation.slices.",
    ),
    Rule(
        "batch-large", _both(W),
        "The service sends the grader many answers in one request, each with its row and the grader's options.",
        "Lambda's limit of a request; AWS's documentation leaves UNCONFIRMED how many answers come at once",
        "at most 6 MiB for 64 answers, or for those of a step",
        "Shorten the longest rows or the grader's options, or lower the batch size.",
    ),
    # --- What should not be in it ------------------------------------------------------------------------------
    Rule(
        "secret-key", _both(W),
        "The model can repeat an access key from its training data.",
        _OURS, "no access keys", "Remove it, and revoke the key. This report does not repeat it.",
    ),
    Rule(
        "personal-email", _both(W),
        "The model can repeat an e-mail address from its training data.",
        _OURS, "no e-mail addresses", "Remove it, or write a placeholder. This report does not repeat it.",
    ),
    Rule(
        "personal-phone", _both(W),
        "The model can repeat a phone number from its training data.",
        _OURS, "no phone numbers", "Remove it, or write a placeholder. This report does not repeat it.",
    ),
    Rule(
        "personal-card", _both(W),
        "The model can repeat a number that has a payment card's check digit.",
        _OURS, "no card numbers", "Remove it, or write a placeholder. This report does not repeat it.",
    ),
)  # fmt: skip

RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in _TABLE})
"""Every rule by its id, in the order in which a report lists them."""
