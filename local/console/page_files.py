"""The files of the page, read once: a request names one of them and never a path on this machine."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from starlette.responses import Response

from local.console.problems import problem

_FOLDER = Path(__file__).with_name("page")
_CHARTS = files("tunedrop.reporting").joinpath("page/vendor")
"""The chart library of the report."""

_TYPES: Mapping[str, str] = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
}
_IMPORT_MAP = re.compile(r'<script type="importmap">(.*?)</script>', re.DOTALL)

_STYLE_OF_PLOT = "sha256-jSYQUrW7J0b3jPqhZP9C2Xh1PyJKHKXd4s0fpGGKrww="
"""The one style element that the chart library (Plot 0.6.17) puts into each chart. A browser's test looks after it."""


class PageFiles:
    """By name: what each file holds, and of which type it is."""

    def __init__(self) -> None:
        found = {path.relative_to(_FOLDER).as_posix(): path.read_bytes() for path in _FOLDER.rglob("*.*")}
        found |= {f"charts/{name}": _CHARTS.joinpath(name).read_bytes() for name in ("d3.min.js", "plot.umd.min.js")}
        self._files = {name: content for name, content in found.items() if Path(name).suffix in _TYPES}

    def answer(self, name: str, status: int = 200) -> Response:
        """The file, or that there is none of this name."""
        content = self._files.get(name)
        if content is None:
            return problem(404, "page", "There is no such page", "The console begins at /.")
        return Response(content, status, media_type=_TYPES[Path(name).suffix])

    def policy(self) -> str:
        """The content security policy of all that is not a report: nothing from elsewhere, nothing inline but the map
        of the modules' names, by its hash."""
        inline = _IMPORT_MAP.search(self._files["index.html"].decode())
        assert inline is not None, "index.html has its import map"  # noqa: S101 - our own file
        digest = base64.b64encode(hashlib.sha256(inline[1].encode()).digest()).decode()
        return "; ".join(
            (
                "default-src 'none'",
                f"script-src 'self' 'sha256-{digest}'",
                f"style-src 'self' '{_STYLE_OF_PLOT}'",
                "img-src 'self' data:",
                "connect-src 'self'",
                "frame-src 'self'",
                "base-uri 'none'",
                "form-action 'none'",
                "frame-ancestors 'none'",
                "require-trusted-types-for 'script'",
                "trusted-types 'none'",
            )
        )
