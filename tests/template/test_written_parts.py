"""What the documents say of states, package and models is written from the code, and a stale part is noticed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checks import pictures, sam_template, written_parts
from tunedrop.catalog import models


@pytest.mark.parametrize("path", list(written_parts.documents()), ids=lambda path: path.name)
def test_every_part_is_as_the_code_makes_it(path: Path) -> None:
    assert written_parts.filled(path.read_text()) == path.read_text(), "run `make pages`"


def test_every_part_stands_in_a_document() -> None:
    standing = {name for path in written_parts.documents() for name in written_parts.names(path.read_text())}
    assert standing == set(written_parts.PARTS)


def test_a_stale_part_is_named_and_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    for name in ("README.md", "CONTRIBUTING.md"):
        (tmp_path / name).write_text("Nothing is written here.")
    page = tmp_path / "docs/models.md"
    page.write_text("Before <!-- written: model names -->an old model<!-- end -->, after.")
    monkeypatch.setattr(sam_template, "ROOT", tmp_path)
    assert written_parts.main(["--check"]) == 1
    assert "docs/models.md" in capsys.readouterr().err
    assert written_parts.main([]) == 0
    assert models()[0].id in page.read_text()
    assert page.read_text().startswith("Before <!--")
    assert page.read_text().endswith("<!-- end -->, after.")
    assert written_parts.main(["--check"]) == 0


def test_the_models_of_the_catalog_are_in_every_table_of_them() -> None:
    for name in ("models", "model names", "models by region", "where models train"):
        assert all(f"`{model.id}`" in written_parts.PARTS[name]() for model in models()), name


def test_a_picture_of_a_machine_has_every_state_and_leads_nowhere_else() -> None:
    for machine in ("rft_pipeline", "aftermath"):
        picture = pictures.machine(machine)
        nodes = set(re.findall(r"^    (\w+)[\[({]", picture, re.MULTILINE))
        assert len(nodes) == len(pictures._states(machine))
        ends = {end for arrow in re.findall(r"^    (\w+) -.*> (\w+)$", picture, re.MULTILINE) for end in arrow}
        assert ends == nodes


def test_an_arrow_that_follows_from_others_is_left_out_and_no_other() -> None:
    arrows = {"a": frozenset("bcd"), "b": frozenset("c"), "c": frozenset("d"), "d": frozenset()}
    assert pictures._reduced(arrows) == {"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": frozenset()}
    apart = {"a": frozenset("bc"), "b": frozenset(), "c": frozenset()}
    assert pictures._reduced(apart) == apart
