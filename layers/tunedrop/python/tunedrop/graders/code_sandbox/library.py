"""Standard library objects on the wire: what of them is sent, and how they are built again from plain parts."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, namedtuple
from collections.abc import Mapping
from datetime import datetime, time, timedelta, timezone
from functools import lru_cache
from pathlib import Path, PosixPath, PurePath, PurePosixPath, PureWindowsPath
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

_MOST_FIELDS = 100
_Moment = TypeVar("_Moment", datetime, time)
_PATHS: dict[str, type[PurePath]] = {
    "Path": Path,
    "PosixPath": PosixPath,
    "PurePath": PurePath,
    "PurePosixPath": PurePosixPath,
    "PureWindowsPath": PureWindowsPath,
}


def head_of_mapping(value: Mapping[Any, Any], named_types: Mapping[str, type]) -> list[Any]:
    """The tag of a mapping: a Counter, an OrderedDict and a defaultdict of a built-in type stay what they are."""
    if isinstance(value, Counter):
        return ["ct"]
    if isinstance(value, OrderedDict):
        return ["od"]
    if isinstance(value, defaultdict):
        name = getattr(value.default_factory, "__name__", None)
        return ["dd", name if isinstance(name, str) and named_types.get(name) is value.default_factory else None]
    return ["d"]


def field_names(value: tuple[Any, ...]) -> list[str] | None:
    """The names of a named tuple's fields; None for a plain tuple."""
    names = getattr(type(value), "_fields", None)
    if isinstance(names, tuple) and len(names) == tuple.__len__(value) and all(type(name) is str for name in names):
        return list(names)
    return None


def named_tuple(name: Any, fields: Any) -> type[tuple[Any, ...]]:
    """A named tuple's class. Raises ValueError and TypeError for what is no name."""
    if not isinstance(name, str) or not isinstance(fields, list) or len(fields) > _MOST_FIELDS:
        raise ValueError("no names of a named tuple")
    return _named_tuple(name, tuple(fields))


@lru_cache(maxsize=64)
def _named_tuple(name: str, fields: tuple[str, ...]) -> type[tuple[Any, ...]]:
    return namedtuple(name, fields)


def zone_of(value: datetime | time) -> Any:
    """None without a zone, its seconds from UTC, its name, or False where it has no plain form."""
    zone = value.tzinfo
    if zone is None:
        return None
    if isinstance(zone, timezone):
        offset = zone.utcoffset(None)
        return offset.total_seconds() if offset is not None else False
    return zone.key if isinstance(zone, ZoneInfo) and isinstance(zone.key, str) else False


def read_moment(moment: _Moment, fold: int, zone: Any) -> _Moment:
    """A date and time, or a time of day, in its zone. Raises TypeError and ValueError."""
    if isinstance(zone, (int, float)):
        return moment.replace(tzinfo=timezone(timedelta(seconds=zone)), fold=fold)
    if isinstance(zone, str):
        offset = moment.utcoffset()  # without a file system there is no table of zones: the offset stands for it
        return moment.replace(tzinfo=timezone(offset, zone) if offset is not None else None, fold=fold)
    return moment.replace(tzinfo=None, fold=fold)


def read_path(kind: str, text: str) -> PurePath:
    """A path of a known kind. Raises KeyError."""
    return _PATHS[kind](text)
