"""The page of a rehearsal: what is real, what was found, and the answers with their grades.

It uses the parts of the report's page, has no script, and loads nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from tunedrop.reporting.page import content_security_policy, finding_row, page_environment, page_file
from tunedrop.reporting.page_facts import rehearsal_facts
from tunedrop.reporting.page_tables import sampled
from tunedrop.reporting.rehearsal_samples import samples

REHEARSAL = "rehearsal.json"
PAGE = "rehearsal.html"

_FILES = Path(__file__).with_name("rehearse_page")
_HEADLINES = {
    "GO": ("Go", "good", "▲", "A run would go on to its training job."),
    "WARN": ("Go with warnings", "even", "＝", "A run would go on to its training job."),  # noqa: RUF001 - a sign, as wide as the arrow
    "REJECTED": ("Rejected", "bad", "■", "A run would end here, before its training job."),
    "FAILED": ("Failed", "bad", "■", "The rehearsal could not be held to its end."),
}


def write_page(
    folder: Path, told: Mapping[str, Any], *, name: str, recipe: Mapping[str, Any], what_is_real: str
) -> Path | None:
    """Write the page beside the rehearsal.json of `folder`; None where the rehearsal did not come that far.

    `told` is what `tunedrop rehearse` tells, `name` the dataset's, `recipe` the resolved one, as JSON.
    """
    figures = told["rehearsal"]
    if not figures or not (folder / REHEARSAL).is_file():
        return None
    held = {**figures, "sampled": samples(json.loads((folder / REHEARSAL).read_bytes()))}
    warned = told["status"] == "GO" and bool(figures.get("findings"))
    headline, tone, mark, explanation = _HEADLINES["WARN" if warned else told["status"]]
    html = (
        page_environment(_FILES)
        .get_template("rehearse.html.j2")
        .render(
            policy=content_security_policy(()),
            style=Markup(page_file("report.css")),  # noqa: S704 - our own file
            name=name,
            headline=headline,
            tone=tone,
            mark=mark,
            explanation=explanation,
            simulated=told["simulated"],
            what_is_real=what_is_real,
            real_facts=_real_facts(told),
            sampled=sampled({"rehearsal": held, "recipe": recipe}),
            rehearsal_facts=rehearsal_facts(held, recipe),
            rehearsal_findings=[finding_row(each) for each in figures.get("findings") or ()],
        )
    )
    page = folder / PAGE
    page.write_text(html, encoding="utf-8", errors="replace")
    return page


def _real_facts(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    facts = {
        "The answers": " and ".join(told.get("answers_from") or ["simulated on this machine"]),
        "The grades": told.get("graded_on") or "this machine, by the deployed grader",
        "The training": "none",
    }
    return [{"name": name, "value": value, "code": False} for name, value in facts.items()]
