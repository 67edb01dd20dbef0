"""Whether a person is asked about a promotion, and why: what the recipe asks for, and what the team's rule asks for.

The one who drops a dataset writes its recipe, so a rule of the operator must not depend on what a recipe can loosen. It
compares the *lower end* of the interval with the operator's figure, and not the difference: in a small test set chance
alone makes a large difference, and the interval is wide there. It asks a person wherever the recipe made that figure
less worth: by a looser gate, or by measuring a model that an earlier run made, which can be repeated until it passes.
A recipe's own request for a person always counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunedrop.recipe import Recipe
    from tunedrop.run.record import RunRecord

_GREATER_IS_LOOSER = ("level", "most_ungraded", "most_grader_errors", "most_unstable", "cheat_margin")
_LESS_IS_LOOSER = ("least_reference",)


@dataclass(frozen=True, slots=True)
class Approval:
    """Whether a person is asked, and why (or why not), in words that go on after a colon."""

    asked: bool
    why: str

    def to_attribute(self) -> dict[str, str]:
        """As the record keeps it."""
        return {"asked": "yes" if self.asked else "no", "why": self.why}


def approval_of(record: RunRecord) -> Approval | None:
    """What was decided when the run was concluded; None if no promotion is wanted.

    Where nothing was noted (a run that an earlier version concluded), the recipe decides, as it did then.
    """
    noted = record.approval_asked
    if noted is not None:
        return Approval(noted.get("asked") != "no", noted.get("why", ""))
    return None if record.promotion_wish is None else _without_a_rule(record)


def decided(record: RunRecord, result: Mapping[str, Any]) -> Approval | None:
    """Whether a person is asked about the promotion of a run with this evaluation (`verdict.evaluate` made it).

    None if no promotion is wanted. The same run with the same answers always gives the same.
    """
    recipe, rule = record.recipe, record.approval_rule
    if recipe.promotion is None:
        return None
    if rule is None:
        return _without_a_rule(record)
    reasons = [_BY_RECIPE] if recipe.promotion.approval else []
    reasons += _by_rule(recipe, rule, result)
    if reasons:
        return Approval(True, "; ".join(reasons))
    return Approval(False, _enough(rule, result))


_BY_RECIPE = "the recipe asks for it (`promotion.approval`)"


def _without_a_rule(record: RunRecord) -> Approval:
    if record.governed:
        return Approval(True, f"team {record.team} has an approver asked about each promotion")
    if (record.promotion_wish or {}).get("approval"):
        return Approval(True, _BY_RECIPE)
    return Approval(False, "neither the recipe nor the stack's parameter Teams asks for a person")


def _by_rule(recipe: Recipe, rule: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[str]:
    if not recipe.trains:
        yield "an earlier run made the model, and a comparison can be repeated until it passes"
    yield from _loosened(recipe)
    below, low = float(rule.get("below", 0)), _share(result)
    if below and not low >= below:
        yield f"the lower end of the difference's interval is {low:+.3f} of the range of rewards, below {below:g}"
    if rule.get("guard_rails"):
        yield from result.get("guard_rails_moved", ())
        accuracy = result["comparison"]["accuracy"]
        if accuracy and accuracy["difference"] < 0:
            yield f"the share of right answers fell by {-accuracy['difference']:.1%}, which chance can explain"


def _loosened(recipe: Recipe) -> Iterator[str]:
    """The gates that the recipe made looser than they are by default, of those on which an improvement rests."""
    from tunedrop.recipe import Gates

    usual, gates = Gates(), recipe.gates
    for name in (*_GREATER_IS_LOOSER, *_LESS_IS_LOOSER):
        default, value = getattr(usual, name), getattr(gates, name)
        if value > default if name in _GREATER_IS_LOOSER else value < default:
            yield f"the recipe loosens `gates.{name}` to {value:g} from {default:g}"


def _share(result: Mapping[str, Any]) -> float:
    """The lower end of the difference's interval, as a share of the range of rewards."""
    low, high = result["reward_range"]
    least: float = result["comparison"]["reward"]["low"] / (high - low)
    return least


def _enough(rule: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    told = []
    if rule.get("below"):
        told.append(
            f"the lower end of the difference's interval is {_share(result):+.3f} of the range of rewards, at least "
            f"{rule['below']:g}"
        )
    if rule.get("guard_rails"):
        told.append("no guard rail moved")
    return ", and ".join(told)
