"""Step Functions' limits that moto does not know.

docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

from __future__ import annotations

import re

MOST_BYTES = 262_144
"""Input and output of a task, a state or an execution, and the variables of one Assign, as UTF-8."""

MOST_ERROR_CHARACTERS = 256
MOST_CAUSE_CHARACTERS = 32_768
"""docs.aws.amazon.com/step-functions/latest/apireference/API_TaskFailedEventDetails.html"""

MOST_EVENTS = 25_000
"""Events in an execution's history."""

TOO_MANY_EVENTS = f"The execution reached the maximum number of history events ({MOST_EVENTS})."

MOST_NAME_CHARACTERS = 80

_WRONG_IN_NAMES = re.compile(r'[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]')
"""docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html"""


def is_name(name: str) -> bool:
    """Whether an execution may have the name."""
    return 1 <= len(name) <= MOST_NAME_CHARACTERS and _WRONG_IN_NAMES.search(name) is None


def too_long(field: str, most: int) -> str:
    """How the API says that a request's field is too long."""
    return (
        f"1 validation error detected: Value at '{field}' failed to satisfy constraint: Member must have length less "
        f"than or equal to {most}"
    )
