"""All changes to moto, in the order in which they are made."""

from __future__ import annotations

from embedded_aws.moto_patches import (
    alarms,
    calls,
    cloudformation,
    dynamodb,
    events,
    execution_limits,
    executions,
    expressions,
    functions,
    iam,
    maps,
    remembered,
    request_limits,
    s3,
    sns,
    tasks,
    waits,
)
from embedded_aws.moto_patches.hooks import Hooks
from embedded_aws.moto_patches.replacement import Replacements


class Patches:
    """Applies the changes and undoes them."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self._replacements = Replacements()

    def apply(self) -> None:
        replace, hooks = self._replacements.replace, self._hooks
        expressions.bring_evaluator(replace)
        expressions.escape_variables(replace)
        expressions.name_failures(replace)
        executions.name_unnamed(replace)
        execution_limits.limit_payloads(replace)
        execution_limits.limit_failures(replace)
        execution_limits.limit_history(replace)
        executions.end_at_once(replace, hooks)
        executions.keep_ended(replace)
        executions.stop_for_a_reason(replace)
        execution_limits.limit_requests(replace)
        waits.wait_for_retries(replace, hooks)
        waits.shorten_waits(replace, hooks)
        executions.describe_ends(replace)
        tasks.call_as_the_machines_role(replace, hooks)
        tasks.call_apis(replace, hooks)
        maps.name_reader_failures(replace)
        maps.fail_by_one_name(replace)
        maps.start_children_as_the_machines_role(replace, hooks)
        functions.run(replace, hooks)
        functions.keep_logging_config(replace)
        events.deliver_object_events(replace, hooks)
        events.deliver_rule_events(replace, hooks)
        request_limits.limit_messages(replace)
        request_limits.limit_events(replace)
        request_limits.limit_parameters(replace)
        request_limits.limit_functions(replace)
        sns.refuse_what_aws_refuses(replace)
        sns.send_mail(replace, hooks)
        sns.ask_subscribers(replace, hooks)
        sns.sign_the_subject(replace)
        alarms.tell_topics(replace, hooks)
        s3.check_forms(replace, hooks)
        s3.check_links(replace, hooks)
        s3.leave_policies_to_permissions(replace)
        s3.read_parts_alone(replace)
        s3.take_any_key(replace)
        cloudformation.tell_of_stacks(replace, hooks)
        cloudformation.deploy_stacks(replace, hooks)
        dynamodb.refuse_what_aws_refuses(replace)
        dynamodb.make_atomic(replace)
        dynamodb.send_values_as_they_are(replace)
        iam.know_managed_policies(replace)
        remembered.services_of_hosts(replace)
        remembered.syntax_of_machines(replace)
        remembered.addresses_of_s3(replace)
        calls.watch(replace, hooks)  # last: it sees a call before any other change does

    def undo(self) -> None:
        self._replacements.undo()
