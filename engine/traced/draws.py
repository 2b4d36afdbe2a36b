"""Procedures for NumPy's random generators: each draw is made once, by the generator itself (rules: `rules.random`)."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import DifferentiationError, call_chain, where
from ..rules import lookup
from ..rules import random as rules
from ..rules.registry import procedure
from . import reach
from .arrays import store
from .calls import call
from .foreign import foreign
from .items import array_like, getitem
from .levels import live, plain
from .storage import permuted

__all__: list[str] = []

KINDS = (np.random.Generator, np.random.RandomState)


def methods(name: str) -> list[Any]:
    """The method of that name of each kind of generator that has it."""
    return [getattr(kind, name) for kind in KINDS if hasattr(kind, name)]


def drawing(*found: Any) -> Callable[[Callable], Callable]:
    """Decorator: a procedure that moves the stream of random numbers on, which a checkpoint must not do twice."""

    def decorate(run: Callable) -> Callable:
        def counted(*args: Any, **kwargs: Any) -> Any:
            live.draws += 1
            return run(*args, **kwargs)

        procedure(*found)(counted)
        return run

    return decorate


def refuse(what: str, reason: str, remedy: str) -> None:
    raise DifferentiationError(
        f"Can't differentiate {what}: {reason}\n  at {where(call_chain())}\n  Way out: {remedy}."
    )


def operand(value: Any) -> Any:
    """An argument of a draw: a list of active numbers is an array of them, everything else is what it was."""
    return array_like(value) if isinstance(value, list | tuple) and reach.is_active(value) else value


def plainly(name: str, generator: Any, args: tuple, kwargs: dict) -> Any:
    """The generator's own method with plain values."""
    return getattr(generator, name)(*[plain(operand(a)) for a in args], **{k: plain(v) for k, v in kwargs.items()})


def by_rule(function: Callable) -> Callable:
    """A draw whose parameters have derivatives."""

    def run(generator: Any, *args: Any, **kwargs: Any) -> Any:
        return call(function, generator, *[operand(a) for a in args], **kwargs)

    return run


for _draw in (*rules.LOCATED, *rules.SCALED, *rules.SHAPED):
    drawing(*methods(_draw.__name__))(by_rule(_draw))


def not_by_parameters(name: str, reason: str) -> Callable:
    """A draw that is constant, and refused where a parameter carries a derivative."""

    def run(generator: Any, *args: Any, **kwargs: Any) -> Any:
        if reach.is_active((args, kwargs)):
            refuse(f"a draw from {name} by its parameters", reason, "engine.stop_gradient(parameter)")
        return plainly(name, generator, args, kwargs)

    return run


for _name, _reason in rules.REFUSED.items():
    drawing(*methods(_name))(not_by_parameters(_name, _reason))


@drawing(*methods("gamma"))
def gamma(generator: Any, shape: Any, scale: Any = 1.0, size: Any = None) -> Any:
    if reach.is_active(shape):
        refuse("a draw from gamma by its shape", rules.REJECTS, "engine.stop_gradient(shape)")
    return call(rules.gamma, generator, operand(shape), operand(scale), plain(size))


@drawing(*methods("multivariate_normal"))
def multivariate_normal(generator: Any, mean: Any, cov: Any, size: Any = None, *args: Any, **options: Any) -> Any:
    options = {**dict(zip(("check_valid", "tol"), args, strict=False)), **options}
    if reach.is_active(cov) and options.get("method") != "cholesky":
        refuse(
            "a draw from multivariate_normal by its covariance",
            "the factor that NumPy multiplies the noise with comes from a singular value decomposition, whose vectors "
            "have no derivative where singular values are equal",
            "Generator.multivariate_normal(..., method='cholesky'), or mean + cholesky(cov) @ standard normal noise",
        )
    return call(rules.multivariate_normal, generator, operand(mean), operand(cov), plain(size), tuple(options.items()))


# -- elements and rows of an array, in a random order ------------------------------------------------------------------


@drawing(*methods("choice"))
def choice(
    generator: Any, a: Any, size: Any = None, replace: Any = True, p: Any = None, axis: int = 0, *args: Any,
    **options: Any,
) -> Any:  # fmt: skip
    if reach.is_active(p):
        refuse("a draw by choice by its probabilities", rules.JUMPS, "engine.stop_gradient(p)")
    if axis != 0:
        options["axis"] = axis
    options |= dict(zip(("shuffle",), args, strict=False))
    options = {name: plain(value) for name, value in options.items()}
    how = (plain(size), plain(replace), plain(operand(p)))
    if not reach.is_active(a):
        return generator.choice(plain(operand(a)), *how, **options)
    array = call(np.asarray, operand(a))
    options.pop("axis", None)
    return call(np.take, array, generator.choice(np.shape(plain(array))[axis], *how, **options), axis)


@drawing(*methods("permutation"))
def permutation(generator: Any, x: Any, axis: int = 0) -> Any:
    options = {} if axis == 0 else {"axis": axis}
    if not reach.is_active(x):
        return generator.permutation(plain(operand(x)), **options)
    array = call(np.asarray, operand(x))
    return call(np.take, array, generator.permutation(np.shape(plain(array))[axis]), axis)


@drawing(*methods("shuffle"))
def shuffle(generator: Any, x: Any, axis: int = 0) -> None:
    """In place. The order is that of numbers shuffled in a container of the same kind."""
    bare = plain(x)
    if not live.levels:
        return generator.shuffle(bare) if axis == 0 else generator.shuffle(bare, axis)
    if isinstance(bare, list):
        order = list(range(len(bare)))
        generator.shuffle(order)
        before = list(bare)
        bare[:] = [before[i] for i in order]
        permuted(bare, order)
        return None
    if not isinstance(bare, np.ndarray):
        refuse(
            f"the shuffle of a {type(bare).__name__}",
            "the engine follows lists and arrays",
            "shuffle a list of numbers",
        )
    numbers = np.arange(bare.shape[axis])
    generator.shuffle(numbers)
    store(x, ..., call(np.take, x, numbers, axis))
    return None


@drawing(*methods("permuted"))
def permuted_along(generator: Any, x: Any, *, axis: Any = None, out: Any = None) -> Any:
    """Each slice along the axis in an order of its own."""
    if not reach.is_active((x, out)):
        return generator.permuted(plain(operand(x)), axis=axis, out=out)
    if out is not None:
        refuse("permuted with out=", "it writes into the memory of an array", "assign the result")
    array = call(np.asarray, operand(x))
    shape = np.shape(plain(array))
    if axis is None:
        numbers = generator.permuted(np.arange(np.prod(shape, dtype=int)).reshape(shape))
        return getitem(call(np.ravel, array), numbers)
    along = np.arange(shape[axis]).reshape([-1 if i == axis % len(shape) else 1 for i in range(len(shape))])
    return call(np.take_along_axis, array, generator.permuted(np.broadcast_to(along, shape), axis=axis), axis)


# -- noise without parameters, and the state of a stream ---------------------------------------------------------------


def without_parameters(method: Any) -> Callable:
    """A method whose results are constants; an `out=` is a store like any other."""

    def run(*args: Any, **kwargs: Any) -> Any:
        out = kwargs.pop("out", None)
        if out is None or not live.levels:
            return foreign(method, args, kwargs if out is None else {**kwargs, "out": out})
        bare = plain(out)
        store(out, ..., foreign(method, args, {"dtype": bare.dtype, **kwargs, "size": bare.shape}))
        return out

    return run


for _kind in KINDS:
    for _name in dir(_kind):
        _method = getattr(_kind, _name)
        if not _name.startswith("_") and callable(_method) and lookup(_method) is None:
            drawing(_method)(without_parameters(_method))
for _method in (random.Random.random, random.Random.getrandbits, np.random.sample, np.random.ranf):
    drawing(_method)(without_parameters(_method))
