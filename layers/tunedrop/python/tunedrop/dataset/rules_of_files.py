"""The rules of a file: its bytes, and the JSON of its lines."""

from __future__ import annotations

from tunedrop.dataset.bounds import MAX_DEPTH, MAX_LINE_BYTES
from tunedrop.dataset.rule import OPEN_WEIGHT_DATA, OURS, RFC, UNCONFIRMED, Rule, Severity, for_both

E, W = Severity.ERROR, Severity.WARNING

FILE_RULES: tuple[Rule, ...] = (
    # --- The file as bytes -------------------------------------------------------------------------------------
    Rule(
        "file-empty", for_both(E),
        "The file has no rows, so there is nothing to train on.",
        OPEN_WEIGHT_DATA, "at least one row", "Drop the file that holds the rows.",
    ),
    Rule(
        "file-one-document", for_both(E),
        "The file is one JSON document over several lines, but the service reads one object a line.",
        OPEN_WEIGHT_DATA, "JSON Lines: one JSON object a line",
        "Write every row on a line of its own, without an array around them: jq -c '.[]' FILE.",
    ),
    Rule(
        "file-not-text", for_both(E),
        "The file is compressed, or in another program's format, but the service reads JSON Lines.",
        OPEN_WEIGHT_DATA, "JSON Lines: one JSON object a line", "Convert it to JSON Lines: tunedrop convert.",
    ),
    Rule(
        "file-packed", for_both(E),
        "Tunedrop unpacks gzip files, but it cannot unpack this one.",
        OURS, "a whole gzip file of at most 1 GiB of text",
        "Pack it again (gzip -k train.jsonl), or pack fewer rows.",
    ),
    Rule(
        "file-size", for_both(E),
        "Tunedrop reads files of at most 1 GiB; it did not read this one.",
        OURS, "at most 1 GiB", "Drop fewer rows, or shorter ones.",
    ),
    Rule(
        "encoding-utf16", for_both(E),
        "JSON files must be UTF-8; this file is UTF-16 or UTF-32.",
        f"{RFC} section 8.1", "UTF-8", "Save the file as UTF-8: iconv -f UTF-16 -t UTF-8 FILE.",
    ),
    Rule(
        "encoding-utf8", for_both(E),
        "Bytes that are not UTF-8 cannot be read as text.",
        f"{RFC} section 8.1", "UTF-8", "Save the file as UTF-8; the line holds bytes of another encoding.",
    ),
    Rule(
        "encoding-bom", for_both(W),
        "A byte order mark before the first row makes strict readers refuse the first line.",
        f"{RFC} section 8.1; what the service does is {UNCONFIRMED}", "no byte order mark",
        "Take the corrected copy, or save the file as UTF-8 without BOM.", fixable=True,
    ),
    Rule(
        "encoding-nul", for_both(E),
        "A zero byte is not text: the file was cut off, or a program wrote it as binary data.",
        f"{RFC} section 7", "no zero byte", "Write the row again; perhaps a program did not close the file.",
    ),
    Rule(
        "line-endings", for_both(W),
        "Most tools read lines that end in CR LF, but not all do.",
        f"{RFC} section 2; what the service does is {UNCONFIRMED}", "lines that end in LF",
        "Take the corrected copy, or save the file with Unix line endings.", fixable=True,
    ),
    Rule(
        "line-blank", for_both(E),
        "An empty line between rows is not a JSON object.",
        OPEN_WEIGHT_DATA, "one JSON object a line",
        "Take the corrected copy, which leaves the line out.", fixable=True,
    ),
    Rule(
        "line-blank-trailing", for_both(W),
        "A reader may take empty lines after the last row for broken rows.",
        f"What the service does is {UNCONFIRMED}", "nothing after the last row",
        "Take the corrected copy, which leaves them out.", fixable=True,
    ),
    Rule(
        "line-length", for_both(E),
        "Lambda takes at most 6 MB an invocation, so no grader could receive this row; Tunedrop did not read it.",
        f"A limit of {OURS}: {MAX_LINE_BYTES // 1024 // 1024} MiB a line", f"at most {MAX_LINE_BYTES:,} bytes a line",
        "Shorten the row; a missing line break makes a whole file one line.",
    ),
    # --- JSON --------------------------------------------------------------------------------------------------
    Rule(
        "json-syntax", for_both(E),
        "A line that is not JSON cannot be read.",
        RFC, "one JSON object", "Write rows with a JSON library; do not build JSON by joining strings.",
    ),
    Rule(
        "json-constant", for_both(E),
        "NaN and Infinity are not JSON, although some writers produce them.",
        f"{RFC} section 6", "a number, a string or null", "Write null or a string in its place.",
    ),
    Rule(
        "json-depth", for_both(E),
        "Many readers fail on objects and arrays nested this deep; Tunedrop did not read the row.",
        f"{RFC} section 9; a limit of {OURS}", f"at most {MAX_DEPTH} levels",
        "Flatten the value, or give it as a string.",
    ),
    Rule(
        "duplicate-key", for_both(W),
        "If a key occurs twice, readers keep only one of its values, and not all keep the same one.",
        f"{RFC} section 4", "each key once", "Keep only the value that you mean.",
    ),
    Rule(
        "number-range", for_both(W),
        "Readers turn a number this large into infinity or refuse it; Python stops at 4,300 digits.",
        f"{RFC} section 6", "a number that fits in a double", "Give the number as a string.",
    ),
    Rule(
        "lone-surrogate", for_both(W),
        "Half of a surrogate pair is not a character and cannot be written as UTF-8.",
        f"{RFC} section 8.2", "both halves, or neither", "The text was cut within a character; write it whole.",
    ),
)  # fmt: skip
