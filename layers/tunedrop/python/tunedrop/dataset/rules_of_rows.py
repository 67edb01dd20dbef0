"""The rules of a row: its members and their values."""

from __future__ import annotations

from tunedrop.catalog import Family
from tunedrop.dataset.row_format import FORMATS
from tunedrop.dataset.rule import (
    FORGE,
    NOVA_DATA,
    NOVA_SAMPLES,
    OPEN_WEIGHT_DATA,
    OURS,
    UNCONFIRMED,
    Rule,
    Severity,
    for_both,
    for_each,
)

E, W, N = Severity.ERROR, Severity.WARNING, Severity.NOTE

ROW_RULES: tuple[Rule, ...] = (
    # --- The row -----------------------------------------------------------------------------------------------
    Rule(
        "row-object", for_both(E),
        "Every row is a JSON object.",
        OPEN_WEIGHT_DATA, "an object", 'Write rows as {"messages": [...], "reference_answer": ...}.',
    ),
    Rule(
        "messages-missing", for_both(E),
        "Without messages there is no prompt.",
        OPEN_WEIGHT_DATA, "`messages`",
        "To convert tables and the rows of other tools: tunedrop convert.",
    ),
    Rule(
        "messages-type", for_both(E),
        "The messages are an array, in the order of the conversation.",
        OPEN_WEIGHT_DATA, "an array of messages", 'Write [{"role": "user", "content": "..."}].',
    ),
    Rule(
        "messages-empty", for_both(E),
        "A conversation without messages has no prompt.",
        OPEN_WEIGHT_DATA, "at least one message", "Leave the row out, or give it its prompt.",
    ),
    Rule(
        "message-object", for_both(E),
        "A message is an object with a role and content.",
        OPEN_WEIGHT_DATA, "an object", 'Write {"role": "user", "content": "..."}.',
    ),
    Rule(
        "message-keys", for_each(open_weight=W, nova=E),
        "AWS's validator for Nova rejects other keys in a message; for open-weight models no others are documented.",
        f"{FORGE}; for open-weight models {UNCONFIRMED}", "role, content, tool_calls, tool_call_id",
        "Move the value to a field of the row; the grader gets the row's fields.",
    ),
    Rule(
        "role-unknown", for_both(E),
        "Each message needs a known role.",
        OPEN_WEIGHT_DATA, "system, user or assistant", "Set the role: system, user or assistant.",
    ),
    Rule(
        "role-undocumented", for_both(W),
        "The documentation names system, user and assistant only; AWS's own validators disagree about others.",
        f"{OPEN_WEIGHT_DATA}; {FORGE} and {NOVA_SAMPLES} disagree; {UNCONFIRMED}", "system, user or assistant",
        "Change `developer` to `system`; put a tool's result into the prompt.",
    ),
    Rule(
        "content-missing", for_both(E),
        "A message without content says nothing.",
        OPEN_WEIGHT_DATA, "`content`", "Give the message its text, or leave it out.",
    ),
    Rule(
        "content-type", for_both(E),
        "Content is a string, or an array of text parts.",
        f"{OPEN_WEIGHT_DATA}; AWS's walkthrough shows text parts", "a string or an array of text parts",
        "Write numbers and objects as text.",
    ),
    Rule(
        "content-empty", for_both(E),
        "A blank message says nothing.",
        f"{OPEN_WEIGHT_DATA}; {FORGE}", "text", "Give the message its text, or leave it out.",
    ),
    Rule(
        "content-part", for_both(E),
        "A part of content is an object with a type, and a text part has its text.",
        "AWS's walkthrough", '{"type": "text", "text": "..."}', 'Write {"type": "text", "text": "..."}.',
    ),
    Rule(
        "content-part-kind", for_each(open_weight=W, nova=E),
        "The service trains on text only.",
        f"{NOVA_DATA}: text only; for open-weight models {UNCONFIRMED}", "parts of type text",
        "Leave images and other parts out.",
    ),
    Rule(
        "system-first", for_each(open_weight=W, nova=E),
        "A system message must come first, and only once.",
        f"{FORGE}; for open-weight models {UNCONFIRMED}", "one system message, at the start",
        "Move the system message to the front; if there are several, join them.",
    ),
    Rule(
        "system-beside", for_both(W),
        "The model sees the messages only: a system prompt in another field of the row goes to the grader alone.",
        OPEN_WEIGHT_DATA + ": other fields are passed on to the grader", "the system prompt as the first message",
        "Put it first in `messages` with the role system, as `tunedrop convert` does.",
    ),
    Rule(
        "user-missing", for_each(open_weight=W, nova=E),
        "Without a user message there is no question.",
        f"{FORGE}; for open-weight models {UNCONFIRMED}", "at least one user message",
        "Give the question the role user.",
    ),
    Rule(
        "last-turn", for_both(W),
        "The model answers the last turn, so it cannot be the assistant's own.",
        f"Follows from training on answers; {UNCONFIRMED}", "a last message from the user",
        "Move the assistant's last message to reference_answer.",
    ),
    Rule(
        "turn-order", for_both(W),
        "Chat templates expect user and assistant to take turns, starting with the user.",
        f"Chat templates of the models; {UNCONFIRMED}", "user and assistant in turn",
        "Join messages of the same speaker.",
    ),
    Rule(
        "single-turn", for_each(open_weight=None, nova=E),
        "Nova trains on single turns: one user message and no assistant message.",
        "Nova user guide, nova-rft: text only, single turn only", "one user message",
        "Put the earlier turns into the user message.",
    ),
    Rule(
        "tool-message", for_both(W),
        "A tool message must name, by tool_call_id, a call that the assistant made before it.",
        f"OpenAI chat format; {UNCONFIRMED}", "tool_call_id of a call before it",
        "Give the call and its answer the same id, in this order.",
    ),
    Rule(
        "tool-calls", for_both(W),
        "Only the assistant makes tool calls: an array of function calls with an id, a name and arguments as a string.",
        f"OpenAI chat format; {UNCONFIRMED}",
        '[{"id": "...", "type": "function", "function": {"name": "...", "arguments": "{...}"}}]',
        "Write the calls in this shape, in an assistant's message.",
    ),
    Rule(
        "tools-shape", for_each(open_weight=W, nova=E),
        "Tools are a list of functions with unique names and a JSON schema of their parameters.",
        f"{FORGE}; for open-weight models {UNCONFIRMED}",
        '[{"type": "function", "function": {"name", "description", "parameters": {"type": "object"}}}]',
        "Write each tool in this shape.",
    ),
    Rule(
        "tools-undocumented", for_each(open_weight=W, nova=None),
        "No source says what the service does with tools for open-weight models.",
        f"{OPEN_WEIGHT_DATA}; {UNCONFIRMED}", "no `tools`",
        "Describe the tools in the prompt, or try a few rows first.",
    ),
    Rule(
        "reserved-text", for_each(open_weight=None, nova=W),
        "One of AWS's validators rejects texts that look like the special tokens of a chat template.",
        f"{NOVA_SAMPLES}; {FORGE} does not; {UNCONFIRMED}", "no " + ", ".join(FORMATS[Family.NOVA].reserved_texts),
        "Write it another way, unless the text needs it.",
    ),
    Rule(
        "reference-missing", for_both(W),
        "Without reference_answer the grader has nothing to compare the answer with.",
        f"{OPEN_WEIGHT_DATA} lists it, AWS's walkthrough says optional and mandatory; {UNCONFIRMED}",
        "`reference_answer`", "Give every row the answer that it is graded by.",
    ),
    Rule(
        "reference-type", for_each(open_weight=W, nova=E),
        "The reference answer must be a string or an object.",
        f"{OPEN_WEIGHT_DATA}: string or object; {FORGE} refuses others", "a string or an object",
        "Write numbers as strings, arrays within an object.",
    ),
    Rule(
        "reference-empty", for_each(open_weight=W, nova=E),
        "With an empty reference answer the grader grades every answer alike.",
        f"{FORGE}; for open-weight models {UNCONFIRMED}", "something to compare with",
        "Add the reference answer, or leave the row out.",
    ),
    Rule(
        "reference-cut", for_both(W),
        "With a cut-off reference right answers count as wrong; patterns that stop at the first closing brace cut so.",
        OURS, "the whole answer", "Extract the answers from their source again, and count the braces.",
    ),
    Rule(
        "reference-grader", for_both(E),
        "The chosen grader cannot use this row's answer, so every rollout of it would score 0.",
        "The grader itself, row by row", "an answer that the grader can use",
        "Change the reference answer as the message says, or choose another grader.",
    ),
    Rule(
        "reference-mixed", for_both(N),
        "The references have several shapes, but most graders can use only one of them.",
        OURS, "answers of one shape", "Give them all one shape, unless the grader takes each of them.",
    ),
    Rule(
        "id-type", for_each(open_weight=W, nova=E),
        "An id must be text and not blank.",
        f"{OPEN_WEIGHT_DATA} shows a string; {FORGE} refuses others", "a string", "Write the id as a string.",
    ),
    Rule(
        "id-duplicate", for_both(W),
        "Nobody can tell rows with the same id apart in the grader's logs.",
        f"Where the service takes a sample's id from is {UNCONFIRMED}", "an id of its own", "Give each row a new id.",
    ),
    Rule(
        "fields-uneven", for_both(N),
        "This row lacks a field that most rows pass to the grader.",
        f"{OPEN_WEIGHT_DATA}: other fields are passed on to the grader", "the fields of the other rows",
        "Add the field, if the grader uses it.",
    ),
)  # fmt: skip
