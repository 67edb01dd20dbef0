"""findings.html: the report as one page that needs nothing but itself and that a data owner can act on.

The page holds no script and loads nothing (its content security policy allows a style and no more). What rows say is
hostile text: Jinja escapes all of it, and values were cut and stripped of secrets and control characters before.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from tunedrop.dataset import description
from tunedrop.dataset.findings import folded
from tunedrop.dataset.report import DatasetReport
from tunedrop.dataset.rule import Severity

if TYPE_CHECKING:
    from jinja2 import Template

_FILES = Path(__file__).with_name("page")


def render_page(report: DatasetReport, name: str) -> str:
    """The whole page. `name` is the dataset's, as its owner knows it."""
    from markupsafe import Markup

    least, most, heights = description.prompt_bars(report)
    highest = max(heights) or 1
    counts = {severity: report.findings.count(severity) for severity in Severity}
    return _template().render(
        report=report,
        name=name,
        style=Markup((_FILES / "findings.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        headline=description.headline(report),
        explanation=description.explanation(report),
        cards=[
            (f"row{_s(report.rows)}", f"{report.rows:,}"),
            *([] if report.test is None else [(f"test row{_s(report.test.rows)}", f"{report.test.rows:,}")]),
            *((f"{severity}{_s(count)}", f"{count:,}") for severity, count in counts.items()),
        ],
        groups=report.findings.groups(),
        file_names=description.FILE_NAMES,
        lines_said=description.lines_said,
        folded=folded,
        hint=description.hint,
        looked_at=description.looked_at(report),
        bars={"least": least, "most": most, "heights": [round(100 * height / highest) for height in heights]},
        facts=description.facts(report),
        suggestions=description.suggestions(report),
    )


def _s(count: int) -> str:
    return "s" * (count != 1)


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(_FILES), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("findings.html.j2")
