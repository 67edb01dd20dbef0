"""What moto works out anew each time, though it never changes: remembered, so that calls and executions cost less."""

from __future__ import annotations

from typing import Any

import moto.s3.urls
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.s3.models import S3Backend
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

from embedded_aws.moto_patches.replacement import Replace

MOST_DEFINITIONS = 64


def services_of_hosts(replace: Replace) -> None:
    """moto lists its folders, then tries the patterns of all services, for each request."""
    known: dict[str | None, Any] = {}

    def service_of(dispatcher: Any, host: str | None) -> Any:
        if host not in known:
            known[host] = original(dispatcher, host)
        return known[host]

    original = replace(DomainDispatcherApplication, "get_backend_for_host", service_of)


def addresses_of_s3(replace: Replace) -> None:
    """moto loads its module of S3's addresses again for each request, since an environment variable may add some. The
    embedded AWS sets none."""
    replace(S3Backend, "_url_module", property(lambda _: moto.s3.urls))


def syntax_of_machines(replace: Replace) -> None:
    """moto parses a machine's definition again for each execution. The syntax tree is only read; what an execution
    changes is made from it anew each time."""
    trees: dict[str, Any] = {}

    def parse(definition: str) -> tuple[Any, Any]:
        if tree := trees.get(definition):
            return Preprocessor().visit(tree), tree
        program, tree = original(definition)
        if len(trees) >= MOST_DEFINITIONS:
            trees.clear()
        trees[definition] = tree
        return program, tree

    original = replace(AmazonStateLanguageParser, "parse", staticmethod(parse))
