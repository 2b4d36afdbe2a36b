"""Parts of the engine that may be switched off, to find out which of them is to blame.

Each optimisation and the whole typed tier have a name here; a wrong gradient that becomes right when one is off has
been found.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["NAMES", "is_on", "off"]

NAMES = frozenset({"typed"})
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
    try:
        yield
    finally:
        _off.difference_update(added)
