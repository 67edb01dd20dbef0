"""`tunedrop up`: the application on this machine, for the AWS CLI, SDKs and curl, until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local.command import exits, places

if TYPE_CHECKING:
    from local.stack import LocalStack

_DESCRIPTION = """\
Start the application on this machine and keep it running until Ctrl-C. Endpoints and names are printed, and written to
build/up/environment, a file to `source`. Everything is on loopback and ends with this command. Training and model are
simulated."""

_EXAMPLES = """\
example, in a second terminal:
  . build/up/environment
  curl -s "$OPENAI_BASE_URL/models" -H "Authorization: Bearer $OPENAI_API_KEY\""""

_FROM_OUTPUTS: Mapping[str, str] = {
    "TUNEDROP_DATASET_BUCKET": "DatasetBucketName",
    "TUNEDROP_RUNS_BUCKET": "RunsBucketName",
    "TUNEDROP_RUNS_TABLE": "RunsTableName",
    "TUNEDROP_NOTICES_TOPIC": "NoticesTopicArn",
    "TUNEDROP_PIPELINE_ARN": "PipelineArn",
    "TUNEDROP_AFTERMATH_ARN": "AftermathArn",
    "TUNEDROP_MATH_GRADER": "GraderMathArn",
    "TUNEDROP_EXACT_GRADER": "GraderExactArn",
    "TUNEDROP_JSON_GRADER": "GraderJsonArn",
    "TUNEDROP_CODE_GRADER": "GraderCodeArn",
    "TUNEDROP_MODERATION_GRADER": "GraderModerationArn",
    "TUNEDROP_JUDGE_GRADER": "GraderJudgeArn",
    "TUNEDROP_COMPOSITE_GRADER": "GraderCompositeArn",
}


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "up",
        help="keep the application running for the AWS CLI, SDKs and curl, until Ctrl-C",
        description=_DESCRIPTION,
        epilog=f"{_EXAMPLES}\n\n{exits.TEXT}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="when ready, print the environment as one JSON line")
    parser.add_argument(
        "--region", choices=("us-west-2", "us-east-1"), default="us-west-2", help="as of `tunedrop run`"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM, which are how it ends well."""
    from local.command.console import open_view
    from local.command.running_stack import running_stack

    _, view = open_view(to_stderr=arguments.json, plain=True)
    try:
        with running_stack(view, region=arguments.region) as stack:
            variables = environment(stack)
            write_environment(variables)
            if arguments.json:
                print(json.dumps(variables), flush=True)
            else:
                print(_shown(variables), flush=True)
            while True:
                # Signals end the wait; what works, works in other threads and processes.
                time.sleep(3600)
    except (KeyboardInterrupt, exits.Terminated):
        print("tunedrop: everything has ended", file=sys.stderr)
        return exits.SUCCEEDED
    finally:
        places.UP_ENVIRONMENT.unlink(missing_ok=True)


def environment(stack: LocalStack) -> dict[str, str]:
    """The variables by which the AWS CLI, SDKs, the openai SDK and curl reach `stack`. The API key lasts 12 hours."""
    return {
        "AWS_ENDPOINT_URL": stack.aws.endpoint,
        "AWS_REGION": stack.region,
        "AWS_DEFAULT_REGION": stack.region,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "OPENAI_BASE_URL": stack.bedrock.base_url,
        "OPENAI_API_KEY": stack.bedrock.api_key(),
        **{variable: stack.outputs[output] for variable, output in _FROM_OUTPUTS.items()},
    }


def write_environment(variables: Mapping[str, str]) -> None:
    """Write build/up/environment, readable by its owner alone: a file to `source`."""
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    places.UP_ENVIRONMENT.parent.mkdir(parents=True, exist_ok=True)
    places.UP_ENVIRONMENT.touch(mode=0o600)
    places.UP_ENVIRONMENT.write_text("".join(lines))


def _shown(variables: Mapping[str, str]) -> str:
    lines = [f"  {name}={value if len(value) <= 120 else value[:40] + '…'}" for name, value in variables.items()]
    return "\n".join(
        [
            *lines,
            "",
            f"In another terminal:  . {places.shown(places.UP_ENVIRONMENT)}",
            "Ctrl-C ends everything.",
        ]
    )
