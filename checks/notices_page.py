"""docs/notices.md: its samples and texts are those of events/notices/, its filter policies are tested as they stand.

python -m checks.notices_page        writes the samples into the page anew

A sample is what a run on one machine published: subject, attributes, message. The text for e-mail is made from the
message by the very code that makes it in the functions.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tunedrop.notices.texts import email

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/notices.md"
SAMPLES = ROOT / "events/notices"

_SLOT = re.compile(r"<!-- sample: (\w+) -->\n.*?<!-- end -->", re.DOTALL)
_POLICY = re.compile(r"^### (.+?)\n+```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def samples() -> dict[str, dict[str, Any]]:
    """The published notices that the page shows, by the names of their files."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(SAMPLES.glob("*.json"))}


def filter_policies() -> dict[str, dict[str, Any]]:
    """The filter policy of each wish that the page names."""
    text = PAGE.read_text()
    section = text[text.index("\n## Filter policies\n") :].split("\n## ")[1]
    return {wish: json.loads(policy) for wish, policy in _POLICY.findall(section)}


def dedupe_lines() -> str:
    """The Python lines by which the page dedupes."""
    return _block("python")


def _block(language: str) -> str:
    """The page's only block of code in a language."""
    return PAGE.read_text().partition(f"\n```{language}\n")[2].partition("\n```")[0]


def slots(page: str) -> list[str]:
    """The names of the samples that a page shows."""
    return _SLOT.findall(page)


def filled(page: str) -> str:
    """The page with every sample as it is now. Raises KeyError: it names one that is not there."""
    known = samples()
    return _SLOT.sub(lambda slot: f"<!-- sample: {slot[1]} -->\n{_shown(known[slot[1]])}\n<!-- end -->", page)


def _shown(sample: dict[str, Any]) -> str:
    attributes = "  ".join(f"{name}={value}" for name, value in sorted(sample["attributes"].items()))
    mail = email.text_of(sample["message"])
    document = json.dumps(sample["message"], indent=2, ensure_ascii=False)
    return "\n".join(
        [
            "```text",
            f"Subject: {sample['subject']}",
            "",
            mail.rstrip("\n"),
            "```",
            "",
            "<details><summary>The JSON document and its attributes</summary>",
            "",
            "```text",
            attributes,
            "```",
            "",
            "```json",
            document,
            "```",
            "",
            "</details>",
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text()))
