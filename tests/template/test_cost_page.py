"""docs/cost.md is what its script makes of the template, and docs/deploy.md tells the same sums."""

from __future__ import annotations

import re

import pytest

from checks import cost, sam_template


def test_the_page_is_what_the_script_makes_of_the_template() -> None:
    assert (sam_template.ROOT / "docs/cost.md").read_text() == cost.page(), "run `make cost`"


def test_every_price_names_its_page_and_is_used_or_left_out() -> None:
    used = {item.unit for _, _, items in cost.SCENARIOS for item in items()}
    assert used <= cost.PRICES.keys()
    assert cost.PRICES.keys() - used == {"CloudWatch, own metric a month"}, "none is put out where nothing happens"
    for price, page in cost.PRICES.values():
        assert 0 < price <= 3
        assert page.startswith("https://aws.amazon.com/")


def test_readme_and_deploy_page_tell_the_same_sums() -> None:
    readme = (sam_template.ROOT / "README.md").read_text()
    deploy = (sam_template.ROOT / "docs/deploy.md").read_text()
    idle, _, small, largest = (sum(item.dollars for item in items()) for _, _, items in cost.SCENARIOS)
    dashboard = cost.PRICES["CloudWatch, dashboard a month"][0]
    for page in (readme, deploy):
        assert f"about ${idle - dashboard:.0f} a month" in page
    assert f"a small run (${small:.2f})" in deploy
    assert re.search(rf"the largest\s+\(\${largest:.2f}\)", deploy)
    (alarms,) = [item.number for item in cost.idle() if item.unit.startswith("CloudWatch, alarm")]
    assert f"{alarms} metrics" in deploy


@pytest.mark.parametrize(("hours", "looks"), [(0.25, 15), (1, 15 + 9), (72, 425)])
def test_a_job_is_looked_at_as_often_as_the_template_says(hours: float, looks: float) -> None:
    assert cost.polls(hours) == looks
