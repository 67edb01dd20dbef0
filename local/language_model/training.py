"""GRPO on a language model: TRL's trainer with LoRA; the rewards come from the other side, which asks the grader.

The job's `plan.json` (`Plan`) says what is trained. The job's folder has all that is needed to go on after a kill.
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from local.language_model.measures import advantages, weighted_mean
from local.language_model.pipes import Message, Pipes
from local.language_model.prompts import prompt_text
from local.language_model.weights import Weights, load

LEARNING_RATE = 2e-4
"""What a `learning_rate_multiplier` of 1 means: usual for LoRA of this rank."""
_RANK = 16
_TARGETS = "all-linear"
_LARGEST_PART = 8
"""Rollouts whose gradients are computed at once; a step's others are added up. Bounds the memory."""
_SAVED_EVERY = 5
"""Steps after which a killed training goes on; the service's own checkpoints are further apart."""
_WHOLE = "whole"  # a file that is written last


@dataclass(frozen=True, slots=True)
class Plan:
    """What is trained on: the prompts of each step in their order, and how."""

    prompts: list[list[Message]]
    """A conversation each; `batch_size` of them make a step."""
    tools: list[Any]
    batch_size: int
    group_size: int
    steps: int
    max_tokens: int
    rate: float
    seed: int
    checkpoint_every: int

    @classmethod
    def read(cls, path: Path) -> Plan:
        """The plan of a job."""
        return cls(**json.loads(path.read_text()))


def train(weights: Weights, job: Path, pipes: Pipes, threads: int) -> None:
    """Train to the plan's last step; says each step, asks for rewards, and says why when it fails."""
    torch.set_num_threads(threads)
    with (job / "lock").open("w") as lock:
        # One that was left over by a parent that was killed ends at its next word; until then it may write.
        fcntl.flock(lock, fcntl.LOCK_EX)
        _try(weights, job, pipes)


def _try(weights: Weights, job: Path, pipes: Pipes) -> None:
    try:
        _train(weights, job, pipes)
    except Exception as problem:
        # A full disk, no memory left, weights that cannot be trained: the job fails with it in words.
        pipes.say({"failed": f"{type(problem).__name__}: {problem}"})
        raise
    pipes.say({"done": True})


def _train(weights: Weights, job: Path, pipes: Pipes) -> None:
    plan = Plan.read(job / "plan.json")
    model, tokenizer = load(weights.folder)
    grader = _Grader(plan, pipes)
    trainer = GRPOTrainer(
        model=model,
        processing_class=tokenizer,
        reward_funcs=grader.rewards,
        args=_arguments(plan, job),
        train_dataset=Dataset.from_list(
            [
                {"prompt": prompt_text(tokenizer, messages, tools), "place": place}
                for place, (messages, tools) in enumerate(zip(plan.prompts, plan.tools, strict=True))
            ]
        ),
        peft_config=LoraConfig(
            r=_RANK, lora_alpha=2 * _RANK, lora_dropout=0.0, target_modules=_TARGETS, task_type="CAUSAL_LM"
        ),
    )
    trainer.add_callback(_Telling(plan, job, pipes, grader))
    last = _last_saved(job)
    trainer.train(resume_from_checkpoint=str(last) if last else None)


def _arguments(plan: Plan, job: Path) -> GRPOConfig:
    gpu = torch.cuda.is_available()
    rollouts = plan.batch_size * plan.group_size
    part = max(size for size in range(1, _LARGEST_PART + 1) if rollouts % size == 0)
    return GRPOConfig(
        output_dir=str(job / "saved"),
        per_device_train_batch_size=part,
        gradient_accumulation_steps=rollouts // part,
        num_generations=plan.group_size,
        max_completion_length=plan.max_tokens,
        max_steps=plan.steps,
        shuffle_dataset=False,  # the plan has the order
        learning_rate=LEARNING_RATE * plan.rate,
        lr_scheduler_type="constant",
        temperature=1.0,
        beta=0.0,
        scale_rewards="group",
        seed=plan.seed,
        bf16=gpu,
        gradient_checkpointing=gpu,
        # With a GPU and vLLM in the environment, vLLM writes the rollouts.
        use_vllm=gpu and importlib.util.find_spec("vllm") is not None,
        vllm_mode="colocate",
        logging_steps=1,
        save_strategy="no",  # the callback says when
        save_total_limit=2,
        save_only_model=False,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=gpu,
    )


class _Grader:
    """The reward function: it asks the other side, and keeps what a step's figures need."""

    def __init__(self, plan: Plan, pipes: Pipes) -> None:
        self._plan = plan
        self._pipes = pipes
        self._answers: Iterator[Message] = pipes.heard()
        self.graded: list[float] = []
        self.lengths: list[int] = []

    def rewards(
        self,
        prompts: Sequence[str],
        completions: Sequence[str],
        completion_ids: Sequence[Sequence[int]],
        place: Sequence[int],
        **_: Any,
    ) -> list[float]:
        """The rewards of these rollouts, a group behind the other."""
        replies = [{"place": row, "text": text} for row, text in zip(place, completions, strict=True)]
        self._pipes.say({"grade": replies})
        answer = next(self._answers, None)
        if answer is None:
            raise SystemExit(0)  # the other side has gone
        self.graded = [float(reward) for reward in answer["rewards"]]
        self.lengths = [len(ids) for ids in completion_ids]
        return self.graded

    def figures(self) -> dict[str, float]:
        """What the rewards and lengths of the last step come to."""
        scaled = advantages(self.graded, self._plan.group_size)
        return {
            "rewards_mean": sum(self.graded) / len(self.graded),
            "advantages_mean": weighted_mean(scaled, self.lengths),
            "response_length_mean": sum(self.lengths) / len(self.lengths),
            "tokens": sum(self.lengths),
        }


class _Telling(TrainerCallback):  # type: ignore[misc]  # transformers is not in the environment that checks types
    """Says when a step is done, with its figures, and what was saved."""

    def __init__(self, plan: Plan, job: Path, pipes: Pipes, grader: _Grader) -> None:
        self._plan = plan
        self._job = job
        self._pipes = pipes
        self._grader = grader
        self._step: Message = {}

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Decide whether to save."""
        step = state.global_step
        control.should_save = step % _SAVED_EVERY == 0 or self._is_checkpoint(step)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        """A step's figures are there."""
        if not logs or "grad_norm" not in logs:
            return
        self._step = {
            "step": state.global_step,
            **self._grader.figures(),
            "entropy": logs["entropy"],
            "gradient_norm": float(logs["grad_norm"]),
            "policy_loss": logs["loss"],
            "adapter": None,
        }
        if not control.should_save:
            self._pipes.say(self._step)

    def on_save(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """The state is written: mark it as whole, and keep the adapter where it is a checkpoint of the service's."""
        step = state.global_step
        if self._is_checkpoint(step):
            self._step["adapter"] = str(_keep_adapter(model, self._job, step))
        (Path(args.output_dir) / f"checkpoint-{step}" / _WHOLE).touch()
        self._pipes.say(self._step)

    def _is_checkpoint(self, step: int) -> bool:
        return step % self._plan.checkpoint_every == 0 or step == self._plan.steps


def _keep_adapter(model: Any, job: Path, step: int) -> Path:
    folder = job / f"step-{step}"
    begun = job / f"step-{step}.begun"
    for each in (begun, folder):
        shutil.rmtree(each, ignore_errors=True)
    model.save_pretrained(begun)
    begun.rename(folder)
    return folder


def _last_saved(job: Path) -> Path | None:
    """The last state that was written whole; what a kill left half is taken away."""
    saved = {int(folder.name.rpartition("-")[2]): folder for folder in (job / "saved").glob("checkpoint-*")}
    for folder in saved.values():
        if not (folder / _WHOLE).exists():
            shutil.rmtree(folder)
    whole = [step for step, folder in saved.items() if folder.exists()]
    return saved[max(whole)] if whole else None
