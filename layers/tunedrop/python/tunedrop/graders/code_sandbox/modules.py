"""The part of the standard library that generated code can import: what computes, not what reaches out.

Some modules stand here only because asyncio and unittest import them (socket, subprocess, select): `confinement`
empties those before generated code runs, so importing them works and using them does not.
"""

from __future__ import annotations

# The second part is what the first imports only when it is used, which would be too late.
PRELOADED = (
    *(
        "abc",
        "argparse",
        "array",
        "ast",
        "base64",
        "binascii",
        "bisect",
        "builtins",
        "calendar",
        "cmath",
        "collections",
    ),
    *("collections.abc", "colorsys", "contextlib", "copy", "csv", "dataclasses", "datetime", "decimal", "difflib"),
    *("enum", "fractions", "functools", "gc", "graphlib", "hashlib", "heapq", "html", "inspect", "io", "itertools"),
    *("json", "keyword", "locale", "math", "numbers", "operator", "os", "os.path", "pathlib", "pprint", "queue"),
    *("random", "re", "reprlib", "secrets", "shlex", "statistics", "string", "struct", "sys", "textwrap", "threading"),
    *("time", "timeit", "traceback", "types", "typing", "unicodedata", "urllib.parse", "uuid", "warnings", "weakref"),
    *("zlib", "__future__", "ipaddress", "copyreg", "pickle", "token", "tokenize", "zoneinfo", "string.templatelib"),
    *("asyncio", "atexit", "cmd", "codecs", "concurrent.futures", "concurrent.futures.thread", "contextvars"),
    *("doctest", "errno", "fileinput"),
    *("logging", "optparse", "getopt", "platform", "sched", "select", "selectors", "shutil", "signal", "socket"),
    *("subprocess", "tempfile", "unittest", "unittest.async_case", "unittest.mock"),
    *("_strptime", "encodings.ascii", "encodings.latin_1", "encodings.idna", "encodings.utf_16", "encodings.utf_32"),
    *("encodings.cp1252", "encodings.unicode_escape", "encodings.raw_unicode_escape", "encodings.rot_13"),
)

EMPTIED = frozenset({"select", "selectors", "signal", "socket", "subprocess"})
"""Those of them that can be imported and not used; tests that import one are refused."""
