"""The weights that are served and trained: found by a path or in a package, and made ready for transformers once."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

_TOLD = "weights.json"
_UNKNOWN_LICENCE = "not stated"


class WeightsNotFound(Exception):
    """There are no weights where they were said to be."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights that are ready: what they are called, their licence, and the folder that transformers reads."""

    name: str
    licence: str
    folder: str

    def to_json(self) -> dict[str, str]:
        """As a JSON object."""
        return asdict(self)


def prepare(named: str, kept: Path) -> Weights:
    """Make the weights ready that `named` names: a .gguf file, a folder in Hugging Face's format, or a package.

    A package has one .gguf file. A GGUF file is read once, and kept below `kept` with 4 bytes a number.

    Raises:
        WeightsNotFound: there are none, or more than one.
    """
    source = _find(named)
    if source.is_dir():
        return Weights(source.name, _licence_of_folder(source), str(source))
    digest = hashlib.sha256(f"{source.resolve()} {source.stat().st_size} {source.stat().st_mtime_ns}".encode())
    folder = kept / f"{source.stem}-{digest.hexdigest()[:12]}"
    if not (folder / _TOLD).exists():
        _convert(source, folder)
    return Weights(**json.loads((folder / _TOLD).read_text()))


def load(weights: str) -> tuple[Any, Any]:
    """The model and the tokenizer of a folder, on the device that is there: (model, tokenizer).

    Without a GPU the numbers are 4 bytes wide: with 2 bytes a processor is slower. With one, they are bfloat16.
    """
    gpu = torch.cuda.is_available()
    model = AutoModelForCausalLM.from_pretrained(
        weights,
        dtype=torch.bfloat16 if gpu else torch.float32,
        device_map="auto" if gpu else None,
        local_files_only=True,
    )
    return model.eval(), tokenizer_of(weights)


def tokenizer_of(weights: str) -> Any:
    """The tokenizer of a folder; it pads on the left, as generation needs."""
    tokenizer = AutoTokenizer.from_pretrained(weights, local_files_only=True)
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _find(named: str) -> Path:
    path = Path(named).expanduser()
    if path.is_file() and path.suffix == ".gguf":
        return path
    if path.is_dir():
        if (path / "config.json").is_file():
            return path
        return _only_gguf(path, named)
    module = named.replace("-", "_")
    spec = importlib.util.find_spec(module) if module.isidentifier() else None
    if spec is None or spec.origin is None:
        raise WeightsNotFound(
            f"{named} is no .gguf file, no folder with a config.json, and no package of the model's environment"
        )
    return _only_gguf(Path(spec.origin).parent, named)


def _only_gguf(folder: Path, named: str) -> Path:
    files = sorted(folder.rglob("*.gguf"))
    if len(files) != 1:
        raise WeightsNotFound(f"{named}: expected one .gguf file, found {len(files)}")
    return files[0]


def _convert(source: Path, folder: Path) -> None:
    """Write the weights of a GGUF file as a folder in Hugging Face's format; whole, or not at all."""
    begun = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(begun, ignore_errors=True)
    begun.mkdir(parents=True)
    place = {"pretrained_model_name_or_path": str(source.parent), "gguf_file": source.name}
    read = AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(**place)
    # A model read from GGUF cannot be saved as it is: its configuration asks for GGUF's own quantization.
    fresh = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(**place), dtype=torch.float32)
    fresh.load_state_dict(read.state_dict())
    fresh.save_pretrained(begun)
    tokenizer.save_pretrained(begun)
    told = Weights(source.stem, _licence_of_file(source), str(folder))
    (begun / _TOLD).write_text(json.dumps(told.to_json()))
    try:
        begun.rename(folder)
    except OSError:  # another process was quicker
        shutil.rmtree(begun, ignore_errors=True)


def _licence_of_file(source: Path) -> str:
    from gguf import GGUFReader

    field = GGUFReader(source).fields.get("general.license")
    return str(field.contents()) if field is not None else _licence_of_package(source)


def _licence_of_package(source: Path) -> str:
    """What the package that has the file declares: the folder's name is the package's import name."""
    distributions = metadata.packages_distributions().get(source.parent.name)
    if not distributions:
        return _UNKNOWN_LICENCE
    return str(metadata.metadata(distributions[0]).json.get("license") or _UNKNOWN_LICENCE)


def _licence_of_folder(folder: Path) -> str:
    """The `license` that the front matter of the folder's README names, as models on Hugging Face have it."""
    card = folder / "README.md"
    for line in card.read_text(errors="replace").splitlines()[:60] if card.is_file() else ():
        name, _, value = line.partition(":")
        if name.strip() == "license":
            return value.strip() or _UNKNOWN_LICENCE
    return _UNKNOWN_LICENCE
