"""The same folder with each of the three models in its recipe: each in its own Region's stack, by its own API."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.command_runs import last_line, small_gsm8k, tunedrop

RECIPE = "model: {model}\nrehearsal: {{prompts: 8, samples: 4}}\n"
NOVA = "amazon.nova-2-lite-v1:0:256k"


@pytest.mark.prove
@pytest.mark.parametrize(
    ("model", "region"), [("openai.gpt-oss-20b", "us-west-2"), ("qwen.qwen3-32b", "us-west-2"), (NOVA, "us-east-1")]
)
def test_each_model_trains_in_its_own_region_to_a_verdict(tmp_path: Path, model: str, region: str) -> None:
    folder = small_gsm8k(tmp_path / "gsm8k")
    (folder / "recipe.yaml").write_text(RECIPE.format(model=model))
    done = tunedrop("run", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    notice = last_line(done)
    assert (notice["status"], notice["base_model"]) == ("SUCCEEDED", model)
    assert notice["execution_arn"].split(":")[3] == region
    assert notice["evaluation"]["rows"] == 60
    if model == NOVA:
        assert notice["training"]["steps"] is None, "Nova tells no steps"
        assert notice["training"]["job_id"].split(":")[2:4] == ["bedrock", region]
        (deployment,) = notice["released"]
        assert (":custom-model-deployment/" in deployment["id"], deployment["how"]) == (True, "deployment deleted")
        assert [each["kind"] for each in notice["may_still_cost"]] == ["model"]
    else:
        assert notice["training"]["steps"] == 22
