"""`python -m local.bedrock`: the local Bedrock in a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from local.bedrock.application import application
from local.bedrock.aws_calls import AwsCalls
from local.bedrock.caller_rights import CallerRights
from local.bedrock.http import Connection
from local.bedrock.language_model.language_model import LanguageModel
from local.bedrock.language_model.serving import NotServed
from local.bedrock.language_model.worker import Environment
from local.bedrock.mantle.jobs import trained_by
from local.bedrock.records import Records
from local.bedrock.service import Service
from local.bedrock.simulation import switches_text
from local.bedrock.switches import Switches, SwitchInvalid

_ACCOUNT = "123456789012"
_PARENT_LOOK_SECONDS = 0.2


def main() -> int:
    """Serve until told to stop, or until the parent is gone."""
    parser = argparse.ArgumentParser(prog="python -m local.bedrock", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0: a free one")
    parser.add_argument("--state-folder", type=Path, help="where files, jobs and models are kept over a restart")
    parser.add_argument("--aws-endpoint", default="http://127.0.0.1:4566", help="where the grader's Lambda API is")
    parser.add_argument(
        "--enforce-permissions",
        action="store_true",
        help="ask the embedded AWS at --aws-endpoint what each caller may do",
    )
    parser.add_argument("--region", default="us-west-2")
    parser.add_argument("--account", default=_ACCOUNT)
    parser.add_argument("--weights", help="a language model's: a .gguf file, a folder of transformers, or a package")
    parser.add_argument("--language-model-python", help="the Python that serves and trains it")
    parser.add_argument("--weights-kept", type=Path, help="where weights that were read from GGUF are kept")
    parser.add_argument("--switch", action="append", default=[], metavar="NAME=VALUE", help="set a switch")
    parser.add_argument("--list-switches", action="store_true", help="print every switch and stop")
    parser.add_argument("--parent", type=int, default=os.getppid(), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.list_switches:
        print(switches_text())
        return 0
    switches = Switches()
    for setting in options.switch:
        name, _, value = setting.partition("=")
        try:
            switches.set(name.strip(), value)
        except SwitchInvalid as problem:
            parser.error(str(problem))
    if options.state_folder is not None:
        options.state_folder.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="local bedrock: %(levelname)s %(message)s")
    aws = AwsCalls(options.aws_endpoint)
    rights = CallerRights(options.aws_endpoint if options.enforce_permissions else None)
    real_engine = _language_model(options, parser)
    service = Service(
        region=options.region,
        account=options.account,
        records=Records(options.state_folder / "bedrock.sqlite" if options.state_folder else None),
        switches=switches,
        invoke=aws.invoke,
        rights=rights,
        function_exists=aws.function_exists,
        read_object=aws.read_object,
        real_engine=real_engine,
    )
    listener = _listen(options.port)
    _leave_with(options.parent)
    try:
        asyncio.run(_serve(service, listener, real_engine))
    except NotServed as problem:
        print(problem, file=sys.stderr)
        os._exit(1)
    # Not by returning: an invocation of a grader may still be waited for in a thread, for up to 15 minutes.
    sys.stdout.flush()
    os._exit(0)


def _language_model(options: argparse.Namespace, parser: argparse.ArgumentParser) -> LanguageModel | None:
    if options.weights is None:
        return None
    if not (options.language_model_python and options.state_folder and options.weights_kept):
        parser.error("--weights needs --language-model-python, --weights-kept and --state-folder")
    environment = Environment(options.language_model_python, options.weights, options.weights_kept)
    return LanguageModel(environment, options.state_folder / "language_model")


async def _serve(service: Service, listener: socket.socket, real_engine: LanguageModel | None) -> None:
    if real_engine is not None:
        await real_engine.start()
    config = uvicorn.Config(
        application(service),
        http=Connection,
        ws="none",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    if server.started:
        port = listener.getsockname()[1]
        ready = {
            "base_url": f"http://127.0.0.1:{port}/v1",
            "region": service.region,
            "pid": os.getpid(),
            **trained_by(service.engine),
        }
        print(json.dumps(ready), flush=True)
    await serving


class _Server(uvicorn.Server):
    """A server that a signal stops in order; uvicorn's own raises the signal again once it has stopped."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM."""
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self.handle_exit, number, None)
        yield


def _listen(port: int) -> socket.socket:
    # The protocol is named since asyncio turns Nagle's delay off only for sockets that say TCP: 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(512)
    return listener


def _leave_with(parent: int) -> None:
    """End this process once its parent has ended, however it did."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_LOOK_SECONDS)
        os._exit(0)  # at once: every write is whole in the records, so nothing is lost

    threading.Thread(target=watch, name="parent watch", daemon=True).start()


if __name__ == "__main__":
    raise SystemExit(main())
