"""The careful check of one row: every fault of its shape, with its path, for either family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from tunedrop.catalog import Family
from tunedrop.dataset.findings import Findings
from tunedrop.dataset.fitting import MOST_LOOKED_AT, Refused
from tunedrop.dataset.json_line import CONVERT
from tunedrop.dataset.misnamed import converter_hint, misspelt_hint
from tunedrop.dataset.named_parts import NamedParts
from tunedrop.dataset.prompts import content_text
from tunedrop.dataset.row_format import FORMATS, SYSTEM_FIELDS
from tunedrop.dataset.show import shown
from tunedrop.graders.sample import Grader

ANSWER = "reference_answer"
_SAYS_NOTHING = frozenset({"", "{}", "[]", "null", '""'})
"""Texts that hold no answer, as JSON or as they are."""
_KEYS_OF_PLAIN_MESSAGE: Final = 2
"""Its role and its content."""
_MOST_ROLES: Final = 100
_MOST_ORDERS: Final = 1_000
"""Sequences of roles that are remembered."""

Said = tuple[str, str, str, str]
"""A finding: its rule, message, field and what was got."""


_ARRAY: Final = f"The line is one JSON array of rows; to put each row on its own line: {CONVERT}."


class RowChecker:
    """Checks rows of one file. Findings go to `findings`; the check itself never raises, whatever a row holds."""

    def __init__(
        self, findings: Findings, file: str, family: Family, grader: Grader | None, *, quick: bool = True
    ) -> None:
        """`quick=False` looks at every row by every rule, to the same findings."""
        self._findings = findings
        self._family = family
        self._quick = quick
        self._file = file
        self._format = FORMATS[family]
        self._grader = grader
        self._line = 0
        self.refused: list[Refused] = []
        """The first references that the grader cannot use."""
        self.named = NamedParts(grader)
        self._orders: dict[tuple[str, ...], bool] = {}
        """Sequences of roles, and whether each is in order."""
        self._tools_before: bytes | None = None
        self._said_of_tools: list[Said] = []

    def check(self, line: int, row: Any) -> bool:
        """Check one row; whether it is an object whose messages can be read as a prompt."""
        self._line = line
        if self._quick and self._is_plain(row):
            if "tools" in row:
                self._tools(row["tools"])
            return True
        if not isinstance(row, dict):
            rows = isinstance(row, list) and any(isinstance(each, dict) for each in row)
            words = {"hint": _ARRAY} if rows else {}
            self._add("row-object", "the line is JSON, but not an object", got=shown(row), **words)
            return False
        readable = self._messages(row)
        if readable and not SYSTEM_FIELDS.isdisjoint(row):
            self._system_beside(row)
        self._reference(row)
        if "id" in row:
            self._id(row["id"])
        if "tools" in row:
            self._tools(row["tools"])
        return readable

    def check_reference(self, line: int, row: Mapping[str, Any]) -> None:
        """Ask the grader whether it can use the row's answer; where it fails, that is a finding too."""
        if self._grader is not None:
            fields = {key: value for key, value in row.items() if key not in ("messages", ANSWER)}
            self.check_answer(line, row.get(ANSWER), fields, row)

    def check_answer(
        self, line: int, answer: Any, fields: Mapping[str, Any], row: Mapping[str, Any] | None = None
    ) -> None:
        """The same of a row in parts: its answer, and its fields but the messages. `row`: where it may lack one."""
        if self._grader is None:
            return
        try:
            reason = self._grader.check_reference(answer, fields)
            if reason is None:
                self.named.look(answer, fields)
        except Exception as error:  # a grader is the user's code: whatever it does, the check goes on
            reason = f"the grader failed on it with {type(error).__name__}: {shown(str(error))}"
        if reason is not None:
            self._line = line
            if len(self.refused) < MOST_LOOKED_AT:
                self.refused.append((answer, fields))
            near = {} if row is None or ANSWER in row else misspelt_hint(ANSWER, row)
            self._add("reference-grader", reason, field=ANSWER, got=shown(answer), **near)

    def _add(self, rule: str, message: str, **words: str) -> None:
        self._findings.add(rule, self._file, self._line, message, **words)

    # --- rows that are plainly in order ------------------------------------------------------------------------

    def _is_plain(self, row: Any) -> bool:
        """Whether no rule but those of tools finds anything in this row: told at once of the usual rows, else False."""
        if type(row) is not dict or type(messages := row.get("messages")) is not list:
            return False
        roles = []
        for message in messages:
            if type(message) is not dict or len(message) != _KEYS_OF_PLAIN_MESSAGE or "role" not in message:
                return False
            roles.append(message["role"])
            if not self._is_plain_content(message.get("content")):
                return False
        if not SYSTEM_FIELDS.isdisjoint(row):
            return False
        return _is_plain_answer(row.get(ANSWER)) and _is_plain_id(row.get("id", "-")) and self._in_order(roles)

    def _is_plain_content(self, content: Any) -> bool:
        if type(content) is list and len(content) == 1 and type(part := content[0]) is dict:
            content = part.get("text") if part.get("type") == "text" else None
        if type(content) is not str or not content or content.isspace():
            return False
        if not self._format.reserved_texts:
            return True
        lower = content.lower()
        return not any(reserved in lower for reserved in self._format.reserved_texts)

    def _in_order(self, roles: list[Any]) -> bool:
        """Whether messages of these roles make a conversation in which no rule finds anything."""
        if len(roles) > _MOST_ROLES or not all(type(role) is str and role in self._format.roles for role in roles):
            return False
        known = self._orders.get(order := tuple(roles))
        if known is None:
            findings = Findings(self._family)
            example = {"messages": [{"role": role, "content": "?"} for role in roles], ANSWER: "!"}
            RowChecker(findings, self._file, self._family, None, quick=False).check(1, example)
            known = not findings.groups()
            if len(self._orders) < _MOST_ORDERS:
                self._orders[order] = known
        return known

    # --- messages ----------------------------------------------------------------------------------------------

    def _messages(self, row: dict[str, Any]) -> bool:
        if "messages" not in row:
            self._add(
                "messages-missing",
                "the row has no `messages`",
                field="messages",
                got=shown(row),
                **converter_hint(row),
            )
            return False
        messages = row["messages"]
        if not isinstance(messages, list):
            self._add("messages-type", "`messages` is not an array", field="messages", got=shown(messages))
            return False
        if not messages:
            self._add("messages-empty", "`messages` is empty", field="messages", got="an empty array")
            return False
        readable = True
        for place, message in enumerate(messages):
            path = f"messages[{place}]"
            if isinstance(message, dict):
                self._message(path, message)
            else:
                readable = False
                self._add("message-object", "a message is not an object", field=path, got=shown(message))
        if readable:
            self._conversation(messages)
        return readable

    def _message(self, path: str, message: dict[str, Any]) -> None:
        role = message.get("role")
        if not isinstance(role, str) or role not in self._format.roles:
            known = isinstance(role, str) and role in self._format.other_roles
            got = shown(role) if "role" in message else "no role"
            if known:
                self._add(
                    "role-undocumented", f"the role {shown(role)} is not documented", field=f"{path}.role", got=got
                )
            else:
                says = f"the role {got} is not known" if "role" in message else "the message has no role"
                meant = {} if "role" in message else misspelt_hint("role", message)
                self._add("role-unknown", says, field=f"{path}.role", got=got, **meant)
        for key in message:
            if key not in self._format.message_keys:
                self._add("message-keys", f"a message has the key {shown(key)}", field=path, got=shown(key))
        if "tool_calls" in message:
            self._tool_calls(path, role, message["tool_calls"])
        self._content(path, role, message)

    def _content(self, path: str, role: Any, message: dict[str, Any]) -> None:
        field = f"{path}.content"
        content = message.get("content")
        if content is None and role == "assistant" and message.get("tool_calls"):
            return  # a call of a tool says nothing beside it
        if "content" not in message:
            self._add(
                "content-missing",
                "the message has no content",
                field=field,
                got=shown(message),
                **misspelt_hint("content", message),
            )
        elif isinstance(content, str):
            if not content.strip():
                self._add("content-empty", "the message is blank", field=field, got=shown(content))
            self._reserved(field, content)
        elif isinstance(content, list):
            for place, part in enumerate(content):
                self._part(f"{field}[{place}]", part)
            if not content_text(content).strip():
                self._add("content-empty", "no part of the message has text", field=field, got=shown(content))
        else:
            self._add("content-type", "content is neither text nor parts", field=field, got=shown(content))

    def _part(self, field: str, part: Any) -> None:
        if not isinstance(part, dict) or not isinstance(part.get("type"), str):
            self._add("content-part", "a part is not an object with a type", field=field, got=shown(part))
        elif part["type"] != "text":
            self._add(
                "content-part-kind", f"a part is {shown(part['type'])}", field=f"{field}.type", got=shown(part["type"])
            )
        elif not isinstance(part.get("text"), str):
            got = shown(part["text"]) if "text" in part else "no text"
            self._add("content-part", "a text part has no text", field=f"{field}.text", got=got)
        else:
            self._reserved(f"{field}.text", part["text"])

    def _reserved(self, field: str, text: str) -> None:
        if not self._format.reserved_texts:
            return
        lower = text.lower()
        for reserved in self._format.reserved_texts:
            if reserved in lower:
                self._add("reserved-text", f"the text holds {reserved!r}", field=field, got=reserved)

    def _conversation(self, messages: list[dict[str, Any]]) -> None:
        roles = [message.get("role") for message in messages]
        systems = [place for place, role in enumerate(roles) if role in ("system", "developer")]
        if systems and systems != [0]:
            place = next(place for place in systems if place > 0)
            self._add(
                "system-first",
                "a system message comes after another message",
                field=f"messages[{place}]",
                got=f"place {place + 1}",
            )
        if "user" not in roles:
            self._add(
                "user-missing", "no message is the user's", field="messages", got=shown(", ".join(map(str, roles)))
            )
        if roles[-1] == "assistant":
            self._add(
                "last-turn",
                "the last message is the assistant's own",
                field=f"messages[{len(roles) - 1}].role",
                got="'assistant'",
            )
        turns = [(place, role) for place, role in enumerate(roles) if role in ("user", "assistant", "tool")]
        before = "assistant"
        for place, role in turns:
            if role == before and role != "tool":
                says = (
                    "the conversation starts with the assistant"
                    if place == turns[0][0]
                    else f"two messages of the {role} in a row"
                )
                self._add("turn-order", says, field=f"messages[{place}].role", got=shown(role))
            before = role
        if "assistant" in roles or roles.count("user") > 1:
            self._add("single-turn", "the row has more than one turn", field="messages", got=f"{len(turns)} turns")
        self._tool_messages(messages)

    # --- tools -------------------------------------------------------------------------------------------------

    def _system_beside(self, row: dict[str, Any]) -> None:
        """A system prompt in a field of its own, in a row whose messages have none."""
        name = next(key for key in row if key in SYSTEM_FIELDS)
        said = content_text(row[name])
        if said.strip() and not any(turn.get("role") in ("system", "developer") for turn in row["messages"]):
            self._add("system-beside", f"the system prompt stands in `{name}`", field=name, got=shown(said))

    def _tool_messages(self, messages: list[dict[str, Any]]) -> None:
        called: set[str] = set()
        for place, message in enumerate(messages):
            calls = message.get("tool_calls")
            if isinstance(calls, list):
                called.update(
                    call["id"] for call in calls if isinstance(call, dict) and isinstance(call.get("id"), str)
                )
            if message.get("role") == "tool":
                answered = message.get("tool_call_id")
                if not isinstance(answered, str) or answered not in called:
                    field = f"messages[{place}].tool_call_id"
                    got = shown(answered) if "tool_call_id" in message else "no tool_call_id"
                    self._add("tool-message", "a tool answers a call that nobody made before it", field=field, got=got)

    def _tool_calls(self, path: str, role: Any, calls: Any) -> None:
        field = f"{path}.tool_calls"
        if role != "assistant":
            self._add("tool-calls", f"the {shown(role)} message calls tools", field=field, got=shown(calls))
        elif not isinstance(calls, list) or not calls:
            self._add("tool-calls", "the calls are not an array of calls", field=field, got=shown(calls))
        else:
            for place, call in enumerate(calls):
                if not _is_call(call):
                    self._add(
                        "tool-calls", "a call is not of the expected shape", field=f"{field}[{place}]", got=shown(call)
                    )

    def _tools(self, tools: Any) -> None:
        # Most files have the same tools in every row. As text, since 1 and True are equal to Python.
        try:
            text = orjson.dumps(tools)
        except orjson.JSONEncodeError:
            text = None
        if text is None or text != self._tools_before:
            self._tools_before, self._said_of_tools = text, list(_said_of(tools))
        for rule, message, field, got in self._said_of_tools:
            self._add(rule, message, field=field, got=got)

    # --- the other fields --------------------------------------------------------------------------------------

    def _reference(self, row: dict[str, Any]) -> None:
        if ANSWER not in row:
            # With a grader, it is the grader that says whether it needs one; without messages it is another format.
            if self._grader is None and "messages" in row:
                says = "the row has no `reference_answer`"
                self._add("reference-missing", says, field=ANSWER, got=shown(row), **misspelt_hint(ANSWER, row))
            return
        answer = row[ANSWER]
        if not isinstance(answer, str | dict):
            self._add("reference-type", "the answer is neither a string nor an object", field=ANSWER, got=shown(answer))
        elif not answer or (isinstance(answer, str) and answer.strip() in _SAYS_NOTHING):
            self._add("reference-empty", "the reference answer is empty", field=ANSWER, got=shown(answer))

    def _id(self, value: Any) -> None:
        if not isinstance(value, str) or not value.strip():
            self._add("id-type", "the id is not a text", field="id", got=shown(value))


def _is_plain_answer(answer: Any) -> bool:
    return answer.strip() not in _SAYS_NOTHING if type(answer) is str else type(answer) is dict and bool(answer)


def _is_plain_id(value: Any) -> bool:
    return type(value) is str and bool(value) and not value.isspace()


def _is_call(call: Any) -> bool:
    if not isinstance(call, dict) or not isinstance(call.get("id"), str) or call.get("type") != "function":
        return False
    function = call.get("function")
    return (
        isinstance(function, dict)
        and isinstance(function.get("name"), str)
        and isinstance(function.get("arguments"), str)
    )


def _said_of(tools: Any) -> Iterator[Said]:
    """What there is to say of a row's tools."""
    yield "tools-undocumented", "the row brings tools", "tools", shown(tools)
    if not isinstance(tools, list) or not tools:
        yield "tools-shape", "the tools are not a list with an entry", "tools", shown(tools)
        return
    names: set[str] = set()
    for place, tool in enumerate(tools):
        problem = _tool_problem(tool, names)
        if problem:
            yield "tools-shape", problem, f"tools[{place}]", shown(tool)


def _tool_problem(tool: Any, names: set[str]) -> str | None:
    """What is wrong with one tool; its name is added to `names`, where it may not be yet."""
    if not isinstance(tool, dict) or tool.get("type") != "function" or not isinstance(tool.get("function"), dict):
        return "a tool is not of type function"
    function = tool["function"]
    name = function.get("name")
    if not isinstance(name, str) or not name.strip():
        return "a tool has no name"
    if name in names:
        return f"the name {shown(name)} is already the name of an earlier tool"
    names.add(name)
    parameters = function.get("parameters")
    if not isinstance(function.get("description"), str):
        return f"the tool {shown(name)} has no description"
    if not isinstance(parameters, dict) or parameters.get("type") != "object":
        return f"the parameters of {shown(name)} are not a JSON schema of an object"
    return None
