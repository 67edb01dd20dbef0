"""The console acts for its caller alone: another team's run is as one that is not there."""

from __future__ import annotations

import pytest

from local.console.server import running
from tests.contract.client.answering import Server
from tests.contract.console.browsing import Browser
from tests.workflow.api.clients import Client, Service
from tests.workflow.pipeline.application import TRAIN
from tunedrop_client.places import Place


@pytest.mark.prove
def test_another_team_s_run_is_neither_shown_nor_stopped(service: Service, red: Client, blue: Client) -> None:
    dataset = {"upload_id": red.upload(TRAIN)}
    theirs = red.start({"name": "held-theirs", "dataset": dataset}).json["run_id"]
    assert blue.credentials is not None
    place = Place(blue.url, blue.region, blue.credentials)
    with running(lambda: place) as console:
        browser = Browser(console, Server(lambda _: None))
        browser.open()
        assert theirs not in str(browser.ask("GET", "/api/runs?limit=100").json)
        for method, path in (
            ("GET", f"/api/runs/{theirs}"),
            ("GET", f"/api/runs/{theirs}/metrics"),
            ("GET", f"/api/runs/{theirs}/findings"),
            ("GET", f"/documents/{theirs}/report"),
            ("GET", f"/documents/{theirs}/rehearsal"),
            ("POST", f"/api/runs/{theirs}/stop"),
            ("POST", f"/api/runs/{theirs}/approve"),
            ("POST", f"/api/runs/{theirs}/reject"),
        ):
            got = browser.ask(method, path)
            assert (got.status, got.json["type"]) == (404, "urn:tunedrop:problem:not-found"), path
    assert red.get(f"/runs/{theirs}")["status"] == "RUNNING"
