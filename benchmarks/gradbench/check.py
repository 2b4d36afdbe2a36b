"""python -m benchmarks gradbench --check: GradBench's derivatives, each relative to its own size.

GradBench takes a number x for y unless |x - y| / max(|x| + |y|, 1) > 1e-4. Below 1 that is absolute: where all of a
derivative is small, zeros pass. And no comparison with NaN is true, so NaN passes everywhere. Here an answer must be
finite, and each of its arrays as near to the expected one as a small part of that array's largest entry.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.gradbench import tool
from benchmarks.gradbench.samples import samples

__all__ = ["Row", "numbers", "problem", "replaced", "report", "run", "their_verdict"]

NEAR = 1e-8  # of the largest entry: rounding in sums and in descents of some thousand steps stays below
THEIRS = 1e-4


def problem(answer: Any, expected: Any, path: str = "") -> str | None:
    """What is wrong with an answer; None if nothing is.

    >>> problem([1e-9, 0.0], [2e-9, 0.0])
    'off by 0.5 of the largest entry'
    >>> problem([float("nan")], [1.0])
    'not finite'
    """
    at = f"{path}: " if path else ""
    if isinstance(expected, dict):
        if not isinstance(answer, dict) or answer.keys() != expected.keys():
            return f"{at}not an object of {', '.join(expected)}"
        found = (problem(answer[key], expected[key], f"{path}.{key}" if path else key) for key in expected)
        return next(filter(None, found), None)
    if shape(answer) != shape(expected):
        return f"{at}not numbers, or not in lists of the same lengths"
    got, right = np.array(answer, dtype=float), np.array(expected, dtype=float)
    if not np.all(np.isfinite(got)):
        return f"{at}not finite"
    largest, off = np.max(np.abs(right)), np.max(np.abs(got - right))
    if off > NEAR * largest:
        return f"{at}off by {off / largest:.2g} of the largest entry" if largest else f"{at}not zero"
    return None


def shape(x: Any) -> Any:
    """Lengths of nested lists down to numbers, so that no number passes for a list of one."""
    if isinstance(x, list):
        return [shape(item) for item in x]
    return "number" if isinstance(x, int | float) and not isinstance(x, bool) else type(x).__name__


def numbers(x: Any) -> Iterator[float]:
    if isinstance(x, dict | list):
        for item in x.values() if isinstance(x, dict) else x:
            yield from numbers(item)
    else:
        yield x


def replaced(x: Any, number: float) -> Any:
    """The same structure, with `number` for every float."""
    if isinstance(x, dict):
        return {key: replaced(item, number) for key, item in x.items()}
    if isinstance(x, list):
        return [replaced(item, number) for item in x]
    return number if isinstance(x, float) else x


def their_verdict(answer: Any, expected: Any) -> bool:
    """Whether GradBench's tolerance takes the answer, of the same structure, for the expected one."""
    pairs = zip(numbers(answer), numbers(expected), strict=True)
    return not any(abs(x - y) / max(abs(x) + abs(y), 1.0) > THEIRS for x, y in pairs)


@dataclass(frozen=True)
class Row:
    """`zeros` and `nans`: whether GradBench's tolerance would let an answer of nothing else pass."""

    name: str
    problem: str | None
    zeros: bool
    nans: bool


def run() -> list[Row]:
    rows = []
    for sample in samples():
        answer, _ = tool.evaluate(sample.eval, sample.function, sample.given)
        zeros, nans = (their_verdict(replaced(sample.expected, x), sample.expected) for x in (0.0, math.nan))
        rows.append(Row(f"{sample.eval} {sample.function}", problem(answer, sample.expected), zeros, nans))
    return rows


def report(rows: list[Row]) -> Iterator[str]:
    yield f"{'derivative':<16}{'GradBench passes zeros':<24}{'and NaN':<10}here"
    for row in rows:
        passes = ("yes" if row.zeros else "no", "yes" if row.nans else "no")
        yield f"{row.name:<16}{passes[0]:<24}{passes[1]:<10}{row.problem or 'right'}"
