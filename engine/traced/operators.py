"""What rewritten code calls for operators and conditions.

An operator goes, as in Python, to the class of its operands if that defines it in Python, else to the primitive.
"""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable
from types import FunctionType, GeneratorType
from typing import Any

import numpy as np

from . import arrays
from .attributes import has_source
from .calls import SEQUENCES, call
from .foreign import foreign
from .items import array_like, items, iterate, make_dict, make_list, setitem
from .levels import Traced, plain

__all__ = ["BINARY", "COMPARE", "IN_PLACE", "UNARY", "truth"]


_NUMBERS = frozenset({int, float, bool, complex})
_BUILTIN_OPERANDS = (int, float, complex, np.ndarray, np.generic)


def binary(function: Callable, dunder: str) -> Callable[[Any, Any], Any]:
    """The operation `a <op> b` for an operator function and the stem of its method names."""
    forward, backward = f"__{dunder}__", f"__r{dunder}__"

    def operate(a: Any, b: Any) -> Any:
        if type(a) in _NUMBERS and type(b) in _NUMBERS:
            return function(a, b)
        bare_a, bare_b = plain(a), plain(b)
        if isinstance(bare_a, _BUILTIN_OPERANDS) and isinstance(bare_b, _BUILTIN_OPERANDS):
            return call(function, a, b)
        return _by_class(function, forward, backward, a, b, bare_a, bare_b)

    operate.__name__ = operate.__qualname__ = dunder
    return operate


def _by_class(function: Callable, forward: str, backward: str, a: Any, b: Any, bare_a: Any, bare_b: Any) -> Any:
    kind_a, kind_b = type(bare_a), type(bare_b)
    order = [(kind_a, forward, a, b), (kind_b, backward, b, a)]
    right = getattr(kind_b, backward, None)
    if kind_b is not kind_a and issubclass(kind_b, kind_a) and right is not getattr(kind_a, backward, None):
        order.reverse()
    if isinstance(bare_a, np.ndarray) and getattr(kind_b, "__array_ufunc__", True) is None:
        order = order[1:]
    for kind, method, receiver, other in order:
        found = getattr(kind, method, None)
        if type(found) is FunctionType and not (kind is kind_b and kind is kind_a and method == backward):
            result = call(found, receiver, other)
            if result is not NotImplemented:
                return result
    if type(getattr(kind_a, forward, None)) is FunctionType or type(right) is FunctionType:
        symbol = forward.strip("_")
        raise TypeError(f"unsupported operand type(s) for {symbol}: '{kind_a.__name__}' and '{kind_b.__name__}'")
    if isinstance(bare_a, list) and isinstance(bare_b, list) and function is operator.add:
        return make_list([*iterate(a), *iterate(b)])
    if isinstance(bare_a, np.ndarray) or isinstance(bare_b, np.ndarray):  # the other one is an array to it
        return call(function, array_like(a), array_like(b))
    if isinstance(bare_a, list) and function is operator.mul:
        return make_list(list(iterate(a)) * operator.index(bare_b))
    if isinstance(bare_b, list) and function is operator.mul:
        return make_list(list(iterate(b)) * operator.index(bare_a))
    if isinstance(bare_a, dict) and isinstance(bare_b, dict) and function is operator.or_:
        return make_dict([*items(a), *items(b)])
    if isinstance(bare_a, tuple) or isinstance(bare_b, tuple):
        if isinstance(bare_a, tuple) and (isinstance(bare_b, tuple) or function is operator.mul):
            return function(a, b)
        if isinstance(bare_b, tuple) and function is operator.mul:
            return function(a, b)
    if isinstance(bare_a, str | bytes | set | frozenset) or kind_a is type(None):
        return function(bare_a, bare_b)
    if isinstance(bare_a, np.generic) or isinstance(bare_b, np.generic):
        return call(function, array_like(a), array_like(b))
    if isinstance(bare_a, SEQUENCES) or isinstance(bare_b, SEQUENCES):
        function(bare_a, bare_b)  # Python's own complaint comes first
        return foreign(function, (a, b), {})
    return call(function, a, b)


def in_place(function: Callable, in_place_function: Callable, dunder: str) -> Callable[[Any, Any], Any]:
    """The operation `a <op>= b`: what the name is bound to afterwards."""
    operate = binary(function, dunder)
    method = f"__i{dunder}__"

    def augment(a: Any, b: Any) -> Any:
        bare = plain(a)
        if isinstance(bare, np.ndarray):
            result = operate(a, b)
            if isinstance(plain(result), np.ndarray | np.generic):
                return arrays.in_place(a, result, lambda: in_place_function(bare.copy(), plain(b)))
            return result
        found = getattr(type(bare), method, None)
        if type(found) is FunctionType:
            result = call(found, a, b)
            return operate(a, b) if result is NotImplemented else result
        if isinstance(plain(b), np.ndarray):  # it comes before a sequence's own way
            return operate(a, b)
        if isinstance(bare, list) and function is operator.add:
            call(list.extend, a, b)
            return a
        if isinstance(bare, deque) and function is operator.add:
            call(deque.extend, a, b)
            return a
        if isinstance(bare, list) and function is operator.mul:
            setitem(a, slice(None), list(iterate(a)) * operator.index(plain(b)))
            return a
        if isinstance(bare, dict) and function is operator.or_:
            call(dict.update, a, b)
            return a
        if isinstance(bare, set):
            return in_place_function(bare, plain(b))
        return operate(a, b)

    augment.__name__ = augment.__qualname__ = f"i{dunder}"
    return augment


def unary(function: Callable, dunder: str) -> Callable[[Any], Any]:
    """The operation `<op> a`."""
    method = f"__{dunder}__"

    def operate(a: Any) -> Any:
        found = getattr(type(plain(a)), method, None)
        return call(found, a) if type(found) is FunctionType else call(function, a)

    operate.__name__ = operate.__qualname__ = dunder
    return operate


def comparison(function: Callable, dunder: str, reflected: str) -> Callable[[Any, Any], Any]:
    """The operation `a <op> b` for a comparison: its result carries no derivative."""
    method, mirrored = f"__{dunder}__", f"__{reflected}__"

    def compare(a: Any, b: Any) -> Any:
        if type(a) in _NUMBERS and type(b) in _NUMBERS:
            return function(a, b)
        bare_a, bare_b = plain(a), plain(b)
        for owner, name, receiver, other in ((bare_a, method, a, b), (bare_b, mirrored, b, a)):
            found = getattr(type(owner), name, None)
            if type(found) is FunctionType and has_source(found):
                result = call(found, receiver, other)
                if result is not NotImplemented:
                    return result
        return function(bare_a, bare_b)

    compare.__name__ = compare.__qualname__ = dunder
    return compare


def is_(a: Any, b: Any) -> bool:
    return plain(a) is plain(b)


def is_not(a: Any, b: Any) -> bool:
    return plain(a) is not plain(b)


def in_(item: Any, container: Any) -> bool:
    if type(container) is Traced or isinstance(container, np.ndarray):
        return plain(item) in plain(container)
    found = getattr(type(container), "__contains__", None)
    if type(found) is FunctionType:
        return truth(call(found, container, item))
    if type(getattr(type(container), "__iter__", None)) is FunctionType or isinstance(container, GeneratorType):
        return any(is_(item, other) or truth(COMPARE["eq"](other, item)) for other in iterate(container))
    return plain(item) in plain(container)


def not_in(item: Any, container: Any) -> bool:
    return not in_(item, container)


def truth(value: Any) -> bool:
    """The truth of a condition; a `__bool__` or `__len__` written in Python is called."""
    kind = type(value)
    if kind is bool:
        return value
    if kind is Traced:
        return bool(plain(value))
    found = getattr(kind, "__bool__", None)
    if found is None:
        found = getattr(kind, "__len__", None)
        if type(found) is FunctionType:
            return call(found, value) != 0
    elif type(found) is FunctionType:
        return call(found, value)
    return bool(value)


BINARY: dict[str, Callable] = {
    label: binary(getattr(operator, label), label.rstrip("_"))
    for label in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "lshift", "rshift", "or_", "xor",
                  "and_")
}  # fmt: skip
IN_PLACE: dict[str, Callable] = {
    "i" + label.rstrip("_"): in_place(
        getattr(operator, label), getattr(operator, "i" + label.rstrip("_")), label.rstrip("_")
    )
    for label in BINARY
}
UNARY: dict[str, Callable] = {label: unary(getattr(operator, label), label) for label in ("neg", "pos", "invert")}
COMPARE: dict[str, Callable] = {
    label: comparison(getattr(operator, label), label, mirror)
    for label, mirror in (("eq", "eq"), ("ne", "ne"), ("lt", "gt"), ("le", "ge"), ("gt", "lt"), ("ge", "le"))
}
