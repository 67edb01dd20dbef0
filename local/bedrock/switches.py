"""Every behaviour of the service that is not confirmed, every fault, and the pace: one table of named switches.

A switch's default is what AWS's documents and published runs make most likely. `python -m local.bedrock
--list-switches` prints the table; `--switch NAME=VALUE` sets one at the start, `POST /_simulation/switches` while it
runs.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, get_args, get_origin, get_type_hints

from local.bedrock.fault_plan import FaultPlanInvalid, parse_plan


class SwitchInvalid(ValueError):
    """A switch that does not exist, or a value that it does not take."""


def _switch(default: Any, sentence: str) -> Any:
    return dataclasses.field(default=default, metadata={"sentence": sentence})


@dataclasses.dataclass
class Switches:
    """The table. Numbers are not negative; a `Literal` lists the allowed values."""

    # What is not confirmed: files
    file_status_after_upload: Literal["processed", "uploaded"] = _switch(
        "processed", "Status of a file in the answer to its upload; `uploaded` turns `processed` on the next read."
    )
    file_content_download: bool = _switch(False, "GET /v1/files/{id}/content gives the bytes; else 404.")

    # What is not confirmed: creating jobs
    suffix: Literal["refuse", "ignore"] = _switch("refuse", "What a `suffix` in the create request meets.")
    unknown_hyperparameters: Literal["refuse", "ignore"] = _switch(
        "refuse", "What a hyperparameter other than the three documented ones meets."
    )
    auto_hyperparameters: Literal["refuse", "accept"] = _switch(
        "refuse", "What the literal `auto` meets as a hyperparameter; accepted, it means the default."
    )
    unknown_parameters: Literal["refuse", "ignore"] = _switch(
        "refuse", "What a field that no documentation names meets in the body of a request for a job or an answer."
    )
    validation_file: Literal["accept", "refuse"] = _switch(
        "accept", "What a `validation_file` meets; accepted, it takes the place of the hold-out."
    )
    short_model_names: Literal["accept", "refuse"] = _switch(
        "accept", "Whether the runtime's id `qwen.qwen3-32b-v1:0` is accepted beside `qwen.qwen3-32b`."
    )
    echo_method: bool = _switch(True, "Job objects echo the request's `method`.")
    grader_checked_at_creation: bool = _switch(
        False, "A job whose grader function does not exist is refused at creation; else the job fails when it runs."
    )
    concurrent_jobs: int = _switch(0, "Jobs that train at once, the others stay queued; 0: no limit.")
    jobs_quota: int = _switch(
        0, "Jobs that have not ended, of either API; another one is refused: 429, or ServiceQuotaExceeded. 0: no quota."
    )

    # What is not confirmed: jobs, lists, events, checkpoints
    cancel_ended_job: Literal["refuse", "answer"] = _switch(
        "refuse", "Cancelling a job that has ended: 400, or the job as it is."
    )
    pause_and_resume: Literal["absent", "accept"] = _switch(
        "absent", "POST …/pause and …/resume: 404, or the job unchanged."
    )
    list_lag_seconds: float = _switch(0.0, "Lists show files and jobs as they were so many seconds ago.")
    list_lag_calls: int = _switch(0, "A new file or job shows only after so many calls of its list.")
    page_cap: int = _switch(0, "The most entries of a page, whatever `limit` asks; 0: no cap.")
    early_checkpoints: Literal["empty", "400", "404"] = _switch(
        "empty", "What the list of a job's checkpoints meets early: the list as it is, or a refusal."
    )
    early_events: Literal["empty", "400", "404"] = _switch("empty", "As early_checkpoints, for a job's events.")
    early_until: Literal["start", "first"] = _switch(
        "start", "How long it is early: until the training starts, or until the list has its first entry."
    )
    file_list_query: Literal["accept", "refuse"] = _switch(
        "accept", "What `order`, `limit` and `after` meet in GET /v1/files, of which AWS documents `purpose` alone."
    )
    event_order: Literal["newest_first", "oldest_first"] = _switch("newest_first", "Order of a job's events.")
    checkpoint_every: int = _switch(20, "Steps between checkpoints; the last step has one whatever this says.")
    tuned_model_id: Literal["plain", "colons", "arn"] = _switch("plain", "Form of a tuned model's id.")
    tuned_models_listed: bool = _switch(True, "GET /v1/models lists tuned models too.")
    model_deletion: bool = _switch(False, "DELETE /v1/models/{id} deletes a tuned model; else 404.")

    # What is not confirmed: training and the grader's batch
    holdout: Literal["tenth", "none"] = _switch(
        "tenth", "Rows that are not trained on where no validation file is given."
    )
    group_size: int = _switch(8, "Rollouts of one prompt.")
    rollout_max_tokens: int = _switch(1024, "Longest rollout in tokens; longer ones are cut.")
    job_seed: int = _switch(0, "Seed of a job whose request names none: hold-out, order, rollouts.")
    grader_invoked_as: Literal["creator", "service"] = _switch(
        "creator", "With whose rights the grader is invoked: those of the job's creator, or Bedrock's as a service."
    )
    grader_layout: Literal["toplevel", "metadata", "both"] = _switch(
        "toplevel", "Where the grader's batch has `reference_answer` and the row's other fields."
    )
    grader_wraps_strings: bool = _switch(True, 'A string reference reaches the grader as {"text": …}.')
    grader_answer_role: Literal["assistant", "nova_assistant"] = _switch("assistant", "Role of the answer's turn.")
    grader_content: Literal["string", "parts"] = _switch("string", "Content of the answer's turn: text or text parts.")
    grader_reasoning: Literal["none", "field", "parts", "inline", "think", "closing", "harmony", "plain_harmony"] = (
        _switch(
            "none",
            "Where the grader sees reasoning: nowhere; in `reasoning_content`; in a part of its own; or before the "
            "answer: in `<reasoning>` (inline), in `<think>`, with `</think>` alone behind it, or in harmony's "
            "channels, with or without their special tokens.",
        )
    )
    grader_tool_calls: Literal["beside", "content"] = _switch(
        "beside",
        "Where the grader sees the calls of a row with `tools`: in the turn's `tool_calls`, or as its content.",
    )
    grader_ids: Literal["unique", "row"] = _switch(
        "unique", "Ids in the grader's batch: one a rollout, or the row's own, repeated in its group."
    )
    grader_batch_size: int = _switch(32, "Rollouts of one invocation of the grader.")
    grader_concurrency: int = _switch(4, "Invocations of the grader at once.")
    grader_retries: int = _switch(3, "Retries of a failed invocation before the job fails.")
    grader_backoff_seconds: float = _switch(0.5, "Wait before the first retry; doubles each time.")
    reward_range: Literal["any", "unit"] = _switch("any", "Whether rewards outside 0 to 1 are bad output.")

    # What is not confirmed: keys and inference
    long_term_keys: Literal["accept", "refuse"] = _switch("accept", "What a long-term key (`ABSK…`) meets.")
    chat_reasoning: Literal["none", "field", "inline", "think"] = _switch(
        "none",
        "Where chat completions carry reasoning: those of gpt-oss in `reasoning_content`, or before the answer in "
        "`<reasoning>` (inline); those of every model before the answer in `<think>`.",
    )
    responses_reasoning: Literal["item", "inline", "think", "none"] = _switch(
        "item",
        "Where the Responses API carries reasoning: that of gpt-oss in an item of its own, or before the answer in "
        "`<reasoning>` (inline); that of every model before the answer in `<think>`.",
    )
    qwen_streams_responses: bool = _switch(False, "Qwen models stream by the Responses API; else 400.")
    completions: bool = _switch(True, "POST /v1/completions is there; else 404.")

    # What is not confirmed: the native path (Nova)
    converse_reasoning: Literal["redacted", "text", "inline", "none"] = _switch(
        "redacted",
        "How Converse and InvokeModel show the thoughts that a request turned on: as the block `[REDACTED]`, which is "
        "documented; with their text in the block, or before the answer in `<thinking>` (inline).",
    )
    nova_validation_data: Literal["accept", "refuse"] = _switch("accept", "What `validationDataConfig` meets.")
    nova_grader_layout: Literal["toplevel", "metadata", "both"] = _switch("toplevel", "As grader_layout, for Nova.")
    nova_grader_wraps_strings: bool = _switch(False, "As grader_wraps_strings, for Nova.")
    legacy_models: str = _switch(
        "", "Base models that are legacy, by their ids with commas; GetFoundationModel says so."
    )
    nova_status_details: bool = _switch(True, "`statusDetails` in a reinforcement fine-tuning job.")
    nova_stopping_seconds: float = _switch(0.2, "How long a job that is being stopped is `Stopping`.")
    nova_deployments_fail: bool = _switch(False, "Deployments end as `Failed`.")
    nova_concurrent_deployments: int = _switch(2, "Deployments being created at once; more are refused.")

    # The simulated judge
    judge_error_share: float = _switch(0.05, "Share of the simulated judge's judgements that are mistaken.")
    judge_lenient_share: float = _switch(
        0.5, "Share of its mistaken judgements that give the best score; the others give the worst."
    )

    tokens_per_minute: int = _switch(
        0, "Quota of inference in tokens, prompt and max_tokens together; beyond it 429. 0: none."
    )

    # Pace, in seconds
    validating_seconds: float = _switch(0.5, "How long a job is `validating_files`.")
    queued_seconds: float = _switch(0.5, "How long a job is `queued`.")
    step_seconds: float = _switch(0.1, "Least duration of one training step.")
    deploying_seconds: float = _switch(1.0, "How long a Nova deployment is `Creating`.")
    inference_seconds: float = _switch(0.0, "How long an answer of a model takes.")
    stream_piece_seconds: float = _switch(0.0, "Time between two pieces of a streamed answer.")

    # Faults
    fault_plan: str = _switch(
        "",
        "Planned faults, comma separated: ACTION:before|after:KIND[:TIMES]. ACTION is an IAM action name or `*`; KIND "
        "is 429, 500, 503, reset, hang, cut or malformed; `after` means that the side effect was made. TIMES: 1.",
    )
    fault_actions: str = _switch(
        "*", "Actions that the shares below afflict: IAM action names, comma separated, or `*`."
    )
    throttle_share: float = _switch(0.0, "Share of requests that are answered with 429.")
    error_share: float = _switch(0.0, "Share of requests that are answered with 500.")
    reset_share: float = _switch(0.0, "Share of requests whose connection is reset.")
    malformed_share: float = _switch(0.0, "Share of requests whose answer is broken JSON.")
    slow_share: float = _switch(0.0, "Share of requests that are held back for slow_seconds.")
    slow_seconds: float = _switch(1.0, "How long a slow request is held back.")
    latency_seconds: float = _switch(0.0, "Time added to every request.")
    hang_seconds: float = _switch(30.0, "How long a hanging request is held before its connection is reset.")
    denied_actions: str = _switch("", "IAM action names, comma separated, that are denied with 403.")
    keys_expired: bool = _switch(False, "Every key counts as expired.")

    def set(self, name: str, value: object) -> None:
        """Set one switch from text or a JSON value. Raises SwitchInvalid, naming what is allowed."""
        if name not in _FIELDS:
            raise SwitchInvalid(f"there is no switch {name!r}; --list-switches prints those that there are")
        setattr(self, name, _parse(name, value))

    def to_json(self) -> dict[str, Any]:
        """Name → value of every switch."""
        return dataclasses.asdict(self)


def table() -> list[dict[str, Any]]:
    """Every switch: name, default, allowed values, its sentence."""
    return [
        {
            "name": name,
            "default": field.default,
            "allowed": _allowed(name),
            "sentence": field.metadata["sentence"],
        }
        for name, field in _FIELDS.items()
    ]


_FIELDS = {field.name: field for field in dataclasses.fields(Switches)}
_TYPES = get_type_hints(Switches)
_AT_LEAST_ONE = {"group_size", "grader_batch_size", "grader_concurrency", "checkpoint_every", "rollout_max_tokens"}


def _allowed(name: str) -> str:
    kind = _TYPES[name]
    if get_origin(kind) is Literal:
        return " | ".join(get_args(kind))
    if name.endswith("_share"):
        return "0 to 1"
    if kind is int and name in _AT_LEAST_ONE:
        return "a whole number from 1"
    return {bool: "true | false", int: "a whole number from 0", float: "a number from 0", str: "text"}[kind]


def _parse(name: str, value: object) -> object:
    kind = _TYPES[name]
    text = value.strip() if isinstance(value, str) else str(value)
    if get_origin(kind) is Literal:
        if text in get_args(kind):
            return text
    elif kind is bool:
        if text.lower() in ("true", "on", "yes", "1", "false", "off", "no", "0"):
            return text.lower() in ("true", "on", "yes", "1")
    elif kind is str:
        if name == "fault_plan":
            try:
                parse_plan(text)
            except FaultPlanInvalid as problem:
                raise SwitchInvalid(f"switch {name}: {problem}") from problem
        return text
    else:
        try:
            number = int(text) if kind is int else float(text)
        except ValueError:
            number = -1
        largest = 1.0 if name.endswith("_share") else float("inf")
        if (1 if name in _AT_LEAST_ONE else 0) <= number <= largest and number != float("inf"):
            return number
    raise SwitchInvalid(f"switch {name}: expected {_allowed(name)}, got {value!r}")
