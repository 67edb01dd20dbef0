"""Generated code that tries to get out: a batch of 64 leaves no file, no process and no changed neighbour.

Each attempt's `f` returns "out" where it reached something. Run with the system call filter and without.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.graders.escape_attempts import MORE_ATTEMPTS
from tunedrop.graders.code.grader import CodeGrader
from tunedrop.graders.code.sandbox import Limits, Sandbox
from tunedrop.graders.openai_definition.python_grader import LIBRARIES
from tunedrop.graders.sample import Grade, Sample

POKE = """
import io, struct
def poke(address, data):
    keep = []
    class Raw(io.RawIOBase):
        def readinto(self, buffer): keep.append(buffer); return 0
        def readable(self): return True
    reader = io.BufferedReader(Raw()); reader.read(1); del reader
    view = keep[0].cast("P"); items = [None] * len(view)
    fake = struct.pack("PPPPPPP", 1000, id(bytearray), len(data), len(data) + 1, address, address, 0)
    view[0] = id(fake) + bytes.__basicsize__ - 1
    items[0][0:len(data)] = data
    view[0] = id(None)
def free():
    try: open("/nowhere")
    except PermissionError as error:
        trace = error.__traceback__
        while trace.tb_next: trace = trace.tb_next
        harmless = trace.tb_frame.f_locals["harmless"]
        poke(id(harmless) + 8, struct.pack("P", id(set)))
        harmless.update(["open", "import", "gc.get_objects", "os.remove", "os.listdir", "os.scandir", "os.mkdir"])
"""
# What each does inside a `try` that returns "in" for every exception; it returns "out" where it got anywhere.
ATTEMPTS = {
    "objects of the collector": "import gc\ngc.get_objects()\nreturn 'out'",
    "referrers": "import gc\ngc.get_referrers(f)\nreturn 'out'",
    "the frames of all threads": "import sys\nsys._current_frames()\nreturn 'out'",
    "the tests in a frame": (
        "import sys\nframe = sys._getframe()\nwhile frame:\n"
        "    if any('assert' in str(v) for k, v in frame.f_locals.items() if k in ('tests', 'request', 'token')):\n"
        "        return 'out'\n    frame = frame.f_back"
    ),
    "ctypes": "import ctypes\nctypes.CDLL(None).getpid()\nreturn 'out'",
    "ctypes by its classes": (
        "for kind in object.__subclasses__():\n"
        "    if kind.__name__ == '_CFuncPtr': kind(('kill', None))\n"
        "    if kind.__name__ == 'CDLL': kind(None).getpid()\nraise OSError"
    ),
    "Popen by its classes": (
        "for kind in object.__subclasses__():\n    if kind.__name__ == 'Popen': kind(['true']); return 'out'"
    ),
    "a loader by its classes": (
        "for kind in object.__subclasses__():\n"
        "    if kind.__name__ == 'BuiltinImporter': kind.load_module('_socket').socket(); return 'out'"
    ),
    "os._wrap_close": (
        "for kind in object.__subclasses__():\n"
        "    if kind.__name__ == '_wrap_close': kind.__init__.__globals__['system']('true'); return 'out'"
    ),
    "a removed module in sys.modules": "import sys\nsys.modules['posix'].kill(1, 0)\nreturn 'out'",
    "a reload": "import importlib, os\nimportlib.reload(os).kill\nreturn 'out'",
    "an import hook": (
        "import sys\nclass H:\n    def find_spec(s, name, *a): return None\nsys.meta_path.append(H())\n"
        "import mmap\nreturn 'out'"
    ),
    "the finders of old": "import sys\nsys.meta_path.append(type(__spec__.loader))\nimport mmap\nreturn 'out'",
    "its own memory as a file": "open('/proc/self/mem', 'r+b')\nreturn 'out'",
    "its parent's memory": "import os\nopen(f'/proc/{os.getppid()}/mem', 'rb')\nreturn 'out'",
    "the root of its parent": "import os\nos.listdir(f'/proc/{os.getppid()}/root')\nreturn 'out'",
    "a list of files": "import os\nos.listdir('/')\nreturn 'out'",
    "a scan of files": "import os\nlist(os.scandir('/tmp'))\nreturn 'out'",
    "a path": "from pathlib import Path\nPath('MARK').write_text('x')\nreturn 'out'",
    "a temporary file": "import tempfile\ntempfile.NamedTemporaryFile()\nreturn 'out'",
    "a stat": "import os\nos.stat('/tmp')\nreturn 'out' if os.listdir('/tmp') else 'in'",
    "a move by shutil": "import shutil\nshutil.move('VICTIM', 'MARK')\nreturn 'out'",
    "a tree by shutil": "import shutil\nshutil.rmtree('FOLDER')\nreturn 'out'",
    "a function that a set holds": (
        "import os\nfor held in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):\n"
        "    for function in held:\n        if function.__name__ == 'mkdir': function('MARK'); return 'out'"
    ),
    "a fork bomb": "import os\nwhile True: os.fork()",
    "a process pool": "import multiprocessing\nmultiprocessing.Pool(2)\nreturn 'out'",
    "a thread pool": (
        "from concurrent.futures import ThreadPoolExecutor\nimport os\n"
        "return 'in' if ThreadPoolExecutor(1).submit(os.getpid).result(0.2) == os.getpid() else 'out'"
    ),
    "a thread of its own": "import _thread\n_thread.start_new_thread(print, ())\nreturn 'out'",
    "a signal to its parent": "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)\nreturn 'out'",
    "a signal to all": "import os\nos.kill(-1, 9)\nreturn 'out'",
    "a handler": "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nreturn 'out'",
    "a timer": "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0)\nreturn 'out'",
    "its limits": "import resource\nresource.prlimit(0, resource.RLIMIT_NOFILE, (99, 99))\nreturn 'out'",
    "a copy of a descriptor": "import os\nos.dup(1)\nreturn 'out'",
    "a descriptor of the harness": (
        "import os\nfor n in range(256):\n    try:\n        if b'assert' in os.read(n, 0): return 'out'\n"
        "    except OSError: pass\nraise OSError"
    ),
    "a descriptor's file": "import os\nos.ftruncate(1, 9)\nos.fchmod(1, 0o777)\nreturn 'out'",
    "a socket pair": "import socket\nsocket.socketpair()\nreturn 'out'",
    "shared memory": (
        "from multiprocessing import shared_memory\nshared_memory.SharedMemory('MARK', True, 9)\nreturn 'out'"
    ),
    "what runs at exit": "import atexit, os\natexit.register(os.mkdir, 'MARK')\nraise SystemExit",
    "a pickle": (
        "import pickle\nclass P:\n    def __reduce__(s): return (eval, (\"__import__('os').mkdir('MARK')\",))\n"
        "pickle.loads(pickle.dumps(P()))\nreturn 'out'"
    ),
    "code objects": "(lambda: 0).__code__.replace(co_consts=(1,))\nreturn 'out'",
    "endless recursion": "import sys\nsys.setrecursionlimit(10**8)\nf()",
    "a huge allocation": "b = bytearray(10**12)\nreturn 'out'",
    "many allocations": "b = []\nwhile True: b.append(bytearray(10**7))",
    "an endless integer": "x = 9 ** 9 ** 9\nreturn 'out'",
    "memory, then a file": "free()\nopen('MARK', 'w')\nreturn 'out'",
    "memory, then a folder": "free()\nimport os\nos.mkdir('MARK')\nreturn 'out'",
    "memory, then a module": "free()\nimport posix\nposix.unlink('VICTIM')\nreturn 'out'",
    "memory, then a list of files": "free()\nimport os\nos.listdir('/tmp')\nreturn 'out'",
    "memory, then its parent": "free()\nimport os\nos.kill(os.getppid(), 9)\nreturn 'out'",
}
ATTEMPTS |= MORE_ATTEMPTS
HONEST = "def f():\n    return 'in'"


@pytest.fixture(scope="module", params=["filtered", "without the filter", "beside a library"])
def grader(request: pytest.FixtureRequest) -> Iterator[CodeGrader]:
    libraries = LIBRARIES if request.param == "beside a library" else ()
    sandbox = Sandbox(filter_wanted=request.param == "filtered", libraries=libraries)
    sandbox.start()
    if request.param == "filtered" and not sandbox.filtered:
        pytest.skip("this machine's kernel allows no system call filter")
    yield CodeGrader(limits=Limits(3.0, 1.0, 128 * 1024**2), sandbox=sandbox)
    sandbox.close()


def attempt(grader: CodeGrader, body: str, folder: Path) -> Grade:
    body = body.replace("MARK", str(folder / "mark")).replace("VICTIM", str(folder / "victim"))
    lines = "\n".join(f"        {line}" for line in body.replace("FOLDER", str(folder)).splitlines())
    program = f"{POKE}\ndef f():\n    try:\n{lines}\n    except BaseException:\n        return 'in'\n    return 'in'\n"
    return grader.grade(Sample("1", [], f"```python\n{program}\n```", {"tests": ["assert f() == 'in'"]}, {}))


def children_of(process: int) -> list[str]:
    return Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()


def assert_stays_in(grader: CodeGrader, names: list[str], folder: Path) -> None:
    folder.chmod(0o777)
    (folder / "victim").write_text("x", encoding="ascii")
    before = sorted(Path("/dev/shm").iterdir()) if Path("/dev/shm").exists() else []
    for name in names:
        got = attempt(grader, ATTEMPTS[name], folder)
        assert "AssertionError" not in got.explanation, name  # it would have returned "out"
        assert [path.name for path in folder.iterdir()] == ["victim"], name
        if len(names) < 9 or name.startswith("memory"):
            assert grader.grade(Sample("1", [], HONEST, {"tests": ["assert f() == 'in'"]}, {})).correct, name
    process = grader._sandbox._process
    assert process is not None
    assert children_of(process.pid) == []
    assert (sorted(Path("/dev/shm").iterdir()) if Path("/dev/shm").exists() else []) == before


def test_a_few_attempts_stay_in(grader: CodeGrader, tmp_path: Path) -> None:
    assert_stays_in(grader, ["a function that a set holds", "memory, then a folder", "a pickle"], tmp_path)


@pytest.mark.prove
def test_a_batch_of_attempts_leaves_no_file_no_process_and_no_changed_neighbour(
    grader: CodeGrader, tmp_path: Path
) -> None:
    assert len(ATTEMPTS) >= 80
    assert_stays_in(grader, list(ATTEMPTS), tmp_path)


def test_where_the_grader_is_root_each_process_is_a_user_of_its_own(grader: CodeGrader) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may become another user")
    assert grader._sandbox.separated
    program = "import os\nfirst = os.getuid()\ndef f(): return first"
    assert grader.grade(Sample("1", [], program, {"tests": [f"assert f() >= {2**30}"]}, {})).correct
