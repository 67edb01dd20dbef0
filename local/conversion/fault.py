"""What ends a conversion."""

from __future__ import annotations


class ConversionError(ValueError):
    """A file, a row or the template cannot be turned: the message names where, what was expected, and what to do."""


class FieldMissingError(ConversionError):
    """A row has no field of the name: the file may have been read in another way than meant."""


class BlankAnswer(ConversionError):
    """The row has no answer, or only a part of it."""
