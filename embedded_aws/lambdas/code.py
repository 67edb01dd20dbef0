"""Where functions and layers get their files from: every uploaded archive unpacked once, under its own hash."""

from __future__ import annotations

import base64
import compileall
import io
import os
import shutil
import tempfile
import threading
import zipfile
from pathlib import Path
from py_compile import PycInvalidationMode

LINK_MEMBER = ".embedded-aws-folder"
"""The one member of an archive that stands for a folder of this machine: its text is the folder's path."""

ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest date that a zip can hold: equal folders make equal archives, so one hash."""


def pack_folder(folder: Path) -> bytes:
    """The folder's files as an archive for CreateFunction or PublishLayerVersion. Equal folders make equal archives.

    Raises FileNotFoundError when it is not a folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder, so it cannot be a function's or a layer's code")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return _archive({str(path.relative_to(folder)): path.read_bytes() for path in files})


def link_folder(folder: Path) -> bytes:
    """An archive that stands for the folder, which is used where it lies: a built layer of some 150 MB is not copied.

    Raises FileNotFoundError when it is not a folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder: has it been built?")
    return _archive({LINK_MEMBER: str(folder.resolve()).encode()})


def _archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, ZIP_EPOCH)
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


class CodeStore:
    """Unpacks archives into folders named by their hash; the same archive is unpacked once, for good.

    The folder may outlive the process: what lies there is never changed. Its modules are compiled here, once, since a
    function's process may not write beside its code.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._known: dict[str, Path] = {}

    def unpacked(self, archive: bytes, sha256: str) -> Path:
        """The folder with the archive's files; `sha256` is its hash in base64, as the Lambda API tells it.

        Raises zipfile.BadZipFile for what is not an archive.
        """
        with self._lock:
            if sha256 not in self._known:
                self._known[sha256] = self._unpack(base64.b64decode(sha256).hex(), archive)
            return self._known[sha256]

    def _unpack(self, digest: str, archive: bytes) -> Path:
        target = self._folder / digest[:32]
        if target.is_dir():
            return target
        with zipfile.ZipFile(io.BytesIO(archive)) as content:
            if content.namelist() == [LINK_MEMBER]:
                return Path(content.read(LINK_MEMBER).decode())
            self._folder.mkdir(parents=True, exist_ok=True)
            unfinished = Path(tempfile.mkdtemp(dir=self._folder, prefix=".unpacking-"))
            content.extractall(unfinished)
        compileall.compile_dir(
            unfinished,
            quiet=2,
            stripdir=unfinished,
            prependdir=target,
            invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        )
        try:
            os.replace(unfinished, target)  # noqa: PTH105 - atomic: a second stack in the same folder sees all or nothing
        except OSError:  # someone else was first
            shutil.rmtree(unfinished)
        return target
