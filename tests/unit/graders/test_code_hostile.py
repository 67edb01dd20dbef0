"""Generated code that attacks: what surrounds it gives nothing away, and no trick passes a test.

Each runs twice: with the system call filter (where this machine's kernel gives one) and without, as on AWS Lambda.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.in_prove import a_third_in_each_run
from tunedrop.graders.code.grader import CodeGrader
from tunedrop.graders.code.sandbox import Limits, Sandbox, SandboxError
from tunedrop.graders.sample import Grade, Sample

SECRET = "secret-of-the-runtime"


@pytest.fixture(scope="module", params=[pytest.param("filtered", marks=pytest.mark.prove), "as on Lambda"])
def grader(request: pytest.FixtureRequest) -> Iterator[CodeGrader]:
    os.environ["AWS_SECRET_ACCESS_KEY"] = SECRET
    sandbox = Sandbox(filter_wanted=request.param == "filtered")
    sandbox.start()
    if request.param == "filtered" and not sandbox.filtered:
        pytest.skip("this machine's kernel allows no system call filter")
    assert sandbox.filtered == (request.param == "filtered")
    yield CodeGrader(limits=Limits(wall_seconds=1.0, cpu_seconds=1.0, memory_bytes=128 * 1024**2), sandbox=sandbox)
    sandbox.close()
    del os.environ["AWS_SECRET_ACCESS_KEY"]


def grade(grader: CodeGrader, program: str, *tests: str, **reference: str) -> Grade:
    return grader.grade(Sample("1", [], f"```python\n{program}\n```", {"tests": list(tests), **reference}, {}))


# What each attack brings home is told by `attempt`; the tests of the grader itself say what it should have got.
ATTACKS = {
    "its own environment": "import os\nreturn [v for v in os.environ if 'AWS' in v or 'RUNTIME_API' in v]",
    "its own environment through /proc": "return open('/proc/self/environ').read()",
    "its parent's environment": "import os\nreturn open(f'/proc/{os.getppid()}/environ').read()",
    "every environment": (
        "import os\n"
        "for pid in [1, *range(max(1, os.getpid() - 3000), os.getpid() + 10)]:\n"
        "    try: return open(f'/proc/{pid}/environ', 'rb').read()\n"
        "    except OSError: pass\n"
        "raise OSError"
    ),
    "its parent's memory": "import os\nreturn open(f'/proc/{os.getppid()}/mem', 'rb').read(1)",
    "a socket": "import socket\nreturn socket.socket()",
    "a socket by its C module": "import _socket\nreturn _socket.socket()",
    "the runtime API": (
        "import urllib.request\nreturn urllib.request.urlopen('http://127.0.0.1:9001/2018-06-01/runtime/invocation/next')"
    ),
    "a fork": "import os\nreturn os.fork()",
    "a fork by posix": "import posix\nreturn posix.fork()",
    "another program": "import os\nos.execv('/bin/sh', ['sh', '-c', 'true'])",
    "a shell": "import os\nreturn os.system('true')",
    "subprocess": "import subprocess\nreturn subprocess.run(['true'])",
    "a thread": "import _thread\nreturn _thread.start_new_thread(print, ())",
    "a file": "return open('/tmp/left-behind', 'w')",
    "a descriptor": "import os\nreturn os.open('/tmp', os.O_RDONLY)",
    "a pipe in the file system": "import os\nreturn os.mkfifo('/tmp/left-behind')",
    "a link": "import os\nreturn os.symlink('/', '/tmp/left-behind')",
    "a folder": "import os\nreturn os.mkdir('/tmp/left-behind')",
    "killing its parent": "import os\nreturn os.kill(os.getppid(), 9)",
    "killing its group": "import os\nreturn os.killpg(0, 9)",
    "leaving its group": "import os\nreturn os.setsid()",
    "a signal by thread": "import signal, threading\nreturn signal.pthread_kill(threading.get_ident(), 9)",
    "outliving its timer": "import signal\nreturn signal.signal(signal.SIGALRM, signal.SIG_IGN)",
    "raising its limits": "import resource\nreturn resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9))",
    "a fresh copy of posix": (
        "import sys, importlib.machinery\nsys.modules.pop('posix')\nimport posix\nreturn posix.kill"
    ),
    "a fresh copy of posix by hand": (
        "import _imp, importlib.machinery\n"
        "return _imp.create_builtin(importlib.machinery.ModuleSpec('posix', None)).kill"
    ),
    "ctypes": "import ctypes\nif 'ctypes' in __import__('sys').modules: raise ImportError\nreturn ctypes",
    "hand-made bytecode": "return (lambda: 0).__code__.replace(co_code=b'')",
    "unmarshalled bytecode": "import marshal\nreturn marshal.loads(b'')",
    "a second interpreter": "import _interpreters\nreturn _interpreters.create()",
    "its debugger": "import gc\nreturn gc.get_objects()",
    "anonymous memory files": "import os\nreturn os.memfd_create('x')",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_generated_code_gets_nothing_by_asking_for(grader: CodeGrader, attack: str) -> None:
    body = "\n".join(f"        {line}" for line in ATTACKS[attack].splitlines())
    program = (
        f"def attempt():\n    try:\n{body}\n"
        "    except (OSError, ImportError, AttributeError, NameError, RuntimeError):\n        return []\n"
    )
    got = grade(grader, program, "assert attempt() == []")
    assert got.correct, got.explanation
    assert not Path("/tmp/left-behind").exists()


CHEATS = {
    "os._exit": "import os\nos._exit(0)",
    "sys.exit": "import sys\nsys.exit(0)",
    "SystemExit when called": "def add(a, b): raise SystemExit(0)",
    "exit when called": "import os\ndef add(a, b): os._exit(0)",
    "KeyboardInterrupt": "def add(a, b): raise KeyboardInterrupt",
    "StopIteration": "def add(a, b): raise StopIteration",
    "AssertionError made harmless": "import builtins\nbuiltins.AssertionError = None\ndef add(a, b): return None",
    "always equal": (
        "class Yes:\n"
        "    def __eq__(self, other): return True\n"
        "    def __ne__(self, other): return False\n"
        "    def __hash__(self): return 5\n"
        "    def __bool__(self): return True\n"
        "def add(a, b): return Yes()"
    ),
    "always equal int": "class Yes(int):\n    def __eq__(self, other): return True\ndef add(a, b): return Yes(0)",
    "always equal list": "class Yes(list):\n    def __eq__(self, other): return True\ndef add(a, b): return Yes()",
    "always equal type": (
        "class M(type):\n    def __eq__(cls, o): return True\nclass add(metaclass=M):\n    def __new__(c, *a): return c"
    ),
    "patched builtins": (
        "import builtins\nbuiltins.print = builtins.compile = builtins.exec = lambda *a, **k: None\n"
        "def add(a, b): return 0"
    ),
    "patched harness": (
        "import sys\n"
        "for name, module in list(sys.modules.items()):\n"
        "    if 'code_sandbox' in name:\n"
        "        for key, value in list(vars(module).items()):\n"
        "            if callable(value): setattr(module, key, lambda *a, **k: {'passed': 9})\n"
        "def add(a, b): return 0"
    ),
    "a verdict of its own on every descriptor": (
        "import os, json, struct\n"
        "body = json.dumps({'passed': 9, 'reason': '', 'token': ''}).encode()\n"
        "for fd in range(64):\n"
        "    try: os.write(fd, struct.pack('>I', len(body)) + body)\n"
        "    except OSError: pass\n"
        "def add(a, b): return 0"
    ),
    "answers before the questions": (
        "import os, struct\n"
        "body = b'{\"ok\":5}'\n"
        "for fd in range(3, 64):\n"
        "    try: os.write(fd, (struct.pack('>I', len(body)) + body) * 20)\n"
        "    except OSError: pass\n"
        "def add(a, b): return 0"
    ),
    "searching its frames for the expected value": (
        "import sys\n"
        "def add(a, b):\n"
        "    frame = sys._getframe()\n"
        "    while frame:\n"
        "        for value in list(frame.f_locals.values()) + list(frame.f_globals.values()):\n"
        "            if isinstance(value, str) and 'assert' in value: return int(value.split('==')[1])\n"
        "        frame = frame.f_back\n"
    ),
    "reading the tests from standard input": (
        "import sys\ndef add(a, b): return int(sys.stdin.read().split('==')[1].split('\"')[0])"
    ),
    "writing a token": "print('token', 'passed', True)\ndef add(a, b): return 0",
    "endless": "def add(a, b):\n    while True: pass",
    "asleep": "import time\ndef add(a, b): time.sleep(60)",
    "endless on load": "while True: pass",
    "too much memory": "def add(a, b): return len(b'x' * (4 * 1024**3)) * 0",
    "a huge answer": "def add(a, b): return 'x' * (64 * 1024**2)",
    "a deep answer": "def add(a, b):\n    x = []\n    for _ in range(10**5): x = [x]\n    return x",
    "an answer that contains itself": "def add(a, b):\n    x = []\n    x.append(x)\n    return x",
    "endless printing": "def add(a, b):\n    while True: print('x' * 10**6)",
    "a crash of the interpreter": "import sys\nsys.setrecursionlimit(10**9)\ndef add(a, b): return add(a, b)",
    "changing the argument": "def add(a, b):\n    return a.__class__",
    "a builtin of its own": "def isinstance(*a): return True\ndef add(a, b): return None",
    "a math of its own": "class math:\n    isclose = lambda *a, **k: True\ndef add(a, b): return None",
}


@pytest.mark.parametrize("cheat", a_third_in_each_run(CHEATS))
def test_no_test_is_passed_by(grader: CodeGrader, cheat: str) -> None:
    got = grade(
        grader,
        CHEATS[cheat],
        "assert add(2, 3) == 5",
        "assert isinstance(add(2, 4), int) and add(2, 4) == 6",
        "assert math.isclose(add(1, 1), 2)",
    )
    assert got.reward == 0.0
    assert got.metrics["tests_passed"] <= (1 / 3 if "before" in cheat else 0), got.explanation


def test_after_every_attack_the_sandbox_still_grades_honestly(grader: CodeGrader) -> None:
    assert grade(grader, "def add(a, b): return a + b", "assert add(2, 3) == 5").correct
    assert not grade(grader, "def add(a, b): return a - b", "assert add(2, 3) == 5").correct


def test_what_one_sample_leaves_behind_in_the_interpreter_is_gone_in_the_next(grader: CodeGrader) -> None:
    grade(grader, "import math\nmath.left = 1\ndef f(): return 1", "assert f() == 1")
    assert grade(grader, "import math\ndef f(): return hasattr(math, 'left')", "assert f() is False").correct


def test_an_iterator_over_everything_does_not_contain_the_right_value(grader: CodeGrader) -> None:
    program = "import itertools\ndef f(): return itertools.count()"
    assert not grade(grader, program, "assert 5 in f()").correct


def test_a_set_defined_by_the_code_does_not_replace_the_one_of_the_tests(grader: CodeGrader) -> None:
    program = "def set(x): return 1\ndef parts(x): return None"
    assert not grade(grader, program, "assert set(parts([1])) == set([1])").correct


def test_a_test_that_exits_early_passes_nobody(grader: CodeGrader) -> None:
    got = grade(grader, "def f(): return 1", "import sys\nf()\nsys.exit(0)")
    assert got.reward == 0.0


def test_the_environment_of_the_grader_cannot_be_read_by_another_process_of_its_user(grader: CodeGrader) -> None:
    """Where prctl is refused (Lambda) this does not hold, and only the limit on descriptors stands."""
    probe = f"print(open('/proc/{os.getpid()}/environ').read())"
    reader = subprocess.run(
        [sys.executable, "-c", f"import os\nif os.getuid() == 0: os.setuid(65534)\n{probe}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert SECRET not in reader.stdout


def test_a_sandbox_that_has_died_is_replaced(grader: CodeGrader) -> None:
    grader.warm_up()
    process = grader._sandbox._process
    assert process is not None
    process.kill()
    process.wait()
    try:
        grade(grader, "def f(): return 1", "assert f() == 1")
    except SandboxError:
        pytest.fail("the sandbox was not started again")


def test_no_process_is_left_when_the_sandbox_is_closed() -> None:
    sandbox = Sandbox()
    grader = CodeGrader(limits=Limits(wall_seconds=0.3), sandbox=sandbox)
    grade(grader, "import time\ndef f(): time.sleep(60)", "assert f() == 1")
    assert sandbox._process is not None
    children = Path(f"/proc/{sandbox._process.pid}/task/{sandbox._process.pid}/children").read_text(encoding="ascii")
    sandbox.close()
    assert children.split() == []
