"""What the service answered, as fixtures that hold no secret."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ACCOUNT = "123456789012"

_SECRETS = (
    (re.compile(r"bedrock-api-key-[A-Za-z0-9+/=_-]+"), "bedrock-api-key-REMOVED"),
    (re.compile(r"ABSK[A-Za-z0-9+/=]+"), "ABSK-REMOVED"),
    (re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}"), "ACCESS-KEY-REMOVED"),
    (re.compile(r"(X-Amz-(?:Signature|Security-Token|Credential)=)[^&\s\"]+"), r"\1REMOVED"),
    (re.compile(r"(?<!\d)\d{12}(?!\d)"), ACCOUNT),  # of an account; ids of the service are no bare twelve digits
)


def without_secrets(text: str) -> str:
    """`text` with keys, signatures and account ids replaced by words that say so."""
    for pattern, word in _SECRETS:
        text = pattern.sub(word, text)
    return text


@dataclass
class Recording:
    """The steps of one walk, in order; each is also a file of the folder."""

    folder: Path
    steps: dict[str, Any] = field(default_factory=dict)

    def keep(self, name: str, answer: Any) -> Any:
        """Record a step's answer (anything that JSON holds) under its name; the answer as it came."""
        text = without_secrets(json.dumps(answer, indent=1, ensure_ascii=False, default=str))
        self.steps[name] = json.loads(text)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{len(self.steps):02}-{name}.json").write_text(text + "\n")
        return answer
