"""The whole application on one machine: the embedded AWS with the template deployed, the local Bedrock beside it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from embedded_aws import EmbeddedAws, deploy
from embedded_aws.deployer.deploy import Deployment
from embedded_aws.gateway.front_end import ApiFrontEnd, by_iam
from embedded_aws.lambdas.pool import WARM_LIMIT
from local.bedrock.handle import LanguageModelHere, LocalBedrock
from tunedrop.dataset.packed import write_plain

REPOSITORY = Path(__file__).resolve().parents[1]
TEMPLATE = REPOSITORY / "template.yaml"
LAYERS: Mapping[str, Path] = {
    "DependenciesLayer": REPOSITORY / "build/local/layers/dependencies",
    "TunedropLayer": REPOSITORY / "layers/tunedrop",
}
"""What the template's layers are on this machine, by logical id: its packages, and the package as it lies here."""

RUNTIME = REPOSITORY / "build/local/layers/runtime"
"""What AWS's Lambda brings itself: its runtime client, and a boto3 for functions without a layer."""

IMPORTED_EARLY = (
    "aws_bedrock_token_generator",
    "aws_lambda_powertools.utilities.typing",
    "boto3.s3.transfer",
    "tunedrop.openai_sdk",
    "openai.resources.chat.completions.completions",
    "openai.resources.files",
    "openai.resources.fine_tuning.jobs.jobs",
    "httpcore2",
    "truststore",
    "tunedrop.api.application",
    *(
        f"tunedrop.states.{each.stem}"
        for each in sorted(LAYERS["TunedropLayer"].glob("python/tunedrop/states/[a-z]*.py"))
    ),
    "tunedrop.recipe_yaml",
    "tunedrop.sampling.open_weight",
    "tunedrop.training.open_weight",
)
"""What the functions import of the layers: their processes begin as forks of one that has done so, to start sooner."""

STACK_NAME = "tunedrop"

API_STAGE = "v1"
"""As template.yaml names it."""

PACE: Mapping[str, int] = {
    "SettleSeconds": 1,
    "FirstPollSeconds": 1,
    "LaterPollSeconds": 1,
    "ListLagSeconds": 1,
}
"""The template's parameters for a machine on which seconds are long: the same states, the same waits, only shorter."""


class LocalStack:
    """Tunedrop on one machine, for one Region. A context manager; everything ends with it, or with this process.

    `folder` keeps the functions' logs and the local Bedrock's state, a temporary one where none is given. `parameters`
    go over `PACE` to the template; `switches` to the local Bedrock. `retry_delay_factor` is that of the delays
    before a state, or an event's delivery, is tried again: 1 for those of AWS; `wait_factor` that of Wait states.
    `warm_limit`: how many of the functions' processes are kept for the next invocation. `before_deployment` makes what
    the template's parameters name (a secret, a bucket of someone else's), and answers more parameters.
    `language_model`: real weights that answer and are trained in place of the simulation.
    `own_graders` are files that the stack's function for own graders serves, by name; of two of one name the last.
    """

    def __init__(
        self,
        *,
        region: str = "us-west-2",
        folder: Path | None = None,
        parameters: Mapping[str, Any] | None = None,
        switches: Mapping[str, object] | None = None,
        stepped_schedules: bool = False,
        retry_delay_factor: float = 1.0,
        wait_factor: float = 1.0,
        warm_limit: int = WARM_LIMIT,
        before_deployment: Callable[[EmbeddedAws], Mapping[str, Any]] | None = None,
        own_graders: Sequence[Path] = (),
        language_model: LanguageModelHere | None = None,
    ) -> None:
        self.region = region
        self._before_deployment = before_deployment
        self._parameters = {**PACE, **(parameters or {})}
        self._switches = dict(switches or {})
        self._temporary = tempfile.TemporaryDirectory(prefix="tunedrop-") if folder is None else None
        self.folder = Path(self._temporary.name) if self._temporary else (folder or Path())
        self.folder.mkdir(parents=True, exist_ok=True)
        self.aws = EmbeddedAws(
            region=region,
            folder=self.folder / "aws",
            code_folder=REPOSITORY / "build/local/code",
            runtime=RUNTIME,
            stepped_schedules=stepped_schedules,
            retry_delay_factor=retry_delay_factor,
            wait_factor=wait_factor,
            warm_limit=warm_limit,
            imported_early=IMPORTED_EARLY,
        )
        self._own_graders = tuple(own_graders)
        self._language_model = language_model
        self._bedrock: LocalBedrock | None = None
        self._deployment: Deployment | None = None
        self._api: ApiFrontEnd | None = None

    def start(self) -> LocalStack:
        """Start both, deploy the template, and let the simulated model know the answers of what is dropped."""
        self.aws.start()
        try:
            self._bedrock = LocalBedrock.start(
                state_folder=self.folder / "bedrock",
                aws_endpoint=self.aws.endpoint,
                enforce_permissions=True,
                region=self.region,
                switches=self._switches,
                language_model=self._language_model,
            )
            # boto3 takes a service's own variable before AWS_ENDPOINT_URL.
            for service in ("BEDROCK", "BEDROCK_RUNTIME"):
                self.aws.functions.environment[f"AWS_ENDPOINT_URL_{service}"] = self._bedrock.endpoint
            if self._bedrock.weights is not None:
                self.aws.functions.environment["LANGUAGE_MODEL"] = json.dumps(self._bedrock.weights)
            self.aws.functions.environment["OWN_GRADERS_FOLDER"] = str(self._folder_of_own_graders())
            made = self._before_deployment(self.aws) if self._before_deployment else {}
            self._deployment = deploy(
                self.aws,
                TEMPLATE,
                {**self._parameters, **made, "MantleBaseUrl": self._bedrock.base_url},
                stack_name=STACK_NAME,
                built=LAYERS,
            )
            self.aws.dispatch.listeners.append(self._teach)
            api_id = self._deployment.outputs["ApiId"]
            self._api = ApiFrontEnd(self.aws, api_id, API_STAGE, authorize=by_iam(self.aws, api_id, API_STAGE)).start()
            stack = self.aws.stacks[STACK_NAME]
            stack.outputs = {**stack.outputs, "ApiUrl": self._api.url}  # where the API answers on this machine
        except BaseException:
            self.close()
            raise
        return self

    def _folder_of_own_graders(self) -> Path:
        """The files as they are now: what is changed later does not change a running stack."""
        folder = self.folder / "own_graders"
        folder.mkdir(exist_ok=True)
        for path in self._own_graders:
            shutil.copyfile(path, folder / path.name)
        return folder.resolve()

    def close(self) -> None:
        """End everything; a second time does nothing."""
        if self._api is not None:
            self._api.close()
        if self._bedrock is not None:
            self._bedrock.close()
        self.aws.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    def __enter__(self) -> LocalStack:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def bedrock(self) -> LocalBedrock:
        """The local Bedrock. Raises RuntimeError before `start`."""
        if self._bedrock is None:
            raise RuntimeError("the local stack has not been started")
        return self._bedrock

    @property
    def api_url(self) -> str:
        """Where the API answers, with its stage. Raises RuntimeError before `start`."""
        if self._api is None:
            raise RuntimeError("the local stack has not been started")
        return self._api.url

    @property
    def outputs(self) -> Mapping[str, str]:
        """The template's outputs. Raises RuntimeError before `start`."""
        if self._deployment is None:
            raise RuntimeError("the local stack has not been started")
        return self._deployment.outputs

    @property
    def resources(self) -> Mapping[str, str]:
        """Physical ids by the template's logical ones. Raises RuntimeError before `start`."""
        if self._deployment is None:
            raise RuntimeError("the local stack has not been started")
        return {name: resource.physical_id for name, resource in self._deployment.resources.items()}

    @property
    def refused(self) -> list[str]:
        """What the stack's own roles, or services for its resources, were refused for want of a permission."""
        own = set(self.resources.values())
        return [
            str(each)
            for each in self.aws.permissions.refused
            if each.request.principal.service or each.request.principal.role in own
        ]

    def _teach(self, event: Mapping[str, Any]) -> None:
        """A simulated model answers rightly only what it knows the answers of: those of the rows that are dropped."""
        if event["detail-type"] != "Object Created" or event["source"] != "aws.s3":
            return
        bucket, key = event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]
        if bucket == self.outputs["DatasetBucketName"] and key.endswith((".jsonl", ".jsonl.gz")):
            with tempfile.TemporaryFile() as text:
                write_plain(self.aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"], text)
                self.bedrock.teach_file(text)
