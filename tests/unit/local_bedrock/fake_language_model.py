"""Speaks as a language model's process does, without a model: started by tests in its place.

It serves: an answer of the prompt's words, a piece each; a prompt with "refuse" is refused, one with "die" ends the
process. It trains two checkpoints of two steps each; the job's plan says by `rate` how it goes wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def serve(weights: str) -> None:
    if weights == "missing":
        say({"failed": "missing is no file"})
        sys.exit(1)
    if weights == "broken":
        sys.exit(3)
    say({"ready": {"name": weights, "licence": "mit", "context": 256}})
    for line in sys.stdin:
        asked = json.loads(line)
        text = "" if "cancel" in asked else asked["messages"][-1]["content"]
        if "die" in text:
            os.kill(os.getpid(), signal.SIGKILL)
        if "cancel" in asked or "wait" in text:
            continue
        if "refuse" in text:
            say({"id": asked["id"], "refused": "too long"})
            continue
        words = [word + " " for word in text.split()][: asked["max_tokens"]]
        for place in reversed(range(asked["count"])):
            for word in words:
                say({"id": asked["id"], "place": place, "piece": word})
            end = {"finish": "length", "stopped_by": None, "tokens": len(words), "prompt_tokens": 7}
            say({"id": asked["id"], "place": place, "piece": str(asked["adapter"]), **end})


def train(job: Path) -> None:
    plan = json.loads((job / "plan.json").read_text())
    starts = job / "starts"
    starts.write_text(starts.read_text() + "x" if starts.exists() else "x")
    first_time = starts.read_text() == "x"
    if plan["rate"] == 3:
        sys.exit(9)
    begun = 1 if first_time else 3  # the second time it goes on from step 2
    for step in range(begun, plan["steps"] + 1):
        places = range((step - 1) * plan["batch_size"], step * plan["batch_size"])
        replies = [{"place": row, "text": f"{step}"} for row in places for _ in range(plan["group_size"])]
        say({"grade": replies})
        rewards = json.loads(sys.stdin.readline())["rewards"]
        if plan["rate"] == 2 and step == 3:
            say({"failed": "OSError: no space left on device"})
            sys.exit(1)
        figures = dict.fromkeys(("advantages_mean", "policy_loss", "gradient_norm", "entropy"), 0.5)
        told = {"step": step, "rewards_mean": sum(rewards) / len(rewards), "response_length_mean": 1.0, **figures}
        saved = step % plan["checkpoint_every"] == 0
        say({**told, "tokens": len(rewards), "adapter": str(job / f"step-{step}") if saved else None})
        if plan["rate"] == 4 and step == 3 and first_time:
            os.kill(os.getpid(), signal.SIGKILL)
    say({"done": True})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("task")
    parser.add_argument("--weights")
    parser.add_argument("--kept")
    parser.add_argument("--job", type=Path)
    options = parser.parse_args()
    train(options.job) if options.task == "train" else serve(options.weights)
