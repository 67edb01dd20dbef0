"""The Files API: upload, list, retrieve, delete, and contents where the switch gives them."""

from __future__ import annotations

import time
import uuid

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from local.bedrock.errors import ApiError, invalid, not_found, unknown_parameter
from local.bedrock.http import JsonResponse
from local.bedrock.mantle.lists import Staleness, asked_limit, list_object, page_of
from local.bedrock.mantle.projects import is_of, project_of
from local.bedrock.records import Document
from local.bedrock.service import Service

FILE = "file"
_MOST_LISTED = 10_000  # OpenAI's default and largest page


class Files:
    """The routes' handlers."""

    def __init__(self, service: Service, staleness: Staleness) -> None:
        self._service = service
        self._staleness = staleness

    async def create(self, request: Request) -> Response:
        """POST /v1/files"""
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise invalid("Expected a multipart/form-data request with the parts 'purpose' and 'file'.")
        async with request.form() as form:
            purpose, upload = form.get("purpose"), form.get("file")
            unknown = next((name for name in form if name not in ("purpose", "file")), None)
            if unknown is not None and self._service.switches.unknown_parameters == "refuse":
                raise unknown_parameter(unknown[:100])
            if purpose != "fine-tune":
                raise invalid(f"Invalid 'purpose': expected 'fine-tune', got {purpose!r}.", param="purpose")
            if not isinstance(upload, UploadFile):
                raise invalid("Missing required parameter: 'file'.", param="file")
            content = await upload.read()
            filename = upload.filename or "file"
        if not content:
            raise invalid("The file is empty.", param="file")
        status = self._service.switches.file_status_after_upload
        name = str(uuid.uuid4())
        document: Document = {
            "id": name,
            "bytes": len(content),
            "created": time.time(),
            "filename": filename,
            "purpose": purpose,
            "status": status,
            "project": project_of(request),
        }
        records = self._service.records
        with records.together():
            records.put(FILE, name, document)
            records.put_content(name, content)
        self._staleness.created(FILE, name)
        self._service.rows.teach(content)
        return JsonResponse(_file_object(document))

    async def list(self, request: Request) -> Response:
        """GET /v1/files"""
        as_of = self._staleness.called(FILE)
        query = request.query_params
        if self._service.switches.file_list_query == "refuse":
            for name in ("order", "limit", "after"):
                if name in query:
                    raise invalid(f"Unknown parameter: '{name}'.", param=name)
        order = query.get("order", "desc")
        if order not in ("asc", "desc"):
            raise invalid(f"Invalid 'order': expected 'asc' or 'desc', got {order!r}.", param="order")
        limit = asked_limit(query, default=_MOST_LISTED, largest=_MOST_LISTED, switches=self._service.switches)
        shown = [
            _file_object(document)
            for document in self._service.records.all(FILE)
            if is_of(document, request)
            and self._staleness.shows(FILE, document["id"], document["created"], as_of=as_of)
            and query.get("purpose") in (None, "", document["purpose"])
        ]
        if order == "desc":
            shown.reverse()
        return JsonResponse(list_object(page_of(shown, query, limit)))

    async def retrieve(self, request: Request) -> Response:
        """GET /v1/files/{file_id}"""
        document = self._find(request)
        if document["status"] == "uploaded":
            document["status"] = "processed"
            self._service.records.put(FILE, document["id"], document)
        return JsonResponse(_file_object(document))

    async def delete(self, request: Request) -> Response:
        """DELETE /v1/files/{file_id}; jobs that were made from the file keep what they need."""
        document = self._find(request)
        self._service.records.delete(FILE, document["id"])
        return JsonResponse({"id": document["id"], "object": "file", "deleted": True})

    async def content(self, request: Request) -> Response:
        """GET /v1/files/{file_id}/content"""
        if not self._service.switches.file_content_download:
            raise ApiError(404, "not_found", f"No such route: {request.url.path}")
        content = self._service.records.content(self._find(request)["id"])
        return Response(content or b"", media_type="application/octet-stream")

    def _find(self, request: Request) -> Document:
        name = request.path_params["file_id"]
        document = self._service.records.get(FILE, name)
        if document is None or not is_of(document, request):
            raise not_found("file", name)
        return document


def _file_object(document: Document) -> Document:
    return {
        "id": document["id"],
        "object": "file",
        "bytes": document["bytes"],
        "created_at": int(document["created"]),
        "filename": document["filename"],
        "purpose": document["purpose"],
        "status": document["status"],
        "expires_at": None,
        "status_details": None,
    }
