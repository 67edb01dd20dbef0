"""`python -m confirm`: opt-in, in a real account, about a hundred rows. It costs what one smallest job costs."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import boto3
import openai
from aws_bedrock_token_generator import provide_token

from confirm.known import answers, page
from confirm.recording import Recording
from confirm.walk import Walk
from tunedrop.catalog import find, is_simulated, mantle_base_url

ROWS = 100  # the fewest that are documented
DATASET = Path(__file__).resolve().parents[1] / "events/datasets/gsm8k/train.jsonl"


def main() -> int:
    """Walk, record, tell; 0 where every step was made, 1 where some were not, 2 where nothing was agreed to."""
    parser = argparse.ArgumentParser(prog="confirm", description=__doc__)
    parser.add_argument("--role", required=True, help="ARN of a role that Lambda may assume and that may write logs")
    parser.add_argument("--model", default="openai.gpt-oss-20b")
    parser.add_argument("--yes-it-costs-money", action="store_true", help="without it nothing is done")
    parser.add_argument("--dataset", type=Path, default=DATASET, help="its first 100 rows are trained on")
    parser.add_argument("--fixtures", type=Path, default=Path("build/confirm"), help="where the answers are kept")
    parser.add_argument("--patience-hours", type=float, default=12.0)
    parser.add_argument("--look-seconds", type=float, default=60.0)
    parser.add_argument("--base-url", default="", help="another endpoint than the Region's own")
    arguments = parser.parse_args()
    region = find(arguments.model).region
    base_url = mantle_base_url(region, arguments.base_url)
    simulated = is_simulated(base_url)
    if not arguments.yes_it_costs_money and not simulated:
        _tell(f"this makes a training job of {ROWS} rows at {base_url} and is charged to your account; say "
              "--yes-it-costs-money to go on")  # fmt: skip
        return 2
    if simulated:
        _tell(f"{base_url} is not the service: what follows confirms nothing, it only shows the walk")
    recording = Recording(arguments.fixtures)
    client = openai.OpenAI(base_url=base_url, api_key=provide_token(region=region), max_retries=0, timeout=60)
    functions, logs = boto3.client("lambda", region_name=region), boto3.client("logs", region_name=region)
    walk = Walk(client, functions, logs, role=arguments.role, model=arguments.model, recording=recording)
    rows = b"".join(arguments.dataset.read_bytes().splitlines(keepends=True)[:ROWS])
    walk.go(
        rows,
        patience_seconds=arguments.patience_hours * 3600,
        look_seconds=arguments.look_seconds,
        tell=_tell,
    )
    known = answers(recording.steps)
    (arguments.fixtures / "CONFIRMED.md").write_text(page(known, simulated=simulated))
    _tell(f"what is known now: {arguments.fixtures / 'CONFIRMED.md'}")
    print(json.dumps({"simulated": simulated, "known": known}, indent=1, ensure_ascii=False))  # noqa: T201 - the answer
    return 0 if None not in known.values() else 1


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - progress of a command


if __name__ == "__main__":
    sys.exit(main())
