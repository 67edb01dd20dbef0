"""docs/cost.md is what its script makes of the template, and docs/deploy.md tells the same sums."""

from __future__ import annotations

import re

import pytest

from checks import cost, sam_template


def test_the_page_is_what_the_script_makes_of_the_template() -> None:
    assert (sam_template.ROOT / "docs/cost.md").read_text() == cost.page(), "run `make pages`"


def test_every_price_names_its_page_and_is_used_or_left_out() -> None:
    used = {item.unit for _, _, items in cost.SCENARIOS for item in items()}
    assert used <= cost.PRICES.keys()
    assert cost.PRICES.keys() - used == {"CloudWatch, own metric a month"}, "none is put out where nothing happens"
    for price, page in cost.PRICES.values():
        assert 0 < price <= 3
        assert page.startswith("https://aws.amazon.com/")


def test_readme_and_deploy_page_have_the_sums_of_the_cost_page() -> None:
    """`make pages` writes them; the sums are read from the page as it is."""
    page = (sam_template.ROOT / "docs/cost.md").read_text()
    sums = dict(re.findall(r"^## (.+): \$([\d.]+)$", page, re.MULTILINE))
    deploy = (sam_template.ROOT / "docs/deploy.md").read_text()
    for text in ((sam_template.ROOT / "README.md").read_text(), deploy):
        told = re.search(r"written: dollars of an idle month -->\$(\d+)<", text)
        assert told
        assert abs(int(told[1]) + 3 - float(sums["A month left idle"])) <= 0.5, "the dashboard's $3 are told apart"
    assert f"dollars of a small run -->${sums['A small run']}<" in deploy
    assert f"dollars of the largest run -->${sums['The largest run']}<" in deploy


@pytest.mark.parametrize(("hours", "looks"), [(0.25, 15), (1, 15 + 9), (72, 425)])
def test_a_job_is_looked_at_as_often_as_the_template_says(hours: float, looks: float) -> None:
    assert cost.polls(hours) == looks
