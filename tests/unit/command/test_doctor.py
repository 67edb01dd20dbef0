"""`tunedrop doctor`: what is well is said, what is not comes with what to do."""

from __future__ import annotations

import json
import shutil
import sys
from collections import namedtuple
from pathlib import Path

import pydantic
import pytest

from local.command import doctor, main, places

Version = namedtuple("Version", "major minor micro")
Usage = namedtuple("Usage", "total used free")


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[dict[str, str]]]:
    code = main.main(["doctor", "--json", *words])
    return code, json.loads(capsys.readouterr().out)


def test_a_machine_that_runs_these_tests_is_fit(capsys: pytest.CaptureFixture[str]) -> None:
    code, findings = told(capsys)
    assert code == 0
    assert [each["about"] for each in findings] == [
        "python", "packages", "layers", "ports", "disk", "memory", "files", "proxy"
    ]  # fmt: skip
    assert not [each for each in findings if each["verdict"] == "error"]
    assert all(each["sentence"].endswith(".") for each in findings)


def test_text_says_the_same_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["doctor"]) == 0
    assert "ok       ports:     32 ports of 127.0.0.1 accept connections." in capsys.readouterr().out


def test_another_python_is_an_error_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", Version(3, 10, 4))
    finding = doctor.python()
    assert (finding.verdict, "expected 3.11 to 3.13" in finding.sentence) == ("error", True)
    assert "make install" in finding.advice


def test_a_package_of_another_version_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    pins = (
        "pytest==0.0.1 \\\n    --hash=sha256:0",
        "not-there==1",
        "of-another-python==1 ; python_full_version < '3.9' \\\n    --hash=sha256:0",
        "of-another-system==1 ; sys_platform == 'win32'",
        f"pydantic==0.0.2 ; python_full_version < '3.9'\npydantic=={pydantic.VERSION} ; python_full_version >= '3.9'",
    )
    (tmp_path / "requirements/dev.lock").write_text("\n".join(pins) + "\n")
    monkeypatch.setattr(places, "REPOSITORY", tmp_path)
    finding = doctor.packages()
    assert finding.verdict == "error"
    assert finding.sentence.startswith("2 packages differ from the lock: pytest ")
    assert "instead of 0.0.1, not-there 1 is not installed." in finding.sentence


def test_layers_that_were_never_built_are_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(places, "REPOSITORY", tmp_path)
    assert doctor.layers().verdict == "error"


def test_layers_of_another_python_are_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    built = tmp_path / "build/local/layers/dependencies/python/pydantic_core"
    built.mkdir(parents=True)
    (tmp_path / "build/local/layers/runtime/awslambdaric").mkdir(parents=True)
    (built / "_pydantic_core.cpython-39-x86_64-linux-gnu.so").touch()
    monkeypatch.setattr(places, "REPOSITORY", tmp_path)
    finding = doctor.layers()
    assert finding.verdict == "error"
    assert "another Python" in finding.sentence


def test_a_full_disk_ends_with_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10, 10, 5_000_000))
    code, findings = told(capsys)
    (finding,) = [each for each in findings if each["about"] == "disk"]
    assert code == 1
    assert finding["verdict"] == "error"
    assert "0.0 GB" in finding["sentence"]


def test_a_proxy_before_loopback_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    assert doctor.proxies().verdict == "warning"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    assert doctor.proxies().verdict == "ok"
