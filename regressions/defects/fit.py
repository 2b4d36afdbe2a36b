"""Mistakes in fitting a cotangent to its primal, put back into the reference engine: shape, dtype, and the real part.

Made as those in `defects` are; the tier that records does its fitting in one place, so the other one is off meanwhile.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import tangents
from engine.traced import tape

from .state import traced

__all__ = ["imaginary_parts_are_kept", "nothing_is_fitted"]

_projected = tape._projected

nothing_is_fitted = traced(tape, "_projected", lambda bar, arg, primal, place: bar)
"""What a pullback returns is the cotangent, of whatever shape and dtype."""


def _complex_as_it_is(bar: Any, arg: Any, primal: Any, place: Any) -> Any:
    if not np.iscomplexobj(bar):
        return _projected(bar, arg, primal, place)
    return tangents.unbroadcast(bar, arg.shape) if isinstance(arg, np.ndarray) else np.sum(bar)


imaginary_parts_are_kept = traced(tape, "_projected", _complex_as_it_is)
"""A real argument gets the complex cotangent that an expression with complex numbers has for it."""
