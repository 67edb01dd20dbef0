"""The client: a method for each operation of the API, and some that put several together."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from tunedrop_client import files, places, waiting
from tunedrop_client.connection import Connection
from tunedrop_client.documents import (
    ByUpload,
    ByUri,
    Findings,
    GraderDocument,
    Graders,
    Metrics,
    ModelDocument,
    Models,
    Report,
    RunDocument,
    RunList,
    RunRequest,
    RunSummary,
    Status,
    Upload,
    UploadRequest,
    Validation,
    ValidationRequest,
)
from tunedrop_client.errors import NoSuchFile, ValidationFailed
from tunedrop_client.folders import read_folder

Source = str | os.PathLike[str] | ByUri | ByUpload
"""A file of a dataset: a path on this machine, which is uploaded; `s3://…`; or a reference as the API takes it."""

VALIDATION_SECONDS = 3600.0


class Client:
    """Calls the API of one stack, with the AWS credentials of its caller.

    Without arguments it is the stack that TUNEDROP_STACK, TUNEDROP_API_URL or the profile file names, else the one
    that `tunedrop up` keeps running on this machine. Every method may raise `Problem` if the API refuses the request
    and `Unreachable` if it gives no answer. A client is for one thread at a time.
    """

    def __init__(
        self,
        *,
        stack: str | None = None,
        api_url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        place: places.Place | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Find the API. `profile`: one of the profile file; `place`: found already. Raises NoSuchPlace."""
        if place is None:
            place = places.find(places.wanted(stack=stack, api_url=api_url, region=region, profile=profile))
        self.place = place
        self._sleep = sleep
        self._connection = Connection(place, sleep=sleep)

    # Runs

    def start(
        self,
        name: str,
        dataset: Source | None = None,
        *,
        test: Source | None = None,
        recipe: Mapping[str, Any] | str | None = None,
        recipe_text: str | None = None,
        resumes: str | None = None,
        evaluate_only: str | None = None,
        labels: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> RunDocument:
        """Start a run, exactly one, however often the request must be sent.

        `recipe` is an object or the name of a recipe that lies in the stack; `recipe_text` what a recipe.yaml says.
        `key`: an idempotency key of your own, if the same run may be asked for by another process, too.
        """
        body: RunRequest = {"name": name}
        if dataset is not None:
            body["dataset"] = self._reference(dataset)
        if test is not None:
            body["test"] = self._reference(test)
        if recipe is not None:
            body["recipe"] = recipe if isinstance(recipe, str) else dict(recipe)
        if recipe_text is not None:
            body["recipe_text"] = recipe_text
        if resumes is not None:
            body["resumes"] = resumes
        if evaluate_only is not None:
            body["evaluate_only"] = evaluate_only
        if labels is not None:
            body["labels"] = dict(labels)
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        return cast(RunDocument, self._connection.ask("POST", "/runs", body=body, headers=headers))

    def start_folder(
        self,
        folder: str | os.PathLike[str],
        name: str | None = None,
        *,
        evaluate_only: str | None = None,
        labels: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> RunDocument:
        """Start a run with a folder's train.jsonl, test.jsonl and recipe; `name` is the folder's if not given.

        Raises:
            NoSuchFile: the folder has no train.jsonl, or several recipes.
        """
        found = read_folder(Path(folder))
        return self.start(
            name or found.name,
            found.train,
            test=found.test,
            recipe_text=found.recipe_text,
            evaluate_only=evaluate_only,
            labels=labels,
            key=key,
        )

    def runs(
        self,
        *,
        name: str | None = None,
        status: Status | None = None,
        search: str | None = None,
        most: int | None = None,
    ) -> Iterator[RunSummary]:
        """The team's runs, the newest first; `most` of them at most. `search`: a part of the name."""
        given, page = 0, None
        while True:
            limit = 50 if most is None else max(1, min(50, most - given))
            query = {"name": name, "status": status, "search": search, "limit": limit, "page": page}
            listed = cast(RunList, self._connection.ask("GET", "/runs", query=query))
            for run in listed["runs"]:
                if most is not None and given >= most:
                    return
                given += 1
                yield run
            page = listed["next"]
            if page is None or (most is not None and given >= most):
                return

    def run(self, run_id: str) -> RunDocument:
        """A run's progress and its result."""
        return cast(RunDocument, self._connection.ask("GET", f"/runs/{run_id}"))

    def follow(
        self,
        run_id: str,
        *,
        timeout: float | None = None,
        every: float | None = None,
        on_failure: waiting.OnFailure | None = None,
    ) -> Iterator[RunDocument]:
        """The run each time that it has changed, and at last as it ended.

        It goes on through failures of the network and the API for an hour. `timeout` in seconds, None for as long as
        the run takes; `every`: seconds between two looks, else 2 seconds at first and 30 later. `on_failure` is called
        with each failure that may pass and with the seconds since the last answer; what it raises ends the wait.

        Raises:
            StillRunning: the time is over.
            Unreachable, Problem: the API failed for an hour, or refused the request.
        """
        return waiting.follow(
            lambda: self.run(run_id), run_id, timeout=timeout, every=every, on_failure=on_failure, sleep=self._sleep
        )

    def wait(self, run_id: str, *, timeout: float | None = None, every: float | None = None) -> RunDocument:
        """The run once it has ended, as `follow` waits for it. Raises StillRunning."""
        *_, ended = self.follow(run_id, timeout=timeout, every=every)
        return ended

    def stop(self, run_id: str) -> RunDocument:
        """Stop a run; its notice says CANCELLED."""
        return cast(RunDocument, self._connection.ask("POST", f"/runs/{run_id}/stop"))

    def approve(self, run_id: str, *, reason: str = "") -> RunDocument:
        """Approve the promotion that a run waits for, and say why. It is not sent twice if an answer is lost."""
        return self._decide(run_id, "approve", reason)

    def reject(self, run_id: str, *, reason: str = "") -> RunDocument:
        """Reject the promotion that a run waits for, and say why. It is not sent twice if an answer is lost."""
        return self._decide(run_id, "reject", reason)

    def rollback(self, run_id: str, *, reason: str = "") -> RunDocument:
        """Put back the model that the run's promotion replaced. It is not sent twice if an answer is lost."""
        return self._decide(run_id, "rollback", reason)

    def _decide(self, run_id: str, word: str, reason: str) -> RunDocument:
        query = {"reason": reason} if reason else None
        return cast(RunDocument, self._connection.ask("POST", f"/runs/{run_id}/{word}", query=query, repeat=False))

    # What a run leaves

    def metrics(self, run_id: str, *, after: int = 0) -> Metrics:
        """The metrics of all steps of the training after step `after`."""
        metrics = cast(Metrics, self._connection.ask("GET", f"/runs/{run_id}/metrics", query={"after": after}))
        while metrics["next_after"] is not None:
            query = {"after": metrics["next_after"]}
            more = cast(Metrics, self._connection.ask("GET", f"/runs/{run_id}/metrics", query=query))
            metrics = {**more, "steps": [*metrics["steps"], *more["steps"]]}
        return metrics

    def findings(self, run_id: str) -> Findings:
        """The findings in the dataset, the rehearsal and the training."""
        return cast(Findings, self._connection.ask("GET", f"/runs/{run_id}/findings"))

    def report(self, run_id: str) -> Report:
        """Links to the report, valid for 15 minutes."""
        return cast(Report, self._connection.ask("GET", f"/runs/{run_id}/report"))

    def fetch_report(self, run_id: str, folder: str | os.PathLike[str]) -> list[Path]:
        """Write report.html, report.json and model_card.md into `folder`, those that the run has; their paths.

        The files of the page's rows, which a large page has, go into report_rows/ beside it.
        """
        links = self.report(run_id)
        named = {
            "report.html": links["page"],
            "report.json": links["json_document"],
            "model_card.md": links["model_card"],
            # A stack of an earlier release has no rows.
            **{f"report_rows/{number:03}.js": url for number, url in enumerate(links.get("rows", []))},
        }
        return [
            files.get_file(url, Path(folder) / name, sleep=self._sleep)
            for name, url in named.items()
            if url is not None
        ]

    # Datasets

    def upload(self, path: str | os.PathLike[str]) -> ByUpload:
        """Upload a file; the reference by which runs and validations name it. Raises FileRefused, NoSuchFile."""
        file = Path(path)
        if not file.is_file():
            raise NoSuchFile(f"there is no file {file}")
        body: UploadRequest = {"bytes": file.stat().st_size}
        place = cast(Upload, self._connection.ask("POST", "/uploads", body=body))
        files.put_file(place["url"], place["headers"], file, sleep=self._sleep)
        return {"upload_id": place["upload_id"]}

    def validate(
        self,
        dataset: Source,
        *,
        test: Source | None = None,
        recipe: Mapping[str, Any] | str | None = None,
        recipe_text: str | None = None,
        timeout: float = VALIDATION_SECONDS,
    ) -> Validation:
        """Check a dataset as a run does, without a run, and wait for the result.

        Raises:
            ValidationFailed: the check came to no result.
            StillRunning: the time is over.
        """
        body: ValidationRequest = {"dataset": self._reference(dataset)}
        if test is not None:
            body["test"] = self._reference(test)
        if recipe is not None:
            body["recipe"] = recipe if isinstance(recipe, str) else dict(recipe)
        if recipe_text is not None:
            body["recipe_text"] = recipe_text
        begun = cast(Validation, self._connection.ask("POST", "/validations", body=body))
        done = waiting.until_done(
            lambda: self.validation(begun["validation_id"]),
            what=f"validation {begun['validation_id']}",
            timeout=timeout,
            sleep=self._sleep,
        )
        if done["reason"] is not None:
            raise ValidationFailed(f"{done['reason']['error']}: {done['reason']['message']}")
        return done

    def validate_folder(self, folder: str | os.PathLike[str], *, timeout: float = VALIDATION_SECONDS) -> Validation:
        """Check a folder's train.jsonl and test.jsonl with its recipe, as `validate` does."""
        found = read_folder(Path(folder))
        return self.validate(found.train, test=found.test, recipe_text=found.recipe_text, timeout=timeout)

    def validation(self, validation_id: str) -> Validation:
        """The result of a check, or that it still runs."""
        return cast(Validation, self._connection.ask("GET", f"/validations/{validation_id}"))

    # What the stack offers

    def models(self) -> list[ModelDocument]:
        """The models that can be tuned, and where."""
        return cast(Models, self._connection.ask("GET", "/models"))["models"]

    def graders(self) -> list[GraderDocument]:
        """The graders that a recipe can name."""
        return cast(Graders, self._connection.ask("GET", "/graders"))["graders"]

    def _reference(self, source: Source) -> ByUri | ByUpload:
        if isinstance(source, dict):
            return source
        if isinstance(source, str) and source.startswith("s3://"):
            return {"uri": source}
        return self.upload(source)
