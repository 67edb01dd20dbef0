"""Folders become archives, archives become folders, each once."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import pytest

from embedded_aws.lambdas.code import CodeStore, link_folder, pack_folder


def _sha256(archive: bytes) -> str:
    return base64.b64encode(hashlib.sha256(archive).digest()).decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "code"
    (made / "package/__pycache__").mkdir(parents=True)
    (made / "app.py").write_text("x = 1\n")
    (made / "package/data.bin").write_bytes(bytes(range(256)))
    (made / "package/__pycache__/app.pyc").write_bytes(b"compiled")
    return made


def test_equal_folders_make_equal_archives_whatever_their_dates_and_compiled_files(folder: Path) -> None:
    first = pack_folder(folder)
    os.utime(folder / "app.py", (0, 0))
    (folder / "package/__pycache__/app.pyc").unlink()
    assert pack_folder(folder) == first
    (folder / "app.py").write_text("x = 2\n")
    assert pack_folder(folder) != first


def test_an_archive_is_unpacked_once_and_its_folder_lasts(folder: Path, tmp_path: Path) -> None:
    archive = pack_folder(folder)
    unpacked = CodeStore(tmp_path / "store").unpacked(archive, _sha256(archive))
    assert (unpacked / "app.py").read_text() == "x = 1\n"
    assert (unpacked / "package/data.bin").read_bytes() == bytes(range(256))
    assert not (unpacked / "package/__pycache__/app.pyc").exists()
    assert len(list((unpacked / "__pycache__").glob("app.*.pyc"))) == 1  # a function's process may not write it
    (unpacked / "app.pyc").touch()
    again = CodeStore(tmp_path / "store").unpacked(archive, _sha256(archive))
    assert again == unpacked
    assert (again / "app.pyc").exists()
    assert len(list((tmp_path / "store").iterdir())) == 1


def test_a_linked_folder_is_used_where_it_lies(folder: Path, tmp_path: Path) -> None:
    archive = link_folder(folder)
    assert CodeStore(tmp_path / "store").unpacked(archive, _sha256(archive)) == folder.resolve()
    assert not (tmp_path / "store").exists()


def test_what_is_no_folder_cannot_be_code(tmp_path: Path) -> None:
    for make in (pack_folder, link_folder):
        with pytest.raises(FileNotFoundError, match="nowhere is not a folder"):
            make(tmp_path / "nowhere")
