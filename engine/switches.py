"""Parts of the engine that may be switched off, to find out which of them is to blame.

Each optimisation and the whole typed tier have a name here; a wrong gradient that becomes right when one is off has
been found.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .rules.registry import generation

__all__ = ["NAMES", "PASSES", "is_on", "off"]

PASSES = ("drop_invariants", "fold_constants", "share_subexpressions", "drop_dead", "sink_into_branches")
"""The optimisations of the typed tier, in the order in which they run."""

NAMES = frozenset({"typed", *PASSES})
_off: set[str] = set()


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
