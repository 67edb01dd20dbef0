"""A file's bytes as UTF-8 text: unpacked where they are packed, decoded where they are in another encoding.

Workbooks and Parquet files stay as they are: they have readers of their own. Refused by name: what else is no text
(`tunedrop.dataset.file_kinds`), and bytes whose encoding cannot be told.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import re
import tempfile
import zlib
from typing import Any, BinaryIO, Final, cast

from local.conversion.fault import ConversionError
from local.conversion.notes import Notes
from tunedrop.dataset import file_kinds
from tunedrop.dataset.file_kinds import HEAD_BYTES, FileKind, kind_of

_CHUNK: Final = 1 << 20
_BOMS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TITLES: Final = {"cp1252": "Windows-1252", "utf-8": "UTF-8"}


def _zstd(stream: BinaryIO) -> Any:
    from backports import zstd

    return zstd.open(stream)


_PACKED: Final[dict[str, Any]] = {
    file_kinds.GZIP.name: gzip.open,
    file_kinds.BZIP2.name: bz2.open,
    file_kinds.XZ.name: lzma.open,
    file_kinds.ZSTD.name: _zstd,
}
_BROKEN: Final = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, OSError)
MOST_UNPACKED: Final = 8 * 2**30
"""What a packed file may hold: eight of the largest datasets. A bomb of a few megabytes fills no disk."""
READ_AS_THEY_ARE: Final = (file_kinds.PARQUET, file_kinds.SPREADSHEET, file_kinds.OLD_OFFICE, file_kinds.OPEN_DOCUMENT)
_WESTERN: Final = 0.7
"""The part of the bytes beyond ASCII that must look Western for a text to be so."""
_BEYOND_ASCII: Final = re.compile(rb"[\x80-\xff]+")
_LETTERS: Final = re.compile(rb"[\xc0-\xff\x8a\x8c\x8e\x9a\x9c\x9e\x9f]+")
_UNDEFINED: Final = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


def unpacked(stream: BinaryIO, encoding: str | None, notes: Notes) -> tuple[BinaryIO, FileKind | None]:
    """A stream from its start: UTF-8 without byte order mark, or a file of a kind of READ_AS_THEY_ARE, and that kind.

    `stream` must be seekable.

    Raises ConversionError where the bytes are no text, or not in `encoding`.
    """
    kind = kind_of(stream.read(HEAD_BYTES))
    stream.seek(0)
    if kind is not None and kind.name in _PACKED:
        notes.read_as.append(kind.name)
        packed = _PACKED[kind.name](stream)
        stream = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - read until the conversion ends
        try:
            while chunk := packed.read(_CHUNK):
                stream.write(chunk)
                if stream.tell() > MOST_UNPACKED:
                    raise ConversionError(f"{kind.name} that unpacks to more than {MOST_UNPACKED:,} bytes")
        except ConversionError:
            raise
        except Exception as error:
            if not isinstance(error, _BROKEN) and type(error).__name__ != "ZstdError":
                raise
            raise ConversionError(f"{kind.name} that is cut off or broken: {error}") from None
        stream.seek(0)
        kind = kind_of(stream.read(HEAD_BYTES))
        stream.seek(0)
        if kind is not None and kind.name in _PACKED:
            raise ConversionError(f"packed twice: there is {kind.name} within; unpack it once, then convert it")
    if kind in READ_AS_THEY_ARE:
        return stream, kind
    if kind is not None:
        raise _refused(kind)
    return _as_utf8(stream, encoding, notes), None


def _refused(kind: FileKind) -> ConversionError:
    return ConversionError(f"this is {kind.name}, which convert does not read; first: {kind.way}")


_OTHER_TEXTS: Final = {
    **dict.fromkeys((".yaml", ".yml"), ("YAML", "yq -o json FILE > rows.json")),
    ".toml": ("TOML", "write its rows as JSON Lines, one row a line"),
    ".sql": ("SQL", "run the query, and export its rows as CSV with a header"),
    **dict.fromkeys((".py", ".js", ".ts"), ("a program", "let it write its rows as JSON Lines, one row a line")),
    ".ipynb": ("a notebook", "let it write its rows as JSON Lines, one row a line"),
}


def refuse_other_text(name: str) -> None:
    """Raise ConversionError for a text that is no rows by its name, but would be read as a table of one column."""
    title, way = _OTHER_TEXTS.get(name[name.rfind(".") :].lower(), ("", ""))
    if title:
        raise ConversionError(
            f"by its name this is {title}, which convert does not read; first: {way}. If it is a table all the same, "
            "add --from csv"
        )


def _as_utf8(stream: BinaryIO, encoding: str | None, notes: Notes) -> BinaryIO:
    if encoding is not None:
        try:
            codecs.lookup(encoding)
        except LookupError:
            raise ConversionError(f"there is no encoding {encoding!r}; known are utf-8, cp1252, shift_jis, …") from None
    known = encoding or _told(stream)
    stream.seek(0)
    if known in ("utf-8", "utf-8-sig"):
        return stream
    notes.read_as.append(f"{_TITLES.get(known, known.upper())} text")
    if encoding is None and known == "cp1252":
        notes.hints["The file is not UTF-8: where letters look wrong, name its encoding, as in --encoding cp1250."] = (
            None
        )
    target = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - read until the conversion ends
    decoder = codecs.getincrementaldecoder(known)()
    try:
        while chunk := stream.read(_CHUNK):
            target.write(decoder.decode(chunk).encode("utf-8"))
        target.write(decoder.decode(b"", final=True).encode("utf-8"))
    except (ValueError, TypeError, AttributeError) as error:  # an encoding of bytes, such as base64, ends here too
        raise ConversionError(f"the file is not in {known}: {error}; name its encoding by --encoding") from None
    target.seek(0)
    return target


def _told(stream: BinaryIO) -> str:
    """The encoding of a text, by its bytes. Raises ConversionError where they do not tell."""
    head = stream.read(HEAD_BYTES)
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    if b"\0" in head:
        known = next((name for name in _WIDE if _is_text_in(name, head)), None)
        if known is not None:
            return known
    evens, odds = head[::2].count(0), head[1::2].count(0)
    if odds > len(head) // 4 and not evens:
        return "utf-16-le"
    if evens > len(head) // 4 and not odds:
        return "utf-16-be"
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := stream.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return _not_utf8(stream, error)
    return "utf-8"


_WIDE: Final = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")


def _is_text_in(encoding: str, head: bytes) -> bool:
    """Whether bytes with zeros among them are lines of text in an encoding of two or four bytes a sign."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    return "\0" not in text and "\n" in text


def _not_utf8(stream: BinaryIO, error: UnicodeDecodeError) -> str:
    """`cp1252`, where that is what the file must be. Raises ConversionError where it is likelier something else."""
    stream.seek(0)
    beyond = western = 0
    line = first_bad = 0
    undefined = utf8_too = False
    while raw := stream.readline(_CHUNK):
        line += 1
        if raw.isascii():
            continue
        try:
            raw.decode("utf-8")
            utf8_too = True
        except UnicodeDecodeError:
            first_bad = first_bad or line
        undefined = undefined or _UNDEFINED.search(raw) is not None
        for run in _BEYOND_ASCII.finditer(raw):
            beyond += len(run[0])
            western += len(run[0]) * _is_western(raw, run)
    if utf8_too or undefined or western < _WESTERN * beyond:
        also = "other lines are UTF-8" if utf8_too else "the bytes do not look like Windows-1252"
        raise ConversionError(
            f"line {first_bad}: not UTF-8 ({error.reason}), and {also}; "
            "fix the line, or name the file's encoding, as in --encoding shift_jis"
        )
    return "cp1252"


def _is_western(raw: bytes, run: re.Match[bytes]) -> bool:
    """Whether bytes beyond ASCII are one or two letters of a word (`ö` of `schön`, `öß` of `Größe`), or signs."""
    letters = _LETTERS.findall(run[0])
    beside = raw[max(run.start() - 1, 0) : run.start()] + raw[run.end() : run.end() + 1]
    if not letters:
        return len(run[0]) <= 2
    return sum(map(len, letters)) <= 2 and (len(run[0]) == 1 or any(chr(byte).isalpha() for byte in beside))
