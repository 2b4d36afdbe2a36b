"""A small neural-network side: layers that are plain objects holding arrays, and the arrays of a model as a collection.

A model is any nest of objects, lists, tuples and dicts. Its parameters are the arrays of floats in it, in the order of
a depth-first walk, each once however often it is shared. Nothing here knows about derivatives: the engine
differentiates through the walk as through any other Python program.

    m = Chain(Dense(3, 4, tanh), Dense(4, 1))
    gradient(lambda m: loss(m(x), y), m)              explicit: a gradient of the model's own structure
    gradient(lambda: loss(m(x), y), params(m))        implicit: a gradient for each array, looked up by the array
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from functools import cache
from types import FunctionType, MemberDescriptorType, ModuleType
from typing import Any

import numpy as np

from .implicit import Grads, IdSet, Params
from .tangents import is_differentiable

__all__ = ["Chain", "Dense", "Grads", "IdSet", "Params", "destructure", "identity", "params", "relu", "sigmoid", "tanh"]


def identity(x: Any) -> Any:
    """x itself: the activation of a layer that has none."""
    return x


def tanh(x: Any) -> Any:
    """The hyperbolic tangent, elementwise."""
    return np.tanh(x)


def relu(x: Any) -> Any:
    """max(x, 0), elementwise, with derivative 0 at 0; NaN stays NaN.

    >>> relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    return np.where(x <= 0, 0.0, x)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), elementwise, without overflow and with full relative accuracy far below zero.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return np.exp(-np.logaddexp(0.0, -x))


class Dense:
    """A layer x -> activation(x Wᵀ + b), for one input of shape (n_in,) or a batch of shape (..., n_in).

    weight has shape (n_out, n_in), drawn uniformly within ±sqrt(6 / (n_in + n_out)) from `rng` (a generator or a
    seed); bias is zeros of shape (n_out,), or False for a layer without one: False is no parameter.

    >>> layer = Dense(3, 2, relu, rng=0)
    >>> layer.weight.shape, layer(np.ones(3)).shape, layer(np.ones((5, 3))).shape
    ((2, 3), (2,), (5, 2))
    >>> Dense(3, 2, bias=False)
    Dense(3, 2, bias=False)
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        activation: Callable = identity,
        bias: bool = True,
        rng: np.random.Generator | int | None = None,
    ) -> None:
        bound = np.sqrt(6 / (n_in + n_out))
        self.weight = np.random.default_rng(rng).uniform(-bound, bound, (n_out, n_in))
        self.bias: Any = np.zeros(n_out) if bias else False
        self.activation = activation

    def __call__(self, x: np.ndarray) -> np.ndarray:
        y = x @ self.weight.T
        if self.bias is not False:
            y = y + self.bias
        return self.activation(y)

    def __repr__(self) -> str:
        n_out, n_in = self.weight.shape
        activation = "" if self.activation is identity else f", {_name(self.activation)}"
        return f"Dense({n_in}, {n_out}{activation}{', bias=False' if self.bias is False else ''})"


class Chain:
    """Layers, or any functions, one after the other.

    >>> m = Chain(Dense(3, 4, tanh), Dense(4, 1), np.sum)
    >>> m
    Chain(Dense(3, 4, tanh), Dense(4, 1), sum)
    >>> m.layers[0].bias
    array([0., 0., 0., 0.])
    """

    def __init__(self, *layers: Callable) -> None:
        self.layers = layers

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def __repr__(self) -> str:
        return f"Chain({', '.join(_name(layer) for layer in self.layers)})"


def params(*models: Any) -> Params:
    """The arrays of floats in the models, in the order of a depth-first walk, a shared array once.

    Walks the fields of objects, lists, tuples and the values of dicts; functions, types and modules are leaves.

    >>> layer = Dense(3, 3)
    >>> [p.shape for p in params(Chain(layer, np.tanh, layer))]
    [(3, 3), (3,)]

    Inside a loss it is a function of the model like any other:

    >>> from engine import gradient
    >>> m = Chain(Dense(2, 2), np.sum)
    >>> (g,) = gradient(lambda m: np.sum(params(m)[0]), m)
    >>> g.layers[0].weight
    array([[1., 1.],
           [1., 1.]])
    """
    arrays: list[np.ndarray] = []
    _collect(models, arrays, IdSet())
    return Params(arrays)


def _collect(node: Any, arrays: list[np.ndarray], seen: IdSet) -> None:
    if node in seen:
        return
    seen.add(node)
    if isinstance(node, np.ndarray):
        if is_differentiable(node):
            arrays.append(node)
        return
    for child in _children(node):
        _collect(child, arrays, seen)


def _children(node: Any) -> Iterable[Any]:
    if isinstance(node, list | tuple):
        return node
    if isinstance(node, dict):
        return node.values()
    return _fields(node).values()


def _fields(node: Any) -> dict[str, Any]:
    """The fields of an object by name, those in slots first; functions, classes and modules have none.

    NumPy's functions are objects with attributes, but those are no fields of a model.
    """
    kind: Any = type(node)
    if isinstance(node, FunctionType | ModuleType | type) or kind.__module__.split(".")[0] == "numpy":
        return {}
    slots = {name: getattr(node, name) for name in _slots(kind) if hasattr(node, name)}
    return {**slots, **vars(node)} if hasattr(node, "__dict__") else slots


@cache
def _slots(cls: type) -> tuple[str, ...]:
    declaring = [vars(base) for base in cls.__mro__ if "__slots__" in vars(base)]
    return tuple([name for names in declaring for name, m in names.items() if isinstance(m, MemberDescriptorType)])


def destructure(model: Any) -> tuple[np.ndarray, Callable[[np.ndarray], Any]]:
    """All parameters of a model as one vector, and the function that makes such a model from a vector.

    `rebuild(v)` is a new model: arrays shared in the old one are shared in the new one, what is no parameter is kept.
    It is differentiable, and so is the vector as a function of the model.

    >>> flat, rebuild = destructure(Chain(Dense(2, 1, rng=0), np.sum))
    >>> flat.shape
    (3,)
    >>> from engine import gradient
    >>> gradient(lambda v: rebuild(v)(np.array([2.0, 5.0])), flat)
    (array([2., 5., 1.]),)

    Raises:
        ValueError: from `rebuild`, when the vector has another length than the parameters together.
    """
    arrays = params(model)
    pieces: dict[int, tuple[int, np.ndarray]] = {}
    size = 0
    for array in arrays:
        pieces[id(array)] = size, array
        size += array.size
    flat = np.concatenate([np.ravel(array) for array in arrays]) if len(arrays) else np.zeros(0)

    def rebuild(vector: np.ndarray) -> Any:
        if vector.shape != (size,):
            raise ValueError(f"the model has {size} parameters, the vector to rebuild it from has shape {vector.shape}")
        return _rebuilt(model, vector, pieces, {})

    return flat, rebuild


def _rebuilt(node: Any, vector: np.ndarray, pieces: dict[int, tuple[int, np.ndarray]], made: dict[int, Any]) -> Any:
    """`node` with each parameter cut from `vector`; `made` holds what has been rebuilt, by the id of its original."""
    if id(node) in made:
        return made[id(node)]
    if id(node) in pieces:
        start, array = pieces[id(node)]
        new = np.reshape(vector[start : start + array.size], array.shape)
        made[id(node)] = new if new.dtype == array.dtype else new.astype(array.dtype)
    elif isinstance(node, tuple):
        children = [_rebuilt(child, vector, pieces, made) for child in node]
        made[id(node)] = type(node)(*children) if hasattr(node, "_fields") else tuple(children)
    elif isinstance(node, list | dict):
        made[id(node)] = twin = copy.copy(node)
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            twin[key] = _rebuilt(child, vector, pieces, made)
    else:
        fields = _fields(node)
        made[id(node)] = twin = copy.copy(node) if fields else node
        for name, child in fields.items():
            object.__setattr__(twin, name, _rebuilt(child, vector, pieces, made))
    return made[id(node)]


def _name(layer: Any) -> str:
    return getattr(layer, "__name__", None) or repr(layer)
