"""The models that can be tuned: where each trains, by which id it is tuned and asked, and what its backend can give.

Sources are the sections of AWS's documentation named at each entry; what no source states is None, never a guess.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from tunedrop.nearest import nearest, suggestion
from tunedrop.outcomes import RecipeInvalid

LONGEST_SHOWN = 80
"""Characters of a wrong value that a message repeats."""


class Family(enum.StrEnum):
    """Which of Bedrock's two disjoint fine-tuning APIs a model belongs to."""

    OPEN_WEIGHT = "open_weight"
    NOVA = "nova"


@dataclass(frozen=True, slots=True)
class Range:
    """The values a hyperparameter may take. `None` for a bound that no source states.

    With `fits_rows`, the default is lowered, but not below `least`, where a dataset has few rows.
    """

    kind: type
    least: float | None
    most: float | None
    default: int | float | str | None
    choices: tuple[str, ...] = ()
    fits_rows: bool = False
    meaning: str = ""
    """What it does and which way to turn it, in a sentence or two, for whoever chooses it."""

    def problem(self, value: object) -> str | None:
        """What is wrong with `value`, as the end of a sentence, or None."""
        if self.choices:
            if value in self.choices:
                return None
            near = nearest(value, self.choices)
            told = f"expected one of {', '.join(self.choices)}, got {_short(value)}"
            return f"{told}; did you mean `{near}`?" if near else told
        if isinstance(value, bool) or not isinstance(value, (int, float) if self.kind is float else int):
            return f"expected {'a number' if self.kind is float else 'a whole number'}, got {_short(value)}"
        if (self.least is not None and value < self.least) or (self.most is not None and value > self.most):
            return f"expected {self._bounds()}, got {value!r}"
        return None

    def _bounds(self) -> str:
        if self.most is None:
            return f"at least {self.least:g}"
        return f"{self.least:g} to {self.most:g}"


@dataclass(frozen=True, slots=True)
class Model:
    """One model that can be tuned.

    `tuned_as` is the id that a training job names; `asked_as` the id or inference profile that inference names.
    `gives_events`, `gives_checkpoints` and `needs_deployment` say what the training backend can do.
    `most_temperature` is the highest at which the model may be asked.
    `reasoning_efforts` are the efforts of thinking that it can be asked for; none where it takes no such field.
    `max_prompt_tokens` is the context that the prompt must fit in, in tokens; None where no source states it.
    """

    id: str
    family: Family
    region: str
    tuned_as: str
    asked_as: str
    gives_events: bool
    gives_checkpoints: bool
    needs_deployment: bool
    most_temperature: float
    max_prompt_tokens: int | None
    default_group_size: int
    hyperparameters: Mapping[str, Range]
    aliases: tuple[str, ...] = ()
    reasoning_efforts: tuple[str, ...] = ()


# After AWS's best-practices post on reinforcement fine-tuning, and the service's guides.
_EPOCHS = (
    "How often each row is trained on. AWS: start with 1; small datasets take 6 to 12, larger ones 3 to 6. Stop "
    "earlier if the reward falls again."
)
_BATCH = "Prompts in a step. With more, each step is steadier and costs more, and an epoch has fewer steps."

# Documented: n_epochs, batch_size and learning_rate_multiplier, with the walkthrough's values (1, 4, 1.0). No range is
# published, so only what cannot make sense is refused.
_OPEN_WEIGHT_HYPERPARAMETERS: Mapping[str, Range] = MappingProxyType(
    {
        "n_epochs": Range(int, 1, 50, 1, meaning=_EPOCHS),
        "batch_size": Range(int, 1, 512, 4, meaning=_BATCH),
        "learning_rate_multiplier": Range(
            float,
            0.0001,
            100,
            1.0,
            meaning="Scales the service's own learning rate, which is not published. AWS advises less than 1 where the "
            "reward jumps up and down.",
        ),
    }
)

# The ranges of the API model (`CreateModelCustomizationJob`, `rftConfig.hyperParameters`); the defaults are those of
# AWS's own SDK template for Bedrock, since the service's own are not published.
_NOVA_HYPERPARAMETERS: Mapping[str, Range] = MappingProxyType(
    {
        "epochCount": Range(int, 1, 50, 1, meaning=_EPOCHS),
        "batchSize": Range(int, 16, 512, 128, fits_rows=True, meaning=_BATCH),
        "learningRate": Range(
            float,
            1e-7,
            1e-3,
            1e-5,
            meaning="How far each step moves the model. Lower it if the reward jumps.",
        ),
        "maxPromptLength": Range(
            int,
            1,
            None,
            8192,
            meaning="Longest prompt, in tokens. AWS: long enough for all your prompts but a few outliers.",
        ),
        "trainingSamplePerPrompt": Range(
            int,
            2,
            16,
            8,
            meaning="Answers for each prompt in a step: the group whose differences teach it. More cost more gradings.",
        ),
        "inferenceMaxTokens": Range(
            int,
            1,
            None,
            2048,
            meaning="Longest answer while training, in tokens. AWS: 1,024 for simple tasks, above 4,096 for hard ones.",
        ),
        "reasoningEffort": Range(
            str, None, None, "medium", ("low", "medium", "high"), meaning="How much the model thinks before it answers."
        ),
        "evalInterval": Range(
            int, 1, 100, 10, meaning="Steps between the service's own looks at the rows that it holds out."
        ),
    }
)

_EFFORTS = ("low", "medium", "high")

# Group size 8 is deduced from the one published metrics event (a mean over a multiple of 32 responses at batch 4).
_OPEN_WEIGHT_GROUP_SIZE = 8

_MODELS = (
    Model(
        id="openai.gpt-oss-20b",
        family=Family.OPEN_WEIGHT,
        region="us-west-2",
        tuned_as="openai.gpt-oss-20b",
        asked_as="openai.gpt-oss-20b",
        gives_events=True,
        gives_checkpoints=True,
        needs_deployment=False,
        most_temperature=2.0,
        max_prompt_tokens=128_000,
        default_group_size=_OPEN_WEIGHT_GROUP_SIZE,
        hyperparameters=_OPEN_WEIGHT_HYPERPARAMETERS,
        reasoning_efforts=_EFFORTS,  # `reasoning_effort` of chat completions
        aliases=("openai.gpt-oss-20b-1:0",),
    ),
    Model(
        id="qwen.qwen3-32b",
        family=Family.OPEN_WEIGHT,
        region="us-west-2",
        tuned_as="qwen.qwen3-32b",
        asked_as="qwen.qwen3-32b",
        gives_events=True,
        gives_checkpoints=True,
        needs_deployment=False,
        most_temperature=2.0,
        max_prompt_tokens=32_768,
        default_group_size=_OPEN_WEIGHT_GROUP_SIZE,
        hyperparameters=_OPEN_WEIGHT_HYPERPARAMETERS,
        aliases=("qwen.qwen3-32b-v1:0",),
    ),
    Model(
        id="amazon.nova-2-lite-v1:0:256k",
        family=Family.NOVA,
        region="us-east-1",
        tuned_as="amazon.nova-2-lite-v1:0:256k",
        asked_as="us.amazon.nova-2-lite-v1:0",
        gives_events=False,
        gives_checkpoints=False,
        needs_deployment=True,
        most_temperature=1.0,  # the API model of Converse: InferenceConfiguration.temperature
        max_prompt_tokens=256_000,
        default_group_size=8,
        hyperparameters=_NOVA_HYPERPARAMETERS,
        reasoning_efforts=_EFFORTS,  # `reasoningConfig.maxReasoningEffort` of Converse
        aliases=("amazon.nova-2-lite-v1:0", "us.amazon.nova-2-lite-v1:0"),
    ),
)


def models() -> tuple[Model, ...]:
    """Every model that Tunedrop can tune, in the order in which they are offered."""
    return _MODELS


def find(model_id: str) -> Model:
    """The catalog's entry of a model id or one of its aliases.

    Raises:
        RecipeInvalid: no such model; names the nearest known id and all that there are.
    """
    for model in _MODELS:
        if model_id in (model.id, *model.aliases):
            return model
    known = [model.id for model in _MODELS]
    hint = suggestion(model_id, known)
    raise RecipeInvalid(
        f"recipe field `model`: {_short(model_id)} cannot be tuned by Bedrock RFT.{hint} Known models: "
        f"{', '.join(known)}."
    )


def family_of(asked: str, otherwise: Family) -> Family:
    """The family of a model by the id that inference names; `otherwise` of one that the catalog does not know."""
    for model in _MODELS:
        if asked in (model.id, model.asked_as, *model.aliases):
            return model.family
    return otherwise


def effort_for(asked: str, effort: str) -> str:
    """The effort of thinking that a model is asked for, by the id that inference names; "" for one that takes none.

    A model that the catalog does not know is a tuned one, which takes what the model takes that it was made of.
    """
    for model in _MODELS:
        if asked in (model.id, model.asked_as, *model.aliases):
            return effort if effort in model.reasoning_efforts else ""
    return effort


def find_for_region(model_id: str, region: str) -> Model:
    """As `find`, and the model must train in `region`.

    Raises:
        RecipeInvalid: no such model, or it trains in another Region; names the models that this stack offers.
    """
    model = find(model_id)
    if model.region != region:
        offered = ", ".join(other.id for other in _MODELS if other.region == region) or "none"
        raise RecipeInvalid(
            f"recipe field `model`: {model.id} can be tuned only in {model.region}, but this stack is in {region}. "
            f"Drop the dataset into a Tunedrop stack in {model.region}, or choose a model of {region}: {offered}."
        )
    return model


def default_for_region(region: str) -> Model:
    """The model that a recipe without `model` gets: the first one of the Region.

    Raises:
        RecipeInvalid: no model can be tuned in `region`.
    """
    for model in _MODELS:
        if model.region == region:
            return model
    where = ", ".join(sorted({model.region for model in _MODELS}))
    raise RecipeInvalid(f"no model can be tuned by Bedrock RFT in {region}; deploy Tunedrop in one of {where}.")


def families_of_region(region: str) -> list[Family]:
    """The families of models that train in `region`."""
    return list(dict.fromkeys(model.family for model in _MODELS if model.region == region))


def mantle_base_url(region: str, configured: str) -> str:
    """Where the OpenAI-compatible API is asked: `configured`, or the Region's own endpoint where that is empty."""
    return configured or f"https://bedrock-mantle.{region}.api.aws/v1"


def is_simulated(base_url: str) -> bool:
    """Whether `base_url` is something other than the Bedrock service itself, so that its numbers must be labelled."""
    host = urlsplit(base_url).hostname or ""
    return not (host.endswith((".api.aws", ".amazonaws.com", ".amazonaws.com.cn")))


def who_trains(*, simulated: bool, weights: Mapping[str, str] | None) -> dict[str, Any]:
    """Who trains and answers, as the record, notices, reports and the API tell it.

    `weights` are those of a language model on this machine: their `name` and `licence`; None for any other.
    """
    by = "local" if weights else "simulation" if simulated else "bedrock"
    on = "Amazon Bedrock" if by == "bedrock" else "this machine"
    return {"simulated": by == "simulation", "trained_by": by, "trained_on": on, "weights": dict(weights or {}) or None}


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
