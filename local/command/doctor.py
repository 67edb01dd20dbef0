"""`tunedrop doctor`: whether this machine can run Tunedrop, and what to do where it cannot."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import re
import resource
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from local.command import exits, places
from local.command.help_text import Wrapped

PYTHONS = ((3, 11), (3, 13))
"""The oldest and the newest Python that Tunedrop runs on."""

FREE_DISK_GB = 1.0
"""A run writes some 10 MB; logs, layers and the package cache need room to be made anew."""

FREE_MEMORY_GB = 2.0
"""Up to 16 processes of functions with 60 to 100 MB each, and half a gigabyte for the rest."""

OPEN_FILES = 512
"""Sockets, logs and pipes of those processes; they are ten or so each."""

PORTS = 32
"""Ports at a time: one for each of those processes, and for the two that stand for AWS. Any free ones will do."""

_DESCRIPTION = """\
Check Python, packages, layers, ports, disk, memory and limits of this machine, and say what is wrong and what to
do. The command changes nothing.

The exit code is 0 if Tunedrop can run here, and 1 if it cannot. A problem that does not stop Tunedrop is a warning."""

_EXAMPLES = """\
examples:
  tunedrop doctor
  tunedrop doctor --json | jq '.[] | select(.verdict != "ok")'"""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do where it is not well."""

    about: str
    verdict: Literal["ok", "warning", "error"]
    sentence: str
    advice: str = ""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `doctor` to the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="check whether this machine can run Tunedrop, and say what to do",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=Wrapped,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Look at everything, print it; 1 where something keeps Tunedrop from running."""
    findings = list(examine())
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            print(f"{finding.verdict:<8} {finding.about + ':':<10} {finding.sentence}")
            if finding.advice:
                print(f"{'':<19} {finding.advice}")
    return exits.FAILED if any(finding.verdict == "error" for finding in findings) else exits.SUCCEEDED


def examine() -> Iterator[Finding]:
    """Everything that is looked at, one finding each."""
    checks: tuple[Callable[[], Finding], ...] = (
        python,
        packages,
        layers,
        ports,
        disk,
        memory,
        open_files,
        proxies,
    )
    for check in checks:
        yield check()


def python() -> Finding:
    """The interpreter that this command runs in, which is the functions' as well."""
    version = sys.version_info[:2]
    python = f"Python {sys.version.split()[0]} at {places.shown(Path(sys.executable))}"
    if PYTHONS[0] <= version <= PYTHONS[1]:
        deployed = "" if version == PYTHONS[1] else "; on AWS the functions run on 3.13"
        return Finding("python", "ok", f"{python}{deployed}.")
    wanted = " to ".join(f"{major}.{minor}" for major, minor in PYTHONS)
    return Finding("python", "error", f"{python}: expected {wanted}.", "Install one of them, then run `make install`.")


def packages() -> Finding:
    """Every package that the lock names for this machine, in the version that it names."""
    locked = _locked(places.REPOSITORY / "requirements" / "dev.lock")
    other = []
    for name, version in locked.items():
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            other.append(f"{name} {version} is not installed")
            continue
        if found != version:
            other.append(f"{name} {found} instead of {version}")
    if other:
        return Finding(
            "packages",
            "error",
            f"{len(other)} packages differ from the lock: {_few(other)}.",
            "Run `make install`.",
        )
    return Finding("packages", "ok", f"{len(locked)} packages in the versions of the lock.")


def layers() -> Finding:
    """What the functions' processes import: built by `make install` for one Python."""
    folder = places.REPOSITORY / "build" / "local" / "layers"
    wanted = (folder / "dependencies" / "python" / "pydantic_core", folder / "runtime" / "awslambdaric")
    for path in wanted:
        if not path.is_dir():
            return Finding("layers", "error", f"{places.shown(path)} is not there.", "Run `make install`.")
    built = sorted(wanted[0].glob("_pydantic_core*.so"))
    tag = f"cpython-{sys.version_info.major}{sys.version_info.minor}-"
    if built and tag not in built[0].name:
        return Finding(
            "layers",
            "error",
            f"{places.shown(folder)} was built for another Python ({built[0].name}), this is {tag.rstrip('-')}.",
            "Remove .venv and run `make install`.",
        )
    return Finding("layers", "ok", f"built in {places.shown(folder)}.")


def ports() -> Finding:
    """Everything talks over ports of 127.0.0.1, which the system gives."""
    try:
        with ExitStack() as listening:
            servers = [listening.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(PORTS)]
            socket.create_connection(servers[-1].getsockname(), timeout=2).close()
    except OSError as error:
        return Finding(
            "ports",
            "error",
            f"{PORTS} ports of 127.0.0.1 cannot be listened on and reached: {error.strerror or error}.",
            "Allow connections to 127.0.0.1; a sandbox or a firewall blocks them.",
        )
    return Finding("ports", "ok", f"{PORTS} ports of 127.0.0.1 accept connections.")


def disk() -> Finding:
    """Room for logs and states in the temporary folder, and for what is built in the repository."""
    short = []
    room = []
    for folder in (places.REPOSITORY, Path(tempfile.gettempdir())):
        free = shutil.disk_usage(folder).free / 1e9
        room.append(f"{free:.1f} GB below {places.shown(folder)}")
        if free < FREE_DISK_GB or not os.access(folder, os.W_OK):
            short.append(places.shown(folder))
    if short:
        return Finding(
            "disk",
            "error",
            f"free: {', '.join(room)}; expected {FREE_DISK_GB:g} GB and leave to write.",
            f"Make room in {' and '.join(short)}, or set TMPDIR to a folder with room.",
        )
    return Finding("disk", "ok", f"free: {', '.join(room)}.")


def memory() -> Finding:
    """What can be had without swapping."""
    try:
        available = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    except OSError:
        available = None
    cores = os.cpu_count() or 1
    if available is None:
        return Finding("memory", "ok", f"{cores} cores; this system does not show how much memory is free.")
    free = int(available[1]) / 1e6
    if free < FREE_MEMORY_GB:
        sentence = f"{free:.1f} GB are free; expected {FREE_MEMORY_GB:g}."
        return Finding("memory", "warning", sentence, "End other programs: functions may be killed, and runs fail.")
    return Finding("memory", "ok", f"{free:.1f} GB are free, {cores} cores.")


def open_files() -> Finding:
    """How many files and sockets a process may have open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < OPEN_FILES:
        advice = f"Raise it in this shell: `ulimit -n {OPEN_FILES * 2}` (at most {hard})."
        return Finding("files", "warning", f"a process may have {soft} files open; expected {OPEN_FILES}.", advice)
    return Finding("files", "ok", f"a process may have {soft} files open.")


def proxies() -> Finding:
    """A proxy that is asked for 127.0.0.1 answers for nobody there."""
    set_ = [name for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy") if os.environ.get(name)]
    spared = os.environ.get("NO_PROXY", "") + os.environ.get("no_proxy", "")
    if set_ and "127.0.0.1" not in spared and spared.strip() != "*":
        return Finding(
            "proxy",
            "warning",
            f"{set_[0]} is set, and NO_PROXY does not name 127.0.0.1.",
            "Add it: `export NO_PROXY=127.0.0.1,localhost`, or clients of `tunedrop up` go astray.",
        )
    return Finding("proxy", "ok", "no proxy stands before 127.0.0.1.")


def _locked(lock: Path) -> dict[str, str]:
    """Package → version of a lock file, for this Python on this system: a lock may name several versions of one."""
    pins = map(Requirement, re.findall(r"^([A-Za-z0-9._-]+==[^\\\n]+)", lock.read_text(), flags=re.MULTILINE))
    here = (pin for pin in pins if pin.marker is None or pin.marker.evaluate())
    return {pin.name: str(pin.specifier).removeprefix("==") for pin in here}


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
