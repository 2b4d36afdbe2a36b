"""Calling a primitive that has a rule: the value is computed once, and recorded at every level that watches.

`apply` looks for the innermost level at which an argument is active, computes the call as the levels outside see it
(which records there first), and adds an `Operation` to the tape of its own level.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ForeignCallError, call_chain, where
from ..kinds import is_odd, refuse_odd_array
from ..rules import Rule
from ..rules.registry import procedure
from ..rules.vocabulary import is_moving, orders
from ..tangents import is_differentiable
from .arrays import View, lent_write, view_of
from .levels import Level, Node, Traced, live, plain, root_of, strip, wrap
from .tape import Operation

__all__ = ["apply", "is_active", "target_of"]


def apply(
    function: Callable, rule: Rule, args: tuple, kwargs: dict, depth: int | None = None, side: list | None = None
) -> Any:
    """The result of `function(*args, **kwargs)` by its rule, recorded at each live level below `depth` that watches.

    side: what all these records have in common, where a tie may fall to one side.

    Raises:
        ForeignCallError: a keyword that the rule does not know.
    """
    levels = live.levels
    if any(is_active(a) for a in kwargs.values()):
        args, kwargs = _positional(function, rule, args, kwargs)
    for position in range(len(levels) if depth is None else depth, 0, -1):
        level = levels[position - 1]
        targets = tuple([target_of(level, a) for a in args])
        if any(t is not None for t in targets):
            break
    else:
        return function(*[plain(a) for a in args], **{k: plain(v) for k, v in kwargs.items()})

    try:
        bound = rule.signature.bind(*args, **kwargs)
    except TypeError as error:
        # The primitive's own complaint comes first: a program that catches TypeError must get Python's.
        function(*[plain(a) for a in args], **{k: plain(v) for k, v in kwargs.items()})
        raise _outside_the_rule(function, rule, error) from None
    if rule.partials and kwargs and not bound.kwargs:  # partials take their operands by position
        return apply(function, rule, bound.args, {}, depth, side)
    inner = tuple([strip(a, level) for a in args])
    kwargs = {k: plain(v) for k, v in kwargs.items()}
    side = [] if side is None and rule.compares else side
    out = apply(function, rule, inner, kwargs, position - 1, side)
    for array in (*args, out):
        if isinstance(array, np.ndarray) and type(array) is not np.ndarray and is_odd(array):
            refuse_odd_array(array, f"{getattr(function, '__name__', function)} with")
    if isinstance(plain(out), np.ndarray) and plain(out).dtype == object:
        raise ForeignCallError(
            f"Can't differentiate {getattr(function, '__name__', function)} into an array of objects: what its "
            f"elements do is out of sight\n  at {where(call_chain())}\n"
            f"  Ways out: a list for objects, an array of floats for numbers."
        )
    as_list = type(out) is list
    if as_list:
        out = tuple(out)
    if rule.is_of_a_program:
        _lend(level, function, out)
    nodes: Any = None

    def numbered(value: Any) -> tuple[Any, Any]:
        if isinstance(value, tuple):
            pairs = [numbered(v) for v in value]
            return type(value)._make([p[0] for p in pairs]) if hasattr(value, "_make") else tuple(
                [p[0] for p in pairs]
            ), tuple([p[1] for p in pairs])  # fmt: skip
        made: list[Node] = []
        wrapped = wrap(level, value, lambda _, node: made.append(node))
        return wrapped, made[0] if made else None

    wrapped, nodes = numbered(out)
    chain = call_chain()
    place = (chain[0][1], chain[0][2]) if chain else ("<engine>", 0)
    level.tape.append(Operation(rule, inner, kwargs, out, targets, nodes, place, depth is not None, side))
    return list(wrapped) if as_list else wrapped


def _lend(level: Level, function: Callable, out: Any) -> None:
    """Note the memory that a function of the program's hands on: its rule, not the memory, says what the cotangent is.

    Raises:
        MutationError: the memory has been written to, so that its cotangents go by place.
    """
    out = plain(out)
    if isinstance(out, tuple):
        for part in out:
            _lend(level, function, part)
    elif isinstance(out, np.ndarray):
        base = root_of(out)
        name = getattr(function, "__name__", repr(function))
        if id(base) in level.written:
            raise lent_write(name)
        if id(base) in level.owners:
            level.lent[id(base)] = base, name


def target_of(level: Level, value: Any) -> Node | View | tuple | None:
    """Where a cotangent of `value` goes at `level`: its node, the buffer of its written base, or None."""
    kind = type(value)
    if kind is Traced:
        if level.written:
            bare = plain(value)
            if isinstance(bare, np.ndarray) and id(root_of(bare)) in level.written:
                return view_of(bare)
        while type(value) is Traced:
            if value.level is level:
                return value.node
            value = value.primal
        return None
    if kind is tuple or isinstance(value, tuple):
        targets = tuple([target_of(level, v) for v in value])
        return targets if any(t is not None for t in targets) else None
    if isinstance(value, np.ndarray):
        if level.written and id(root_of(value)) in level.written and is_differentiable(value):
            return view_of(value)
        if level.implicit and id(value) in level.implicit:
            return level.implicit[id(value)][1]
    return None


def is_active(value: Any) -> bool:
    """Does any live level watch this value?"""
    return any(target_of(level, value) is not None for level in live.levels)


procedure(is_moving)(is_active)


@procedure(orders)
def _orders() -> int:
    return sum(not level.transposing for level in live.levels)


def _positional(function: Callable, rule: Rule, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """An active argument given by keyword, put in its place."""
    try:
        bound = rule.signature.bind(*args, **kwargs)
    except TypeError as error:
        function(*[plain(a) for a in args], **{k: plain(v) for k, v in kwargs.items()})
        raise _outside_the_rule(function, rule, error) from None
    bound.apply_defaults()
    names = list(rule.signature.parameters)
    last = max(i for i, n in enumerate(names) if n in kwargs and is_active(kwargs[n]))
    if rule.signature.parameters[names[last]].kind is inspect.Parameter.KEYWORD_ONLY:
        raise _outside_the_rule(function, rule, TypeError(f"{names[last]!r} carries a derivative"))
    positional = [bound.arguments[n] for n in names[: last + 1]]
    rest = {n: v for n, v in kwargs.items() if n not in names[: last + 1]}
    return tuple(positional), rest


def _outside_the_rule(function: Callable, rule: Rule, error: TypeError) -> ForeignCallError:
    name = getattr(function, "__name__", repr(function))
    module = getattr(function, "__module__", None)
    if function is operator.getitem:
        name, module = "getitem", "operator"
    return ForeignCallError(
        f"Can't differentiate this call of {f'{module}.{name}' if module else name}: its rule covers "
        f"{name}{rule.signature}, but {error}\n"
        f"  at {where(call_chain())}\n"
        f"  Ways out: write it with the arguments the rule covers; give a helper function of your own a rule, "
        f"engine.rule(helper, ...); or declare the helper engine.constant."
    )
