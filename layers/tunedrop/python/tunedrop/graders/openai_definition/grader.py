"""Running a definition: `string_check`, `text_similarity`, `score_model`, `python`, and `multi` over them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from tunedrop.graders.formula import Formula, FormulaError
from tunedrop.graders.json_answer import NotOneDocument, parse, read_answer
from tunedrop.graders.kinds import KINDS, Trust
from tunedrop.graders.openai_definition import python_grader
from tunedrop.graders.openai_definition.similarity import LONGEST_TEXT, METRICS, REFUSED
from tunedrop.graders.openai_definition.template import NotInAnswer, TemplateError, fill, look_up, variables
from tunedrop.graders.row_options import OPTIONS_FIELD
from tunedrop.graders.sample import JSON, Grade, OptionsError, Sample, no_choice

_NAME = re.compile(r"^[A-Za-z_]\w*$")
_TYPES = ("string_check", "text_similarity", "score_model", "python", "multi")
_REFUSED_TYPES = {
    "label_model": "use `score_model`, or the kind `moderation`",
    "endpoint": "allow your own Lambda function as the grader instead",
}
_OPERATIONS: Mapping[str, Callable[[str, str], bool]] = {
    "eq": lambda text, reference: text == reference,
    "ne": lambda text, reference: text != reference,
    "neq": lambda text, reference: text != reference,  # so spelt in OpenAI's guide, `ne` in its API
    "like": lambda text, reference: reference in text,
    "ilike": lambda text, reference: reference.casefold() in text.casefold(),
}
MOST_PROGRAMS = 8
"""`python` graders of one definition."""
Names: TypeAlias = Mapping[str, Mapping[str, JSON]]
Message: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """What a `score_model` asks a model: the messages, the model that it names, and the range of the score."""

    messages: tuple[Message, ...]
    model: str
    lowest: float
    highest: float
    seed: int | None
    temperature: float


AskForScore: TypeAlias = Callable[[ScoreRequest], float]


def is_definition(options: Mapping[str, JSON]) -> bool:
    """Whether these options are an OpenAI definition: they have a `type`, which no option of ours is named."""
    return isinstance(options.get("type"), str)


def asks_a_model(definition: Mapping[str, JSON]) -> bool:
    """Whether the definition has a `score_model`, itself or as one of its graders."""
    inner = definition.get("graders")
    parts = [definition, *(inner.values() if isinstance(inner, Mapping) else ())]
    return any(isinstance(part, Mapping) and part.get("type") == "score_model" for part in parts)


def count_of_programs(definition: JSON) -> int:
    """How many `python` graders a definition has. Raises OptionsError for more than one answer has time for."""
    if not isinstance(definition, Mapping):
        return 0
    inner = definition.get("graders")
    parts = [definition, *(inner.values() if isinstance(inner, Mapping) else ())]
    count = len([part for part in parts if isinstance(part, Mapping) and part.get("type") == "python"])
    if count > MOST_PROGRAMS:
        raise OptionsError(
            f"The definition has {count} python graders; one answer has time for {MOST_PROGRAMS}: leave some out."
        )
    return count


class OpenAIDefinitionGrader:
    """A definition as a grader.

    `item` is the training row; a variable that the row does not have is looked for in an object as its
    `reference_answer`, too. A part of the answer that a template names and the answer lacks scores 0. The reward is
    the definition's value within 0 to 1, where a `score_model` on its own is first brought from its range to 0 to 1.
    Right is what reaches `pass_threshold` (1.0 for a string check where there is none; else it is not said).
    """

    def __init__(self, definition: Mapping[str, JSON], *, ask: AskForScore | None = None) -> None:
        """`ask` asks a model for a score. Raises OptionsError for what cannot be run, naming the grader and field."""
        self._root = _read(definition, "the definition", ask)
        programs = count_of_programs(definition)
        self.trust = Trust.CODE if programs else Trust.PLAIN
        self.deadline_seconds = KINDS["composite"].deadline_seconds + programs * python_grader.LONGEST_SECONDS
        threshold = definition.get("pass_threshold")
        if threshold is None and definition.get("type") == "string_check":
            threshold = 1.0
        if threshold is not None and (isinstance(threshold, bool) or not isinstance(threshold, (int, float))):
            raise OptionsError(f"The definition's pass_threshold must be a number, got {threshold!r}.")
        self._threshold = None if threshold is None else float(threshold)

    def warm_up(self) -> None:
        """Start the sandbox, where a part needs it."""
        if self.trust is Trust.CODE:
            python_grader.sandbox().start()

    def check_reference(self, reference: JSON, row: Mapping[str, JSON]) -> str | None:
        """Which of the row's variables that the definition uses are missing, or None."""
        names = {"item": _item(reference, row), "sample": {}}
        try:
            for template in self._root.templates():
                for variable in variables(template):
                    if variable.namespace == "item":
                        look_up(variable, names)
        except TemplateError as error:
            return str(error)
        return None

    def grade(self, sample: Sample) -> Grade:
        """Fill the templates, compute. Raises TemplateError, FormulaError, and what asking a model raises."""
        names: Names = {"item": _item(sample.reference, sample.row), "sample": _sample(sample)}
        scores: dict[str, float] = {}
        value = self._root.score(names, scores)
        correct = None if self._threshold is None else value >= self._threshold
        share = self._root.share(value) if isinstance(self._root, _ScoreModel) else value
        reward = min(1.0, max(0.0, share))
        return Grade(reward, scores, correct, f"The definition's value is {value:.4g}.")


def _item(reference: JSON, row: Mapping[str, JSON]) -> dict[str, JSON]:
    inner = reference if isinstance(reference, Mapping) else {}
    return {**inner, **row, "reference_answer": reference}


def _sample(sample: Sample) -> dict[str, JSON]:
    names: dict[str, JSON] = {
        "output_text": sample.answer,
        "choices": [{"message": {"role": "assistant", "content": sample.answer}}],
    }
    with suppress(NotOneDocument):  # a template that wants it finds that the answer has none
        names["output_json"] = read_answer(sample.answer, "fence")
    return names


class _TextAgainstReference:
    """Compares the text that one template gives with that of another; a text that the answer lacks is worth 0."""

    def __init__(self, definition: Mapping[str, JSON], where: str, compare: Callable[[str, str], float]) -> None:
        self._input = _template(definition, "input", where)
        self._reference = _template(definition, "reference", where)
        self._compare = compare

    def templates(self) -> Iterable[str]:
        return (self._input, self._reference)

    def score(self, names: Names, _: dict[str, float]) -> float:
        reference = fill(self._reference, names)
        try:
            return float(self._compare(fill(self._input, names), reference))
        except NotInAnswer:
            return 0.0


def _string_check(definition: Mapping[str, JSON], where: str) -> _TextAgainstReference:
    operation = definition.get("operation")
    if operation not in _OPERATIONS:
        raise no_choice(f"{where}: operation must be", _OPERATIONS, operation)
    return _TextAgainstReference(definition, where, _OPERATIONS[str(operation)])


class _Python:
    def __init__(self, definition: Mapping[str, JSON], where: str) -> None:
        self._grader = python_grader.PythonGrader(definition, where)

    def templates(self) -> Iterable[str]:
        return ()

    def score(self, names: Names, _: dict[str, float]) -> float:
        item = {name: value for name, value in names["item"].items() if name != OPTIONS_FIELD}
        return self._grader.score(names["sample"], item)


def _text_similarity(definition: Mapping[str, JSON], where: str) -> _TextAgainstReference:
    metric = definition.get("evaluation_metric")
    if metric in REFUSED:
        raise OptionsError(f"{where}: the metric {metric} is not available here: {REFUSED[str(metric)]}.")
    if metric not in METRICS:
        raise no_choice(f"{where}: evaluation_metric must be", METRICS, metric)
    likeness = METRICS[str(metric)]
    return _TextAgainstReference(
        definition, where, lambda text, reference: likeness(text[:LONGEST_TEXT], reference[:LONGEST_TEXT])
    )


class _ScoreModel:
    def __init__(self, definition: Mapping[str, JSON], where: str, ask: AskForScore | None) -> None:
        if ask is None:
            raise OptionsError(f"{where} asks a model: run the definition with the kind `judge`, which may ask one.")
        self._ask = ask
        self._model = definition.get("model")
        messages = definition.get("input")
        if not isinstance(self._model, str) or not isinstance(messages, list) or not messages:
            raise OptionsError(f"{where}: a score_model needs `model`, a text, and `input`, an array of messages.")
        self._messages = [(_role(message, where), _content(message, where)) for message in messages]
        bounds = definition.get("range") or [0, 1]
        if (
            not isinstance(bounds, list)
            or len(bounds) != 2
            or not all(isinstance(bound, (int, float)) and not isinstance(bound, bool) for bound in bounds)
            or not bounds[0] < bounds[1]
        ):
            raise OptionsError(f"{where}: range must be two numbers, the lower one first, got {bounds!r}.")
        self._lowest, self._highest = float(bounds[0]), float(bounds[1])
        sampling = definition.get("sampling_params") or {}
        if not isinstance(sampling, Mapping):
            raise OptionsError(f"{where}: sampling_params must be an object, got {type(sampling).__name__}.")
        seed, temperature = sampling.get("seed"), sampling.get("temperature")
        self._seed = seed if isinstance(seed, int) and not isinstance(seed, bool) else None
        self._temperature = float(temperature) if isinstance(temperature, (int, float)) else 0.0

    def templates(self) -> Iterable[str]:
        return [content for _, content in self._messages]

    def share(self, score: float) -> float:
        return (score - self._lowest) / (self._highest - self._lowest)

    def score(self, names: Names, _: dict[str, float]) -> float:
        try:
            filled = tuple({"role": role, "content": fill(content, names)} for role, content in self._messages)
        except NotInAnswer:
            return self._lowest
        request = ScoreRequest(filled, str(self._model), self._lowest, self._highest, self._seed, self._temperature)
        return min(self._highest, max(self._lowest, self._ask(request)))


class _Multi:
    def __init__(self, definition: Mapping[str, JSON], where: str, ask: AskForScore | None) -> None:
        graders = definition.get("graders")
        if not isinstance(graders, Mapping) or not graders:
            raise OptionsError(f"{where}: a multi grader needs `graders`, an object of name to definition.")
        self._graders: dict[str, _Part] = {}
        for name, inner in graders.items():
            if not _NAME.match(name):
                raise OptionsError(f"{where}: the name {name!r} cannot stand in a formula; use letters, digits and _.")
            if not isinstance(inner, Mapping) or inner.get("type") == "multi":
                raise OptionsError(f"{where}: {name} must be a definition of another type than multi.")
            self._graders[name] = _read(inner, f"{where}: {name}", ask)
        text = definition.get("calculate_output")
        if not isinstance(text, str):
            raise OptionsError(f"{where}: a multi grader needs `calculate_output`, a formula.")
        try:
            self._formula = Formula(text)
        except FormulaError as error:
            raise OptionsError(f"{where}: calculate_output: {error}.") from None
        unknown = sorted(self._formula.names - self._graders.keys())
        if unknown:
            raise OptionsError(f"{where}: calculate_output uses {unknown[0]!r}, which is not one of its graders.")

    def templates(self) -> Iterable[str]:
        return [template for part in self._graders.values() for template in part.templates()]

    def score(self, names: Names, scores: dict[str, float]) -> float:
        for name, part in self._graders.items():
            scores[name] = part.score(names, scores)
        return self._formula.value(scores)


_ROLES = ("user", "assistant", "system", "developer")
_Part: TypeAlias = _TextAgainstReference | _ScoreModel | _Python | _Multi


def _read(definition: Mapping[str, JSON], where: str, ask: AskForScore | None) -> _Part:
    match definition.get("type"):
        case "string_check":
            return _string_check(definition, where)
        case "text_similarity":
            return _text_similarity(definition, where)
        case "score_model":
            return _ScoreModel(definition, where, ask)
        case "python":
            return _Python(definition, where)
        case "multi":
            return _Multi(definition, where, ask)
        case str(kind) if kind in _REFUSED_TYPES:
            raise OptionsError(f"{where}: the type {kind} cannot be run here: {_REFUSED_TYPES[kind]}.")
        case kind:
            raise no_choice(f"{where}: type must be", _TYPES, kind)


def _template(definition: Mapping[str, JSON], field: str, where: str) -> str:
    template = definition.get(field)
    if not isinstance(template, str):
        raise OptionsError(f"{where}: {field} must be a text, got {type(template).__name__}.")
    _check(template, where)
    return template


def _check(template: str, where: str) -> None:
    try:
        variables(template)
    except TemplateError as error:
        raise OptionsError(f"{where}: {error}.") from None


def _role(message: JSON, where: str) -> str:
    role = message.get("role") if isinstance(message, Mapping) else None
    if role not in _ROLES:
        raise no_choice(f"{where}: a message of `input` has the role {role!r}; expected", _ROLES, role)
    return "system" if role == "developer" else str(role)


def _content(message: JSON, where: str) -> str:
    content = message.get("content") if isinstance(message, Mapping) else None
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, Mapping) else part for part in parts]
    if not all(isinstance(text, str) for text in texts):
        raise OptionsError(
            f"{where}: a message of `input` has content that is no text; images and audio are not graded."
        )
    content = "\n".join(str(text) for text in texts)
    _check(content, where)
    return content


def read_score(text: str, lowest: float, highest: float) -> float:
    """The score in a model's reply: a number and nothing else, or an object with `result` or `score`.

    Raises NotOneDocument where it is neither, or out of the range.
    """
    try:
        document = parse(text.strip())
    except NotOneDocument:
        document = read_answer(text, "fence")
    if isinstance(document, Mapping):
        document = document.get("result", document.get("score"))
    if isinstance(document, bool) or not isinstance(document, (int, float)) or not lowest <= document <= highest:
        raise NotOneDocument(f"expected a number from {lowest:g} to {highest:g}")
    return float(document)
