"""A derivative taken inside a differentiated function: the same transformation, into the same block.

The functions of the public face are recognised by identity, once that module is there. Each inner derivative is taken
with respect to fresh names, so that what its function captured from outside is a constant to it and not to the outer
one.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from . import runtime
from .adjoint import differentiate
from .core import Const, Var
from .forward import push_forward
from .projections import whole
from .stores import settle
from .types import COMPLEX, FLOAT, FLOAT64, NONE, Array, NotTyped, Scalar, erased, is_active_type, type_of
from .values import Derivative, Func, Tup

MADE = {"grad_of": False, "value_and_grad_of": True}  # the functions that `grad` and its sister return
FREE = ("engine.rules", "engine.tangents", "engine.nn")  # modules of the engine that are ordinary Python to it


def kind_of(function: Any) -> str | None:
    """Which derivative `function` is, or None."""
    module = getattr(function, "__module__", None) or ""
    if module == "engine.api" and function is getattr(sys.modules[module], function.__name__, None):
        return function.__name__
    return None


def is_derivative(function: Any) -> bool:
    """Is it a function that `grad` or `value_and_grad` has returned?"""
    return getattr(function, "__module__", None) == "engine.api" and getattr(function, "__name__", None) in MADE


def differentiated(derivative: Any) -> Any:
    """The function whose gradient `derivative` is."""
    return derivative.__closure__[derivative.__code__.co_freevars.index("f")].cell_contents


def lower_derivative(lowerer: Any, callee: Func, args: list, kwargs: dict) -> Any:
    """The value of engine.gradient(f, x) and its like on abstract arguments; None where `callee` is none of them."""
    function = callee.function
    if is_derivative(function):
        f, argnums = (
            lowerer.cell((callee.place, function.__code__.co_freevars.index(name)), name) for name in ("f", "argnums")
        )
        made = Derivative(f, argument_numbers(lowerer, [argnums], {}), MADE[function.__name__])
        return call_derivative(lowerer, made, args, kwargs)
    kind = kind_of(function)
    if kind in ("gradient", "value_and_gradient"):
        value, grads = gradients(lowerer, args[0], list(args[1:]), kwargs, tuple(range(len(args) - 1)), zeros=False)
        return Tup(tuple(grads)) if kind == "gradient" else Tup((value, Tup(tuple(grads))))
    if kind in ("grad", "value_and_grad"):
        return Derivative(args[0], argument_numbers(lowerer, args[1:], kwargs), kind == "value_and_grad")
    if kind == "jvp" and len(args) == 3 and not kwargs:
        return Tup(pushed_forward(lowerer, args[0], lowerer.items_of(args[1]), lowerer.items_of(args[2])))
    if kind == "hvp" and len(args) == 3 and not kwargs:
        return pushed_forward(lowerer, Derivative(args[0], 0, False), [args[1]], [args[2]])[1]
    module = getattr(function, "__module__", None) or ""
    if kind is not None or (module.startswith("engine.") and not module.startswith(FREE)):
        raise NotTyped(f"a call of {function.__qualname__} inside the function")
    return None


def argument_numbers(lowerer: Any, args: list, kwargs: dict) -> Any:
    chosen = args[0] if args else kwargs.get("argnums", Const(0))
    if type(chosen) in (Const, Var):
        return lowerer.known_int(chosen)
    return tuple([lowerer.known_int(i) for i in lowerer.items_of(chosen)])


def call_derivative(lowerer: Any, made: Derivative, args: list, kwargs: dict) -> Any:
    """The value of grad(f)(x)."""
    given = made.argnums if isinstance(made.argnums, tuple) else (made.argnums,)
    if not all(type(i) is int and -len(args) <= i < len(args) for i in given):
        raise NotTyped("a gradient with respect to an argument that is not given")
    chosen = tuple([i % len(args) for i in given])
    value, grads = gradients(lowerer, made.function, list(args), kwargs, chosen, zeros=True)
    result = Tup(tuple(grads)) if isinstance(made.argnums, tuple) else grads[0]
    return Tup((value, result)) if made.with_value else result


def gradients(lowerer: Any, f: Any, args: list, kwargs: dict, chosen: tuple, zeros: bool) -> tuple[Any, list]:
    """(f(*args), its gradient with respect to the chosen arguments), statements appended to the current block."""
    targets: list = []
    args = [fresh_names(lowerer, v, targets) if i in chosen else v for i, v in enumerate(args)]
    start = len(lowerer.block.stmts)
    value = lowerer.call(f, list(args), kwargs)
    if type(value) not in (Var, Const) or not isinstance(type_of(value), Scalar):
        raise NotTyped("an inner loss that is no number")
    if not is_active_type(type_of(value)) and type_of(value) != FLOAT:
        raise NotTyped("an inner loss that is no real number")
    settle(lowerer, lowerer.block, [value])
    before, lowerer.ties_are_checked = lowerer.ties_are_checked, True
    unread, lowerer.may_be_unread = lowerer.may_be_unread, set()
    found = differentiate(lowerer, start, {value: Const(1.0)}, targets) if type(value) is Var else {}
    lowerer.ties_are_checked = before
    lowerer.in_rule += 1
    for v in [v for v in found if v in lowerer.may_be_unread and not zeros]:
        lowerer.emit(runtime.some_dependence, (found[v],), NONE, must=True)
    lowerer.may_be_unread = unread
    grads = [gradient_of(lowerer, args[i], found, zeros) for i in chosen]
    lowerer.in_rule -= 1
    return value, grads


# ---- forward


def pushed_forward(lowerer: Any, f: Any, primals: list, tangents: list) -> tuple[Any, Any]:
    """(f(*primals), its derivative along the tangents), statements appended to the current block."""
    if len(primals) != len(tangents):
        raise NotTyped("another number of tangents than of primals")
    targets: list = []
    along: dict = {}
    primals = [fresh_names(lowerer, v, targets) for v in primals]
    for v, t in zip(primals, tangents, strict=True):
        pair(lowerer, v, t, along)
    start = len(lowerer.block.stmts)
    value = lowerer.call(f, primals, {})
    settle(lowerer, lowerer.block, [value])
    found = push_forward(lowerer, start, along)
    lowerer.in_rule += 1
    tangent = tangent_of(lowerer, value, found)
    lowerer.in_rule -= 1
    return value, tangent


def pair(lowerer: Any, primal: Any, tangent: Any, along: dict) -> None:
    """Note the tangent of each number and array in a primal; they have its types."""
    if type(primal) is Tup:
        for v, t in zip(primal.items, lowerer.items_of(tangent), strict=True):
            pair(lowerer, v, t, along)
        return
    of, has = primal.type, type_of(tangent) if type(tangent) in (Var, Const) else None
    same = has is not None and erased(of) == erased(has)
    if not same and not (of in (FLOAT, FLOAT64) and has in (FLOAT, FLOAT64)):
        raise NotTyped("a tangent of another type than its primal")
    if isinstance(of, Array):
        lowerer.emit(runtime.same_shape, (primal, tangent), NONE, must=True)
        tangent = lowerer.emit(runtime.same, (tangent,), of)
    along[primal] = tangent


def tangent_of(lowerer: Any, value: Any, found: dict) -> Any:
    if type(value) is Tup:
        return Tup(tuple([tangent_of(lowerer, item, found) for item in value.items]), value.cls)
    if type(value) is Const and type(value.value) is float:
        return Const(0.0)
    if type(value) is not Var or not is_active_type(value.type) or not isinstance(value.type, Scalar | Array):
        raise NotTyped("the tangent of something else than numbers and arrays")
    return gradient_of(lowerer, value, found, zeros=True)


def fresh_names(lowerer: Any, value: Any, targets: list) -> Any:
    """`value` with each number and array under a name of its own, by which the inner derivative is taken."""
    if type(value) is Tup:
        return Tup(tuple([fresh_names(lowerer, item, targets) for item in value.items]), value.cls)
    if type(value) is Const and type(value.value) is float:
        value = lowerer.emit(runtime.same, (value,), FLOAT)
        targets.append(value)
        return value
    if type(value) is Var and isinstance(value.type, Scalar | Array):
        if not is_active_type(value.type):
            raise NotTyped("an inner derivative with respect to ints")
        new = lowerer.emit(runtime.same, (value,), value.type, hint=value.hint)
        targets.append(new)
        return new
    raise NotTyped("an inner derivative with respect to a structure")


def gradient_of(lowerer: Any, value: Any, found: dict, zeros: bool) -> Any:
    if type(value) is Tup:
        items = [gradient_of(lowerer, item, found, zeros) for item in value.items]
        if all(type(i) is Const and i.value is None for i in items):
            return Const(None)
        return Tup(tuple(items), value.cls)
    d = found.get(value)
    if d is None:
        return zero_like(lowerer, value) if zeros else Const(None)
    if isinstance(value.type, Array):
        return whole(lowerer, value, d)
    if value.type == FLOAT:
        return d if type_of(d) == FLOAT else lowerer.let(runtime.as_float, (d,))
    if len(value.type.kinds) > 1:
        return d
    if value.type == COMPLEX:
        return lowerer.emit(runtime.as_complex, (d,), COMPLEX)
    (kind,) = value.type.kinds
    return d if type_of(d) == value.type else lowerer.let(runtime.cast, (d, Const(np.dtype(kind))))


def zero_like(lowerer: Any, value: Var) -> Any:
    if isinstance(value.type, Array):
        return lowerer.let(runtime.zero_of, (value,))
    if value.type == FLOAT:
        return Const(0.0)
    raise NotTyped("the zero of a NumPy scalar")
