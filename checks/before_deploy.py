"""What `make deploy` looks at before it builds: ENV, Region, parameters, credentials, the stack's state, quotas.

python -m checks.before_deploy --env dev [--region R] [--json]

Exit code 0 where nothing stands in the way (warnings do not), 1 where something does. It only reads.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from checks import given_parameters, sam_template
from tunedrop.catalog import models

ROOT = Path(__file__).resolve().parent.parent
ENOUGH_CONCURRENCY = 100
"""Lambda invocations at once: an evaluation's 8, as many graders, and a training's graders beside them."""

_NEVER_MADE = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")
_SOON = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 2})
_TRAINING_WORDS = ("customization", "fine-tun", "custom model")


@dataclass(frozen=True, slots=True)
class Look:
    """One look: `result` is `ok`, `warning` (deploy goes on), `error` (it does not) or `unknown` (not to be read)."""

    name: str
    result: Literal["ok", "warning", "error", "unknown"]
    says: str


def looks(env: str, region: str = "", *, configuration: Path = ROOT / "samconfig.toml") -> Iterator[Look]:
    """Look at one thing after the other; ends with the first without which the rest cannot be looked at."""
    settings = tomllib.loads(configuration.read_text())
    stages = [name for name, section in settings.items() if isinstance(section, dict) and "deploy" in section]
    if env not in stages:
        nearest = get_close_matches(env, stages, n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        yield Look("ENV", "error", f"expected one of {', '.join(stages)} (samconfig.toml), got {env!r}{hint}")
        return
    named = settings[env]["global"]["parameters"]
    region, stack = region or named["region"], named["stack_name"]
    yield Look("ENV", "ok", f"{env}: stack {stack}")
    offered = {model.region for model in models()}
    if region not in offered:
        yield Look("Region", "error", f"Bedrock tunes models in {', '.join(sorted(offered))} only; got {region!r}")
        return
    yield Look("Region", "ok", f"{region} tunes {', '.join(model.id for model in models() if model.region == region)}")
    yield from _parameters(settings[env]["deploy"]["parameters"].get("parameter_overrides", ""))
    credentials = _credentials(region)
    yield credentials
    if credentials.result == "error":
        return
    yield _stack(region, stack)
    yield _concurrency(region)
    yield from _training_quotas(region)


def _parameters(overrides: object) -> Iterator[Look]:
    """What samconfig.toml gives. CloudFormation would refuse some of it after minutes, and some of it nobody would."""
    faults = list(given_parameters.faults(overrides, sam_template.read()["Parameters"]))
    for fault in faults:
        yield Look("parameters", "error", fault)
    if not faults:
        names = ", ".join(given_parameters.given(overrides)[0]) or "none"
        yield Look("parameters", "ok", f"samconfig.toml gives {names}; the others stay as they are in the stack")


def _client(service: str, region: str) -> Any:
    return boto3.Session(region_name=region).client(service, config=_SOON)  # type: ignore[call-overload]  # a variable


def _credentials(region: str) -> Look:
    way = "log in (`aws sso login`, or AWS_PROFILE and the AWS_* variables), then try again"
    try:
        identity = _client("sts", region).get_caller_identity()
    except NoCredentialsError:
        return Look("credentials", "error", f"there are none in this shell; {way}")
    except ClientError as error:
        return Look("credentials", "error", f"AWS refuses them: {_reason(error)}; {way}")
    except BotoCoreError as error:
        return Look("credentials", "error", f"AWS cannot be asked: {error}")
    return Look("credentials", "ok", f"account {identity['Account']}, as {identity['Arn']}")


def _stack(region: str, stack: str) -> Look:
    try:
        found = _client("cloudformation", region).describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return Look("stack", "ok", f"{stack} is new in {region}")
        return _unread("stack", error)
    except BotoCoreError as error:
        return Look("stack", "unknown", f"CloudFormation cannot be asked: {error}")
    return _as_it_is(str(found[0]["StackStatus"]), region, stack)


def _as_it_is(status: str, region: str, stack: str) -> Look:
    """Whether a stack of this status can be updated, and what helps where it cannot."""
    named = f"--stack-name {stack} --region {region}"
    if status == "REVIEW_IN_PROGRESS":  # it never ends; SAM takes such a stack for a new one
        return Look("stack", "ok", f"{stack} is new in {region}; its first changes were made ready, and not executed")
    if status in _NEVER_MADE:
        helps = (
            "it was never made, or not wholly deleted, and CloudFormation updates no such stack: look at its events, "
            f"then `aws cloudformation delete-stack {named}`, and deploy again"
        )
    elif status == "UPDATE_ROLLBACK_FAILED":
        helps = (
            "an upgrade failed, and so did the way back. Look at its events and mend the cause, then "
            f"`aws cloudformation continue-update-rollback {named}`, and deploy again when that has ended"
        )
    elif status.endswith("_IN_PROGRESS"):
        helps = "wait until that has ended"
    else:
        return Look("stack", "ok", f"{stack} is there, {status}")
    return Look("stack", "error", f"{stack} is {status}: {helps}")


def _concurrency(region: str) -> Look:
    name = "Lambda: invocations at once"
    try:
        limits = _client("lambda", region).get_account_settings()["AccountLimit"]
    except ClientError as error:
        return _unread(name, error)
    except BotoCoreError as error:
        return Look(name, "unknown", f"Lambda cannot be asked: {error}")
    free = int(limits["UnreservedConcurrentExecutions"])
    if free < ENOUGH_CONCURRENCY:
        return Look(
            name,
            "warning",
            f"{free} are left in this Region, but a training with its graders needs {ENOUGH_CONCURRENCY}: ask for "
            "more in Service Quotas (Lambda, Concurrent executions), or trainings wait for graders",
        )
    return Look(name, "ok", f"{free}")


def _training_quotas(region: str) -> Iterator[Look]:
    """What Service Quotas has about training in this Region. The quotas of a new service may not be listed at all."""
    name = "Bedrock: quotas of training"
    try:
        pages = _client("service-quotas", region).get_paginator("list_service_quotas").paginate(ServiceCode="bedrock")
        found = [quota for page in pages for quota in page["Quotas"]]
    except ClientError as error:
        yield _unread(name, error)
        return
    except BotoCoreError as error:
        yield Look(name, "unknown", f"Service Quotas cannot be asked: {error}")
        return
    about = [each for each in found if any(word in each["QuotaName"].lower() for word in _TRAINING_WORDS)]
    if not about:
        yield Look(name, "unknown", "Service Quotas lists none about training; look in the Bedrock console")
    for quota in about:
        value = f"{quota['QuotaName']}: {quota['Value']:g}"
        if quota["Value"] == 0:
            yield Look(name, "warning", f"{value}: with this you can train nothing; ask for more in Service Quotas")
        else:
            yield Look(name, "ok", value)


def _unread(name: str, error: ClientError) -> Look:
    return Look(name, "unknown", f"unknown: {_reason(error)}; the deployment goes on without it")


def _reason(error: ClientError) -> str:
    answer: Mapping[str, Any] = error.response.get("Error", {})
    return f"{answer.get('Code', 'an error without a code')}: {str(answer.get('Message', ''))[:300]}"


def main(arguments: list[str] | None = None) -> int:
    """Print each look as it is made; 1 where one is an error."""
    parser = argparse.ArgumentParser(prog="python -m checks.before_deploy", description=__doc__)
    parser.add_argument("--env", default="dev")
    parser.add_argument("--region", default="", help="another one than samconfig.toml names")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of sentences")
    options = parser.parse_args(arguments)
    made: list[Look] = []
    for look in looks(options.env, options.region):
        made.append(look)
        if not options.json:
            print(f"{look.result.upper():<8} {look.name}: {look.says}", flush=True)  # noqa: T201 - its output
    ready = all(look.result != "error" for look in made)
    if options.json:
        print(json.dumps({"ready": ready, "looks": [asdict(look) for look in made]}, indent=1))  # noqa: T201 - its output
    elif not ready:
        print("Nothing was built or deployed.", file=sys.stderr)  # noqa: T201 - its output
    return 0 if ready else 1


if __name__ == "__main__":
    sys.exit(main())
