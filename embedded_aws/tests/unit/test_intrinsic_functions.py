"""CloudFormation's intrinsic functions and parameters, as the deployer evaluates them."""

from __future__ import annotations

from typing import Any

import pytest

from embedded_aws.deployer.errors import NotHonoured, ParameterInvalid, TemplateInvalid
from embedded_aws.deployer.intrinsics import Created, Resolver, references
from embedded_aws.deployer.parameters import resolved


@pytest.fixture
def resolver() -> Resolver:
    made = Resolver(
        parameters={"Stage": "dev", "Names": ["a", "b"]},
        pseudo={"AWS::Region": "us-west-2"},
        conditions={
            "IsDev": {"Fn::Equals": [{"Ref": "Stage"}, "dev"]},
            "IsNotDev": {"Fn::Not": [{"Condition": "IsDev"}]},
            "Circle": {"Fn::Not": [{"Condition": "Circle"}]},
        },
    )
    made.resources["Bucket"] = Created("the-bucket", {"Arn": "arn:aws:s3:::the-bucket"})
    return made


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Stage"}, "dev"),
        ({"Ref": "AWS::Region"}, "us-west-2"),
        ({"Ref": "Bucket"}, "the-bucket"),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "arn:aws:s3:::the-bucket"),
        ({"Fn::GetAtt": "Bucket.Arn"}, "arn:aws:s3:::the-bucket"),
        (
            {"Fn::Sub": "${Stage}-${Bucket.Arn}-${AWS::Region}-${!Literal}"},
            "dev-arn:aws:s3:::the-bucket-us-west-2-${Literal}",
        ),
        ({"Fn::Sub": ["${Own}/${Stage}", {"Own": {"Ref": "Bucket"}}]}, "the-bucket/dev"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Stage"}, 3]]}, "a-dev-3"),
        ({"Fn::Join": [",", {"Ref": "Names"}]}, "a,b"),
        ({"Fn::Split": [":", "x:y:z"]}, ["x", "y", "z"]),
        ({"Fn::Select": ["1", {"Fn::Split": [":", "x:y:z"]}]}, "y"),
        ({"Fn::If": ["IsDev", "yes", "no"]}, "yes"),
        ({"Fn::If": ["IsNotDev", "yes", "no"]}, "no"),
        ({"a": {"Fn::If": ["IsDev", {"Ref": "AWS::NoValue"}, 1]}, "b": [1, {"Ref": "AWS::NoValue"}]}, {"b": [1]}),
        ([1, True, None, "text"], [1, True, None, "text"]),
    ],
)
def test_a_value_is_evaluated(resolver: Resolver, value: Any, expected: Any) -> None:
    assert resolver.resolve(value) == expected


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ({"Ref": "Nobody"}, TemplateInvalid, "Nobody is neither a parameter nor a resource"),
        ({"Fn::GetAtt": ["Bucket", "Colour"]}, NotHonoured, "Bucket.Colour"),
        ({"Fn::ImportValue": "x"}, NotHonoured, "Fn::ImportValue"),
        ({"Fn::If": ["Unknown", 1, 2]}, TemplateInvalid, "no condition Unknown"),
        ({"Fn::If": ["Circle", 1, 2]}, TemplateInvalid, "Circle → Circle"),
    ],
)
def test_what_cannot_be_evaluated_is_named(
    resolver: Resolver, value: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as raised:
        resolver.resolve(value)
    assert message in str(raised.value)


def test_references_are_found_wherever_they_are() -> None:
    value = {
        "a": [{"Ref": "One"}, {"Fn::GetAtt": ["Two", "Arn"]}],
        "b": {"Fn::Sub": ["${Three}/${Four.Arn}/${!No}/${Own}", {"Own": {"Ref": "Five"}}]},
        "c": {"Fn::If": ["Condition", {"Fn::GetAtt": "Six.Arn"}, "x"]},
    }
    assert set(references(value)) == {"One", "Two", "Three", "Four", "Five", "Six"}


DECLARED: dict[str, dict[str, Any]] = {
    "Stage": {"Type": "String", "AllowedValues": ["dev", "prod"], "Default": "dev"},
    "Seconds": {"Type": "Number", "MinValue": 1, "MaxValue": 900, "Default": 30},
    "Url": {
        "Type": "String",
        "AllowedPattern": "^$|^https?://.+/v1$",
        "Default": "",
        "ConstraintDescription": "Empty, or a URL that ends in /v1.",
    },
    "Name": {"Type": "String", "MinLength": 2, "MaxLength": 4, "Default": "abc"},
    "List": {"Type": "CommaDelimitedList", "Default": "a, b"},
}


def test_parameters_have_their_defaults_as_text() -> None:
    assert resolved(DECLARED, {}) == {"Stage": "dev", "Seconds": "30", "Url": "", "Name": "abc", "List": ["a", "b"]}


def test_given_values_go_before_defaults() -> None:
    values = resolved(DECLARED, {"Seconds": 1, "Url": "http://127.0.0.1:1/v1", "List": ["x"]})
    assert (values["Seconds"], values["Url"], values["List"]) == ("1", "http://127.0.0.1:1/v1", ["x"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Stage": "test"}, "parameter Stage: expected one of dev, prod, got 'test'"),
        ({"Seconds": 0}, "parameter Seconds: expected at least 1, got '0'"),
        ({"Seconds": 901}, "parameter Seconds: expected at most 900, got '901'"),
        ({"Seconds": "soon"}, "parameter Seconds: expected a number, got 'soon'"),
        ({"Url": "ftp://x"}, "Empty, or a URL that ends in /v1."),
        ({"Name": "a"}, "at least 2 characters"),
        ({"Name": "abcde"}, "at most 4 characters"),
        ({"Colour": "blue"}, "no parameter Colour"),
    ],
)
def test_a_value_outside_its_constraints_is_refused_by_name(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterInvalid) as raised:
        resolved(DECLARED, given)
    assert message in str(raised.value)


def test_a_parameter_without_default_must_be_given() -> None:
    with pytest.raises(ParameterInvalid, match="parameter Key has no default"):
        resolved({"Key": {"Type": "String"}}, {})


def test_a_parameter_that_is_looked_up_in_aws_is_refused() -> None:
    declared = {"Image": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/image"}}
    with pytest.raises(NotHonoured, match="parameter Image"):
        resolved(declared, {})
