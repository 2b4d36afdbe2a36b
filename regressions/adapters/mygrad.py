"""MyGrad: a tape over NumPy arrays, first derivatives only; https://github.com/rsokl/MyGrad."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mygrad
import numpy as np

from ..arrays import ArrayAdapter
from ..transplant import Namespace

__all__ = ["ADAPTERS"]

mygrad.turn_memory_guarding_off()


def stacked(x: Any, dtype: Any = None) -> Any:
    """np.array: numbers, tensors, and lists of them all the way down."""
    tensor = mygrad.stack([stacked(part) for part in x]) if isinstance(x, list | tuple) else mygrad.astensor(x)
    return tensor if dtype is None else tensor.astype(dtype)


def double(create: Callable) -> Callable:
    """A function that makes an array, in double precision unless told otherwise."""
    return lambda shape, dtype=float: create(shape, dtype=dtype)


class MyGrad(ArrayAdapter):
    """Complex numbers and derivatives of derivatives are out of its reach."""

    name, version = "mygrad", mygrad.__version__
    capabilities = frozenset({"containers", "counted-bytes", "counted-calls", "mutation", "objects"})
    namespace = Namespace(
        mygrad, array=stacked, ndarray=mygrad.Tensor, ones=double(mygrad.ones), zeros=double(mygrad.zeros),
        **{name: getattr(np, name) for name in ("float32", "float64")},
    )  # fmt: skip
    lacks = {
        r"'Tensor' object has no attribute '(\w+)'": r"the method \1 of an array",
        "bad operand type for abs": "abs of an array",
    }

    def vjp(self, f: Callable, *arrays: Any) -> tuple[Any, Callable[[Any], Sequence[Any]]]:
        value = mygrad.astensor(f(*(+array for array in arrays)))  # which may be written into

        def back(seed: Any) -> Sequence[Any]:
            value.backward(seed)
            return [array.grad for array in arrays]

        return value, back

    def lift(self, array: Any) -> Any:
        return mygrad.tensor(array)

    def one(self, value: Any) -> Any:
        return np.ones((), value.dtype)


ADAPTERS = [MyGrad()]
