"""Where the client looks for the API: arguments, variables, the profile file, a stack's outputs, a running `up`."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import botocore.session
import pytest

from tests.contract.client.answering import Asked, serving
from tunedrop_client import NoSuchPlace, places

URL = "https://abc.execute-api.us-east-1.amazonaws.com/v1"
PROFILES = """
[default]
stack = "tunedrop-dev"

[prod]
stack = "tunedrop-prod"
region = "us-east-1"
aws_profile = "production"
"""


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "config.toml").write_text(PROFILES)
    return {"TUNEDROP_CONFIG": str(tmp_path / "config.toml")}


@pytest.fixture(autouse=True)
def nobody_s_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))


def test_arguments_go_before_variables_and_these_before_the_profile_file(variables: dict[str, str]) -> None:
    more = {**variables, "TUNEDROP_STACK": "of-the-shell"}
    assert places.wanted(stack="given", environment=more) == places.Wanted("given")
    assert places.wanted(api_url=URL, environment=more) == places.Wanted(None, URL)
    assert places.wanted(environment=more) == places.Wanted("of-the-shell")
    assert places.wanted(environment={**variables, "TUNEDROP_API_URL": URL}) == places.Wanted(None, URL)
    assert places.wanted(environment=variables) == places.Wanted("tunedrop-dev")
    assert not places.wanted(environment={"HOME": "/nowhere"}).named


def test_a_profile_gives_stack_region_and_credentials(variables: dict[str, str]) -> None:
    prod = places.Wanted("tunedrop-prod", None, "us-east-1", "production")
    assert places.wanted(profile="prod", environment={**variables, "TUNEDROP_STACK": "other"}) == prod
    assert places.wanted(environment={**variables, "TUNEDROP_PROFILE": "prod"}) == prod
    assert places.wanted(profile="prod", region="us-west-2", environment=variables).region == "us-west-2"


@pytest.mark.parametrize(
    ("written", "profile", "says"),
    [
        (PROFILES, "test", "has no profile 'test'; it has default, prod"),
        ("[default\n", None, "cannot be read"),
        ("[default]\nstak = 'a'\n", None, "expected only api_url, aws_profile, region, stack"),
    ],
)
def test_a_profile_file_that_does_not_help_is_named(
    variables: dict[str, str], written: str, profile: str | None, says: str
) -> None:
    Path(variables["TUNEDROP_CONFIG"]).write_text(written)
    with pytest.raises(NoSuchPlace, match=says):
        places.wanted(profile=profile, environment=variables)


def test_two_places_at_once_are_refused() -> None:
    with pytest.raises(NoSuchPlace, match="gave both"):
        places.wanted(stack="a", api_url=URL, environment={})
    with pytest.raises(NoSuchPlace, match="both set"):
        places.wanted(environment={"TUNEDROP_STACK": "a", "TUNEDROP_API_URL": URL})


def test_the_region_of_a_url_is_its_own() -> None:
    found = places.find(places.Wanted(api_url=f"{URL}/"))
    assert (found.api_url, found.region) == (URL, "us-east-1")
    with pytest.raises(NoSuchPlace, match="Region of http://127.0.0.1:9/v1 is unknown"):
        places.find(places.Wanted(api_url="http://127.0.0.1:9/v1"))
    with pytest.raises(NoSuchPlace, match="expected the API's URL"):
        places.find(places.Wanted(api_url="tunedrop-dev"))


def test_nobody_without_credentials_gets_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setattr(botocore.session.Session, "get_credentials", lambda _: None)
    with pytest.raises(NoSuchPlace, match="no AWS credentials"):
        places.find(places.Wanted(api_url=URL))


def cloudformation(stacks: dict[str, dict[str, str]]) -> Any:
    """CloudFormation with stacks of these outputs, as it answers on the wire."""

    def answer(asked: Asked) -> Any:
        name = parse_qs(asked.body.decode())["StackName"][0]
        if name not in stacks:
            error = f"<Code>ValidationError</Code><Message>Stack with id {name} does not exist</Message>"
            return 400, f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>".encode()
        pairs = (
            f"<OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue>" for key, value in stacks[name].items()
        )
        outputs = "".join(f"<member>{pair}</member>" for pair in pairs)
        stack = f"<member><StackName>{name}</StackName><Outputs>{outputs}</Outputs></member>"
        result = f"<DescribeStacksResult><Stacks>{stack}</Stacks></DescribeStacksResult>"
        return 200, f"<DescribeStacksResponse>{result}</DescribeStacksResponse>".encode()

    return answer


def test_a_stack_is_found_by_its_output(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(cloudformation({"tunedrop-dev": {"ApiUrl": URL}, "other": {"Name": "x"}})) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        found = places.find(places.Wanted("tunedrop-dev", region="us-west-2"))
        assert (found.api_url, found.region) == (URL, "us-west-2")
        with pytest.raises(NoSuchPlace, match="no output ApiUrl"):
            places.find(places.Wanted("other", region="us-west-2"))
        with pytest.raises(NoSuchPlace, match="there is no stack tunedrop-prod in us-west-2 in this account"):
            places.find(places.Wanted("tunedrop-prod", region="us-west-2"))


def test_a_running_up_is_found_from_a_folder_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = tmp_path / "a/b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    with pytest.raises(NoSuchPlace, match="no `tunedrop up` runs"):
        places.find(places.Wanted())
    written = tmp_path / places.LOCAL_ENVIRONMENT
    written.parent.mkdir(parents=True)
    lines = {"TUNEDROP_API_URL": URL, "AWS_REGION": "us-west-2", "AWS_ACCESS_KEY_ID": "local"}
    written.write_text("".join(f"export {name}='{value}'\n" for name, value in lines.items()))
    with pytest.raises(NoSuchPlace, match="does not set 'AWS_SECRET_ACCESS_KEY'"):
        places.find(places.Wanted())
    with written.open("a") as file:
        file.write("export AWS_SECRET_ACCESS_KEY=local\n")
    found = places.find(places.Wanted())
    assert (found.api_url, found.region, found.local) == (URL, "us-west-2", True)
    assert found.credentials.access_key == "local"


def test_an_aws_profile_that_is_not_there_is_said(variables: dict[str, str]) -> None:
    with pytest.raises(NoSuchPlace, match="the AWS configuration cannot be used: .*production"):
        places.find(places.wanted(profile="prod", environment=variables))
    with pytest.raises(NoSuchPlace, match="there is no profile 'prod', as there is no file /nowhere"):
        places.wanted(profile="prod", environment={"TUNEDROP_CONFIG": "/nowhere"})
