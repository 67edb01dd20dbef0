"""A state machine's executions: how they begin, how they end, and what is told of that."""

from __future__ import annotations

import datetime
import json
import threading
import uuid
from collections import defaultdict
from typing import Any

import moto.stepfunctions.parser.asl.eval.environment
import moto.stepfunctions.parser.backend.execution
import moto.stepfunctions.parser.backend.execution_worker
import moto.stepfunctions.parser.models
import moto.stepfunctions.responses
from moto.core.responses import ActionResult
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped, ProgramTimedOut

from embedded_aws.moto_patches.hooks import Hooks
from embedded_aws.moto_patches.replacement import Replace


def name_unnamed(replace: Replace) -> None:
    """StartExecution without a name makes an execution called "None" in moto; AWS makes up a UUID. Of two starts
    with one name at the same moment moto makes two executions, AWS one."""
    backend = moto.stepfunctions.parser.models.StepFunctionsParserBackend
    locks: defaultdict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)

    def start(self: Any, state_machine_arn: str, name: str | None = None, *args: Any, **kwargs: Any) -> Any:
        if not name:
            return original(self, state_machine_arn, str(uuid.uuid4()), *args, **kwargs)
        with locks[state_machine_arn, name]:
            return original(self, state_machine_arn, name, *args, **kwargs)

    original = replace(backend, "start_execution", start)


def end_at_once(replace: Replace, hooks: Hooks) -> None:
    """In moto a stopped execution stays RUNNING until its current task returns, one that has only just started
    cannot be stopped and has no status at first, which breaks ListExecutions, and no status change is told to anyone.
    AWS ends it at once and sends an event (docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html).
    """
    changed = hooks.execution_changed
    lock = threading.RLock()
    execution_class = moto.stepfunctions.parser.backend.execution.Execution
    worker_class = moto.stepfunctions.parser.backend.execution_worker.ExecutionWorker
    communication = moto.stepfunctions.parser.backend.execution.BaseExecutionWorkerCommunication

    def environment_of(worker: Any) -> Any:
        with lock:  # made once, by whoever asks first: the machine's thread or StopExecution
            if worker.env is None:
                worker.env = make_environment(worker)
            return worker.env

    make_environment = replace(worker_class, "_get_evaluation_environment", environment_of)

    def make(execution: Any, *args: Any, **kwargs: Any) -> None:
        make_execution(execution, *args, **kwargs)
        execution.exec_worker = execution._get_start_execution_worker()
        execution.exec_status = ExecutionStatus.RUNNING

    make_execution = replace(execution_class, "__init__", make)

    def start(execution: Any) -> None:
        changed(execution)  # before the machine's thread can end it
        execution.exec_worker.start()

    replace(execution_class, "start", start)

    def stop(execution: Any, _: Any, error: str | None, cause: str | None) -> None:
        with lock:
            if execution.exec_status != ExecutionStatus.RUNNING:
                return
            execution.exec_status = ExecutionStatus.ABORTED
            execution.stop_date = datetime.datetime.now(tz=datetime.UTC)
            execution.error, execution.cause = error or None, cause or None
        environment = environment_of(execution.exec_worker)
        if environment.program_state() is None:  # not begun yet: nothing of it must run
            environment._program_state = ProgramStopped(execution.stop_date, error, cause)
        else:
            environment.set_stop(stop_date=execution.stop_date, error=error, cause=cause)
        changed(execution)

    replace(execution_class, "stop", stop)

    def terminated(worker: Any) -> None:
        with lock:
            if worker.execution.exec_status != ExecutionStatus.RUNNING:
                return
            worker._reflect_execution_status()
        changed(worker.execution)

    replace(communication, "terminated", terminated)


def keep_ended(replace: Replace) -> None:
    """In moto the error of a task that comes back late replaces a stop or a timeout, and an execution that is
    stopped before it has begun breaks its thread."""
    environment_class = moto.stepfunctions.parser.asl.eval.environment.Environment

    def set_error(environment: Any, error: Any) -> None:
        if not isinstance(environment._program_state, ProgramStopped | ProgramTimedOut):
            original_set_error(environment, error)

    original_set_error = replace(environment_class, "set_error", set_error)

    def evaluate(program: Any, environment: Any) -> None:
        try:
            original_evaluate(program, environment)
        except RuntimeError:  # it cannot begin when it has been stopped already
            if not isinstance(environment._program_state, ProgramStopped):
                raise

    original_evaluate = replace(Program, "eval", evaluate)


def stop_for_a_reason(replace: Replace) -> None:
    """moto's StopExecution drops error and cause."""

    def stop_execution(response: Any) -> ActionResult:
        backend = response.stepfunction_backend
        execution = backend.describe_execution(response._get_param("executionArn"))
        execution.stop(None, response._get_param("error"), response._get_param("cause"))
        return ActionResult({"stopDate": execution.stop_date})

    replace(moto.stepfunctions.responses.StepFunctionResponse, "stop_execution", stop_execution)


def describe_ends(replace: Replace) -> None:
    """moto's DescribeExecution gives a text as output without its quotes, no output for null, and no stopDate for
    what timed out (docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html)."""

    def describe(response: Any) -> ActionResult:
        result: ActionResult = original(response)
        fields: Any = result.result
        execution = response.stepfunction_backend.describe_execution(response._get_param("executionArn"))
        if execution.exec_status != ExecutionStatus.RUNNING:
            fields["stopDate"] = execution.stop_date
        if execution.exec_status == ExecutionStatus.SUCCEEDED:
            fields["output"] = json.dumps(execution.output)
        return result

    original = replace(moto.stepfunctions.responses.StepFunctionResponse, "describe_execution", describe)
