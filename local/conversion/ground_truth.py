"""Rows of a SageMaker Ground Truth manifest: `source`, a label's attribute, and `<attribute>-metadata`.

https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html
"""

from __future__ import annotations

from typing import Any

from local.conversion.fault import ConversionError
from local.conversion.task import Task
from tunedrop.dataset.show import shown


def read(row: dict[str, Any], *, answered: bool) -> Task:
    """The source's text and, unless the row is `answered`, the label as its class's name.

    Raises ConversionError where there is no text, or no one label.
    """
    text = row.get("source")
    if "source-ref" in row:
        raise ConversionError(
            f"the text is in another file, {shown(row['source-ref'])}; write each text into `source`, then convert"
        )
    if not isinstance(text, str):
        raise ConversionError(f"expected `source`, a text, got {shown(text)}")
    if answered:
        return Task([{"role": "user", "content": text}], {key: row[key] for key in row if key != "source"})
    named = [key.removesuffix("-metadata") for key in row if key.endswith("-metadata")]
    if len(named) != 1:
        got, way = (", ".join(map(shown, named)), named[0]) if named else ("none", "label")
        raise ConversionError(f"expected one label, got {got}; name one, as in --answer {way}-metadata.class-name")
    others = {key: value for key, value in row.items() if key not in ("source", *named)}
    return Task([{"role": "user", "content": text}], others, _label(row, named[0]), f"the class of `{named[0]}`")


def _label(row: dict[str, Any], name: str) -> Any:
    value, about = row.get(name), row[f"{name}-metadata"]
    if not isinstance(about, dict):
        raise ConversionError(f"expected `{name}-metadata`, an object, got {shown(about)}")
    if about.get("failure-reason"):
        raise ConversionError(f"labelling this row failed: {shown(about['failure-reason'])}; leave the row out")
    if isinstance(about.get("class-name"), str):
        return about["class-name"]
    names = about.get("class-map")
    if isinstance(names, dict) and isinstance(value, list):
        missing = [label for label in value if str(label) not in names]
        if missing:
            raise ConversionError(f"`{name}-metadata` has no name for the class {shown(missing[0])}")
        return {"labels": [names[str(label)] for label in value]}
    return value
