"""CloudFormation's answers about a stack that our own deployer has deployed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult, EmptyResult

from embedded_aws.deployed_stack import PAGE, DeployedStack
from embedded_aws.moto_patches.hooks import Hooks
from embedded_aws.moto_patches.replacement import Replace

_CHANGES = ("update_stack", "delete_stack", "create_change_set")


def tell_of_stacks(replace: Replace, hooks: Hooks) -> None:
    """moto's CloudFormation knows only what it has created itself, which leaves out half of a template's resources:
    the deployer is ours, and so is what is told of its stacks."""

    def tell(action: str, answer: Callable[[Any, DeployedStack], Mapping[str, Any]]) -> None:
        def respond(response: Any) -> ActionResult:
            stack = _named(response, hooks.stacks())
            result: ActionResult = original(response) if stack is None else ActionResult(answer(response, stack))
            return result

        original = replace(CloudFormationResponse, action, respond)

    tell("describe_stack_resource", _resource)
    tell("list_stack_resources", _page_of_resources)
    tell("describe_stack_events", lambda _, stack: {"StackEvents": stack.events()})
    tell("get_template", _template)
    tell("get_template_summary", _summary)
    for action in _CHANGES:
        tell(action, _refuse)

    def describe_stacks(response: Any) -> ActionResult:
        stack = _named(response, hooks.stacks())
        if stack is not None:
            return ActionResult({"Stacks": [stack.describe()]})
        result: ActionResult = original_describe(response)
        if response._get_param("StackName") is None:
            _extend(result, "Stacks", [each.describe() for each in hooks.stacks().values()])
        return result

    def list_stacks(response: Any) -> ActionResult:
        result: ActionResult = original_list(response)
        wanted = response._get_param("StackStatusFilter") or []
        ours = [stack.summary() for stack in hooks.stacks().values() if not wanted or stack.status in wanted]
        _extend(result, "StackSummaries", ours)
        return result

    def describe_resources(response: Any) -> ActionResult:
        physical_id = response._get_param("PhysicalResourceId")
        stack = _named(response, hooks.stacks())
        if stack is None and physical_id:
            stack = next(
                (each for each in hooks.stacks().values() if any(r.physical_id == physical_id for r in each.resources)),
                None,
            )
        if stack is None:
            result: ActionResult = original_resources(response)
            return result
        wanted = response._get_param("LogicalResourceId")
        found = [each for each in stack.resources if not wanted or each.logical_id == wanted]
        return ActionResult({"StackResources": [stack.resource_description(each) for each in found[:PAGE]]})

    original_describe = replace(CloudFormationResponse, "describe_stacks", describe_stacks)
    original_list = replace(CloudFormationResponse, "list_stacks", list_stacks)
    original_resources = replace(CloudFormationResponse, "describe_stack_resources", describe_resources)


def deploy_stacks(replace: Replace, hooks: Hooks) -> None:
    """A stack that CreateStack or a change set asks for is deployed by our deployer too: whole, or with the reason why
    not. `aws cloudformation deploy` makes a change set and executes it."""

    def create_stack(response: Any) -> ActionResult:
        named = _named(response, hooks.stacks())
        if named is not None:
            _refuse(response, named)
        url = response._get_param("TemplateURL")
        template = response._get_stack_from_s3_url(url) if url else response._get_param("TemplateBody")
        parameters = response._get_params_from_list(response._get_param("Parameters", []))
        return ActionResult({"StackId": made(response._get_param("StackName"), template, parameters).stack_id})

    def execute_change_set(response: Any) -> ActionResult:
        backend, wanted = response.cloudformation_backend, response._get_param("ChangeSetName")
        found = [each for each in backend.change_sets.values() if wanted in (each.change_set_id, each.change_set_name)]
        if not found:
            raise ValidationError(message=f"ChangeSet [{wanted}] does not exist")
        change_set = found[0]
        # moto keeps a stack of its own for it, which would be listed beside ours.
        backend.stacks.pop(change_set.stack.stack_id, None)
        made(change_set.stack.name, change_set.template, change_set.parameters)
        del backend.change_sets[change_set.change_set_id]
        return EmptyResult()

    def made(name: str, template: str, parameters: Mapping[str, str]) -> DeployedStack:
        try:
            return hooks.deploy(name, template, parameters)
        except ValueError as error:
            raise ValidationError(message=str(error)) from None

    replace(CloudFormationResponse, "create_stack", create_stack)
    replace(CloudFormationResponse, "execute_change_set", execute_change_set)


def _named(response: Any, stacks: Mapping[str, DeployedStack]) -> DeployedStack | None:
    """The stack of ours whose name or id the request gives."""
    wanted = response._get_param("StackName")
    return next((stack for stack in stacks.values() if wanted in (stack.name, stack.stack_id)), None)


def _extend(result: ActionResult, field: str, ours: list[dict[str, Any]]) -> None:
    fields: Any = result.result
    fields[field] = [*fields[field], *ours]


def _resource(response: Any, stack: DeployedStack) -> Mapping[str, Any]:
    wanted = response._get_param("LogicalResourceId")
    for resource in stack.resources:
        if resource.logical_id == wanted:
            return {"StackResourceDetail": stack.resource_detail(resource)}
    raise ValidationError(message=f"Resource {wanted} does not exist for stack {stack.name}")


def _page_of_resources(response: Any, stack: DeployedStack) -> Mapping[str, Any]:
    token = response._get_param("NextToken") or "0"
    if not token.isdecimal():
        raise ValidationError(message="NextToken is invalid")
    begin, resources = int(token), stack.resources
    page = {"StackResourceSummaries": [stack.resource_summary(each) for each in resources[begin : begin + PAGE]]}
    return {**page, "NextToken": str(begin + PAGE)} if begin + PAGE < len(resources) else page


def _template(response: Any, stack: DeployedStack) -> Mapping[str, Any]:
    stage = response._get_param("TemplateStage") or "Original"
    return {"TemplateBody": stack.template(stage), "StagesAvailable": ["Original", "Processed"]}


def _summary(_: Any, stack: DeployedStack) -> Mapping[str, Any]:
    """What `aws cloudformation deploy` asks of a stack that is there already."""
    kinds = {each["Type"] for each in stack.processed["Resources"].values()}
    return {"Parameters": [{"ParameterKey": name} for name in stack.parameters], "ResourceTypes": sorted(kinds)}


def _refuse(_: Any, stack: DeployedStack) -> Mapping[str, Any]:
    raise ValidationError(
        message=f"The stack {stack.name} of this machine is not changed through CloudFormation: it begins and ends "
        "with its process. Deploy the other template or parameters under another name, or start the process again."
    )
