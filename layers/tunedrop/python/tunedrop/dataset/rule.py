"""What a rule of the dataset's check is, how severe it can be, and which sources it can have."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tunedrop.catalog import Family

OPEN_WEIGHT_DATA = "Bedrock user guide, rft-prepare-data-open-weight"
NOVA_DATA = "Bedrock user guide, rft-prepare-data"
FORGE = "AWS's nova-forge-sdk, rft_dataset_validator.py"
NOVA_SAMPLES = "AWS's amazon-nova-samples, nova_ft_dataset_validator.py"
RFC = "RFC 8259"
UNCONFIRMED = "UNCONFIRMED by AWS's documentation"
OURS = "Tunedrop"


class Severity(enum.StrEnum):
    """What a finding means for the dataset: an error makes it invalid, a warning and a note do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Rule:
    """One question that is asked of a dataset."""

    id: str
    severity: Mapping[Family, Severity | None]
    reason: str
    """One sentence: why it matters."""
    source: str
    expected: str
    """What a good line has; the "expected" of a finding that says nothing more exact."""
    hint: str
    """What the data's owner can do."""
    fixable: bool = False
    """Whether the corrected copy mends it without touching what a row says."""


def for_both(severity: Severity) -> Mapping[Family, Severity | None]:
    """The same severity for both families."""
    return MappingProxyType({Family.OPEN_WEIGHT: severity, Family.NOVA: severity})


def for_each(*, open_weight: Severity | None, nova: Severity | None) -> Mapping[Family, Severity | None]:
    """A severity for each family; None where the rule does not apply to it."""
    return MappingProxyType({Family.OPEN_WEIGHT: open_weight, Family.NOVA: nova})
