"""More ways out that generated code may try: hooks, traces, what outlives a sample, and the harness's own wire.

Each is the body of `f`, as in `test_code_escapes`; it returns "out" where it got anywhere.
"""

MORE_ATTEMPTS = {
    "a line of the wire by descriptor": (
        "import os\n"
        "for n in range(256):\n"
        "    try: os.write(n, b'{\"ok\": 1}\\n')\n"
        "    except OSError: pass\n"
        "raise OSError"
    ),
    "the harness's names in a frame": (
        "import sys\n"
        "frame = sys._getframe()\n"
        "while frame:\n"
        "    if {'token', 'expected', 'request', 'verdict'} & set(frame.f_locals): return 'out'\n"
        "    frame = frame.f_back"
    ),
    "a trace function left behind": (
        "import sys\n"
        "sys.settrace(lambda *a: None)\n"
        "import threading\n"
        "threading.settrace(lambda *a: None)\n"
        "open('MARK', 'w')\n"
        "return 'out'"
    ),
    "a profiler of C calls": "import sys\nsys.setprofile(lambda *a: None)\nopen('MARK', 'w')\nreturn 'out'",
    "monitoring": (
        "import sys\n"
        "sys.monitoring.use_tool_id(0, 'x')\n"
        "sys.monitoring.register_callback(0, 1, open)\n"
        "open('MARK', 'w')\n"
        "return 'out'"
    ),
    "an audit hook of its own": "import sys\nsys.addaudithook(lambda *a: None)\nopen('MARK', 'w')\nreturn 'out'",
    "an unraisable hook": (
        "import sys, os\n"
        "seen = []\n"
        "sys.unraisablehook = lambda told: seen.append(told)\n"
        "class D:\n"
        "    def __del__(s): os.mkdir('MARK')\n"
        "d = D()\n"
        "del d\n"
        "open('MARK', 'w')\n"
        "return 'out'"
    ),
    "an excepthook": (
        "import sys, os\n"
        "sys.excepthook = lambda *a: os.mkdir('MARK')\n"
        "sys.__excepthook__ = sys.excepthook\n"
        "raise OSError"
    ),
    "a finalizer at the end": (
        "import weakref, os\n"
        "class A: pass\n"
        "a = A()\n"
        "weakref.finalize(a, os.mkdir, 'MARK')\n"
        "import sys\n"
        "sys.keep = a\n"
        "raise SystemExit"
    ),
    "a builtin for the next": (
        "import builtins\nbuiltins.str = builtins.repr = lambda *a: 'out'\nbuiltins.len = lambda *a: 0\nraise OSError"
    ),
    "an import hook for the next": (
        "import sys\n"
        "sys.modules['math'] = None\n"
        "sys.path.insert(0, '/tmp')\n"
        "sys.path_hooks.append(lambda p: None)\n"
        "raise OSError"
    ),
    "a module of the sandbox": (
        "import sys\n"
        "for name, module in list(sys.modules.items()):\n"
        "    if 'confinement' in name: module.watch = None; module.limit_resources = None\n"
        "open('MARK', 'w')\n"
        "return 'out'"
    ),
    "the zygote's functions by a frame": (
        "import sys\n"
        "frame = sys._getframe()\n"
        "while frame.f_back: frame = frame.f_back\n"
        "found = frame.f_globals\n"
        "for name in ('os', 'socket', 'subprocess'):\n"
        "    if name in found and hasattr(found[name], 'fork'): return 'out'"
    ),
    "the environment": (
        "import os\n"
        "if any('AWS' in n or 'TOKEN' in n or 'SECRET' in n for n in os.environ): return 'out'\n"
        "os.environ['PATH'] = '/x'\n"
        "os.putenv('A', 'b')\n"
        "raise OSError"
    ),
    "a link in /tmp": "import os\nos.symlink('/etc/passwd', 'MARK')\nreturn 'out'",
    "a link by a path": "from pathlib import Path\nPath('MARK').symlink_to('/etc/passwd')\nreturn 'out'",
    "another's input": (
        "import sys\nsys.stdin = sys.__stdin__\nreturn 'out' if sys.__stdin__ and sys.__stdin__.readline() else 'in'"
    ),
    "another's input by its number": "import os\nreturn 'out' if os.read(0, 9) else 'in'",
    "the standard streams": (
        "import sys\n"
        "sys.__stdout__.write('x' * 10**7)\n"
        "sys.__stderr__.write('x' * 10**7)\n"
        "sys.__stdout__.flush()\n"
        "raise OSError"
    ),
    "a huge answer": "return 'x' * 10**9",
    "a thread that outlives": (
        "import threading, time, os\n"
        "def later():\n"
        "    time.sleep(1)\n"
        "    os.mkdir('MARK')\n"
        "threading.Thread(target=later, daemon=True).start()\n"
        "return 'in'"
    ),
    "a timer that outlives": "import threading, os\nthreading.Timer(0.5, os.mkdir, ['MARK']).start()\nreturn 'in'",
    "a loop's executor": (
        "import asyncio, os\n"
        "async def g(): return await asyncio.get_running_loop().run_in_executor(None, os.fork)\n"
        "asyncio.run(g())\n"
        "return 'out'"
    ),
    "a subprocess of asyncio": "import asyncio\nasyncio.run(asyncio.create_subprocess_exec('true'))\nreturn 'out'",
    "faulthandler": (
        "import faulthandler\nfaulthandler.dump_traceback_later(1, exit=True)\nfaulthandler._sigsegv()\nreturn 'out'"
    ),
    "a code object of nonsense": (
        "c = (lambda: 0).__code__\nf2 = type(f)(c.replace(co_code=b'\\x64\\xff' * 200), {})\nf2()\nraise OSError"
    ),
    "a type's own dictionary": (
        "import gc\nd = gc.get_referents(int.__dict__)[0]\nd['__eq__'] = lambda *a: True\nreturn 'in'"
    ),
    "the audit hook's own set": (
        "try: open('/nowhere')\n"
        "except PermissionError as e:\n"
        "    t = e.__traceback__\n"
        "    while t.tb_next: t = t.tb_next\n"
        "    t.tb_frame.f_locals['harmless'] = frozenset(['open'])\n"
        "    t.tb_frame.f_globals['_HARMLESS_EVENTS'] = {'open'}\n"
        "open('MARK', 'w')\n"
        "return 'out'"
    ),
    "a clock": "import time\ntime.clock_settime(0, 0)\nreturn 'out'",
    "its priority": "import os\nos.nice(-19)\nreturn 'out'",
    "a semaphore": "import _multiprocessing\n_multiprocessing.SemLock(0, 1, 1, 'x', False)\nreturn 'out'",
    "a log file": "import logging\nlogging.FileHandler('MARK')\nreturn 'out'",
    "a csv of a neighbour": "import glob\nif glob.glob('/proc/[0-9]*/fd/*'): return 'out'\nraise OSError",
    "zoneinfo's files": "import zoneinfo\nzoneinfo.reset_tzpath(['/etc'])\nzoneinfo.ZoneInfo('passwd')\nreturn 'out'",
    "memory, then threads": "free()\nimport _thread\n_thread.start_new_thread(lambda: None, ())\nreturn 'out'",
    "memory, then a socket": "free()\nimport _socket\n_socket.socket()\nreturn 'out'",
    "memory, then a program": "free()\nimport posix\nposix.execv('/bin/true', ['true'])\nreturn 'out'",
}
