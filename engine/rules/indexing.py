"""Reading elements: every index NumPy accepts, and the functions that take, select and order elements."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .registry import rule

rule(operator.getitem, a=lambda d, out, a, index, /: scatter(d, a, index))


def scatter(d: Any, a: Any, index: Any) -> np.ndarray:
    """Zeros in the shape of `a`, with `d` added at `index`; an element that is named twice receives both.

    >>> scatter(np.array([1.0, 2.0, 4.0]), np.zeros(3), [0, 2, 2])
    array([1., 0., 6.])
    """
    result = np.zeros(np.shape(a), np.result_type(d))
    if may_repeat(index):
        np.add.at(result, index, d)
    else:
        result[index] = d
    return result


def may_repeat(index: Any) -> bool:
    """Can `index` name an element more than once: is there an array or list of integers in it?"""
    if isinstance(index, tuple):
        return any(may_repeat(part) for part in index)
    if isinstance(index, list):
        index = np.asarray(index)
    return isinstance(index, np.ndarray) and index.dtype.kind in "iu" and index.ndim > 0


rule(scatter, d=lambda e, out, d, a, index: e[index])
