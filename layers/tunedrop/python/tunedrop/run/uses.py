"""Which runs use another one's job or model: noted in that one's record, so that it is not deleted meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tunedrop.outcomes import RecipeInvalid

if TYPE_CHECKING:
    from tunedrop.run.record import RunRecord
    from tunedrop.run.store import RunStore

_MOST_USERS = 50
"""Of a run's users, the last ones: it is kept as long as one of them is."""


def note_use(run_id: str, used: Iterable[RunRecord | None], store: RunStore) -> None:
    """Note in the records of the runs that are `used` that this run uses them. Noted again, it is the same.

    Raises:
        RecipeInvalid: one of them is being deleted. Whoever deletes notes that first, and looks for users then.
    """
    for each in used:
        if each is None or each.run_id == run_id:
            continue
        users = [user for user in each.used_by or () if user != run_id][1 - _MOST_USERS :]
        noted = store.update_if(each.run_id, {"used_by": [*users, run_id]}, "attribute_exists(run_id)")
        if any(noted.retention.get(kind, "").startswith("delet") for kind in ("run", "model")):
            raise RecipeInvalid(
                f"run {each.run_id}, whose model this run would use, is older than this stack keeps (parameter "
                "Retention), and being deleted; name a newer run or model, or train again"
            )
