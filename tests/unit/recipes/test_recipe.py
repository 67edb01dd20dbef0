from __future__ import annotations

from typing import Any

import pytest

from tunedrop.catalog import effort_for
from tunedrop.dataset.fitting_defaults import with_fitting_defaults
from tunedrop.outcomes import RecipeInvalid
from tunedrop.recipe import Recipe
from tunedrop.recipe_resolution import resolve
from tunedrop.recipe_text import RECIPE_BYTES, parse


def test_an_empty_recipe_has_a_default_for_everything() -> None:
    recipe = resolve({}, "us-west-2")
    assert recipe.model == "openai.gpt-oss-20b"
    assert recipe.hyperparameters == {"n_epochs": 1, "batch_size": 4, "learning_rate_multiplier": 1.0}
    assert recipe.grader.kind == "math"


def test_a_resolved_recipe_survives_the_record(runs_table: str) -> None:
    recipe = resolve({"hyperparameters": {"learning_rate_multiplier": 1.0}}, "us-west-2")
    stored = Recipe.model_validate(
        {**recipe.model_dump(mode="json"), "hyperparameters": {"learning_rate_multiplier": 1}}
    )
    multiplier = stored.typed_hyperparameters["learning_rate_multiplier"]
    assert multiplier == 1.0
    assert isinstance(multiplier, float)


def test_every_wrong_field_is_named_at_once_with_the_nearest_known_one() -> None:
    wrong = {
        "modl": "x",
        "gates": {"levl": 0.1},
        "evaluation": {"samples": 0},
        "hyperparameters": {"n_epoch": 1, "batch_size": 0, "learning_rate_multiplier": "fast"},
    }
    with pytest.raises(RecipeInvalid) as raised:
        resolve(wrong, "us-west-2")
    message = str(raised.value)
    for part in (
        "`modl` is not known; did you mean `model`?",
        "`gates.levl` is not known; did you mean `level`?",
        "`evaluation.samples`",
        "did you mean `n_epochs`?",
        "`hyperparameters.batch_size`: expected 1 to 512, got 0",
        "`hyperparameters.learning_rate_multiplier`: expected a number, got 'fast'",
    ):
        assert part in message


def test_nova_is_evaluated_as_it_is_trained_unless_the_recipe_says_otherwise() -> None:
    nova = {"model": "amazon.nova-2-lite-v1:0:256k"}
    trained = {"reasoningEffort": "high", "inferenceMaxTokens": 9000}
    as_trained = resolve({**nova, "hyperparameters": trained}, "us-east-1").evaluation
    own = {"reasoning_effort": "low", "max_tokens": 500}
    otherwise = resolve({**nova, "hyperparameters": trained, "evaluation": own}, "us-east-1").evaluation

    assert (as_trained.reasoning_effort, as_trained.max_tokens) == ("high", 9000)
    assert (otherwise.reasoning_effort, otherwise.max_tokens) == ("low", 500)


@pytest.mark.parametrize(("effort", "room"), [("", 1024), ("low", 1024), ("medium", 2048), ("high", 4096)])
def test_an_answer_has_the_more_room_the_more_the_model_thinks(effort: str, room: int) -> None:
    evaluation = resolve({"evaluation": {"reasoning_effort": effort}}, "us-west-2").evaluation
    assert evaluation.max_tokens == room
    chosen = {"reasoning_effort": effort, "max_tokens": 300}
    assert resolve({"evaluation": chosen}, "us-west-2").evaluation.max_tokens == 300


def test_nova_s_defaults_are_those_of_aws_s_template() -> None:
    recipe = resolve({}, "us-east-1")
    template = {
        "epochCount": 1, "learningRate": 1e-5, "maxPromptLength": 8192, "trainingSamplePerPrompt": 8,
        "inferenceMaxTokens": 2048, "reasoningEffort": "medium", "evalInterval": 10,
    }  # fmt: skip
    assert recipe.hyperparameters == template
    assert (recipe.evaluation.reasoning_effort, recipe.evaluation.max_tokens) == ("medium", 2048)
    by_rows = {rows: with_fitting_defaults(recipe, rows).hyperparameters["batchSize"] for rows in (100, 2_276, 20_000)}
    assert by_rows == {100: 16, 2_276: 32, 20_000: 128}
    own = resolve({"hyperparameters": {"batchSize": 200}}, "us-east-1")
    assert with_fitting_defaults(own, 100).hyperparameters["batchSize"] == 200


def test_a_model_that_takes_no_effort_is_not_asked_for_one() -> None:
    with pytest.raises(RecipeInvalid, match="takes no effort"):
        resolve({"model": "qwen.qwen3-32b", "evaluation": {"reasoning_effort": "low"}}, "us-west-2")
    gpt = resolve({"evaluation": {"reasoning_effort": "low"}}, "us-west-2").evaluation

    assert effort_for("openai.gpt-oss-20b", gpt.reasoning_effort) == "low"
    assert effort_for("ft:a-tuned-model", gpt.reasoning_effort) == "low"
    assert effort_for("qwen.qwen3-32b", gpt.reasoning_effort) == ""


def test_a_model_of_another_region_is_an_error_that_names_where_it_is_right() -> None:
    with pytest.raises(RecipeInvalid, match="tuned only in us-east-1.*stack is in us-west-2.*openai.gpt-oss-20b"):
        resolve({"model": "amazon.nova-2-lite-v1:0:256k"}, "us-west-2")
    with pytest.raises(RecipeInvalid, match="Did you mean openai.gpt-oss-20b"):
        resolve({"model": "openai.gpt-oss-20"}, "us-west-2")
    with pytest.raises(RecipeInvalid, match="deploy Tunedrop in one of us-east-1, us-west-2"):
        resolve({}, "eu-west-1")


@pytest.mark.parametrize(
    "parameter", ["/tunedrop/prod/search", "/tunedrop/dev", "/tunedrop/development/search", "/tunedrop/devel/search"]
)
def test_a_parameter_outside_of_the_stack_s_own_path_is_refused_by_name(parameter: str) -> None:
    document = {"promotion": {"parameter": parameter}}
    with pytest.raises(
        RecipeInvalid, match=f"`promotion.parameter`: expected a name below /tunedrop/dev/.*{parameter}"
    ):
        resolve(document, "us-west-2", parameter_path="/tunedrop/dev")


@pytest.mark.parametrize("parameter", ["/tunedrop/dev/search/previous", "/tunedrop/dev/previous/search"])
def test_no_recipe_promotes_over_the_predecessor_of_another(parameter: str) -> None:
    with pytest.raises(RecipeInvalid, match="where the pipeline keeps the replaced model"):
        resolve({"promotion": {"parameter": parameter}}, "us-west-2", parameter_path="/tunedrop/dev")


def test_a_parameter_below_the_stack_s_own_path_is_taken() -> None:
    document = {"promotion": {"parameter": "/tunedrop/dev/search/model"}}
    recipe = resolve(document, "us-west-2", parameter_path="/tunedrop/dev")
    assert recipe.promotion is not None
    assert recipe.promotion.parameter == "/tunedrop/dev/search/model"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, None])
def test_hyperparameters_are_finite_numbers(value: object) -> None:
    document = {"hyperparameters": {"learning_rate_multiplier": value}}
    with pytest.raises(RecipeInvalid, match="learning_rate_multiplier"):
        resolve(document, "us-west-2")


def test_yaml_and_json_say_the_same() -> None:
    assert parse(b"gates: {level: 0.01}", "recipe.yaml") == parse(
        b'\xef\xbb\xbf{"gates": {"level": 0.01}}', "recipe.json"
    )
    assert parse(b"# nothing", "recipe.yaml") == {}


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        (b"a: &x [1]\nb: *x", "recipe.yaml", "aliases"),
        (b"model: [", "recipe.yaml", "line 1"),
        (b"{", "recipe.json", "line 1 column 2"),
        (b"- 1", "recipe.yaml", "expected fields"),
        (b"!!python/object/apply:os.system [ls]", "recipe.yaml", "python/object"),
        (b"[" * 100_000, "recipe.json", "cannot be read"),
        (b" " * (RECIPE_BYTES + 1), "recipe.yaml", "at most"),
        (b"\xff", "recipe.yaml", "cannot be read"),
    ],
)
def test_a_recipe_that_cannot_be_read_says_why(text: bytes, name: str, told: str) -> None:
    with pytest.raises(RecipeInvalid, match=told):
        parse(text, name)


@pytest.mark.parametrize(
    ("written", "region", "told"),
    [
        ({"hyperparameters": {"maxPromptLength": 0}}, "us-east-1", "maxPromptLength`: expected at least 1, got 0"),
        ({"grader": {"kind": "own"}}, "us-west-2", "`kind: own` needs `function`"),
        ({"grader": {"kind": "math", "function": "mine"}}, "us-west-2", "`function` needs `kind: own`"),
        ({"resumes": "ants-0123456789abcdef", "evaluate_only": "m"}, "us-west-2", "expected one of them, got both"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(written: dict[str, Any], region: str, told: str) -> None:
    with pytest.raises(RecipeInvalid, match=told):
        resolve(written, region)


@pytest.mark.parametrize(
    ("text", "value"),
    [("!!int 0x1F", 31), ("!!float 2", 2.0), ("!!float 2.5", 2.5), ("!!null ''", None), ("!!str 7", "7")],
)
def test_a_tag_that_says_what_the_value_is_changes_nothing(text: str, value: object) -> None:
    (read,) = parse(f"labels: {text}".encode(), "recipe.yaml").values()
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize("text", ["0x_", "-0b_", "!!int 2.5", "!!bool maybe"])
def test_a_number_without_digits_or_with_another_tag_is_refused_by_its_field(text: str) -> None:
    with pytest.raises(RecipeInvalid, match="recipe field `labels`: "):
        parse(f"labels: {text}".encode(), "recipe.yaml")
