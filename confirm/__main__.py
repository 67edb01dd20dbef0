"""`python -m confirm`: opt-in, in a real account, a hundred rows. It costs what one smallest job a family costs."""

from __future__ import annotations

import argparse
import json
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import openai
from aws_bedrock_token_generator import provide_token
from botocore.exceptions import BotoCoreError, ClientError

from confirm.known import NOVA, OPEN_WEIGHT, Questions, answers, page, refusals
from confirm.nova_walk import Clients, NovaWalk
from confirm.recording import Recording
from confirm.walk import StepRefused, Walk
from tunedrop.catalog import find, is_simulated, mantle_base_url

ROWS = 100  # the fewest that are documented
DATASET = Path(__file__).resolve().parents[1] / "events/datasets/gsm8k/train.jsonl"
NOVA_MODEL = "amazon.nova-2-lite-v1:0:256k"
FAMILIES: Mapping[str, Questions] = {"open-weight": OPEN_WEIGHT, "nova": NOVA}


def main() -> int:
    """Walk, record, tell; 0 where every step was made, 1 where some were not, 2 where nothing was done."""
    arguments = _arguments()
    families = arguments.family or list(FAMILIES)
    if "nova" in families and not (arguments.nova_role and arguments.nova_bucket):
        _tell("Nova needs --nova-role and --nova-bucket (make: NOVA_ROLE=, NOVA_BUCKET=; docs/deploy.md says how to "
              "make them); or walk through one family: --family open-weight (make: FAMILY=open-weight)")  # fmt: skip
        return 2
    places = {family: _endpoint(family, arguments) for family in families}
    simulated = all(is_simulated(place) for place in places.values())
    if not simulated and any(is_simulated(place) for place in places.values()):
        _tell(f"one endpoint is the service and the other is not ({places}): walk one family at a time")
        return 2
    if not arguments.yes_it_costs_money and not simulated:
        _tell(f"this makes training jobs of {ROWS} rows at {', '.join(places.values())} and is charged to your "
              "account; say --yes-it-costs-money to go on")  # fmt: skip
        return 2
    if simulated:
        _tell(f"{', '.join(places.values())} is not the service: the walk confirms nothing and only shows its steps")
    recording = Recording(arguments.fixtures)
    ended = [_walk(family, places[family], recording, arguments) for family in families]
    known: dict[str, str | None] = {}
    for family in families:
        known |= answers(FAMILIES[family], recording.steps)
    for step, words in refusals(recording.steps).items():
        _tell(f"no permission for step {step}: {words}")
    arguments.fixtures.mkdir(parents=True, exist_ok=True)
    (arguments.fixtures / "CONFIRMED.md").write_text(page(known, simulated=simulated))
    _tell(f"what is known now: {arguments.fixtures / 'CONFIRMED.md'}")
    print(json.dumps({"simulated": simulated, "known": known}, indent=1, ensure_ascii=False))  # noqa: T201 - the answer
    return 0 if all(ended) and None not in known.values() else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="confirm", description=__doc__)
    parser.add_argument("--role", required=True, help="ARN of a role that Lambda may assume and that may write logs")
    parser.add_argument("--family", action="append", choices=list(FAMILIES), help="what to walk through; default: both")
    parser.add_argument("--model", default="openai.gpt-oss-20b", help="the open-weight model")
    parser.add_argument("--nova-role", default="", help="ARN of a role that Bedrock may assume: reads the bucket, "
                        "calls the grader")  # fmt: skip
    parser.add_argument("--nova-bucket", default="", help="a bucket in Nova's Region for the training file")
    parser.add_argument("--yes-it-costs-money", action="store_true", help="without it nothing is done")
    parser.add_argument("--dataset", type=Path, default=DATASET, help="its first 100 rows are trained on")
    parser.add_argument("--fixtures", type=Path, default=Path("build/confirm"), help="where the answers are kept")
    parser.add_argument("--patience-hours", type=float, default=12.0, help="how long to wait for each job")
    parser.add_argument("--look-seconds", type=float, default=60.0)
    parser.add_argument("--base-url", default="", help="another endpoint than the Region's own, for open-weight models")
    return parser.parse_args()


def _endpoint(family: str, arguments: argparse.Namespace) -> str:
    if family == "nova":
        return str(_client(family, arguments)("bedrock").meta.endpoint_url)
    return mantle_base_url(find(arguments.model).region, arguments.base_url)


def _client(family: str, arguments: argparse.Namespace) -> Clients:
    """Makes clients for the Region in which the family is tuned."""
    region = find(NOVA_MODEL if family == "nova" else arguments.model).region
    session = boto3.Session(region_name=region)

    def client(service: str) -> Any:
        return session.client(service)  # type: ignore[call-overload]  # the name is a variable

    return client


def _walk(family: str, endpoint: str, recording: Recording, arguments: argparse.Namespace) -> bool:
    """One family's walk; whether it came to its end. What ended it is told."""
    clients = _client(family, arguments)
    rows = b"".join(arguments.dataset.read_bytes().splitlines(keepends=True)[:ROWS])
    walk: Walk | NovaWalk
    try:
        if family == "nova":
            walk = NovaWalk(
                clients,
                role=arguments.role,
                training_role=arguments.nova_role,
                bucket=arguments.nova_bucket,
                model=NOVA_MODEL,
                recording=recording,
            )
        else:
            key = provide_token(region=find(arguments.model).region)
            walk = Walk(
                openai.OpenAI(base_url=endpoint, api_key=key, max_retries=0, timeout=60),
                clients("lambda"),
                clients("logs"),
                role=arguments.role,
                model=arguments.model,
                recording=recording,
            )
        walk.go(
            f"tunedrop-confirm-{uuid.uuid4().hex[:8]}",
            rows,
            patience_seconds=arguments.patience_hours * 3600,
            look_seconds=arguments.look_seconds,
            tell=_tell,
        )
    except (StepRefused, ClientError, BotoCoreError, openai.APIError) as error:
        _tell(f"the walk through {family} ended early: {error}")
        return False
    return True


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - progress of a command


if __name__ == "__main__":
    sys.exit(main())
