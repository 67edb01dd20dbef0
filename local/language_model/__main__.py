"""`python -m local.language_model serve|train`: in the language model's environment, started by the local Bedrock."""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from pathlib import Path

# Before torch is loaded. Threads that wait by spinning bring two processes on two cores to a crawl.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
os.environ.setdefault("KMP_BLOCKTIME", "0")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Nothing is asked of the network, whatever a library would look up.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

_PARENT_LOOK_SECONDS = 0.2


def main() -> int:
    """Serve, or train one job, until it is done or the other side closes."""
    parser = argparse.ArgumentParser(prog="python -m local.language_model", description=__doc__)
    parser.add_argument("task", choices=("serve", "train"))
    parser.add_argument("--weights", required=True, help="a .gguf file, a folder of transformers, or a package")
    parser.add_argument("--kept", type=Path, required=True, help="where weights that were read from GGUF are kept")
    parser.add_argument("--job", type=Path, help="the folder of the job to train")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()

    from local.language_model.pipes import Pipes

    pipes = Pipes()
    _leave_with(os.getppid())
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    from local.language_model.weights import WeightsNotFound, prepare

    try:
        weights = prepare(options.weights, options.kept)
        if options.task == "serve":
            from local.language_model.serving import serve

            serve(weights, pipes, options.threads)
        else:
            from local.language_model.training import train

            train(weights, options.job, pipes, options.threads)
    except WeightsNotFound as problem:
        pipes.say({"failed": str(problem)})
        return 1
    return 0


def _leave_with(parent: int) -> None:
    """End this process once its parent has ended, however it did."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_LOOK_SECONDS)
        os._exit(0)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()


if __name__ == "__main__":
    # Not by returning: a thread may still read standard input.
    code = main()
    sys.stdout.flush()
    os._exit(code)
