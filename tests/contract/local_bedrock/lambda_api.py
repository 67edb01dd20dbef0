"""Lambda's Invoke API and S3's GetObject on loopback: boto3 calls them as it calls AWS."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

Grader = Callable[[list[dict[str, Any]]], Any]


def exact_grader(batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """1 for an answer that ends with the reference's `#### N`, else 0; knows the top-level layout."""
    return [
        {
            "id": sample["id"],
            "aggregate_reward_score": float(
                sample["messages"][-1]["content"].endswith(
                    "#### " + sample["reference_answer"]["text"].split("#### ")[1]
                )
            ),
            "metrics_list": [],
        }
        for sample in batch
    ]


class LambdaApi:
    """Answers invocations with the answer of a grader that the test chooses; keeps every batch; has objects."""

    def __init__(self) -> None:
        self.renew()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else every answer takes 40 ms

            def do_POST(self) -> None:
                batch = json.loads(self.rfile.read(int(self.headers["content-length"])))
                api.batches.append(batch)
                api.functions.append(unquote(self.path.split("/")[3]))
                try:
                    body, failed = json.dumps(api.grader(batch)).encode(), False
                except ArithmeticError as problem:
                    body, failed = (
                        json.dumps({"errorMessage": str(problem), "errorType": "ArithmeticError"}).encode(),
                        True,
                    )
                self.send_response(200)
                if failed:
                    self.send_header("X-Amz-Function-Error", "Unhandled")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                body = api.objects.get(self.path.partition("?")[0], b'{"Message": "Not found", "Type": "User"}')
                self.send_response(200 if self.path.partition("?")[0] in api.objects else 404)
                self.send_header("x-amzn-errortype", "ResourceNotFoundException")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library names it
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def renew(self) -> None:
        """Forget what was got, and grade exactly again."""
        self.grader: Grader = exact_grader
        self.batches: list[list[dict[str, Any]]] = []
        self.functions: list[str] = []
        self.objects: dict[str, bytes] = {}  # by /bucket/key

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
