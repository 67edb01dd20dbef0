"""`tunedrop up`: the application on this machine, for the AWS CLI, SDKs and curl, until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.command import exits, language_model, own_grader, places
from local.command.dataset_folder import DEFAULT_REGION, REGIONS
from local.command.help_text import Wrapped

if TYPE_CHECKING:
    from local.console.server import Console
    from local.stack import LocalStack

_DESCRIPTION = """\
Start the application on this machine and keep it running until Ctrl-C. The command prints endpoints and names, and
writes them to build/up/environment, a file to `source`. In another terminal, `tunedrop run`, `runs`, `watch` and `stop`
find this stack by themselves; the link opens the console in a browser. When a run ends, its files are copied to
build/runs. Everything is on loopback and ends with this command. The training and the model are simulated, unless
--model names real weights."""

_EXAMPLES = """\
example, in a second terminal:
  . build/up/environment
  curl -s "$OPENAI_BASE_URL/models" -H "Authorization: Bearer $OPENAI_API_KEY\""""

LOOK_SECONDS = 1.0
"""How often it looks for runs that have ended."""

_FROM_OUTPUTS: Mapping[str, str] = {
    "TUNEDROP_DATASET_BUCKET": "DatasetBucketName",
    "TUNEDROP_RUNS_BUCKET": "RunsBucketName",
    "TUNEDROP_RUNS_TABLE": "RunsTableName",
    "TUNEDROP_NOTICES_TOPIC": "NoticesTopicArn",
    "TUNEDROP_PIPELINE_ARN": "PipelineArn",
    "TUNEDROP_AFTERMATH_ARN": "AftermathArn",
    "TUNEDROP_PLAIN_GRADER": "GraderPlainArn",
    "TUNEDROP_CODE_GRADER": "GraderCodeArn",
    "TUNEDROP_JUDGE_GRADER": "GraderJudgeArn",
    "TUNEDROP_OWN_GRADER": "GraderOwnArn",
}


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "up",
        help="keep the application running for the AWS CLI, SDKs and curl, until Ctrl-C",
        description=_DESCRIPTION,
        epilog=f"{_EXAMPLES}\n\n{language_model.HELP}\n\n{exits.TEXT}",
        formatter_class=Wrapped,
    )
    parser.add_argument("--json", action="store_true", help="when ready, print the environment as one JSON line")
    parser.add_argument(
        "--environment",
        type=Path,
        default=places.UP_ENVIRONMENT,
        metavar="FILE",
        help="the file to write for `source` (default: build/up/environment)",
    )
    parser.add_argument(
        "--region", choices=REGIONS, default=DEFAULT_REGION, help="the Region that is imitated (default: %(default)s)"
    )
    own_grader.add_allow_option(parser)
    language_model.add_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM, which are how it ends well."""
    from local.command.keeping import Keeper
    from local.command.running_stack import running_stack
    from local.command.terminal import open_view

    _, view = open_view(to_stderr=arguments.json, plain=True)
    parameters = own_grader.parameters(arguments.allow_grader)
    with (
        running_stack(
            view,
            region=arguments.region,
            parameters=parameters,
            language_model=language_model.chosen(arguments),
            switches=language_model.switches(arguments),
        ) as stack,
        _console(stack) as console,
    ):
        variables = {**environment(stack), "TUNEDROP_CONSOLE": console.link}
        with written(variables, arguments.environment):
            if arguments.json:
                print(json.dumps(variables), flush=True)
            else:
                print(_shown(variables, arguments.environment), flush=True)
            console.on_next_link(
                lambda link: view.tell(f"The console's link has been used; for another browser: {link}")
            )
            # From here on a signal is how it ends well; what works, works in other threads and processes.
            with suppress(KeyboardInterrupt, exits.Terminated):
                keeper = Keeper(stack)
                while True:
                    if how := stack.bedrock.how_it_ended():
                        raise exits.CommandError(
                            f"nothing can be trained or asked any more: {how}\nRun the command again."
                        )
                    keeper.keep_ended()
                    time.sleep(LOOK_SECONDS)
    print("tunedrop: everything has ended", file=sys.stderr)
    return exits.SUCCEEDED


def environment(stack: LocalStack) -> dict[str, str]:
    """The variables by which the AWS CLI, SDKs, the openai SDK and curl reach `stack`. The API key lasts 12 hours.

    The AWS CLI and SDKs take a service's own variable before AWS_ENDPOINT_URL: Bedrock is a server of its own.
    """
    return {
        "AWS_ENDPOINT_URL": stack.aws.endpoint,
        "AWS_ENDPOINT_URL_BEDROCK": stack.bedrock.endpoint,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": stack.bedrock.endpoint,
        "AWS_REGION": stack.region,
        "AWS_DEFAULT_REGION": stack.region,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "TUNEDROP_API_URL": stack.api_url,
        "MANTLE_BASE_URL": stack.bedrock.base_url,
        "OPENAI_BASE_URL": stack.bedrock.base_url,
        "OPENAI_API_KEY": stack.bedrock.api_key(),
        **{variable: stack.outputs[output] for variable, output in _FROM_OUTPUTS.items()},
    }


@contextmanager
def _console(stack: LocalStack) -> Iterator[Console]:
    """The console of the stack, with the rights of its account."""
    from botocore.credentials import Credentials

    from local.console.server import running
    from tunedrop_client.places import Place

    with running(lambda: Place(stack.api_url, stack.region, Credentials("local", "local"), local=True)) as console:
        yield console


@contextmanager
def written(variables: Mapping[str, str], path: Path) -> Iterator[None]:
    """`path` as a file to `source`, readable by its owner alone, for as long as what it names is there."""
    text = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
    try:
        yield
    finally:
        # Another `tunedrop up` may have written its own since.
        if path.exists() and path.read_text() == text:
            path.unlink()


def _shown(variables: Mapping[str, str], path: Path) -> str:
    told = {name: value for name, value in variables.items() if name != "TUNEDROP_CONSOLE"}
    lines = [f"  {name}={value if len(value) <= 120 else value[:40] + '…'}" for name, value in told.items()]
    return "\n".join(
        [
            *lines,
            "",
            f"In another terminal:  . {places.shown(path)}",
            f"In a browser, once:   {variables['TUNEDROP_CONSOLE']}",
            "Ctrl-C ends everything.",
        ]
    )
