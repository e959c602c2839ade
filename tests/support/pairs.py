"""Rows of values in which every valid pair of values occurs."""

from collections.abc import Callable
from functools import partial
from itertools import combinations, product
from typing import Any

Row = dict[str, Any]
Pair = tuple[tuple[str, Any], tuple[str, Any]]


def pairs(row: Row) -> set[Pair]:
    """Return the pairs of values in a row."""
    return set(combinations(row.items(), 2))


def covering(
    values: dict[str, list[Any]],
    combined: list[Row],
    rows: list[Row],
    prefer: Callable[[list[Row], Row], bool],
) -> list[Row]:
    """Return further rows, so that every valid pair of values occurs in a row.

    `combined` has the valid rows of the options that depend on each other; all others combine
    freely. Rows have the order of `values`.

    The algorithm is greedy: it completes a missing pair in each valid way of the dependent options,
    gives each other option the value that adds the most missing pairs, and takes the row with the
    most, and among those one that is preferred. allpairspy 2.5 misses valid pairs.
    """
    together = set[Pair]().union(*map(pairs, combined))
    missing = {
        pair
        for one, other in combinations(values, 2)
        for pair in product(product([one], values[one]), product([other], values[other]))
        if pair in together or not combined[0].keys() >= {one, other}
    }.difference(*map(pairs, rows))

    def completed(row: Row) -> Row:
        done = dict(row)
        for option, choices in values.items():
            if option not in done:
                _, done[option] = max(product([option], choices), key=partial(added, done))
        return {option: done[option] for option in values}

    def added(row: Row, item: tuple[str, Any]) -> int:
        return sum((other, item) in missing or (item, other) in missing for other in row.items())

    found: list[Row] = []
    while missing:
        pair = dict(min(missing, key=str))
        fitting = [
            row | pair for row in combined if all(row.get(o, v) == v for o, v in pair.items())
        ]
        best = max(
            map(completed, fitting),
            key=lambda row: (len(missing & pairs(row)), prefer(found, row)),
        )
        found.append(best)
        missing -= pairs(best)
    return found


def essential(rows: dict[str, Row], known: list[Row]) -> list[str]:
    """Return the names of rows that, with the known ones, have every pair of values of all rows.

    Of two rows that make each other unnecessary, the first is returned.
    """
    kept = dict(rows)
    for name, row in reversed(rows.items()):
        others = [*known, *(other for it, other in kept.items() if it != name)]
        if pairs(row) <= set[Pair]().union(*map(pairs, others)):
            del kept[name]
    return list(kept)
