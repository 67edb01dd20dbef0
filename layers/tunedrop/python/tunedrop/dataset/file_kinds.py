"""What a file is that is no text: told by its first bytes, with the command that makes JSON Lines or text of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HEAD_BYTES: Final = 4096
"""How much of a file's beginning `kind_of` needs to see."""
_TAR_MARK: Final = slice(257, 262)
_ODF: Final = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
_ODF_MARK: Final = slice(30, 30 + len(_ODF))
"""Its first part, not packed, names its kind."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file that is not the text it should be."""

    name: str
    """With its article, as in `a Parquet file`."""
    way: str
    """The command that makes JSON Lines, CSV or text of it."""


GZIP: Final = FileKind("a gzip file", "gzip -dc FILE > train.jsonl")
BZIP2: Final = FileKind("a bzip2 file", "bzip2 -dc FILE > train.jsonl")
XZ: Final = FileKind("an xz file", "xz -dc FILE > train.jsonl")
_CONVERT: Final = "tunedrop convert FILE --output train.jsonl"
ZSTD: Final = FileKind("a Zstandard file", "zstd -dc FILE > train.jsonl")
PARQUET: Final = FileKind("a Parquet file", _CONVERT)
SPREADSHEET: Final = FileKind("an Excel workbook", _CONVERT)
OLD_OFFICE: Final = FileKind("an old Office file (.xls or .doc)", _CONVERT)
OPEN_DOCUMENT: Final = FileKind("an OpenDocument spreadsheet", _CONVERT)

_SIGNATURES: Final = (
    (b"\x1f\x8b", GZIP),
    (b"BZh", BZIP2),
    (b"\xfd7zXZ\x00", XZ),
    (b"\x28\xb5\x2f\xfd", ZSTD),
    (b"PAR1", PARQUET),
    (b"ARROW1", FileKind("an Arrow file", "pandas.read_feather('FILE').to_json(..., orient='records', lines=True)")),
    (
        b"\xff\xff\xff\xff",
        FileKind("an Arrow stream", "datasets.Dataset.from_file('FILE').to_json('rows.jsonl')"),
    ),
    (b"]\x00\x00", FileKind("an LZMA file", "xz --format=lzma -dc FILE > rows.jsonl")),
    (b"ORC", FileKind("an ORC file", "pandas.read_orc('FILE').to_json(..., orient='records', lines=True)")),
    (b"Obj\x01", FileKind("an Avro file", "avro-tools tojson FILE > rows.jsonl")),
    (b"\xd0\xcf\x11\xe0", OLD_OFFICE),
    (b"%PDF", FileKind("a PDF", "export its table, as CSV or JSON Lines, from the program that made it")),
    (b"SQLite format 3\x00", FileKind("an SQLite database", "sqlite3 -header -csv FILE 'select ...' > rows.csv")),
    (b"\x89HDF", FileKind("an HDF5 file", "pandas.read_hdf('FILE').to_json(..., orient='records', lines=True)")),
    (b"7z\xbc\xaf", FileKind("a 7z archive", "7z x FILE")),
    (b"Rar!", FileKind("a RAR archive", "unrar x FILE")),
    (b"\x93NUMPY", FileKind("a NumPy file", "write its rows with json.dumps, one row a line")),
    (b"\x80\x02", FileKind("a Python pickle", "write its rows with json.dumps, one row a line")),
    (b"\x80\x03", FileKind("a Python pickle", "write its rows with json.dumps, one row a line")),
    (b"\x80\x04", FileKind("a Python pickle", "write its rows with json.dumps, one row a line")),
    (b"\x80\x05", FileKind("a Python pickle", "write its rows with json.dumps, one row a line")),
    (b"\x89PNG", FileKind("an image", "drop text: the service trains on text only")),
    (b"\xff\xd8\xff", FileKind("an image", "drop text: the service trains on text only")),
    (
        b"version https://git-lfs",
        FileKind("a Git LFS pointer, not the file itself", "run git lfs pull in the file's repository"),
    ),
)
_ZIP: Final = FileKind("a zip archive", "unzip FILE")
_DOCUMENT: Final = FileKind("a Word or PowerPoint file", "save its table as CSV or JSON Lines, or copy it into a sheet")
_TAR: Final = FileKind("a tar archive", "tar -xf FILE")
_HTML: Final = FileKind("a web page (HTML)", "download the file itself; this may be a sign-in page")
_XML: Final = FileKind("an XML document", "write its rows with a JSON library, one row a line")


def kind_of(head: bytes) -> FileKind | None:
    """What the first HEAD_BYTES of a file say that it is; None for text (or for bytes that nothing is known of)."""
    for signature, kind in _SIGNATURES:
        if head.startswith(signature) and (kind.name != "an ORC file" or head[3:4] < b" "):
            return kind
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _in_zip(head)
    if head[_TAR_MARK] == b"ustar":
        return _TAR
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:64].lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return _HTML
    return _XML if text.startswith(b"<?xml") else None


def _in_zip(head: bytes) -> FileKind:
    if head[_ODF_MARK].startswith(_ODF):
        return OPEN_DOCUMENT
    if b"xl/" not in head and (b"word/" in head or b"ppt/" in head):
        return _DOCUMENT
    return SPREADSHEET if b"xl/" in head or b"[Content_Types].xml" in head else _ZIP
