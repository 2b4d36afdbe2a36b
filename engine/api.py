"""What a user calls: gradients, pullbacks, Jacobians, Hessians; a few lines each, all built on `pullback`.

Two families. `gradient`, `value_and_gradient` and `pullback` answer with the structure of the arguments and None where
the result does not depend on something. `grad`, `vjp`, `jvp`, `jacobian`, `hessian` and `hvp` are spelled as in
autograd and JAX and answer with zeros.

A function differentiated inside another one calls these with traced arguments; they go through the same few functions
of the traced tier, so they are their own derivative's rule.
"""

from __future__ import annotations

import copy
import inspect
from array import array
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from types import FunctionType
from typing import Any

import numpy as np

from . import switches, traced, typed
from .errors import ArgumentError
from .implicit import Grads, Params
from .tangents import is_differentiable, zeros_like
from .traced.calls import call
from .traced.levels import Traced, live, plain
from .traced.structure import fits, like
from .typed import MISS

__all__ = [
    "checkpoint",
    "grad",
    "gradient",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "pullback",
    "show",
    "stop_gradient",
    "value_and_grad",
    "value_and_gradient",
    "vjp",
]


def pullback(f: Callable, *args: Any, **kwargs: Any) -> tuple[Any, Callable[[Any], tuple]]:
    """f(*args, **kwargs), and its pullback at that point.

    The pullback takes a cotangent of the value (same structure, shapes and dtypes) and returns a tuple with the
    cotangent of each positional argument, None where the value does not depend on it. It may be called any number of
    times. Keyword arguments are constants.

    Raises:
        ArgumentError: a positional argument is an int, or an array of ints.
        CotangentMismatchError: from the pullback, given a cotangent of another shape.

    >>> import numpy as np
    >>> y, back = pullback(lambda x: 2 * x, np.array([1.0, 3.0]))
    >>> back(np.array([1.0, 10.0]))
    (array([ 2., 20.]),)
    """
    _check(f, args)
    if _typed():
        try:
            return typed.pullback(f, args, kwargs, lambda: traced.pullback(f, args, kwargs)[1])
        except typed.NotTyped:
            pass
    return traced.pullback(f, args, kwargs)


def value_and_gradient(f: Callable, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """f(*args, **kwargs), a real number, and its gradient: a tuple with one gradient a positional argument.

    See `gradient`.

    >>> value_and_gradient(lambda x, y: x * y, 2.0, 3.0)
    (6.0, (3.0, 2.0))
    """
    return _value_and_gradient(f, args, kwargs, with_value=True)


def _value_and_gradient(f: Callable, args: tuple, kwargs: dict, with_value: bool) -> tuple[Any, Any]:
    """(f(*args, **kwargs), its gradient); without the value, what only the value needs need not be computed."""
    if _typed():  # an instance that fits was made for arguments that had been looked at
        try:
            found = typed.known((with_value, None, False), f, f, args, kwargs)
        except typed.NotTyped as why:
            return _traced(f, args, kwargs, None, why)
        if found is not MISS:
            return found
    if args and isinstance(args[0], Params):
        return _implicit(f, args[0], args[1:], kwargs)
    _check(f, args)
    return _differentiated(f, args, kwargs, with_value, zeros=False)


def _differentiated(
    f: Callable, args: tuple, kwargs: dict, with_value: bool, wrt: Any = None, zeros: bool = True
) -> tuple[Any, Any]:
    """The same with respect to the arguments at the positions `wrt`; all of them by default.

    zeros: they may stand in the place of None.
    """
    why: Exception | None = None
    if _typed():
        try:
            return typed.gradient(f, args, kwargs, with_value, wrt, zeros)
        except typed.NotTyped as error:
            why = error
    return _traced(f, args, kwargs, wrt, why)


def _traced(f: Callable, args: tuple, kwargs: dict, wrt: tuple | None, why: Exception | None) -> tuple[Any, Any]:
    """The same on the traced tier; why the other one has no answer."""
    value, back = traced.pullback(f, args, kwargs, wrt=wrt, keep=False)
    careful = isinstance(why, typed.Doubtful)
    return value, back.sweep(traced.scalar_seed(value, _name(f)), careful=careful)[0]


_INSTANCES = typed.table_of((False, None, False))
_LEFT = (typed.NotTyped, *typed.LEFT)  # what sends an instance's call to the other tier


def gradient(f: Callable, *args: Any, **kwargs: Any) -> Any:
    """The gradient of a real-valued function: a tuple, one gradient a positional argument.

    A float has a float for its gradient, an array one of its shape and dtype; a list, tuple or dict the same structure
    of gradients, an object a `Tangent` with its fields. None stands where the value does not depend on something, or
    where nothing can (ints, strings, functions). For complex z = x + iy it is dL/dx + i dL/dy. Keyword arguments are
    constants.

    With a `Params` in the place of the arguments, f takes none and the gradient is a `Grads`, looked up by the array.

    Raises:
        ArgumentError: a positional argument is an int or an array of ints; the value of f is no real number.
        ForeignCallError, MutationError, UnsupportedSyntaxError, SourceError: f does what cannot be differentiated.

    >>> gradient(lambda x, n: x ** 3 + n["a"], 2.0, {"a": 1.0, "b": 2.0})
    (12.0, {'a': 1.0, 'b': None})
    """
    if type(f) is FunctionType and not live.levels:  # the shortest way to an instance that is there
        try:
            for instance in _INSTANCES.get(id(f.__code__), ()):
                found = instance(f, args, kwargs)
                if found is not MISS:
                    return found[1]
        except _LEFT as why:
            return _traced(f, args, kwargs, None, why)[1]
    return _value_and_gradient(f, args, kwargs, with_value=False)[1]


def _implicit(f: Callable, params: Params, args: tuple, kwargs: dict) -> tuple[Any, Grads]:
    value, back = traced.pullback(f, args, kwargs, wrt=(), implicit=list(params), keep=False)
    return value, Grads(params, back.sweep(traced.scalar_seed(value, _name(f)))[1])


# -- the ecosystem's spelling -----------------------------------------------------------------------------------------


def value_and_grad(f: Callable, argnums: int | Sequence[int] = 0) -> Callable:
    """The function that returns f(*args) and its gradient with respect to the arguments `argnums`.

    >>> value_and_grad(lambda x, y: x * y)(2.0, 3.0)
    (6.0, 3.0)
    """

    def value_and_grad_of(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        return _value_and_grad(f, argnums, args, kwargs, with_value=True)

    return value_and_grad_of


def _value_and_grad(
    f: Callable, argnums: int | Sequence[int], args: tuple, kwargs: dict, with_value: bool
) -> tuple[Any, Any]:
    _check(f, ())
    positions = _positions(argnums, args)
    chosen = _chosen(f, positions, args)
    value, grads = _differentiated(f, args, kwargs, with_value, _some(positions, args))
    filled = tuple([_zeros_for_none(g, a) for g, a in zip(grads, chosen, strict=True)])
    return value, filled[0] if isinstance(argnums, int) else filled


def grad(f: Callable, argnums: int | Sequence[int] = 0) -> Callable:
    """The gradient of f with respect to the arguments `argnums`: one for an int, a tuple for a sequence.

    Zeros, of the argument's structure, where f does not depend on it.

    >>> grad(grad(lambda x: x ** 3))(2.0)
    12.0
    """

    def grad_of(*args: Any, **kwargs: Any) -> Any:
        return _value_and_grad(f, argnums, args, kwargs, with_value=False)[1]

    return grad_of


def vjp(f: Callable, *primals: Any) -> tuple[Any, Callable[[Any], tuple]]:
    """f(*primals), and the function from a cotangent of it to a tuple of cotangents of the primals (zeros for none).

    >>> y, back = vjp(lambda x, y: x, 2.0, 3.0)
    >>> back(1.0)
    (1.0, 0.0)
    """
    value, back = pullback(f, *primals)

    def pulled(cotangent: Any) -> tuple:
        return tuple([_zeros_for_none(g, a) for g, a in zip(back(cotangent), primals, strict=True)])

    return value, _LevelAware(pulled)


def jvp(f: Callable, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """f(*primals), and its derivative in the direction of `tangents` (same structure as the primals).

    Forward mode is the transpose of reverse mode: the pullback is linear in its cotangent, so its own pullback, at any
    cotangent, is the pushforward. It costs a small multiple of a gradient. The cotangent is one that is zero nowhere,
    so that rules which refuse some cotangents see what the value answers to.

    Raises:
        ArgumentError: as many tangents as primals are needed.
        CotangentMismatchError: a tangent has another structure or shape than its primal, or is complex and that real.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
    (6.0, 3.0)
    """
    primals, tangents = tuple(primals), tuple(tangents)
    if len(primals) != len(tangents):
        raise ArgumentError(f"jvp was given {len(primals)} primals and {len(tangents)} tangents; give one each")
    _check(f, primals)
    if _typed():
        try:
            return typed.derived(jvp, f, primals, tangents)
        except typed.NotTyped:
            pass
    for position, (primal, tangent) in enumerate(zip(primals, tangents, strict=True)):
        fits(primal, tangent, _describe(f, position))
    value, back = traced.pullback(f, primals, {})
    _, transpose = traced.pullback(back, (_some_cotangent(value),), {}, transposing=True)
    return value, _zeros_for_none(transpose(tangents)[0], value)


def jacobian(f: Callable, argnums: int | Sequence[int] = 0) -> Callable:
    """The Jacobian of an array-valued function, row by row in reverse mode; shape of the value, then of the argument.

    Raises:
        ArgumentError: f does not return one array or number, or a complex one.

    >>> import numpy as np
    >>> jacobian(lambda x: x ** 2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """

    def jacobian_of(*args: Any, **kwargs: Any) -> Any:
        positions = _positions(argnums, args)
        chosen = _chosen(f, positions, args)
        value, row = _row_by_row(f, args, kwargs, positions)
        bare = plain(value)
        if not is_differentiable(bare):
            raise ArgumentError(f"jacobian needs a function of one array or number, and it returned {bare!r:.60}")
        if np.iscomplexobj(bare):
            raise ArgumentError(
                f"a row of a Jacobian is the gradient of a real number, and {_name(f)} returned complex ones.\n"
                f"  Ways out: jacobian of the real and of the imaginary part; jvp, or hvp for the gradient of a loss."
            )
        rows = [
            tuple([_zeros_for_none(g, a) for g, a in zip(row(basis), chosen, strict=True)])
            for basis in _standard_basis(bare)
        ]
        shape = np.shape(bare)
        made = [
            like(a, [row[i] for row in rows], lambda leaf, leaves: _stacked(leaf, leaves, shape))
            for i, a in enumerate(chosen)
        ]
        return made[0] if isinstance(argnums, int) else tuple(made)

    return jacobian_of


def _row_by_row(f: Callable, args: tuple, kwargs: dict, positions: tuple) -> tuple[Any, Callable]:
    """f(*args, **kwargs), and the function from a unit cotangent of it to the cotangents of the chosen arguments."""

    wrt = _some(positions, args)

    def with_care() -> tuple[Any, Callable]:
        value, back = traced.pullback(f, args, kwargs, wrt=wrt)
        return value, lambda unit: back.sweep(unit, unit)[0]

    if _typed():
        try:
            return typed.pullback(f, args, kwargs, lambda: with_care()[1], wrt, doubting=True)
        except typed.NotTyped:
            pass
    return with_care()


def hessian(f: Callable, argnums: int = 0) -> Callable:
    """The matrix of second derivatives of a real-valued function of an array: shape of the argument twice.

    >>> import numpy as np
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Callable, x: Any, v: Any) -> Any:
    """The Hessian of f at x times v, without the Hessian: the derivative of the gradient in the direction v.

    >>> import numpy as np
    >>> hvp(lambda x: np.sum(x ** 3), np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([6., 0.])
    """
    if _typed():
        _check(f, (x,))
        try:
            return typed.derived(hvp, f, x, v)
        except typed.NotTyped:
            pass
    fits(x, v, _describe(f, 0))
    return jvp(grad(f), (x,), (v,))[1]


# -- in the program ---------------------------------------------------------------------------------------------------


def stop_gradient(x: Any) -> Any:
    """A copy of x that no derivative flows through; containers are copied all the way down.

    >>> gradient(lambda x: x * stop_gradient(x), 3.0)
    (3.0,)
    """
    return copy.deepcopy(plain(x))


def checkpoint(f: Callable) -> Callable:
    """f, but its intermediate values are computed again in the reverse sweep, not stored.

    >>> gradient(lambda x: checkpoint(lambda y: y * y * y)(x), 2.0)
    (12.0,)
    """
    return traced.Checkpointed(f)


def show(f: Callable, *args: Any, **kwargs: Any) -> str:
    """The generated adjoint of f at these arguments, as readable Python.

    Where the typed tier can take the function this is the joint program (value and gradient) that runs; otherwise the
    rewritten function, whose operations record themselves for the reverse sweep.

    >>> print(show(lambda x, l: l.append(x), 2.0, []))  # doctest: +ELLIPSIS
    def ad_def_lambda(x, l):
        return ad_call_method(l, 'append', x)
    """
    if _typed():
        try:
            return typed.source(f, args, kwargs)
        except typed.NotTyped:
            pass
    return traced.rewritten_source(f)


# -- helpers ----------------------------------------------------------------------------------------------------------


class _LevelAware:
    """A function of the engine handed to the user: it takes traced values as they are."""

    _is_engine_callable = True

    def __init__(self, function: Callable) -> None:
        self.function = function

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)


def _typed() -> bool:
    return not live.levels and switches.is_on("typed")


def _name(f: Any) -> str:
    return getattr(f, "__qualname__", None) or type(f).__name__


def _check(f: Callable, args: tuple) -> None:
    """Refuse what cannot be differentiated, or with respect to what."""
    if not callable(f):
        raise ArgumentError(f"a function belongs in the first place, and {f!r:.60} is none")
    for position, argument in enumerate(args):
        if isinstance(argument, _NUMBERS):
            _refuse_number(f, position, argument)


_NUMBERS = (int, np.integer, np.ndarray, Decimal, Fraction, array, set, frozenset)


def _describe(f: Callable, position: int) -> str:
    """Argument `position` of f, by its name where there is one."""
    try:
        names = list(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        names = []
    label = f" ({names[position]})" if position < len(names) else ""
    return f"argument {position}{label} of {_name(f)}"


def _refuse_number(f: Callable, position: int, value: Any) -> None:
    value = plain(value)
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "iu":
            return
        kind, remedy = f"an array of {value.dtype}", "convert it, x.astype(float)"
    elif isinstance(value, int | np.integer) and not isinstance(value, bool):
        kind, remedy = f"the int {value!r}", f"write {float(value)}"
    elif isinstance(value, Decimal | Fraction):
        kind, remedy = f"the {type(value).__name__} {value}", f"write {float(value)}"
    elif isinstance(value, array) and value.typecode in "fd":
        kind, remedy = "an array.array", "convert it, np.array(x)"
    elif isinstance(value, set | frozenset) and any(map(is_differentiable, value)):
        kind, remedy = f"a {type(value).__name__} of numbers, which have no place there", "pass a list or a dict"
    else:
        return
    raise ArgumentError(
        f"{_describe(f, position)} is {kind}, and a derivative belongs to a float.\n"
        f"  Ways out: {remedy}; or, if it is a constant, pass it by keyword or capture it."
    )


def _chosen(f: Callable, positions: tuple[int, ...], args: tuple) -> list[Any]:
    for position in positions:
        if not isinstance(position, int):
            raise ArgumentError(f"argnums holds {position!r}; it takes positions of arguments, counted from 0")
        if not 0 <= position < len(args):
            raise ArgumentError(f"argnums asks for argument {position} of {_name(f)}, which was given {len(args)}")
        _refuse_number(f, position, args[position])
        if not isinstance(args[position], Traced) and isinstance(args[position], bool | str | type(None)):
            raise ArgumentError(f"argument {position} of {_name(f)} is {args[position]!r}: it has no derivative")
    return [args[position] for position in positions]


def _positions(argnums: int | Sequence[int], args: tuple) -> tuple[int, ...]:
    """`argnums` as positions counted from the front."""
    given = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    return tuple([p + len(args) if isinstance(p, int) and p < 0 else p for p in given])


def _some(positions: tuple[int, ...], args: tuple) -> tuple[int, ...] | None:
    """The positions, where they are not those of all arguments."""
    return None if positions == tuple(range(len(args))) else positions


def _some_cotangent(value: Any) -> Any:
    """A cotangent of `value` whose numbers have no relation to each other."""
    zeros = zeros_like(plain(value))
    return like(zeros, [zeros], lambda leaf, leaves: _unrelated_numbers(leaves[0]))


def _unrelated_numbers(x: Any) -> Any:
    count = np.arange(1, np.size(x) + 1)
    numbers = 1.5 + np.sin(count) + (1j * (1.5 + np.cos(count)) if np.iscomplexobj(x) else 0)
    return np.reshape(numbers, np.shape(x)).astype(x.dtype) if isinstance(x, np.ndarray) else type(x)(numbers[0])


def _zeros_for_none(gradient_: Any, argument: Any) -> Any:
    """The gradient with zeros, of the argument's structure, for None."""
    if type(gradient_) in (float, np.ndarray):
        return gradient_
    return like(argument, [gradient_], lambda leaf, leaves: leaves[0])


def _standard_basis(value: Any) -> list[Any]:
    if np.ndim(value) == 0:
        return [np.ones_like(value) if isinstance(value, np.ndarray) else type(value)(1)]
    basis = []
    for i in range(np.size(value)):
        unit = np.zeros_like(value)
        unit.flat[i] = 1  # a view in the order of the elements, whatever their order in memory
        basis.append(unit)
    return basis


def _stacked(leaf: Any, leaves: list[Any], shape: tuple[int, ...]) -> Any:
    """The rows of a Jacobian by `leaf`, laid out in the shape of the value, which may have no entries."""
    if not shape:
        return leaves[0]
    if not leaves:
        return np.zeros(shape + np.shape(leaf), np.asarray(leaf).dtype)
    run = call if live.levels else lambda function, *args: function(*args)
    rows = run(np.stack, tuple(leaves))
    return run(np.reshape, rows, shape + np.shape(leaf))
