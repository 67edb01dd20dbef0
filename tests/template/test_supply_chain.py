"""What is installed and deployed: pinned, hashed, from no address, with its licence listed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checks import licences, sam_template

OF_OTHER_PYTHONS = [("networkx", "3.7"), ("numpy", "2.5.5")]
LOCKS = sorted((sam_template.ROOT / "requirements").glob("*.lock"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_artefact_of_every_lock_is_hashed(lock: Path) -> None:
    text = lock.read_text()
    entries = [each for each in re.split(r"\n(?=\S)", text.strip()) if not each.startswith("#")]
    assert entries
    for entry in entries:
        assert re.match(r"[A-Za-z0-9_.\[\],-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry
    assert "://" not in text, "a lock names no address"


def test_nothing_is_installed_that_no_lock_has_a_hash_of() -> None:
    """But this project itself, from its own folder."""
    files = [sam_template.ROOT / name for name in ("Makefile", "requirements/language_model.sh")]
    files += (sam_template.ROOT / ".github/workflows").glob("*.yml")
    installed = [
        line for path in files for line in path.read_text().splitlines() if "pip install " in line and line[:1] != "#"
    ]
    assert len(installed) >= 6
    loose = [line for line in installed if "--require-hashes" not in line and "--dry-run" not in line]
    assert [line.strip() for line in loose if "--no-deps --no-build-isolation --editable ." not in line] == []


def test_each_lock_has_the_packages_that_it_was_made_for() -> None:
    for lock in LOCKS:
        wanted = re.findall(r"^([A-Za-z0-9_.-]+)", lock.with_suffix(".in").read_text(), re.MULTILINE)
        locked = {
            name.lower().replace("_", "-") for name in re.findall(r"^([A-Za-z0-9_.-]+)==", lock.read_text(), re.M)
        }
        assert {name.lower().replace("_", "-") for name in wanted if not name.startswith("-")} <= locked, lock.name


def test_only_the_environment_of_its_own_has_what_a_language_model_needs() -> None:
    of_a_model = re.compile(r"^(torch|transformers|trl|peft|datasets|gguf|nvidia-[a-z0-9-]+)==", re.MULTILINE)
    with_one = {lock.name for lock in LOCKS if of_a_model.search(lock.read_text())}
    assert with_one == {"language-model.lock", "language-model-cuda.lock"}


def test_the_licences_of_all_that_is_deployed_are_listed() -> None:
    page = (sam_template.ROOT / "docs/licences.md").read_text()
    assert page == licences.page(), "run `make licences`"
    assert "not stated" not in page


def test_the_licences_of_a_language_models_environment_are_listed() -> None:
    page = (sam_template.ROOT / "docs/real-model.md").read_text()
    of_python_3_11 = {each for each in licences.pinned("language-model") if each not in OF_OTHER_PYTHONS}
    missing = [each for each in of_python_3_11 if f"| {each.name} | {each.version} | " not in page]
    assert not missing, missing
    assert "not stated" not in page
