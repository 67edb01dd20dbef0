"""Starting the application on this machine, and saying what that is."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from local.command import places
from local.command.exits import CommandError
from local.command.language_model import told
from local.command.views import View

if TYPE_CHECKING:
    from local.bedrock.handle import LanguageModelHere
    from local.stack import LocalStack

REFUSED = "Refused, as AWS would do, because a permission is missing:"

SIMULATED = "The training and the model are simulated; no AWS account is used and nothing is charged."


@contextmanager
def running_stack(
    view: View,
    *,
    region: str,
    own_graders: Sequence[Path] = (),
    parameters: Mapping[str, str] | None = None,
    language_model: LanguageModelHere | None = None,
    switches: Mapping[str, object] | None = None,
) -> Iterator[LocalStack]:
    """A local stack of its own folder; everything that it started ends with the context.

    It has the graders of the project's folder `graders/` and of the files `own_graders`. `language_model` answers and
    is trained in place of the simulation; `switches` are the local Bedrock's. At the end it tells each call that the
    template's roles and policies did not allow.

    Raises:
        CommandError: this machine is not set up for it.
    """
    view.tell("Starting Tunedrop on this machine ...")
    # Here, not above: it takes two seconds, in which a user should have seen that something happens.
    from local.stack import LAYERS, LocalStack
    from tunedrop.graders.own_file import files_in

    dependencies = LAYERS["DependenciesLayer"]
    if not dependencies.is_dir():
        raise CommandError(f"the functions' packages are not in {places.shown(dependencies)}; run `make install`")
    if language_model is not None:
        view.tell(f"Loading the weights {language_model.weights}; the first time takes a minute ...")
    began = time.monotonic()
    graders = (*files_in(places.OWN_GRADERS), *own_graders)
    with LocalStack(
        region=region,
        folder=places.new_stack_folder(),
        parameters=parameters,
        own_graders=graders,
        language_model=language_model,
        switches=switches,
    ) as stack:
        weights = stack.bedrock.weights
        who = SIMULATED if weights is None else told(weights)
        view.tell(f"Deployed template.yaml as in {region}, in {time.monotonic() - began:.1f} s. {who}")
        try:
            yield stack
        finally:
            for each in dict.fromkeys(stack.refused):
                view.tell(f"{REFUSED} {each}")
