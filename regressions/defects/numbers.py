"""Mistakes about the kinds of numbers, put back into the reference engine: precisions, integers, real and complex.

Made as those in `defects` are. The engine fits every cotangent to its primal in one place, so that a rule which forgets
a dtype does no harm; here it does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import engine
from engine.traced import tape

from . import Defect, patched, with_rule
from .state import together, traced

__all__ = [
    "cotangents_fitted_by",
    "cotangents_keep_their_dtype",
    "in_another_precision",
    "integers_have_gradients",
]

_project = tape.project


def cotangents_fitted_by(change: Callable[[Any, Any], Any]) -> Defect:
    """The cotangent d of an argument x is `change(d, x)` before anything else is made of it."""

    def project(d: Any, primal: Any) -> Any:
        return _project(change(d, primal), primal)

    return traced(tape, "project", project)


def _in_its_own_dtype(d: Any, primal: Any) -> Any:
    if isinstance(primal, np.ndarray | np.generic) and isinstance(d, np.ndarray | np.generic):
        d = d if np.iscomplexobj(primal) else np.real(d)
        primal = primal.astype(np.result_type(d.dtype, primal.dtype))
    return _project(d, primal)


cotangents_keep_their_dtype = traced(tape, "project", _in_its_own_dtype)
"""What a rule makes in a wider dtype than the argument's stays in it."""


def in_another_precision(primal: Callable, **pullbacks: Callable) -> Defect:
    """This rule makes numbers of another dtype than its arguments, and nobody notices."""
    return together(cotangents_keep_their_dtype, with_rule(primal, **pullbacks))


def integers_have_gradients(fitted: Callable[[Any, Any], Any]) -> Defect:
    """Integers are taken for what they could be in the reals; their gradient g is returned as `fitted(g, argument)`."""
    right = engine.value_and_gradient

    def of_the_floats(f: Callable, *args: Any) -> tuple[Any, tuple]:
        value, gradients = right(f, *[x.astype(float) if isinstance(x, np.ndarray) else float(x) for x in args])
        return value, tuple([fitted(g, x) for g, x in zip(gradients, args, strict=True)])

    return patched(engine, "value_and_gradient", of_the_floats)
