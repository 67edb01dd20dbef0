"""What an upload seems to be by a name that starts no run, and the way that is right for it.

Each way is one that works: what `tunedrop convert` does not read is not sent to it, and rows for a test are not sent to
training.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

from tunedrop.identity import RECIPE_NAMES, SIBLINGS, TEST_NAME, TRAIN_NAME, TRAIN_NAMES

_MARKERS = ("_success", "_committed", "_started", "_metadata", "_common_metadata", "_delta_log", ".part-")
_MARKER_NAMES = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json")
"""What Hugging Face's datasets writes beside its rows."""
_MARKER_ENDINGS = (".crc", ".md5", ".sha256", ".sha1")
_LEFT_BEHIND = ("~", ".swp", ".swo", ".bak", ".tmp", ".part", ".filepart", ".crdownload", ".orig", ".lock", "#")
"""Endings of what editors keep and of uploads that are not finished."""
_LEFT_BEHIND_NAMES = (".~lock", "~$", "._", "desktop.ini", ".gitattributes", ".gitignore")
_PART = re.compile(r"part-\d|.*-\d{5}-of-\d{5}")
_ONLY_PART = re.compile(r".*-00000-of-00001\b")
_UNPACKED_BY = {
    ".tar.gz": "tar -xzf",
    ".tar.bz2": "tar -xjf",
    ".tar.xz": "tar -xJf",
    ".tgz": "tar -xzf",
    ".gz": "gzip -d",
    ".bz2": "bzip2 -d",
    ".xz": "xz -d",
    ".lzma": "xz -d",
    ".zst": "zstd -d",
    ".lz4": "lz4 -d",
    ".br": "brotli -d",
    ".z": "uncompress",
    ".zip": "unzip",
    ".tar": "tar -xf",
    ".7z": "7z x",
    ".rar": "unrar x",
}
_READ_PACKED = (".gz", ".bz2", ".xz", ".zst")
"""What `tunedrop convert` unpacks itself."""
_CONVERTED = (
    *(".csv", ".tsv", ".tab", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".parquet", ".json", ".txt", ".md"),
    ".manifest",
)
_JSON_LINES = (".jsonl", ".ndjson", ".jsonlines")
_MAYBE_LINES = (".json", ".txt")
"""Endings under which rows may stand as JSON Lines."""
_EXPORTED = {
    (".arrow", ".feather"): "pandas.read_feather('FILE').to_json('train.jsonl', orient='records', lines=True)",
    (".avro",): "avro-tools tojson FILE > rows.jsonl",
    (".orc",): "pandas.read_orc('FILE').to_json('rows.jsonl', orient='records', lines=True)",
    (".db", ".sqlite", ".sqlite3"): "sqlite3 -header -csv FILE 'select ...' > rows.csv",
    (
        ".pkl",
        ".pickle",
        ".npy",
        ".npz",
        ".pt",
        ".h5",
        ".hdf5",
        ".xml",
        ".html",
        ".htm",
        ".pdf",
        ".docx",
        ".doc",
        ".pptx",
        ".toml",
        ".rtf",
    ): "with a program that reads it, as CSV or JSON Lines",
}
"""What has rows, perhaps, and how text is made of it."""
_MEDIA = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".mp3", ".wav", ".mp4", ".mov")
_SURELY = 0.85
"""How alike (difflib's ratio) a name must be to one that counts to be taken for it misspelt, as `recipe.jsn`."""
_ALIKE = 0.7
_VALIDATION = ("validation", "valid", "val", "dev", "eval", "evaluation", "holdout")


def of_another_name(folder: str, name: str) -> tuple[str, str]:
    """The problem and the advice, for a file in this folder of the inbox whose name is none that counts."""
    lower = name.strip().lower()
    if lower in (*TRAIN_NAMES, *SIBLINGS):
        return _unknown(name), f"Drop it as {folder}/{lower}."
    packed = next((ending for ending in _UNPACKED_BY if lower.endswith(ending)), None)
    inner = lower.removesuffix(packed or "")
    return (
        _left_by_a_program(folder, lower)
        or _of_another_kind(folder, lower, inner)
        or _for_validation(folder, name, inner, packed)
        or (_packed(folder, name, inner, packed) if packed is not None else _not_packed(folder, name, inner))
    )


def _left_by_a_program(folder: str, lower: str) -> tuple[str, str] | None:
    if lower.startswith(_MARKERS) or lower in _MARKER_NAMES or lower.endswith(_MARKER_ENDINGS):
        return (
            "is a file that a program writes beside its data (such as Spark's _SUCCESS), and starts no run.",
            f"Leave it, or delete it. The rows belong in one file, {folder}/{TRAIN_NAME}.",
        )
    if lower.startswith(_LEFT_BEHIND_NAMES) or lower.endswith(_LEFT_BEHIND):
        return (
            "looks like a copy that a program keeps, or an upload that is not finished, and starts no run.",
            f"Leave it, or delete it. If it holds the rows, drop them as {folder}/{TRAIN_NAME}.",
        )
    return None


def _of_another_kind(folder: str, lower: str, inner: str) -> tuple[str, str] | None:
    """For one part of several, for programs and media, and for what neither a run nor `tunedrop convert` reads."""
    rows = f"{folder}/{_nearest(inner)}"
    convert = f"make rows of them (tunedrop convert FILE --output {_nearest(inner)}), and drop them as {rows}."
    if _PART.match(lower) and not _ONLY_PART.match(lower):
        several = f"{lower.partition('-')[0]}-*"
        join = f"text: cat {several} > rows.jsonl; packed: gzip -dc {several} > rows.jsonl"
        if ".parquet" in lower:
            join = f"duckdb -c \"COPY (FROM '{several}.parquet') TO 'rows.jsonl'\""
        return "is one part of several, and a run reads one file.", f"Join the parts ({join}), {convert}"
    if lower.endswith(".py"):
        return (
            "is a program, and a run uses none from the inbox.",
            "To grade with it, deploy it (docs/own-graders.md), or try it on this machine by tunedrop run FOLDER.",
        )
    if inner.endswith(_MEDIA):
        return "is no text, and the models are trained on text only.", f"Drop rows of text as {rows}."
    if inner.endswith(".toml"):
        return _unknown(inner), f"Write it as YAML or JSON, and drop it as {folder}/{RECIPE_NAMES[0]}."
    way = next((each for endings, each in _EXPORTED.items() if inner.endswith(endings)), None)
    if way is not None and not _is_recipe(inner):
        return "is of a kind that no run reads.", f"Export its rows ({way}), {convert}"
    return None


def _for_validation(folder: str, name: str, inner: str, packed: str | None) -> tuple[str, str] | None:
    if _stem(inner) not in _VALIDATION or not (inner.endswith(_JSON_LINES) or "." not in inner):
        return None
    return (
        f"{_unknown(name)} The rows to choose a checkpoint by come from {TRAIN_NAME} (evaluation.validation).",
        f"To compare the models on it, drop it as {folder}/{TEST_NAME}{packed if packed == '.gz' else ''}; otherwise "
        "leave it out.",
    )


def _packed(folder: str, name: str, inner: str, packed: str) -> tuple[str, str]:
    rows = f"{folder}/{_nearest(inner)}"
    unpack = f"Unpack it ({_UNPACKED_BY[packed]})"
    if packed == ".gz" and inner.endswith(_JSON_LINES):
        return _unknown(name), f"Drop it as {rows}.gz."
    if not inner.endswith(_CONVERTED):
        inside = f"{folder}/{inner}" if inner in (*TRAIN_NAMES, *SIBLINGS) else rows
        return "is packed in a format that no run reads.", f"{unpack}, and drop what is in it as {inside}."
    convert = f"make rows of what is in it (tunedrop convert FILE --output {_nearest(inner)}), and drop them as {rows}."
    if packed not in _READ_PACKED:
        return "is packed, and its name is not that of a JSON Lines file.", f"{unpack}, {convert}"
    return "does not have the name of a JSON Lines file, and starts no run.", f"M{convert[1:]}"


def _not_packed(folder: str, name: str, inner: str) -> tuple[str, str]:
    rows = f"{folder}/{_nearest(inner)}"
    convert = f"ake rows of it (tunedrop convert FILE --output {_nearest(inner)})"
    if inner.endswith(_MAYBE_LINES) and not _is_recipe(inner):
        way = f"If each of its lines is a row, drop it as {rows}. If not, m{convert}, and drop those."
        return _unknown(name), way
    if inner.endswith(_CONVERTED) and not _is_recipe(inner):
        return (
            "does not have the name of a JSON Lines file, and starts no run.",
            f"M{convert}, and drop them as {rows}.",
        )
    return _unknown(name), f"Drop it as {rows}."


def _unknown(name: str) -> str:
    known = ", ".join((*TRAIN_NAMES, *SIBLINGS))
    if name.lower() in (*TRAIN_NAMES, *SIBLINGS):
        return f"has a name with capital letters; the names that Tunedrop uses are {known}."
    return f"has a name that starts no run; the names that Tunedrop uses are {known}."


def _stem(inner: str) -> str:
    return inner.partition(".")[0]


def _is_recipe(inner: str) -> bool:
    return inner.endswith((".yaml", ".yml")) or bool(get_close_matches(_stem(inner), ("recipe",), n=1, cutoff=_ALIKE))


def _nearest(inner: str) -> str:
    """The name that a file of this name, in small letters, seems to be meant to have."""
    if _is_recipe(inner):
        found = get_close_matches(inner, RECIPE_NAMES, n=1, cutoff=_SURELY)
        return found[0] if found else RECIPE_NAMES[0]
    stem = _stem(inner)
    if stem in _VALIDATION or get_close_matches(stem, ("test", "train"), n=1, cutoff=_ALIKE) == ["test"]:
        return TEST_NAME
    return TRAIN_NAME
