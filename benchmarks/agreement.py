"""Are two gradients the same? Only what is right is worth timing.

An object's gradient may be any object with the same fields: what counts is the path to each number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["first_difference", "leaves"]

RELATIVE_TOLERANCE = 1e-10  # sums in another order differ by some 1e-14; a wrong rule by far more


def leaves(x: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every number or array in `x` with the path that leads to it; None is no leaf.

    >>> list(leaves((1.0, [None, {"w": 2.0}])))
    [('[0]', 1.0), ("[1][1]['w']", 2.0)]
    """
    if isinstance(x, float | complex | np.ndarray | np.inexact):
        yield path, x
    elif isinstance(x, tuple | list):
        for i, item in enumerate(x):
            yield from leaves(item, f"{path}[{i}]")
    elif isinstance(x, dict):
        for key, item in x.items():
            yield from leaves(item, f"{path}[{key!r}]")
    elif hasattr(x, "__dict__"):
        for name, item in vars(x).items():
            yield from leaves(item, f"{path}.{name}")


def first_difference(got: Any, expected: Any) -> str | None:
    """Where and how `got` differs from `expected`, in one line, or None.

    >>> first_difference(([2.0, 3.0],), ([2.0, 3.5],))
    '[0][1] is 3.0, by hand 3.5'
    """
    found, wanted = dict(leaves(got)), dict(leaves(expected))
    for path in [*wanted, *found]:
        if path not in found:
            return f"{path} is missing"
        if path not in wanted:
            return f"{path} is there, by hand it is not"
        a, b = np.asarray(found[path]), np.asarray(wanted[path])
        if a.shape != b.shape:
            return f"{path} has shape {a.shape}, by hand {b.shape}"
        scale = np.max(np.abs(b), initial=0.0)
        worst = np.unravel_index(np.argmax(np.abs(a - b)), a.shape) if a.size else ()
        if a.size and not abs(a[worst] - b[worst]) <= RELATIVE_TOLERANCE * scale:
            element = f"{path}[{', '.join(map(str, worst))}]" if worst else path
            return f"{element} is {a[worst]}, by hand {b[worst]}"
    return None
