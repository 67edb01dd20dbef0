"""Time passes faster in a function's process, also for modules that were imported before the faults' prelude."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

SPEED = 300

IMPORTED_BEFORE = """
import asyncio, time
from pathlib import Path
from tunedrop.sampling.pace import Pace
from tunedrop.states.submit_job import Submission

exec(Path("tests/faults/prelude.py").read_text(), {"__name__": "prelude"})
began = time.perf_counter()
Submission.__init__.__kwdefaults__["sleep"](30)
asyncio.run(Pace.__init__.__kwdefaults__["sleep"](30))
time.sleep(30)
print(time.perf_counter() - began)
"""


def test_a_module_that_is_loaded_before_the_prelude_sleeps_in_fast_time_too(tmp_path: Path) -> None:
    weather = {"speed": SPEED, "since": time.time(), "jump": 0.0, "disk_full": False}
    (tmp_path / "weather.json").write_text(json.dumps(weather))
    environment = {**os.environ, "TUNEDROP_FAULTS_WEATHER": str(tmp_path / "weather.json")}
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED_BEFORE],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    assert 90 / SPEED <= float(done.stdout) < 30
