"""Every model that Tunedrop offers can be trained on one machine, by the API that its family has."""

from __future__ import annotations

import pytest

from local.bedrock.catalog import base_model
from tunedrop import catalog
from tunedrop.catalog import Family, Model


@pytest.mark.parametrize("model", catalog.models(), ids=lambda model: model.id)
def test_the_local_bedrock_has_each_model_by_all_its_ids(model: Model) -> None:
    for name in (model.id, model.tuned_as, model.asked_as, *model.aliases):
        base = base_model(name)
        assert base is not None, f"local/bedrock/catalog.py has no {name}"
        assert base.tuned_by == ("native" if model.family is Family.NOVA else "mantle")
