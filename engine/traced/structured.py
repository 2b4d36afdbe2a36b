"""A rule for a function of objects: `rule(total, model=lambda d, out, model: Tangent("Model", {"weight": d * ...}))`.

The pullback returns the cotangent of the object: a `Tangent`, or anything with the same fields, items or keys. The
call is recorded as a call of the numbers and arrays in the object. They are read from a copy, deep and of the time of
the call, which the pullback gets in the place of the object: what the program does to it later is not seen.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from ..errors import CotangentMismatchError, call_chain, where
from ..rules import Rule
from ..tangents import is_differentiable
from .attributes import get_attribute
from .calls import call
from .items import getitem
from .levels import plain
from .primitives import apply
from .structure import fields_of, is_container

__all__ = ["apply_to_objects"]


def apply_to_objects(function: Callable, rule: Rule, args: tuple, kwargs: dict) -> Any:
    """`function(*args, **kwargs)` by its rule, where some of the arguments are containers or objects."""
    operands = [call(copy.deepcopy, a) if is_container(plain(a)) else a for a in args]
    paths: list[tuple[int, tuple]] = []
    leaves: list[Any] = []
    for position, operand in enumerate(operands):
        for path, leaf in _leaves(operand, (), set()) if is_container(plain(operand)) else [((), operand)]:
            paths.append((position, path))
            leaves.append(leaf)

    def primal(*values: Any) -> Any:
        return function(*[plain(a) for a in args], **kwargs)

    primal.__name__ = getattr(function, "__name__", repr(function))

    def pullback(d: Any, out: Any, *values: Any) -> list[Any]:
        given = list(operands)
        for (position, path), value in zip(paths, values, strict=True):
            if not path:
                given[position] = value
        if rule.whole is not None:
            bars = call(rule.whole, d, out, *given, **kwargs)
        else:
            named = [rule.pullbacks.get(name) for name in rule.parameters[: len(given)]]
            bars = [None if one is None else call(one, d, out, *given, **kwargs) for one in named]
        return [_part(bars[position], path, function, place) for position, path in paths]

    place = where(call_chain())
    return apply(primal, Rule(primal, whole=pullback), tuple(leaves), {})


def _leaves(value: Any, path: tuple, seen: set[int]) -> Iterator[tuple[tuple, Any]]:
    """The numbers and arrays in a container, each as the program would read it, with the keys that lead there."""
    if is_differentiable(plain(value)):
        yield path, value
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from _leaves(item, (*path, i), seen)
    elif is_container(value) and id(value) not in seen:
        seen.add(id(value))
        read = getitem if isinstance(value, list | dict) else get_attribute
        for key in fields_of(value)[1]:
            yield from _leaves(read(value, key), (*path, key), seen)


def _part(bar: Any, path: tuple, function: Callable, place: str) -> Any:
    """The cotangent at the end of `path`."""
    for key in path:
        if bar is None:
            return None
        try:
            bar = getitem(bar, key) if isinstance(bar, list | tuple | dict) else get_attribute(bar, key)
        except (AttributeError, LookupError):
            raise CotangentMismatchError(
                f"the rule of {getattr(function, '__name__', function)} returned a {type(plain(bar)).__name__} without "
                f"{key!r} for an argument that has it\n"
                f"  at {place}\n"
                f"  Way out: return the fields of the argument, None for those without a cotangent."
            ) from None
    return bar
