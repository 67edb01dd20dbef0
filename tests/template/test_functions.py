"""The template's functions: each is complete, and an upgrade leaves runs in flight their graders."""

from __future__ import annotations

import ast
import copy
import json
import re
from typing import Any

import pytest

from checks import sam_template
from tests.template.resource_kinds import GRADERS, Resources, of_type
from tunedrop import resources as resources_module
from tunedrop.graders.kinds import Trust
from tunedrop.settings import Settings

API_FUNCTIONS = {"Api": "api", "RunValidation": "run_validation", "InboxWatch": "inbox_watch"}
STATE_FUNCTIONS = {
    "".join(word.capitalize() for word in path.stem.split("_")): path.stem
    for path in (sam_template.ROOT / "layers/tunedrop/python/tunedrop/states").glob("*_*.py")
    if path.stem not in API_FUNCTIONS.values() and not path.stem.startswith("_")
}
"""The functions of the states, by the modules that have what they do: `SubmitJob` is `states/submit_job.py`."""


def test_each_function_has_its_folder_and_each_folder_its_function(template: dict[str, Any]) -> None:
    folders = {
        name: each["Properties"]["CodeUri"]
        for name, each in template["Resources"].items()
        if each["Type"] == "AWS::Serverless::Function"
    }
    expected = {name: f"functions/{folder}" for name, folder in (STATE_FUNCTIONS | API_FUNCTIONS).items()}
    expected |= dict.fromkeys(GRADERS, "functions/grader")
    assert folders == expected
    there = {f"functions/{path.parent.name}" for path in sam_template.ROOT.glob("functions/*/app.py")}
    assert there == set(folders.values())


def test_each_folder_defines_the_handler(resources: Resources, template: dict[str, Any]) -> None:
    for name, properties in of_type(resources, "AWS::Lambda::Function").items():
        module, _, handler = properties["Handler"].partition(".")
        source = sam_template.ROOT / template["Resources"][name]["Properties"]["CodeUri"] / f"{module}.py"
        defined = {each.name for each in ast.parse(source.read_text()).body if isinstance(each, ast.FunctionDef)}
        assert handler in defined, source


def test_every_function_runs_what_the_layers_are_built_for(resources: Resources) -> None:
    layers = of_type(resources, "AWS::Lambda::LayerVersion")
    assert len(layers) == 2
    for properties in of_type(resources, "AWS::Lambda::Function").values():
        assert (properties["Runtime"], properties["Architectures"]) == ("python3.13", ["arm64"])
        assert [each["Ref"] for each in properties["Layers"]] == sorted(layers)
    for properties in layers.values():
        assert (properties["CompatibleRuntimes"], properties["CompatibleArchitectures"]) == (["python3.13"], ["arm64"])


def test_every_function_has_what_the_package_reads_from_its_environment(resources: Resources) -> None:
    for name, properties in of_type(resources, "AWS::Lambda::Function").items():
        variables = properties["Environment"]["Variables"]
        plain = {each: value if isinstance(value, str) else "1" for each, value in variables.items()}
        settings = Settings.from_environment({"AWS_REGION": "us-west-2", **plain, "GRADERS": "{}"})
        assert settings.runs_table, name
        assert variables["POWERTOOLS_SERVICE_NAME"] == {"Ref": "AWS::StackName"}


def test_each_trust_has_its_grader_function(resources: Resources) -> None:
    functions = of_type(resources, "AWS::Lambda::Function")
    for name, trust in GRADERS.items():
        assert functions[name]["Environment"]["Variables"]["GRADER_TRUST"] == trust
    for knowing in ("ResolveInputs", "Api"):
        text, versions = functions[knowing]["Environment"]["Variables"]["GRADERS"]["Fn::Sub"]
        given = json.loads(text)
        assert given.keys() == set(Trust)
        for name, trust in GRADERS.items():
            assert re.fullmatch(rf"{name}Version[0-9a-f]+", versions[given[trust].strip("${}")]["Ref"])


def test_no_function_may_run_longer_than_lambda_lets_it(resources: Resources) -> None:
    for name, properties in of_type(resources, "AWS::Lambda::Function").items():
        assert 30 <= properties["Timeout"] <= 900, name
        assert 512 <= properties["MemorySize"] <= 1769, name


def test_a_grader_s_answer_is_waited_for_as_long_as_a_grader_may_take(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    slowest = max(of_type(resources, "AWS::Lambda::Function")[name]["Timeout"] for name in GRADERS)
    configured: Any = resources_module.Resources().functions.meta.config
    assert configured.read_timeout > slowest


def versions(template: dict[str, Any]) -> set[str]:
    translated = sam_template.translate(template)
    return set(of_type(translated["Resources"], "AWS::Lambda::Version"))


def test_a_changed_layer_publishes_new_versions_of_the_graders(template: dict[str, Any]) -> None:
    changed = copy.deepcopy(template)
    changed["Resources"]["TunedropLayer"]["Properties"]["ContentUri"] += "/other"
    before, after = versions(template), versions(changed)
    assert len(before) == len(after) == len(GRADERS)
    assert not before & after


def test_an_unchanged_template_publishes_none(template: dict[str, Any]) -> None:
    assert versions(template) == versions(copy.deepcopy(template))


def test_versions_that_jobs_train_with_outlive_an_upgrade(resources: Resources) -> None:
    for name, each in resources.items():
        if each["Type"] == "AWS::Lambda::Version":
            assert each["DeletionPolicy"] == "Retain", name


def test_only_this_account_s_bedrock_may_call_a_grader_s_version(resources: Resources) -> None:
    granted = set()
    for name, each in resources.items():
        properties = each.get("Properties", {})
        if each["Type"] == "AWS::Lambda::Permission" and properties["Principal"] == "bedrock.amazonaws.com":
            assert properties["SourceAccount"] == {"Ref": "AWS::AccountId"}
            assert properties["Action"] == "lambda:InvokeFunction"
            assert each["UpdateReplacePolicy"] == "Retain", name
            granted.add(re.sub("Version[0-9a-f]+$", "", properties["FunctionName"]["Ref"]))
    assert granted == GRADERS.keys()
