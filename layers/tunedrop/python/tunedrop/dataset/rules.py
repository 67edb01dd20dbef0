"""Every rule that a dataset is checked against, as data: id, severity for each family, reason, source.

A rule's code asks the same question for every family; what differs is its severity here (None: the rule does not apply)
and the `RowFormat`. Sources are the places where the service's documentation, AWS's own validators or a standard say
so. Where no source confirms what the service does, the rule is at most a warning and `UNCONFIRMED` says so in its
source.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tunedrop.dataset.rule import Rule
from tunedrop.dataset.rules_of_files import FILE_RULES
from tunedrop.dataset.rules_of_rows import ROW_RULES
from tunedrop.dataset.rules_of_sets import SET_RULES

RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in (*FILE_RULES, *ROW_RULES, *SET_RULES)})
"""Every rule by its id, in the order in which a report lists them."""
