"""The tags of a job and its model: run, team and labels, within what AWS takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from botocore.session import get_session
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from local.bedrock.native.tags import check_tags
from tests.unit.notices.notices_of_all_kinds import RUN
from tunedrop.run.record import RunRecord
from tunedrop.training.tags import tags_of

OPERATION = get_session().get_service_model("bedrock").operation_model("CreateModelCustomizationJob")


def labelled(labels: dict[str, str]) -> RunRecord:
    return replace(RUN, recipe_document={"labels": labels})


def test_a_job_is_tagged_with_its_run_its_team_and_its_labels() -> None:
    record = labelled({"cost-centre": "4711", "aws:x": "no", "tunedrop:team": "others", "née": "ü"})
    assert tags_of(record) == {
        "tunedrop:run": RUN.run_id,
        "tunedrop:team": "research",
        "cost-centre": "4711",
        "n_e": "_",
    }
    assert tags_of(replace(labelled({}), team=None)) == {"tunedrop:run": RUN.run_id}


@given(st.dictionaries(st.text(max_size=200), st.text(max_size=400), max_size=70))
def test_whatever_the_labels_are_aws_takes_the_tags(labels: dict[str, str]) -> None:
    tags = [{"key": key, "value": value} for key, value in tags_of(labelled(labels)).items()]
    assert tags[0] == {"key": "tunedrop:run", "value": RUN.run_id}
    assert len(tags) <= 50
    check_tags(tags)
    shape = OPERATION.input_shape.members["jobTags"]  # type: ignore[union-attr] # it has an input
    told: Any = tags  # the stub knows structures alone
    assert not ParamValidator().validate(told, shape).has_errors()
