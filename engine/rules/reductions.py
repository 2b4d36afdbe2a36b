"""Sums, means, products, extremes and norms over axes, and the cumulative forms.

A reduction's cotangent gets its axes back with `expand` and then broadcasts over the operand.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import rule
from .vocabulary import count, expand

rule(np.sum, a=lambda d, out, a, axis=None, dtype=None, *, keepdims=False: expand(d, axis, keepdims))
rule(
    np.mean,
    a=lambda d, out, a, axis=None, dtype=None, *, keepdims=False: expand(d / max(count(a, axis), 1), axis, keepdims),
)
rule(
    (np.max, np.amax, np.min, np.amin),
    a=lambda d, out, a, axis=None, *, keepdims=False: shared(
        expand(d, axis, keepdims), a == expand(out, axis, keepdims), axis
    ),
)


def shared(d: Any, winners: Any, axis: Any) -> Any:
    """`d` in equal parts to the winners of each slice (convention 2); NaN where a NaN left no winner (convention 5)."""
    return np.where(winners, d, 0) / np.sum(winners, axis=axis, keepdims=True, dtype=np.result_type(d))
