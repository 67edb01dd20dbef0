"""What a report is made of: the facts of one run, as far as it came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """The facts of one run. What the run did not reach is None or empty: a rejected run gets a report, too.

    Times are ISO 8601 text. `reason` is `{"error", "message"}`. The mappings are plain JSON values; keys beyond those
    named here are kept in report.json and not shown on the page.
    """

    run_id: str
    name: str
    status: str
    reason: Mapping[str, str] | None = None
    simulated: bool = False
    """Whether the model and its training were a simulation, so that every number must be labelled."""
    trained_by: str = "bedrock"
    """`bedrock`, `simulation`, or `local`: real weights on one machine."""
    trained_on: str = "Amazon Bedrock"
    weights: Mapping[str, str] | None = None
    """`name` and `licence` of the weights that were trained on one machine."""
    execution_arn: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    stages: Sequence[Mapping[str, Any]] = ()
    """Where the time went: name, seconds."""

    base_model: str | None = None
    tuned_model: str | None = None
    recipe: Mapping[str, Any] | None = None
    grader: Mapping[str, Any] | None = None
    """kind, arn (with the published version)."""

    dataset: Mapping[str, Any] | None = None
    """uri, version, rows, sha256."""
    test_set: Mapping[str, Any] | None = None
    """uri, version, rows, sha256, and `origin`: "dropped" or "split off"."""
    findings: Sequence[Mapping[str, Any]] = ()
    """Of the dataset: rule, severity ("error", "warning", "note"), file, line, message, hint."""
    rehearsal: Mapping[str, Any] | None = None
    """prompts, samples, mean_reward, groups_with_signal, grader_errors, truncated, reference_reward, latency_p50,
    latency_p99 and findings (rule, severity, message, advice)."""

    training: Mapping[str, Any] | None = None
    """job_id, steps, total_steps, reward_first, reward_last; metrics: the series, one mapping a step with the service's
    own keys (step, critic_rewards_mean, actor_entropy, actor_grad_norm, response_length_mean, ...); health: what was
    noticed while it trained (step, rule, severity, message, advice)."""

    evaluation: Mapping[str, Any] | None = None
    """What `evaluation.verdict.evaluate` made."""
    flips: Mapping[str, Any] | None = None
    """What `reporting.flips.Flips.to_json` made."""

    promotion: Mapping[str, Any] | None = None
    """What `run.promotion.standing` says of it: wanted, done, why_not, parameter, approval, decisions."""

    cost: Mapping[str, Any] = field(default_factory=dict)
    """Money and what it was for, where the recipe gives prices: name to value, shown as they are."""
    code_version: str = ""
    seeds: Mapping[str, int] = field(default_factory=dict)
