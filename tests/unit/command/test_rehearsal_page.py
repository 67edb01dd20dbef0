"""The page of a rehearsal says once what is simulated."""

from __future__ import annotations

import json
from pathlib import Path

from local.command import at_endpoint
from local.command.rehearsal_page import REHEARSAL, write_page


def test_the_banner_of_a_rehearsal_says_once_that_it_is_simulated(tmp_path: Path) -> None:
    figures = {"prompts": 2, "samples": 4, "mean_reward": 0.5, "findings": []}
    (tmp_path / REHEARSAL).write_text(json.dumps({"groups": [], "probes": []}))
    told = {"status": "GO", "rehearsal": figures, "simulated": True}
    page = write_page(tmp_path, told, name="gsm8k", recipe={}, what_is_real=at_endpoint.sentence(told))
    assert page is not None
    text = page.read_text()
    assert "Simulated: the model's answers" in text.replace("&#39;", "'")
    assert text.count(">Simulated") == 1
    assert "Simulated." not in text
