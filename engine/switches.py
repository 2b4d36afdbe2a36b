"""Parts of the engine that may be switched off, to find out which of them is to blame.

Each optimisation and the whole typed tier have a name here; a wrong gradient that becomes right when one is off has
been found.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .rules.registry import generation

__all__ = ["NAMES", "PASSES", "Limit", "allows", "is_on", "limited", "off"]

PASSES = (
    "drop_invariants",
    "fold_constants",
    "share_subexpressions",
    "move_signs",
    "drop_dead",
    "save_outlines",
    "sink_into_branches",
)
"""The optimisations of the typed tier, in the order in which they run."""

NAMES = frozenset({"typed", *PASSES})
_off: set[str] = set()


@dataclass
class Limit:
    """How many statements a pass may change, how many it asked for, and which was the last that it was allowed."""

    count: int
    asked: int = 0
    last: str = ""


_limits: dict[str, Limit] = {}


def is_on(name: str) -> bool:
    """Is the part called `name` in use?"""
    return name not in _off


@contextmanager
def off(*names: str) -> Iterator[None]:
    """Do without these parts for a while.

    Raises:
        ValueError: there is no part of that name.

    >>> from engine import gradient, switches
    >>> with switches.off("typed"):
    ...     gradient(lambda x: x * x, 3.0)
    (6.0,)
    """
    unknown = set(names) - NAMES
    if unknown:
        raise ValueError(f"there is no part called {sorted(unknown)[0]!r}; there are {', '.join(sorted(NAMES))}")
    added = set(names) - _off
    _off.update(added)
    generation.bump()  # what was compiled with the part is stale
    try:
        yield
    finally:
        _off.difference_update(added)
        generation.bump()


def allows(name: str, stmt: Any) -> bool:
    """May the pass called `name` change this statement of the core? It asks right before it does."""
    limit = _limits.get(name)
    if limit is None:
        return True
    limit.asked += 1
    if limit.asked <= limit.count:
        limit.last = f"{getattr(stmt.fn, '__name__', stmt.fn)}, line {stmt.line}"
    return limit.asked <= limit.count


@contextmanager
def limited(name: str, count: int) -> Iterator[Limit]:
    """Let the pass called `name` change `count` statements and no more for a while: which one breaks the gradient?

    Raises:
        ValueError: there is no pass of that name.

    >>> from engine import gradient, switches
    >>> with switches.limited("share_subexpressions", 0) as limit:
    ...     gradient(lambda x: (x + 1.0) * (x + 1.0), 3.0)
    (8.0,)
    >>> limit.last
    ''
    """
    if name not in PASSES:
        raise ValueError(f"there is no pass called {name!r}; there are {', '.join(PASSES)}")
    limit = _limits[name] = Limit(count)
    generation.bump()
    try:
        yield limit
    finally:
        del _limits[name]
        generation.bump()
