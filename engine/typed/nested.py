"""A derivative taken inside a differentiated function: the same transformation, into the same block.

The functions of the public face are recognised by identity, once that module is there. Each inner derivative is taken
with respect to fresh names, so that what its function captured from outside is a constant to it and not to the outer
one.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ..rules import lookup
from . import runtime
from .adjoint import active_names, differentiate
from .core import Block, Const, Let, Var, blocks_of, operands
from .projections import whole
from .stores import settle
from .types import FLOAT, Array, NotTyped, Scalar, is_active_type, type_of
from .values import Derivative, Tup

KINDS = ("gradient", "value_and_gradient", "grad", "value_and_grad")
FREE = ("engine.rules", "engine.tangents", "engine.nn")  # modules of the engine that are ordinary Python to it


def kind_of(function: Any) -> str | None:
    """Which derivative `function` is, or None."""
    module = getattr(function, "__module__", None) or ""
    if module == "engine.api" and function is getattr(sys.modules[module], function.__name__, None):
        return function.__name__
    return None


def lower_derivative(lowerer: Any, function: Any, args: list, kwargs: dict) -> Any:
    """The value of engine.gradient(f, x) and its like on abstract arguments; None where `function` is none of them."""
    kind = kind_of(function)
    if kind in ("gradient", "value_and_gradient"):
        value, grads = gradients(lowerer, args[0], list(args[1:]), kwargs, tuple(range(len(args) - 1)), zeros=False)
        return Tup(tuple(grads)) if kind == "gradient" else Tup((value, Tup(tuple(grads))))
    if kind in ("grad", "value_and_grad"):
        return Derivative(args[0], argument_numbers(args[1:], kwargs), kind == "value_and_grad")
    module = getattr(function, "__module__", None) or ""
    if kind is not None or (module.startswith("engine.") and not module.startswith(FREE)):
        raise NotTyped(f"a call of {function.__qualname__} inside the function")
    return None


def argument_numbers(args: list, kwargs: dict) -> Any:
    chosen = args[0] if args else kwargs.get("argnums", Const(0))
    if type(chosen) is Const and type(chosen.value) is int:
        return chosen.value
    if type(chosen) is Tup and all(type(i) is Const for i in chosen.items):
        return tuple([i.value for i in chosen.items])
    raise NotTyped("argument numbers that are not known")


def call_derivative(lowerer: Any, made: Derivative, args: list, kwargs: dict) -> Any:
    """The value of grad(f)(x)."""
    chosen = made.argnums if isinstance(made.argnums, tuple) else (made.argnums,)
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
    refuse_ties(lowerer.block, start, targets)
    found = differentiate(lowerer, start, {value: Const(1.0)}, targets) if type(value) is Var else {}
    lowerer.in_rule += 1
    grads = [gradient_of(lowerer, args[i], found, zeros) for i in chosen]
    lowerer.in_rule -= 1
    return value, grads


def refuse_ties(block: Block, start: int, targets: list) -> None:
    """Where a tie may share a cotangent whose derivative is asked for, the other tier knows how that moves."""
    active = active_names(block, start, set(targets))
    blocks = [block.stmts[start:]]
    while blocks:
        for stmt in blocks.pop():
            if type(stmt) is Let:
                made = lookup(stmt.fn)
                if made is not None and made.sided and any(v in active for v in operands(stmt)):
                    raise NotTyped(f"{stmt.fn.__name__} below two derivatives")
            blocks.extend(inner.stmts for inner, _ in blocks_of(stmt))


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
    (kind,) = value.type.kinds
    return d if type_of(d) == value.type else lowerer.let(runtime.cast, (d, Const(np.dtype(kind))))


def zero_like(lowerer: Any, value: Var) -> Any:
    if isinstance(value.type, Array):
        return lowerer.let(runtime.zero_of, (value,))
    if value.type == FLOAT:
        return Const(0.0)
    raise NotTyped("the zero of a NumPy scalar")
