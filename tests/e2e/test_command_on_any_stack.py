"""The command in one process, the stack in another: by its API alone, with a role that may call it and nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.request import HTTPCookieProcessor, build_opener

import boto3
import pytest

from embedded_aws.waiting import until
from tests.e2e.command_runs import REPOSITORY, TUNEDROP, last_line, small_gsm8k, tunedrop_up
from tests.e2e.roles import caller_of_the_api

PROMOTES = "promotion: {parameter: /tunedrop/tunedrop/model, approval: true}\n"


@pytest.fixture(scope="module")
def up() -> Iterator[Mapping[str, str]]:
    """The environment that `tunedrop up` tells."""
    with tunedrop_up() as (_, environment):
        yield environment


@pytest.fixture(scope="module")
def caller(up: Mapping[str, str]) -> Mapping[str, str]:
    """The environment of someone who may call the API, and nothing else; it names no stack."""
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "AWS_REGION": up["AWS_REGION"],
        **caller_of_the_api(up),
    }


def command(
    environment: Mapping[str, str], *words: str | Path, timeout: float = 500
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TUNEDROP, *words],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env=environment,
        timeout=timeout,
        check=False,
    )


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_gsm8k(tmp_path_factory.mktemp("datasets") / "sums", test=40)
    (folder / "recipe.yaml").write_text(f"labels: {{team: search}}\n{PROMOTES}")
    return folder


@pytest.mark.prove
@pytest.mark.timeout(1800)
def test_a_whole_run_by_the_api_alone(up: Mapping[str, str], caller: Mapping[str, str], dataset: Path) -> None:
    api = ("--api", up["TUNEDROP_API_URL"])
    checked = command(caller, "validate", dataset, "--remote", *api)
    assert (checked.returncode, "Valid: 100 rows" in checked.stdout) == (0, True), checked.stdout + checked.stderr

    ran = command(caller, "run", dataset, *api, "--json")
    assert ran.returncode == 0, ran.stderr
    run = last_line(ran)
    assert (run["status"], run["labels"], run["simulated"]) == ("SUCCEEDED", {"team": "search"}, True)
    for shown in ("Started run sums-", "SubmitJob", "PollJob", "Simulated", f"build/runs/{run['run_id']}/report.html"):
        assert shown in ran.stderr, ran.stderr
    assert (REPOSITORY / "build/runs" / run["run_id"] / "report.html").is_file()

    listed = json.loads(command(caller, "runs", *api, "--json").stdout)
    assert [each["run_id"] for each in listed] == [run["run_id"]]
    assert (listed[0]["verdict"], listed[0]["difference"]) == (run["verdict"], run["difference"])
    assert run["run_id"] in command(caller, "runs", *api).stdout
    assert command(caller, "runs", "--search", "su ms+ü&", *api).stdout == "no runs\n"

    if run["verdict"] == "improved":

        def waits() -> Any:
            watched = last_line(command(caller, "watch", run["run_id"], *api, "--json"))
            return watched["promotion"]["state"] == "waiting"

        until(waits, "the wait for an approval")
        approved = command(caller, "approve", run["run_id"], *api, "--reason", "better: größer")
        assert approved.stdout == f"The promotion of run {run['run_id']} is approved.\n", approved.stderr
        parameter = client(up, "ssm").get_parameter
        until(lambda: promoted(parameter) == run["tuned_model"], "the promotion")

    evaluated = command(caller, "evaluate", run["run_id"], dataset, *api, "--json", "--name", "again")
    again = last_line(evaluated)
    assert (again["status"], again["training"]) == ("SUCCEEDED", None), evaluated.stderr
    assert again["tuned_model"] == run["tuned_model"]
    for each in (run, again):
        forget(each["run_id"])
    compared = command(caller, "compare", run["run_id"], "again", *api)
    assert compared.returncode == 0, compared.stderr
    assert "Simulated" in compared.stdout
    assert re.search(r"\n  base   mean reward .* (40|3\d) rows; ", compared.stdout), compared.stdout
    page = REPOSITORY / compared.stdout.split()[-1]
    assert page.read_text().count("Every row") == 1
    assert not (REPOSITORY / "build/runs" / run["run_id"] / "evaluation").exists(), "the reports alone were compared"
    reported = command(caller, "report", "again", *api, "--json")
    assert last_line(reported)["run_id"] == again["run_id"]
    denied = command(caller, "logs", run["run_id"], *api)
    assert (denied.returncode, denied.stdout) == (64, "")
    assert "name the stack with --stack" in denied.stderr


def forget(run_id: str) -> None:
    """Remove a run's files from this machine, as if the stack were on another one: `up` copies them here."""
    folder = REPOSITORY / "build/runs" / run_id
    until((folder / "logs").is_dir, "the copy of the run by `up`")
    shutil.rmtree(folder)


@pytest.mark.prove
def test_a_run_that_is_stopped_ends_and_what_is_not_there_is_said(
    up: Mapping[str, str], caller: Mapping[str, str], dataset: Path
) -> None:
    api = ("--api", up["TUNEDROP_API_URL"])
    with subprocess.Popen(
        [TUNEDROP, "run", dataset, *api, "--name", "stopped", "--plain"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=REPOSITORY,
        env=dict(caller),
    ) as running:
        assert running.stdout is not None
        run_id = next(line.split()[-1] for line in running.stdout if "Started run" in line)
        stopped = command(caller, "stop", run_id, *api, "--json")
        assert last_line(stopped)["run_id"] == run_id, stopped.stderr
        shown = running.stdout.read()
    assert (running.returncode, "CANCELLED" in shown) == (1, True), shown
    unknown = command(caller, "stop", "sums-0123456789abcdef", *api)
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr.startswith("tunedrop: not-found: Your team has no run"), unknown.stderr


@pytest.mark.prove
def test_a_stack_is_found_however_it_is_named_and_its_logs_are_read(
    up: Mapping[str, str], caller: Mapping[str, str], dataset: Path, tmp_path: Path
) -> None:
    owner = {**os.environ, **{name: value for name, value in up.items() if name.startswith("AWS_")}}
    profiles = tmp_path / "config.toml"
    profiles.write_text(
        f'[default]\nstack = "tunedrop"\n[by-url]\napi_url = "{up["TUNEDROP_API_URL"]}"\nregion = "us-west-2"\n'
    )
    file = {"TUNEDROP_CONFIG": str(profiles)}
    started = command(owner, "run", dataset, "--stack", "tunedrop", "--name", "found", "--json", "--plain")
    run_id = last_line(started)["run_id"]
    ways: Mapping[str, tuple[Mapping[str, str], tuple[str, ...]]] = {
        "--stack": (owner, ("--stack", "tunedrop")),
        "TUNEDROP_STACK": ({**owner, "TUNEDROP_STACK": "tunedrop"}, ()),
        "the default profile": ({**owner, **file}, ()),
        "--profile": ({**caller, **file}, ("--profile", "by-url")),
        "TUNEDROP_PROFILE": ({**caller, **file, "TUNEDROP_PROFILE": "by-url"}, ()),
        "--api": (caller, ("--api", up["TUNEDROP_API_URL"])),
        "TUNEDROP_API_URL": ({**caller, "TUNEDROP_API_URL": up["TUNEDROP_API_URL"]}, ()),
    }
    for name, (environment, words) in ways.items():
        listed = command(environment, "runs", "--name", "found", *words, "--json")
        assert listed.returncode == 0, (name, listed.stderr)
        assert [each["run_id"] for each in json.loads(listed.stdout)] == [run_id], name

    logged = command(owner, "logs", run_id, "--stack", "tunedrop", "--json")
    assert logged.returncode == 0, logged.stderr
    functions = {str(json.loads(line).get("function_name")) for line in logged.stdout.splitlines()}
    for state in ("SubmitJob", "ConcludeRun"):
        assert any(state in name for name in functions), functions

    missing = command(owner, "runs", "--stack", "tunedrop-prod")
    assert (missing.returncode, "there is no stack tunedrop-prod in us-west-2" in missing.stderr) == (64, True)
    barred = command({**caller, "AWS_ENDPOINT_URL": up["AWS_ENDPOINT_URL"]}, "runs", "--stack", "tunedrop")
    assert (barred.returncode, barred.stdout) == (64, "")
    assert "cloudformation:DescribeStacks" in barred.stderr


@pytest.mark.prove
def test_the_console_of_a_stack_that_is_named_speaks_to_its_api(up: Mapping[str, str]) -> None:
    owner = {**os.environ, **{name: value for name, value in up.items() if name.startswith("AWS_")}}
    words = [str(TUNEDROP), "console", "--stack", "tunedrop", "--no-open"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY, env=owner) as console:
        assert console.stdout is not None
        try:
            link = next(line.strip() for line in console.stdout if "/open?token=" in line)
            browser = build_opener(HTTPCookieProcessor())
            assert b"<title>" in browser.open(link).read()
            own = link.partition("/open")[0]
            assert json.load(browser.open(f"{own}/about"))["api_url"] == up["TUNEDROP_API_URL"]
            listed = command(owner, "runs", "--stack", "tunedrop", "--json")
            shown = json.load(browser.open(f"{own}/api/runs"))["runs"]
            assert [each["run_id"] for each in shown] == [each["run_id"] for each in json.loads(listed.stdout)]
        finally:
            console.terminate()
    assert console.returncode == 0


def promoted(get_parameter: Any) -> str | None:
    try:
        return str(get_parameter(Name="/tunedrop/tunedrop/model")["Parameter"]["Value"])
    except Exception as error:
        if "ParameterNotFound" in type(error).__name__:
            return None
        raise


def client(up: Mapping[str, str], service: str) -> Any:
    session = boto3.Session(up["AWS_ACCESS_KEY_ID"], up["AWS_SECRET_ACCESS_KEY"], region_name=up["AWS_REGION"])
    made: Any = session.client
    return made(service, endpoint_url=up["AWS_ENDPOINT_URL"])
