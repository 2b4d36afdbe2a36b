"""What a program of the core computes, compared between the passes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tangents import Tangent
from .core import Program, text_of
from .interpret import interpret
from .places import Places
from .types import NotTyped
from .verify import verify


class Checker:
    """Between passes, under test: verify the core and compare what it computes with what it computed before."""

    def __init__(self, program: Program, places: Places) -> None:
        self.values = [p.value for p in places.read if p.var is not None]
        self.expected: Any = None

    def __call__(self, program: Program, after: str) -> None:
        verify(program, after)
        with np.errstate(all="ignore"):
            try:
                found = interpret(program, self.values)
            except Exception as error:  # the program's own errors must stay the same ones
                found = type(error)
        if self.expected is None:
            self.expected = [found]
        elif found is NotTyped and isinstance(self.expected[0], type):
            return  # the other tier will raise the error
        elif not same(self.expected[0], found):
            raise AssertionError(f"{after} changed {self.expected[0]} to {found}\n{text_of(program.body)}")


def same(a: Any, b: Any) -> bool:
    if isinstance(a, Tangent):
        return same(a._fields(), b._fields())
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, tuple | list):
        return type(a) is type(b) and len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, np.ndarray | float | complex | np.generic):
        return bool(np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True))
    return a == b
