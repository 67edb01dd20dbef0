"""Recipes that are written to keep their reader busy: each is refused, or read, in bounded processor time."""

from __future__ import annotations

import contextlib
import time

import pytest

from tunedrop.outcomes import RecipeInvalid
from tunedrop.recipe_text import RECIPE_BYTES, parse

SECONDS = 10.0
"""Of processor time for the longest recipe; the slowest shape takes 2."""


def shapes(size: int) -> dict[str, str]:
    """Texts of at most `size` characters, by what they are full of."""
    return {
        "lists": "[" * size,
        "objects": "{" * size,
        "lists with items": "[a," * (size // 3),
        "dashes": "- " * (size // 2),
        "question marks": "? " * (size // 2),
        "levels": "".join(" " * level + "a:\n" for level in range(int(size**0.5))),
        "fields": "".join(f"a{number:06}: 1\n" for number in range(size // 11)),
        "one field again and again": "a: 1\n" * (size // 5),
        "fields on a line": "a: {" + "b: 1, " * (size // 6 - 9) + "}",
        "escapes": 'a: "' + "\\n" * (size // 2 - 9) + '"',
        "lines of a text": "a: " + "b\n " * (size // 3 - 9),
        "a block": "a: |\n" + " b\n" * (size // 3 - 9),
        "comments": "#\n" * (size // 2),
        "tags": "a: " + "!x " * (size // 3 - 9),
        "digits": "a: " + "9" * (size - 9),
        "numbers in base 60": "a: " + "1:" * (size // 2 - 9) + "1",
        "documents": "---\n" * (size // 4),
    }


def test_a_recipe_full_of_one_thing_takes_bounded_time() -> None:
    for text in shapes(RECIPE_BYTES // 256).values():
        hold(text, SECONDS / 10)


@pytest.mark.prove
@pytest.mark.parametrize("shape", shapes(0))
def test_the_longest_recipe_full_of_one_thing_takes_bounded_time(shape: str) -> None:
    hold(shapes(RECIPE_BYTES)[shape], SECONDS)


def hold(text: str, seconds: float) -> None:
    for name in ("recipe.yaml", "recipe.json"):
        began = time.process_time()
        with contextlib.suppress(RecipeInvalid):
            parse(text.encode(), name)
        assert time.process_time() - began < seconds


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &a [x, x]\nb: [*a, *a]\n", "aliases (*name) are not allowed"),
        ("a: &a {x: 1}\n<<: *a\n", "aliases (*name) are not allowed"),
        ("a: !!python/object/apply:os.system [touch /tmp/x]\n", "expected a list or fields without a tag"),
        ("a: !!python/name:os.system x\n", "got a value with the tag"),
        ("a: !!binary eA==\n", "got a value with the tag"),
        ("%TAG ! tag:evil,2000:\n---\na: !x 1\n", "got a value with the tag"),
        ("a: 1\n---\nb: 2\n", "expected a single document"),
    ],
)
def test_what_yaml_can_do_beyond_data_is_refused(text: str, says: str) -> None:
    with pytest.raises(RecipeInvalid) as refused:
        parse(text.encode(), "recipe.yaml")
    assert says in str(refused.value)
