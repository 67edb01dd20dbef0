"""What ends a conversion."""

from __future__ import annotations


class ConversionError(ValueError):
    """A file, a row or the template cannot be turned: the message names where, what was expected, and what to do."""
