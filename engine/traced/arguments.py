"""What a library's own way of passing arguments means to the table.

A rule or a composition takes by position what carries a derivative; NumPy and SciPy take more: `np.sum(x, 0, None,
buffer)`, `linalg.svd(a, True, True, False)`. What comes after the positions that the table knows goes by the library's
names for it. A permission such as `overwrite_a=True` asks for nothing, and the sweep still wants the argument: it is
left out.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import FunctionType

from ..rules import Rule

__all__ = ["by_name", "unknown_to"]

UNSIGNED = {
    "reduce": ("array", "axis", "dtype", "out", "keepdims", "initial", "where"),
    "accumulate": ("array", "axis", "dtype", "out"),
    "dot": ("a", "b", "out"),
    "concatenate": ("arrays", "axis", "out"),
}
"""Functions written in C that do not tell the names of all their parameters, in every release of NumPy."""


def by_name(function: Callable, known: Rule | FunctionType, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """The arguments of a call of NumPy's or SciPy's `function`, as the table's rule or composition takes them.

    >>> import numpy as np
    >>> def total(a, axis=None, dtype=None, *, keepdims=False): ...
    >>> by_name(np.sum, total, ("x", 0, None, "buffer", True), {})
    (('x', 0, None), {'out': 'buffer', 'keepdims': True})
    """
    number = positions(known)
    if number is not None and len(args) > number:
        names = parameters_of(function)
        if len(names) >= len(args):  # else one too many, of which the library complains
            args, kwargs = args[:number], {**dict(zip(names[number:], args[number:], strict=False)), **kwargs}
    if kwargs and any(name.startswith("overwrite_") for name in kwargs):
        kwargs = {name: value for name, value in kwargs.items() if not name.startswith("overwrite_")}
    return args, kwargs


def unknown_to(known: FunctionType, kwargs: dict) -> list[str]:
    """The keywords that a composition does not take."""
    parameters = signature_of(known).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return []
    return [name for name in kwargs if name not in parameters and name != "out"]


@functools.cache
def positions(known: Rule | FunctionType) -> int | None:
    """How many arguments are taken by position; None if that is any number."""
    kinds = [p.kind for p in signature_of(known).parameters.values()]
    return None if inspect.Parameter.VAR_POSITIONAL in kinds else len(kinds) - kinds.count(
        inspect.Parameter.KEYWORD_ONLY
    )  # fmt: skip


def signature_of(known: Rule | FunctionType) -> inspect.Signature:
    """What a rule or a composition accepts."""
    return known.signature if isinstance(known, Rule) else inspect.signature(known)


@functools.cache
def parameters_of(function: Callable) -> tuple[str, ...]:
    """The names of the parameters that a function of a library takes by position, as far as they are known."""
    name = getattr(function, "__name__", "")
    if name in UNSIGNED:
        return UNSIGNED[name]
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    return tuple([p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)])
