"""Parameters known by identity: the arrays of a model as a collection, and their gradients looked up by the array.

In implicit mode a loss takes no argument; it reads arrays that are globals, captured, or fields of a model, and the
gradient belongs to the array itself, by whatever name or path it is reached. A view of it that was made outside the
loss is another array. Everything here is ordinary Python that the engine differentiates through, so a collection may
also be built inside the loss.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from .errors import ArgumentError
from .tangents import is_differentiable

__all__ = ["Grads", "IdSet", "Params"]


class IdSet:
    """A set by identity: an object is a member when it is the same object, not when it is equal. Keeps members alive.

    >>> a, b = [1], [1]
    >>> seen = IdSet([a])
    >>> a in seen, b in seen, len(seen)
    (True, False, 1)
    """

    def __init__(self, members: Iterable[Any] = ()) -> None:
        self._members: dict[int, Any] = {}
        for member in members:
            self.add(member)

    def add(self, member: Any) -> None:
        # The C function itself, not a method looked up on the instance: a call the engine can only pass with a rule.
        dict.setdefault(self._members, id(member), member)

    def __contains__(self, member: Any) -> bool:
        return id(member) in self._members

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._members.values())

    def __repr__(self) -> str:
        return f"IdSet({list(self)!r})"


class Params:
    """The arrays a gradient is taken for, in order; an array that is given twice, or shared, is there once.

    >>> import numpy as np
    >>> W, b = np.ones((2, 3)), np.zeros(2)
    >>> ps = Params([W, b, W])
    >>> len(ps), ps[0] is W, b in ps, b.copy() in ps
    (2, True, True, False)

    Raises:
        ArgumentError: an element is no array of floats, or a bare array is given where a list of arrays belongs.
    """

    def __init__(self, arrays: Iterable[np.ndarray] = ()) -> None:
        if isinstance(arrays, np.ndarray):
            raise ArgumentError("Params takes the arrays in a list, and was given one array; write Params([W]).")
        self._arrays: list[np.ndarray] = []
        self._members = IdSet()
        for array in arrays:
            if not isinstance(array, np.ndarray) or not is_differentiable(array):
                raise ArgumentError(
                    f"Params collects arrays of floats, and was given {_described(array)}; a number has no identity "
                    "to be found by, so keep it in an array, np.array(3.0)."
                )
            if array not in self._members:
                self._members.add(array)
                self._arrays.append(array)

    def __len__(self) -> int:
        return len(self._arrays)

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(self._arrays)

    def __getitem__(self, index: int) -> np.ndarray:
        return self._arrays[index]

    def __contains__(self, array: Any) -> bool:
        return array in self._members

    def __repr__(self) -> str:
        return f"Params([{', '.join(_described(array) for array in self._arrays)}])"


class Grads:
    """The gradient of each parameter, looked up by the array itself; None for one the loss does not depend on.

    >>> import numpy as np
    >>> W, b = np.ones((2, 3)), np.zeros(2)
    >>> grads = Grads(Params([W, b]), [2 * W, None])
    >>> float(grads[W].sum()), grads[b]
    (12.0, None)
    >>> [(p.shape, g is None) for p, g in grads.items()]
    [((2, 3), False), ((2,), True)]
    >>> grads
    Grads(float64 array of shape (2, 3): gradient, float64 array of shape (2,): None)
    """

    def __init__(self, params: Params, cotangents: Iterable[Any]) -> None:
        self.params = params
        self._cotangents = {id(p): d for p, d in zip(params, cotangents, strict=True)}

    def __getitem__(self, array: np.ndarray) -> Any:
        if id(array) not in self._cotangents:
            raise KeyError(
                f"this {_described(array)} is none of the {len(self)} parameters the gradient was taken for "
                "(they are found by identity: a copy, a slice or an equal array is another one)"
            )
        return self._cotangents[id(array)]

    def __contains__(self, array: Any) -> bool:
        return id(array) in self._cotangents

    def __len__(self) -> int:
        return len(self.params)

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(self.params)

    def items(self) -> list[tuple[np.ndarray, Any]]:
        """(parameter, gradient), in the order of the parameters."""
        return [(p, self[p]) for p in self.params]

    def __repr__(self) -> str:
        entries = [f"{_described(p)}: {'None' if d is None else 'gradient'}" for p, d in self.items()]
        return f"Grads({', '.join(entries)})"


def _described(x: Any) -> str:
    return f"{x.dtype} array of shape {x.shape}" if isinstance(x, np.ndarray) else f"a {type(x).__name__}, {x!r:.60}"
