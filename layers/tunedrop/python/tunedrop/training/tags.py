"""The tags by which a job and its model are found in the account's costs: run, team, and the recipe's labels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tunedrop.run.record import RunRecord

RUN, TEAM = "tunedrop:run", "tunedrop:team"
_KEY_CHARACTERS, _VALUE_CHARACTERS = 128, 256
"""Of a tag, by botocore's model of CreateModelCustomizationJob; it takes 200 tags, AWS's cost reports take 50."""
_MOST_TAGS = 50
_NOT_IN_TAGS = re.compile(r"[^a-zA-Z0-9\s._:/=+@-]")
_RESERVED = ("aws:", "tunedrop:")


def tags_of(record: RunRecord) -> dict[str, str]:
    """The tags of a run. A character that no tag takes is `_`; a label whose name AWS or Tunedrop reserves is none."""
    tags = {RUN: record.run_id}
    if record.team:
        tags[TEAM] = record.team
    for name, value in record.labels.items():
        key = _NOT_IN_TAGS.sub("_", name)[:_KEY_CHARACTERS]
        if key.strip() and not key.lower().startswith(_RESERVED) and len(tags) < _MOST_TAGS:
            tags[key] = _NOT_IN_TAGS.sub("_", value)[:_VALUE_CHARACTERS]
    return tags
