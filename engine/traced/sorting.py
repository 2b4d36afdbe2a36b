"""Python's own sorting of lists that hold what carries a derivative."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from ..rules.registry import procedure
from .calls import call
from .items import getitem, iterate, make_list
from .levels import plain
from .operators import COMPARE, truth
from .primitives import is_active

__all__ = ["equals_in_order", "sorting_order"]


class _Key:
    """Orders traced items by their plain keys, through a `__lt__` written in Python where there is one."""

    less = staticmethod(COMPARE["lt"])

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: _Key) -> bool:
        return truth(self.less(self.value, other.value))


def sorting_order(items: list, key: Any, reverse: bool) -> list[int]:
    """The stable order in which the items are sorted."""
    keys = [_Key(item if key is None else call(key, item)) for item in items]
    return sorted(range(len(items)), key=keys.__getitem__, reverse=reverse)


def equals_in_order(ordered: list, key: Any, reverse: bool) -> list | None:
    """Sorted floats of which some are equal, as np.sort has them: they share (convention 2). None for all others."""
    bare = [plain(item) for item in ordered]
    kind = type(bare[0]) if bare else type(None)
    if key is not None or not issubclass(kind, float | np.floating) or any(type(x) is not kind for x in bare):
        return None
    equal = any(x == y for x, y in pairwise(bare))
    if not equal or any(x != x for x in bare) or not any(map(is_active, ordered)):
        return None
    values = call(np.sort, call(np.stack, tuple(ordered)))
    numbers = [call(kind, getitem(values, i)) for i in range(len(bare))]
    return numbers[::-1] if reverse else numbers


@procedure(sorted)
def sort(iterable: Any, /, *, key: Any = None, reverse: Any = False) -> list:
    items = list(iterate(iterable))
    ordered = [items[i] for i in sorting_order(items, key, bool(reverse))]
    return make_list(equals_in_order(ordered, key, bool(reverse)) or ordered)
