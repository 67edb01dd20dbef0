"""Parts of the documents that are written from the code: pictures, and what is said about models, graders and prices.

python -m checks.written_parts              writes them anew (`make pages`)
python -m checks.written_parts --check      names the documents in which one is stale, and exits 1 if there are any

A part stands between `<!-- written: NAME -->` and `<!-- end -->`; `PARTS` has its writer.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from checks import cost, grader_texts, model_texts, pictures, recipe_texts, sam_template
from tunedrop.catalog import Family

PARTS: Mapping[str, Callable[[], str]] = {
    "stages": pictures.stages,
    "pipeline": lambda: pictures.machine("rft_pipeline"),
    "aftermath": lambda: pictures.machine("aftermath"),
    "package": pictures.package,
    "kinds of graders": grader_texts.table,
    "recipe's fields": recipe_texts.table,
    "models": model_texts.table,
    "model names": model_texts.names,
    "models by region": model_texts.by_region,
    "hyperparameters": model_texts.hyperparameters,
    "hyperparameters' defaults": model_texts.defaults,
    "open-weight models": lambda: model_texts.family(Family.OPEN_WEIGHT),
    "nova models": lambda: model_texts.family(Family.NOVA),
    "where models train": model_texts.where_they_train,
    "models with efforts": model_texts.with_efforts,
    "dollars of an idle month": cost.idle_month,
    "metrics of the alarms": lambda: f"{cost.metrics_watched()}",
    "dollars of a small run": lambda: f"${cost.dollars(cost.of_run(cost.SMALL)):.2f}",
    "dollars of the largest run": lambda: f"${cost.dollars(cost.of_run(cost.LARGEST)):.2f}",
}

_SLOT = re.compile(r"<!-- written: (?P<name>[^>]+?) -->(?P<space>\n?).*?<!-- end -->", re.DOTALL)


def documents() -> Iterator[Path]:
    """The documents that have such parts."""
    root = sam_template.ROOT
    for path in (root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").glob("*.md"))):
        if _SLOT.search(path.read_text()):
            yield path


def filled(page: str) -> str:
    """The page with each part as it is now. Raises KeyError for a part that nothing writes."""
    return _SLOT.sub(lambda slot: _part(slot["name"], slot["space"]), page)


def names(page: str) -> list[str]:
    """The parts of a page."""
    return [slot["name"] for slot in _SLOT.finditer(page)]


def _part(name: str, space: str) -> str:
    return f"<!-- written: {name} -->{space}{PARTS[name]()}{space}<!-- end -->"


def main(arguments: list[str]) -> int:
    stale = [path for path in documents() if filled(path.read_text()) != path.read_text()]
    if "--check" not in arguments:
        for path in stale:
            path.write_text(filled(path.read_text()))
        return 0
    for path in stale:
        sys.stderr.write(f"{path.relative_to(sam_template.ROOT)} has a stale part. Run `make pages`.\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
