"""Parquet files, read by DuckDB: each row as the object that a line of JSON would have."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import math
import tempfile
import uuid
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from local.conversion.fault import ConversionError
from local.conversion.notes import Notes
from tunedrop.dataset.show import cleaned, shown

_AT_ONCE: Final = 1_000
_MOST_MEMORY: Final = "1GB"
_COPIED: Final = 1 << 20


def parquet_rows(stream: BinaryIO, notes: Notes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield where each row stands (`row 3`), and the row. Raises ConversionError where the file cannot be read."""
    import duckdb

    with tempfile.NamedTemporaryFile(suffix=".parquet") as copy:
        stream.seek(0)
        while chunk := stream.read(_COPIED):
            copy.write(chunk)
        copy.flush()
        try:
            with duckdb.connect(config={"threads": 1, "memory_limit": _MOST_MEMORY}) as database:
                found = database.execute("SELECT * FROM read_parquet(?)", [copy.name])
                names = [column[0] for column in found.description or ()]
                notes.read_as.append("a Parquet file")
                row = 0
                while rows := found.fetchmany(_AT_ONCE):
                    for values in rows:
                        row += 1
                        place = f"row {row}"
                        yield (
                            place,
                            {name: _plain(value, name, place) for name, value in zip(names, values, strict=True)},
                        )
        except duckdb.Error as error:
            says = cleaned(str(error)).replace(copy.name, "FILE").splitlines()[0][:200]
            raise ConversionError(f"the Parquet file cannot be read: {says}") from None


def _plain(value: Any, name: str, place: str) -> Any:  # noqa: PLR0911 - a kind of value each
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _plain(part, name, place) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, name, place) for part in value]
    if isinstance(value, decimal.Decimal):
        if value == value.to_integral_value():
            return int(value)
        return float(value) if decimal.Decimal(repr(float(value))) == value else str(value)  # each digit is kept
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta | uuid.UUID):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        with contextlib.suppress(UnicodeDecodeError):
            text = bytes(value).decode("utf-8")  # as older writers keep texts
            if "\0" not in text:
                return text
        raise ConversionError(
            f"{place}: {shown(name)} holds bytes, such as an image, but the service trains on text only; leave the "
            "column out"
        )
    raise ConversionError(f"{place}: {shown(name)} holds a {type(value).__name__}, which has no form in JSON")
