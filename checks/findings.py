"""What checkov finds in the template, against the findings that are accepted, each with its reason.

python -m checks.findings CHECKOV       fails for any other finding, and for an accepted one that is gone (`make audit`)

CHECKOV is the program; it lives in an environment of its own (requirements/audit.in).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from checks import sam_template


class Accepted(NamedTuple):
    """A finding that is accepted wherever it comes up in resources of a type."""

    check: str
    """checkov's id: https://www.checkov.io/5.Policy%20Index/cloudformation.html"""
    resources: str
    """The type of the resources."""
    asks_for: str
    why: str


ACCEPTED = (
    Accepted(
        "CKV_AWS_115",
        "AWS::Lambda::Function",
        "a limit of concurrency for each function",
        "A reservation takes its number away from all other functions of the account, whether it is used or not. The "
        "Distributed Map, the API's throttle and the sampling's own pace limit what runs at once.",
    ),
    Accepted(
        "CKV_AWS_116",
        "AWS::Lambda::Function",
        "a dead-letter queue for each function",
        "Such a queue serves asynchronous calls. Step Functions, Bedrock and API Gateway call synchronously. Events "
        "that EventBridge cannot deliver go to the queue of its rule. If a validation dies, the API says so.",
    ),
    Accepted(
        "CKV_AWS_117",
        "AWS::Lambda::Function",
        "a VPC for each function",
        "The functions call only AWS's own endpoints, with TLS. A VPC would need endpoints that are paid by the hour,"
        " and would protect no better. The code grader needs no network, and its sandbox has none.",
    ),
    Accepted(
        "CKV_AWS_173",
        "AWS::Lambda::Function",
        "a key of one's own for environment variables",
        "They hold names and numbers; Lambda encrypts them with its own key. A long-term API key is in a separate "
        "secret, and the environment has only its ARN.",
    ),
    Accepted(
        "CKV_AWS_18",
        "AWS::S3::Bucket",
        "access logs of each bucket",
        "They need another bucket, which nobody reads. CloudTrail's data events give the same information; the owner "
        "of the account decides whether to record them, for all buckets.",
    ),
    Accepted(
        "CKV_AWS_76",
        "AWS::ApiGateway::Stage",
        "access logs of the API",
        "They need a role that is set for the whole account and Region, and a stack must not change that. The "
        "function logs each request with its caller.",
    ),
    Accepted(
        "CKV_AWS_120",
        "AWS::ApiGateway::Stage",
        "a cache for the API",
        "A run's state changes by the minute, answers differ by caller, and a cache is billed by the hour.",
    ),
)


class Finding(NamedTuple):
    """One failed check at one resource (`AWS::S3::Bucket.RunsBucket`)."""

    check: str
    resource: str
    name: str


def by_default(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template with every Fn::If decided as the parameters' defaults decide it: checkov reads none.

    Raises ValueError for a condition that is more than Equals, Not, Join and Ref.
    """
    defaults = {name: each.get("Default") for name, each in template["Parameters"].items()}

    def value(of: Any) -> Any:
        match of:
            case {"Fn::Equals": [one, other]}:
                return value(one) == value(other)
            case {"Fn::Not": [inner]}:
                return not value(inner)
            case {"Fn::Join": [text, inner]}:
                joined = value(inner)
                return text.join(joined.split(",") if isinstance(joined, str) else map(value, joined))
            case {"Ref": str(name)}:
                told = defaults[name]
                return str(told) if isinstance(told, int) else told  # CloudFormation compares texts
            case str():
                return of
        raise ValueError(f"a condition has {of}; Equals, Not, Join and Ref are understood")

    decided = {name: value(condition) for name, condition in template.get("Conditions", {}).items()}

    def chosen(of: Any) -> Any:
        match of:
            case {"Fn::If": [str(name), then, otherwise]}:
                return chosen(then if decided[name] else otherwise)
            case dict():
                inner = {name: chosen(each) for name, each in of.items()}
                return {name: each for name, each in inner.items() if each != {"Ref": "AWS::NoValue"}}
            case list():
                return [each for each in map(chosen, of) if each != {"Ref": "AWS::NoValue"}]
        return of

    resources = {
        name: each for name, each in template["Resources"].items() if decided.get(each.get("Condition", ""), True)
    }
    return {**template, "Resources": chosen(resources)}


def found(checkov: str, template: Mapping[str, Any]) -> list[Finding]:
    """The failed checks of a CloudFormation template.

    Raises RuntimeError when checkov could not look at it.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.json"
        path.write_text(json.dumps(template))
        words = [checkov, "--file", str(path), "--framework", "cloudformation", "--compact", "--quiet"]
        words += ["--skip-download", "--output", "json"]
        ended = subprocess.run(words, capture_output=True, text=True, check=False)
    try:
        told = json.loads(ended.stdout)
        errors, failed = told["summary"]["parsing_errors"], told["results"]["failed_checks"]
    except (ValueError, KeyError, TypeError) as error:
        raise RuntimeError(f"{checkov} looked at nothing: {ended.stderr or ended.stdout}") from error
    if errors:
        raise RuntimeError(f"{checkov} could not read the template: {told['results']['parsing_errors']}")
    return [Finding(each["check_id"], each["resource"], each["check_name"]) for each in failed]


def faults(findings: Iterable[Finding], accepted: Iterable[Accepted] = ACCEPTED) -> list[str]:
    """A line for each finding that is not accepted, and for each accepted one that nothing has any more."""
    unused = {(each.check, each.resources) for each in accepted}
    known = frozenset(unused)
    lines = []
    for each in findings:
        place = (each.check, each.resource.rsplit(".", 1)[0])
        if place in known:
            unused.discard(place)
        else:
            lines.append(f"{each.check} at {each.resource}: {each.name}. Fix it, or accept it with a reason.")
    lines += [
        f"{check} is accepted for {kind}, but checkov does not find it there: remove it."
        for check, kind in sorted(unused)
    ]
    return lines


def main(checkov: str) -> int:
    """Print what is wrong; 1 when something is."""
    template = by_default(sam_template.translate(sam_template.read()))
    wrong = faults(found(checkov, template))
    for line in wrong:
        sys.stderr.write(f"{line}\n")
    sys.stdout.write(f"checkov: {len(wrong)} findings beside the {len(ACCEPTED)} accepted kinds of docs/security.md\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
