"""Models that can be asked: the base models, and what trainings made of them."""

from __future__ import annotations

import base64
import time
import uuid
from dataclasses import dataclass

from local.bedrock.catalog import BASE_MODELS, BaseModel, base_model
from local.bedrock.engine import Engine
from local.bedrock.model_ref import ModelRef, ref_from_json, ref_to_json
from local.bedrock.records import Document, Records
from local.bedrock.switches import Switches

_KIND = "model"


@dataclass(frozen=True, slots=True)
class AskedModel:
    """A model that was found by its id."""

    model_id: str
    ref: ModelRef
    base: BaseModel
    created: int
    tuned: bool
    reasons: bool  # whether its answers come with reasoning


class Models:
    """Finds models by id; keeps tuned ones."""

    def __init__(self, records: Records, switches: Switches, engine: Engine, *, region: str, account: str) -> None:
        self._records = records
        self._switches = switches
        self._engine = engine
        self._region = region
        self._account = account
        self._tuned = {document["id"]: document for document in records.all(_KIND)}
        self._started = int(time.time())

    def find(self, model_id: str) -> AskedModel | None:
        """The model of this id, or None."""
        tuned = self._tuned.get(model_id)
        if tuned is not None:
            return self._read(tuned)
        base = base_model(model_id)
        if base is None or (model_id != base.model_id and self._switches.short_model_names == "refuse"):
            return None
        ref = self._engine.base(base)
        return AskedModel(model_id, ref, base, self._started, tuned=False, reasons=self._reasons(base))

    def all(self) -> list[AskedModel]:
        """Base models that the OpenAI-compatible path offers, then tuned ones where the switch lists them."""
        bases = [found for base in BASE_MODELS if base.tuned_by != "native" and (found := self.find(base.model_id))]
        if not self._switches.tuned_models_listed:
            return bases
        tuned = [self._read(document) for document in self._tuned.values() if document["listed"]]
        return bases + [model for model in tuned if model.base.tuned_by == "mantle"]

    def keep(self, base: BaseModel, ref: ModelRef, *, model_id: str | None = None, listed: bool = True) -> str:
        """Keep a tuned model; returns its id, a new one in the form that the switch says unless one is given."""
        name = model_id or self._new_id(base)
        document: Document = {
            "id": name,
            "base": base.model_id,
            **ref_to_json(ref),
            "created": int(time.time()),
            "listed": listed,
        }
        self._records.put(_KIND, name, document)
        self._tuned[name] = document
        return name

    def delete(self, model_id: str) -> bool:
        """Delete a tuned model; False where there is none of this id."""
        self._tuned.pop(model_id, None)
        return self._records.delete(_KIND, model_id)

    def _new_id(self, base: BaseModel) -> str:
        by = {"simulation": "simulated", "local": "local"}[self._engine.trained_by]
        unique = base64.b32encode(uuid.uuid4().bytes).decode().rstrip("=").lower()
        if self._switches.tuned_model_id == "colons":
            return f"ft:{base.model_id}:{by}::{unique[:8]}"
        if self._switches.tuned_model_id == "arn":
            return f"arn:aws:bedrock-mantle:{self._region}:{self._account}:customized-model/{by}-{unique}"
        return f"{by}-{unique}"

    def _read(self, document: Document) -> AskedModel:
        base = base_model(document["base"])
        if base is None:
            raise LookupError(f"tuned model {document['id']} is of {document['base']}, which the catalog lacks")
        ref = ref_from_json(document)
        return AskedModel(document["id"], ref, base, document["created"], tuned=True, reasons=self._reasons(base))

    def _reasons(self, base: BaseModel) -> bool:
        return base.reasons and self._engine.reasons
