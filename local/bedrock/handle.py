"""The local Bedrock as a process that a test or the local stack holds on to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

_START_SECONDS = 20
_TAUGHT_BYTES = 8 << 20
_STOP_SECONDS = 5
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback goes through no proxy


class LocalBedrockFailed(Exception):
    """The process did not start, or refused what was asked of it."""


@dataclass(frozen=True, slots=True)
class LanguageModelHere:
    """A language model of this machine: its weights, and the Python that serves and trains it."""

    weights: str
    """A .gguf file, a folder of transformers, or a package of that Python."""
    python: Path
    kept: Path
    """Where weights that were read from GGUF are kept."""


class LocalBedrock:
    """A running local Bedrock; ends with this process, or by `close`."""

    def __init__(
        self,
        *,
        state_folder: Path,
        aws_endpoint: str,
        enforce_permissions: bool,
        region: str,
        switches: Mapping[str, object],
        language_model: LanguageModelHere | None,
    ) -> None:
        self._state_folder = state_folder
        self._enforce_permissions = enforce_permissions
        self._aws_endpoint = aws_endpoint
        self._switches = dict(switches)
        self._language_model = language_model
        self.region = region
        self.base_url = ""
        self.weights: dict[str, str] | None = None
        """`name` and `licence` of the language model's weights; None for the simulation."""
        self._process: subprocess.Popen[str] | None = None
        self._start(port=0)

    @classmethod
    def start(
        cls,
        *,
        state_folder: Path,
        aws_endpoint: str = "http://127.0.0.1:9",
        enforce_permissions: bool = False,
        region: str = "us-west-2",
        switches: Mapping[str, object] | None = None,
        language_model: LanguageModelHere | None = None,
    ) -> LocalBedrock:
        """Start the process on a free port and wait until it answers. Raises LocalBedrockFailed.

        `enforce_permissions`: an embedded AWS is at `aws_endpoint`, and decides what each caller may do.
        `language_model`: what answers and is trained in place of the simulation.
        """
        return cls(
            state_folder=state_folder,
            aws_endpoint=aws_endpoint,
            enforce_permissions=enforce_permissions,
            region=region,
            switches=switches or {},
            language_model=language_model,
        )

    def __enter__(self) -> LocalBedrock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def endpoint(self) -> str:
        """The root URL, for the native APIs by boto3 and for /_simulation; `base_url` is this with /v1."""
        return self.base_url.removesuffix("/v1")

    @property
    def pid(self) -> int:
        """The process id. Raises LocalBedrockFailed when closed."""
        if self._process is None:
            raise LocalBedrockFailed("the local Bedrock was closed")
        return self._process.pid

    def how_it_ended(self) -> str | None:
        """How the process ended without being told to, with the end of its log; None while it runs or was closed."""
        code = self._process.poll() if self._process is not None else None
        if code is None:
            return None
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        log = (self._state_folder / "bedrock.log").read_text()[-2000:].strip()
        return f"the local Bedrock has ended {how}" + (f"; the end of its log:\n{log}" if log else "")

    def api_key(self) -> str:
        """A short-term key as the token generator makes it, of local credentials."""
        from aws_bedrock_token_generator import BedrockTokenGenerator  # here: it loads botocore, which few callers need
        from botocore.credentials import Credentials

        key: str = BedrockTokenGenerator().get_token(Credentials("local", "local"), self.region)
        return key

    def set_switch(self, name: str, value: object) -> None:
        """Set a switch of the running process; it holds over `restart`. Raises LocalBedrockFailed."""
        self._call("POST", "/_simulation/switches", json.dumps({name: value}).encode())
        self._switches[name] = value

    def teach(self, jsonl: bytes) -> dict[str, int]:
        """Let the model know the reference answers of these rows: counts of rows learnt, passed over, known."""
        taught: dict[str, int] = self._call("POST", "/_simulation/rows", jsonl)
        return taught

    def teach_file(self, jsonl: BinaryIO) -> None:
        """Teach a file's rows, 8 MiB in a call: a large file is never in memory whole, and no call takes long."""
        while lines := jsonl.readlines(_TAUGHT_BYTES):
            self.teach(b"".join(lines))

    def forget(self, switches: Mapping[str, object] | None = None) -> None:
        """Make the process as new, with these switches: quicker than another one. Raises LocalBedrockFailed."""
        self._call("POST", "/_simulation/forget", b"{}")
        self._switches = dict(switches or {})
        if self._switches:
            self._call("POST", "/_simulation/switches", json.dumps(self._switches).encode())

    def policy(self, model: str) -> dict[str, Any]:
        """What a model's policy is: `shares` of behaviours, `skill`."""
        shown: dict[str, Any] = self._call("GET", f"/_simulation/policies/{model}")
        return shown

    def keep_policy(self, shown: Mapping[str, Any]) -> None:
        """Have a tuned model of an earlier process answer here, too: what `policy` gave there."""
        self._call("PUT", f"/_simulation/policies/{shown['model']}", json.dumps(dict(shown)).encode())

    def calls(self) -> dict[str, int]:
        """How often each action reached its handler since the process started."""
        counted: dict[str, int] = self._call("GET", "/_simulation/calls")
        return counted

    def asked(self) -> list[dict[str, Any]]:
        """With which settings models were asked and trained since the process started, and how many `times`."""
        told: list[dict[str, Any]] = self._call("GET", "/_simulation/asked")
        return told

    def befallen(self) -> dict[str, int]:
        """How often each fault befell a call since the process started, by `ACTION:before:KIND`."""
        counted: dict[str, int] = self._call("GET", "/_simulation/faults")
        return counted

    def restart(self, *, kill: bool = False) -> None:
        """Stop the process, at once with `kill`, and start it anew on the same port, with its state and switches."""
        port = int(self.endpoint.rpartition(":")[2])
        self._stop(kill=kill)
        self._start(port=port)

    def close(self) -> None:
        """Stop the process; a second time does nothing."""
        self._stop(kill=False)

    def _start(self, *, port: int) -> None:
        words = [sys.executable, "-m", "local.bedrock", "--port", str(port), "--state-folder", str(self._state_folder)]
        words += ["--aws-endpoint", self._aws_endpoint, "--region", self.region, "--parent", str(os.getpid())]
        if self._enforce_permissions:
            words.append("--enforce-permissions")
        if self._language_model is not None:
            here = self._language_model
            words += ["--weights", here.weights, "--language-model-python", str(here.python)]
            words += ["--weights-kept", str(here.kept)]
        for name, value in self._switches.items():
            words += ["--switch", f"{name}={value}"]
        root = str(Path(__file__).resolve().parents[2])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        self._state_folder.mkdir(parents=True, exist_ok=True)
        with (self._state_folder / "bedrock.log").open("a") as log:
            self._process = subprocess.Popen(
                words, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, text=True, env=environment
            )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            self._stop(kill=True)
            log_text = (self._state_folder / "bedrock.log").read_text()[-2000:]
            raise LocalBedrockFailed(f"the local Bedrock did not start; the end of its log:\n{log_text}")
        ready = json.loads(line)
        self.base_url = ready["base_url"]
        self.weights = ready.get("weights")

    def _stop(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill() if kill else process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()

    def _call(self, method: str, path: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(self.endpoint + path, data=body, method=method)  # noqa: S310 - our own loopback URL
        request.add_header("content-type", "application/json")
        try:
            with _DIRECT.open(request, timeout=_START_SECONDS) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as refusal:
            message = json.loads(refusal.read())["error"]["message"]
            raise LocalBedrockFailed(f"{method} {path}: {message}") from refusal
