"""Many runs under faults: `python -m tests.faults --runs 500 --seed 1`.

Each seed gives one run and what goes wrong in it; a seed that failed replays alone: `--runs 1 --seed 17`. What was
done is kept in build/faults/, so that a campaign that was cut off goes on. The last line sums up; the exit status is 1
where the oracle found anything.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from tests.faults import schedule
from tests.faults.one_run import Result, run_seed
from tests.faults.world import world

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / "build" / "faults"
BATCH = 25
"""Runs on one stack: enough to pay for its start, few enough that its lists stay short."""


def main() -> int:
    """Run the campaign; 1 where anything was violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="how many runs")
    parser.add_argument("--seed", type=int, default=1, help="the first seed; the others follow it")
    parser.add_argument("--workers", type=int, default=2, help="stacks at a time")
    parser.add_argument("--minutes", type=float, default=0, help="begin no batch after so long; the next call goes on")
    parser.add_argument("--on-one-stack", type=int, nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.on_one_stack:
        return _on_one_stack(options.on_one_stack)
    began = time.monotonic()
    seeds = range(options.seed, options.seed + options.runs)
    state = STATE / f"{options.seed}-{options.runs}.jsonl"
    done = {} if options.runs == 1 else _read(state)
    if len(done) == options.runs:
        state.unlink()  # a campaign that came to its end begins anew
        done = {}
    if done:
        print(f"{len(done)} of {options.runs} runs were done before; going on. {state} keeps them.")
    state.parent.mkdir(parents=True, exist_ok=True)
    with state.open("a" if done else "w") as kept, ThreadPoolExecutor(options.workers) as workers:

        def run(batch: list[int]) -> None:
            if options.minutes and time.monotonic() - began > options.minutes * 60:
                return
            for result in _in_a_process(batch):
                done[result.seed] = result
                kept.write(json.dumps(asdict(result)) + "\n")
                kept.flush()
                _tell(result)

        for finished in workers.map(run, _batches([seed for seed in seeds if seed not in done], options.workers)):
            assert finished is None
    return _sum_up(list(done.values()), options.runs, time.monotonic() - began)


def _batches(seeds: list[int], workers: int) -> Iterator[list[int]]:
    """Seeds of one Region each, as evenly as may be."""
    for family in schedule.REGIONS:
        of_family = [seed for seed in seeds if schedule.family_of(seed) == family]
        size = max(1, min(BATCH, -(-len(of_family) // workers)))
        yield from (of_family[start : start + size] for start in range(0, len(of_family), size))


def _in_a_process(batch: list[int]) -> Iterator[Result]:
    """moto keeps its state in its process, so that each stack has one of its own."""
    words = [sys.executable, "-m", "tests.faults", "--on-one-stack", *map(str, batch)]
    left = list(batch)
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith('{"seed"'):
                result = Result(**json.loads(line))
                left.remove(result.seed)
                yield result
    if left and process.returncode:
        seed = left[0]
        broken = f"the suite itself broke (exit status {process.returncode}); replay it alone to see why"
        yield Result(seed, "NONE", "", 0.0, {}, [broken], planned=str(schedule.draw(seed)))
        if left[1:]:
            yield from _in_a_process(left[1:])


def _on_one_stack(seeds: list[int]) -> int:
    region = schedule.REGIONS[schedule.family_of(seeds[0])]
    with tempfile.TemporaryDirectory(prefix="tunedrop-faults-") as folder, world(region, Path(folder)) as made:
        for seed in seeds:
            print(json.dumps(asdict(run_seed(made, seed))), flush=True)
    return 0


def _read(state: Path) -> dict[int, Result]:
    try:
        lines = state.read_text().splitlines()
    except FileNotFoundError:
        return {}
    results = (Result(**json.loads(line)) for line in lines if line.endswith("}"))
    return {result.seed: result for result in results}


def _tell(result: Result) -> None:
    hits = ", ".join(f"{kind} x{times}" for kind, times in sorted(result.hits.items())) or "nothing went wrong"
    print(f"seed {result.seed}: {result.status} in {result.seconds:.1f} s; {hits}", flush=True)
    if result.violations:
        print(f"    planned: {result.planned}\n    ended: {result.reason}")
        for violation in result.violations:
            print(f"    VIOLATION: {violation}", flush=True)


def _sum_up(results: Iterable[Result], wanted: int, seconds: float) -> int:
    results = sorted(results, key=lambda result: result.seed)
    ends = Counter(result.status for result in results)
    mix: Counter[str] = Counter()
    for result in results:
        mix.update(result.hits)
    ways = Counter(way for result in results for way in result.ways)
    violated = [result.seed for result in results if result.violations]
    ended = ", ".join(f"{number} {status}" for status, number in ends.most_common())
    print("runs with " + ", with ".join(f"{way}: {number}" for way, number in sorted(ways.items())) if ways else "")
    print("faults that were hit: " + ", ".join(f"{kind} {number}" for kind, number in sorted(mix.items())))
    print(
        f"{len(results)} of {wanted} runs ({ended}), {mix.total()} faults of {len(mix)} kinds hit, "
        f"{sum(len(result.violations) for result in results)} oracle violations"
        + (f" in seeds {violated}" if violated else "")
        + f", {seconds:.0f} s"
    )
    return 1 if violated or len(results) < wanted else 0


if __name__ == "__main__":
    raise SystemExit(main())
