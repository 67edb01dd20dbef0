"""`tunedrop validate FOLDER --remote`: the check of a dataset by the API of a stack."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from local.command import exits, which_stack
from local.command.printable import say

if TYPE_CHECKING:
    from tunedrop_client.documents import Validation


def check(folder: Path, arguments: argparse.Namespace) -> int:
    """Upload the folder's files, wait for the check, and print its findings; 0 if the dataset is valid, else 2.

    Raises:
        UsageError: it is no folder of a dataset.
    """
    from local.command.dataset_folder import DatasetFolder
    from local.command.unused_files import tell_unused

    dataset = DatasetFolder.open(folder)
    tell_unused(folder)
    client = which_stack.required(arguments)
    checked = client.validate_folder(dataset.train.parent)
    if arguments.json:
        print(json.dumps(checked, ensure_ascii=True, indent=2))
    else:
        _show(checked, client.place.api_url)
    return exits.SUCCEEDED if checked["valid"] else exits.REJECTED


def _show(checked: Validation, where: str) -> None:
    for finding in checked["findings"] or ():
        place = f"{finding['file']}:{finding['line']}" if finding.get("line") else finding["file"]
        say(f"{finding['severity']:<8} {place}  {finding['message']}")
        if finding.get("hint"):
            say(f"{'':<8} {finding['hint']}")
    rows = f"{checked['rows']:,} rows" if checked["rows"] is not None else "no rows"
    say(f"{'Valid' if checked['valid'] else 'Not valid'}: {rows}, checked by {where}")
    if checked["findings"] and checked["findings_link"]:
        say(f"All findings, for 15 minutes: {checked['findings_link']}")
