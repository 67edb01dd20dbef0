"""`python -m accept --stack NAME --yes-it-costs-money`: 100 rows through a deployed stack, promise by promise."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from accept.promises import Walk
from accept.stack import LOOK_SECONDS, DeployedStack, StackNotFound

ROWS = 100  # the fewest that are documented
TEST_ROWS = 100
DATASET = Path(__file__).resolve().parents[1] / "events/datasets/gsm8k"
RECIPE = b"rehearsal: {prompts: 8, samples: 4}\nhyperparameters: {n_epochs: 1}\n"


def main() -> int:
    """0 where every promise is kept, 1 where one is not, 2 where nothing was done."""
    parser = argparse.ArgumentParser(prog="accept", description=__doc__)
    parser.add_argument("--stack", required=True, help="the stack's name, as CloudFormation has it")
    parser.add_argument("--region", default="us-west-2")
    parser.add_argument("--yes-it-costs-money", action="store_true", help="without it nothing is done")
    parser.add_argument("--dataset", type=Path, default=DATASET, help="a folder with train.jsonl and test.jsonl")
    parser.add_argument("--patience-hours", type=float, default=24.0)
    parser.add_argument("--look-seconds", type=float, default=LOOK_SECONDS)
    parser.add_argument("--api-url", default="", help="where the API is, if not at the stack's output ApiUrl")
    options = parser.parse_args()
    if not options.yes_it_costs_money:
        _tell(
            f"this trains a model on {ROWS} rows through stack {options.stack} and is charged to your account; say "
            "--yes-it-costs-money to go on"
        )
        return 2
    try:
        stack = DeployedStack(options.stack, options.region, options.api_url)
    except (ClientError, BotoCoreError, StackNotFound) as error:
        _tell(f"stack {options.stack} cannot be found in {options.region}: {error}")
        return 2
    train, test = (
        b"".join((options.dataset / name).read_bytes().splitlines(keepends=True)[:most])
        for name, most in (("train.jsonl", ROWS), ("test.jsonl", TEST_ROWS))
    )
    walk = Walk(stack, patience_seconds=options.patience_hours * 3600, tell=_tell, look=options.look_seconds)
    kept = walk.go(train, test, RECIPE)
    print(json.dumps([asdict(each) for each in kept], indent=1, ensure_ascii=False))  # noqa: T201 - the answer
    return 0 if all(each.kept for each in kept) else 1


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - progress of a command


if __name__ == "__main__":
    sys.exit(main())
