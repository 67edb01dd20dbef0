"""A small OpenAI-compatible server that adds two numbers, and adds them wrongly as often as it is told to."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ALWAYS_RIGHT, SOMETIMES_RIGHT, NEVER_RIGHT = "always-right", "sometimes-right", "never-right"


@dataclass
class StandIn:
    """The server: its URL, and what it was asked."""

    url: str
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)


@contextmanager
def serving() -> Iterator[StandIn]:
    """The server while a test runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.asked.append(asked)
            server.keys.add(self.headers["Authorization"])
            message = {"role": "assistant", "content": answer(asked)}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            usage = {"prompt_tokens": 20, "completion_tokens": 9, "total_tokens": 29}
            document = {"id": "c", "object": "chat.completion", "choices": [choice], "usage": usage}
            content = json.dumps(document).encode()
            self.send_response(200 if self.path == "/v1/chat/completions" else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = StandIn(f"http://127.0.0.1:{http.server_address[1]}/v1")
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def answer(asked: dict[str, Any]) -> str:
    """The sum of the question's numbers, right or wrong by the model's name and the seed."""
    first, second = (int(each) for each in re.findall(r"\d+", asked["messages"][-1]["content"])[:2])
    wrong = {ALWAYS_RIGHT: False, NEVER_RIGHT: True, SOMETIMES_RIGHT: asked.get("seed", 0) % 2 == 1}[asked["model"]]
    return f"{first} and {second} make #### {first + second + wrong}"


def sums(folder: Path, *, test_rows: int = 30, recipe: str = "") -> Path:
    """A dataset of sums; the folder."""
    folder.mkdir(parents=True)
    for name, numbers in (("train.jsonl", range(120)), ("test.jsonl", range(200, 200 + test_rows))):
        rows = (
            {
                "messages": [{"role": "user", "content": f"What is {each} plus {each * 3 + 1}? End with #### and it."}],
                "reference_answer": str(each * 4 + 1),
            }
            for each in numbers
        )
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    if recipe:
        (folder / "recipe.yaml").write_text(recipe)
    return folder
