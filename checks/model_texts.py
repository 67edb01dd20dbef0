"""What the documents say about the models that can be tuned, from the catalog."""

from __future__ import annotations

from itertools import groupby

from tunedrop.catalog import Family, Model, Range, models

_FAMILIES = {Family.OPEN_WEIGHT: "open-weight", Family.NOVA: "Nova"}


def table() -> str:
    """Every model: where it trains, how it is asked, and what its context is."""
    lines = [
        "| model | trains in | is asked as | also named | context, tokens | highest temperature | `reasoning_effort` |",
        "|---|---|---|---|---:|---:|---|",
    ]
    for model in models():
        asked_as = "its id" if model.asked_as == model.id else f"`{model.asked_as}`"
        aliases = ", ".join(f"`{alias}`" for alias in model.aliases if alias != model.asked_as) or "–"
        context = "–" if model.max_prompt_tokens is None else f"{model.max_prompt_tokens:,}"
        efforts = ", ".join(model.reasoning_efforts) or "no"
        lines.append(
            f"| `{model.id}` ({_FAMILIES[model.family]}) | {model.region} | {asked_as} | {aliases} | {context} "
            f"| {model.most_temperature:g} | {efforts} |"
        )
    return "\n".join(lines)


def hyperparameters() -> str:
    """The hyperparameters of each family, with their bounds and defaults."""
    lines = ["| family | hyperparameter | what it does | values | default |", "|---|---|---|---|---|"]
    for of, one in _first_of_each_family():
        for name, each in one.hyperparameters.items():
            default = _default(each) or "the service chooses"
            lines.append(f"| {_FAMILIES[of]} | `{name}` | {each.meaning} | {_values(each)} | {default} |")
    return "\n".join(lines)


def by_region() -> str:
    """The models by Region, for a cell of a table; the first of a Region is its default."""
    parts = []
    for region, ids in _ids_by_region():
        first, *others = (f"`{each}`" for each in ids)
        parts.append(f"{region}: {', '.join([f'{first} (the default there)', *others])}.")
    return " ".join(parts)


def names() -> str:
    """The models with their Regions, in few words."""
    parts = [f"{' or '.join(f'`{each}`' for each in ids)} ({region})" for region, ids in _ids_by_region()]
    return ", ".join(parts)


def defaults() -> str:
    """The hyperparameters of each family with their defaults, for a cell of a table."""
    parts = []
    for of, one in _first_of_each_family():
        listed = (f"`{name}` {_default(each)}".rstrip() for name, each in one.hyperparameters.items())
        parts.append(f"{_FAMILIES[of]}: {', '.join(listed)}.")
    return " ".join(parts)


def family(of: Family) -> str:
    """A family's name with its models."""
    return f"{_FAMILIES[of]} ({', '.join(f'`{each.id}`' for each in models() if each.family is of)})"


def where_they_train() -> str:
    """The families with their models and Regions."""
    parts = []
    for of in _FAMILIES:
        regions = sorted({each.region for each in models() if each.family is of})
        parts.append(f"{family(of)} in {' and '.join(f'**{region}**' for region in regions)}")
    return ", ".join(parts)


def with_efforts() -> str:
    """The models that can be asked for an effort."""
    return ", ".join(f"`{each.id}`" for each in models() if each.reasoning_efforts)


def _ids_by_region() -> list[tuple[str, list[str]]]:
    by = sorted(models(), key=lambda each: [one.region for one in models()].index(each.region))
    return [(region, [each.id for each in group]) for region, group in groupby(by, key=lambda each: each.region)]


def _first_of_each_family() -> list[tuple[Family, Model]]:
    return [(of, next(each for each in models() if each.family is of)) for of in _FAMILIES]


def _default(each: Range) -> str:
    told = "" if each.default is None else str(each.default)
    return f"{told} (less for few rows)" if each.fits_rows else told


def _values(each: Range) -> str:
    if each.choices:
        return ", ".join(f"`{choice}`" for choice in each.choices)
    kind = "a number" if each.kind is float else "a whole number"
    if each.most is None:
        return f"{kind}, at least {each.least:g}"
    return f"{kind}, {each.least:g} to {each.most:g}"
