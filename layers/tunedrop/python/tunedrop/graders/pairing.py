"""Which call of an answer stands for which of the reference's, where their order is free."""

from __future__ import annotations

from collections.abc import Mapping

MOST_WEIGHED = 8
"""Up to so many of one side, the best pairing is found exactly (n·2ⁿ steps); of more, the best pair is taken first."""

Pair = tuple[int, int]


def best_pairs(scores: Mapping[Pair, float]) -> list[Pair]:
    """The pairs (mine, theirs) of the greatest sum, each number once on its side. Pairs without a score are none."""
    mine = sorted({pair[0] for pair in scores})
    theirs = sorted({pair[1] for pair in scores})
    if len(theirs) > MOST_WEIGHED or len(mine) > MOST_WEIGHED:
        return _greedy(scores)
    best: dict[int, tuple[float, list[Pair]]] = {0: (0.0, [])}
    for number in mine:
        step = dict(best)
        for used, (total, pairs) in best.items():
            for place, other in enumerate(theirs):
                if used & 1 << place or (number, other) not in scores:
                    continue
                found = (total + scores[number, other], [*pairs, (number, other)])
                known = step.get(used | 1 << place)
                if known is None or (found[0], len(found[1])) > (known[0], len(known[1])):
                    step[used | 1 << place] = found
        best = step
    return max(best.values(), key=lambda each: (each[0], len(each[1])))[1]


def _greedy(scores: Mapping[Pair, float]) -> list[Pair]:
    pairs: list[Pair] = []
    for pair in sorted(scores, key=lambda pair: (-scores[pair], pair)):
        if all(pair[0] != taken[0] and pair[1] != taken[1] for taken in pairs):
            pairs.append(pair)
    return pairs
