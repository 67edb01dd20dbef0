"""docs/demo.svg: the terminal of a real `tunedrop demo`, as it stood at the end.

python -m checks.demo_picture      runs the demo and writes the picture (`make picture`)
"""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs/demo.svg"
COMMAND = Path(sys.executable).with_name("tunedrop")
COLUMNS = 104
_MOVES = re.compile(r"\x1b\[(\d*)([A-HJKST])|\x1b\[\?\d+[hl]")
_NOTICE = re.compile(r"^The notice, as it reached.*?^  \}\n", re.MULTILINE | re.DOTALL)
_WEB_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def environment() -> dict[str, str]:
    """The demo's environment. The command is on the PATH: its hint would show folders of this machine."""
    path = f"{COMMAND.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "COLUMNS": str(COLUMNS), "LINES": "200", "TERM": "xterm-256color"}


def recorded() -> str:
    """What the demo wrote to a terminal of COLUMNS columns. Raises CalledProcessError where it did not succeed."""
    terminal, other_end = pty.openpty()
    command = [str(COMMAND), "demo"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=other_end, stderr=other_end, env=environment())
    os.close(other_end)
    written = bytearray()
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # the demo has closed its end
            break
        if not chunk:
            break
        written += chunk
    if process.wait() != 0:
        raise subprocess.CalledProcessError(process.returncode, command, bytes(written))
    return written.decode()


def last_screen(written: str) -> str:
    """The lines as they stood at the end: a line that was drawn anew counts as it was drawn last."""
    lines = [""]
    row = 0
    for part in re.split(r"(\r?\n|\r|\x1b\[\d*[A-K]|\x1b\[\?\d+[hl])", written):
        if part in ("\n", "\r\n"):
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part == "\r":
            continue
        elif (moved := _MOVES.fullmatch(part)) is not None:
            if moved[2] == "A":
                row = max(0, row - int(moved[1] or 1))
            elif moved[2] == "K":
                lines[row] = ""
        elif part:
            lines[row] += part
    return "\n".join(lines)


def picture(screen: str) -> str:
    """The screen as an SVG that needs nothing from elsewhere. The notice is left out: it fills three screens."""
    text = Text.from_ansi(screen)
    shown = Text.from_ansi(_NOTICE.sub("", screen)) if _NOTICE.search(text.plain) is None else _without_notice(text)
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(shown, end="")
    return _WEB_FONTS.sub("", console.export_svg(title="make demo", unique_id="demo"))


def _without_notice(text: Text) -> Text:
    found = _NOTICE.search(text.plain)
    return text if found is None else text[: found.start()] + text[found.end() :]


def main() -> int:
    """Record the demo and write the picture."""
    PICTURE.write_text(picture(last_screen(recorded())), encoding="utf-8")
    sys.stdout.write(f"Wrote {PICTURE.relative_to(ROOT)}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
