"""Arrays that are not what they look like: np.matrix, np.ma, records, arrays of objects. They are refused by name.

The rules know arrays of floats, whose `*` multiplies element by element and whose sum counts every element. A subclass
that says otherwise in Python would be differentiated as what it is not, and a float inside a record or an object would
be taken for a constant.
"""

from __future__ import annotations

import functools
from types import FunctionType, WrapperDescriptorType

import numpy as np

from .errors import ArgumentError, ForeignCallError, call_chain, where

__all__ = ["is_odd", "refuse_odd_array"]

_HARMLESS = frozenset({"__new__", "__init__", "__array_finalize__", "__array_wrap__", "__array_prepare__", "__reduce__",
                       "__setstate__", "__repr__", "__str__", "__format__", "__copy__", "__deepcopy__"})  # fmt: skip


@functools.cache
def redefines(kind: type) -> bool:
    """Does this subclass of ndarray say in Python what an operator, a function or a method of arrays does?"""
    if kind is np.ndarray or kind is np.memmap:
        return False
    own = kind.__mro__[: kind.__mro__.index(np.ndarray)]
    return any(
        hasattr(np.ndarray, name) and name not in _HARMLESS and isinstance(found, FunctionType | WrapperDescriptorType)
        for cls in own
        for name, found in cls.__dict__.items()
    )


def holds_floats(array: np.ndarray) -> bool:
    """Are there floats where the engine cannot follow them: in the fields of records, or among objects?"""
    dtype = array.dtype
    if dtype.names is not None:
        return any(dtype[name].base.kind in "fcOV" for name in dtype.names)
    return dtype.kind == "O" and any(isinstance(item, float | complex | np.ndarray) for item in array.flat)


def is_odd(array: np.ndarray) -> bool:
    """Is this array of a kind that has no derivative here?"""
    return redefines(type(array)) or (array.dtype.kind in "OV" and holds_floats(array))


def refuse_odd_array(array: np.ndarray, what: str) -> None:
    """Say why arrays of this kind have no derivative.

    Raises:
        ForeignCallError: in an operation of the user's program.
        ArgumentError: for an argument of the whole program.
    """
    kind = f"{type(array).__module__}.{type(array).__name__}"
    if redefines(type(array)):
        masked = isinstance(array, np.ma.MaskedArray)
        reason = "its class has operators or methods of its own, which the rules of plain arrays do not know"
        remedy = "x.filled(0.0), with np.where and the mask for what depends on it" if masked else "np.asarray(x)"
    elif array.dtype.names is not None:
        kind, reason, remedy = "an array of records", "their fields are floats that no rule follows", "an array a field"
    else:
        kind, reason = "an array of objects", "what its elements do is out of sight"
        remedy = "a list, or x.astype(float)"
    chain = call_chain()
    place = f"\n  at {where(chain)}" if chain else ""
    error = ForeignCallError if chain else ArgumentError
    raise error(f"Can't differentiate {what} {kind}: {reason}{place}\n  Way out: {remedy}.")
