"""Which stack a command works with: the one that is named, the one of a running `up`, or none."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.command import exits, places, which_stack


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    which_stack.add_options(parser)
    return parser.parse_args(words)


@pytest.fixture(autouse=True)
def nobody_s_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TUNEDROP_STACK", "TUNEDROP_API_URL", "TUNEDROP_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TUNEDROP_CONFIG", str(tmp_path / "none"))
    monkeypatch.setattr(places, "UP_ENVIRONMENT", tmp_path / "environment")
    for name, value in {"ACCESS_KEY_ID": "AKIA", "SECRET_ACCESS_KEY": "secret", "REGION": "us-west-2"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)


@pytest.fixture
def up() -> Iterator[str]:
    """The URL of something that listens, named by the file of an `up` in us-west-2."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        lines = {"TUNEDROP_API_URL": url, "AWS_REGION": "us-west-2", "AWS_ACCESS_KEY_ID": "local"}
        lines["AWS_SECRET_ACCESS_KEY"] = "local"
        text = "".join(f"export {name}={value}\n" for name, value in lines.items())
        places.UP_ENVIRONMENT.write_text(text)
        yield url


def test_without_any_stack_there_is_none() -> None:
    assert which_stack.chosen(parsed()) is None
    with pytest.raises(exits.UsageError, match="no stack is named and none runs"):
        which_stack.required(parsed())


def test_a_running_up_is_the_stack_unless_another_one_is_named(up: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert which_stack.required(parsed()).place.api_url == up
    other = "https://abc.execute-api.us-east-1.amazonaws.com/v1"
    found = which_stack.required(parsed("--api", other)).place
    assert (found.api_url, found.region, found.local) == (other, "us-east-1", False)
    monkeypatch.setenv("TUNEDROP_API_URL", other)
    assert which_stack.required(parsed()).place.api_url == other


def test_an_up_of_another_region_or_one_that_was_killed_is_passed_over(up: str) -> None:
    assert which_stack.chosen(parsed(), region="us-east-1") is None
    with socket.create_server(("127.0.0.1", 0)) as free:
        gone = free.getsockname()[1]
    text = places.UP_ENVIRONMENT.read_text()
    places.UP_ENVIRONMENT.write_text(text.replace(up, f"http://127.0.0.1:{gone}/v1"))
    assert which_stack.chosen(parsed()) is None


def test_two_stacks_at_once_are_not_understood() -> None:
    with pytest.raises(SystemExit):
        parsed("--stack", "a", "--api", "https://b")
