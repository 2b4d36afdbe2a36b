"""On which side a tie falls, where its derivative is differentiated again: the side that it is on next to the point.

At a tie the numbers are equal, so they cannot tell; how they move can. The operands are followed along one curve
through the point, to first order and, where they touch, to second: there max(x², 0) is x² and |-x²| is x². All ties of
a program are seen from the same curve, so that max(a, b) and min(b, a) agree about which is which. Along it no argument
stands still, and later numbers grow faster than earlier ones: a modulus of 0 is seen as that of a positive number, and
equals are put in order as by a sort.

Where a function has second derivatives at a tie whose operands touch, any such curve finds them. The difference δ of
the operands has no slope at the point, and its Hessian M is semidefinite; v·Mv is 0 only where Mv is 0, that is, where
it does not matter. Where the operands cross there are no second derivatives, and they are those of one side.

The two derivatives need not be by the same variables. What the inner level moves and the outer one does not see has
its slopes alone; where these and those by the outer variables are the same for all operands, and their own derivatives
are not, M is no zero and its sign is unknown: that is refused.

The two orders are a derivative of a derivative. The tape of the level that is swept, run backwards twice (forward
mode), gives the first; as an outer level records that, the tape of the outer level gives the second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import numpy as np

from ..errors import DifferentiationError
from ..rules.vocabulary import all_different
from . import tape
from .levels import Level, Node, live, node_at, plain
from .primitives import target_of
from .run import pullback
from .structure import LEAF, LIST, NOTHING, TUPLE, Shape, read, seed
from .tape import Operation, Sweep

__all__ = ["Beside", "beside_a_tie"]


class Beside:
    """The call of a tie as it is next to the point: numbers in the order of its operands, and what it makes of them.

    kwargs: its keywords, of which one may be a number that is compared.
    crossed: name of an argument -> the places where operands cross, so that a cotangent is shared at the point.
    undecided: whether operands touch, and which is the larger one around the point cannot be told.
    """

    __slots__ = ("args", "crossed", "kwargs", "out", "undecided")

    def __init__(self, args: tuple, kwargs: dict, out: Any, crossed: dict[str, Any], undecided: bool) -> None:
        self.args = args
        self.kwargs = kwargs
        self.out = out
        self.crossed = crossed
        self.undecided = undecided


def beside_a_tie(sweep: Sweep, operation: Operation) -> Beside | None:
    """What the operation is next to the point; None where it meets no tie, or cannot be followed.

    Raises:
        DifferentiationError: its operands touch, and the two derivatives are by variables of which the outer one alone
            is seen where the inner one is taken, so that which of them is larger around the point cannot be told.
    """
    if not operation.side and not operation.nested:
        with _forgotten(live.levels):
            _settle(sweep)
    beside = operation.side[0] if operation.side else None
    if beside is not None and beside.undecided:
        name, (file, line) = getattr(operation.rule.primal, "__name__", operation.rule.primal), operation.place
        raise DifferentiationError(
            f"Can't differentiate {name} by one variable and then by another where numbers are equal and only touch: "
            f"which is the larger one around the point cannot be told\n  at {file}:{line}\n"
            f"  Way out: differentiate twice by one argument that holds both variables, as hessian does."
        )
    return beside


tape.beside_a_tie = beside_a_tie


def _settle(sweep: Sweep) -> None:
    """Decide the ties of the entry that is being walked over and of all before it.

    How the operands of a tie move depends on the ties before it. So all are asked again until nothing changes: then the
    first is right, which depends on none, the second, which depends on the first, and so on.
    """
    looking = _Ties(sweep)
    with _live(0):
        looking.run()
    ties = looking.found[::-1]
    changes = bool(ties)
    while changes:
        moving = Moving(sweep, ties)
        changes = False
        for tie in ties:
            changes |= tie.decide(moving)


class Tie:
    """One call whose operands tie, and what they are at its time."""

    def __init__(self, index: int, operation: Operation, args: tuple, compared: list[int], shares: dict) -> None:
        self.index = index
        self.operation = operation
        self.args = args
        self.compared = compared
        self.watched = [i for i in compared if operation.targets[i] is not None]
        self.shares = shares

    def decide(self, moving: Moving) -> bool:
        """Put the call in its place beside the tie, by how its operands move; is it another one than before?"""
        side = self.operation.side
        jets = [[of.get((self.index, i), 0.0) for i in self.compared] for of in (moving.slopes, moving.sideways)]
        args, kwargs = self.in_order(jets)
        parted = _shares(self.operation, args, kwargs)
        crossed = {name: part != self.shares[name] for name, part in parted.items()}
        undecided = False
        if _differ(parted, _shares(self.operation, args, kwargs, sided=True)):
            jets.append([moving.curvatures.get((self.index, i), 0.0) for i in self.compared])
            args, kwargs = self.in_order(jets)
            undecided = bool(moving.drifts) and self.drifts_apart(moving, jets)
        beside, side[0] = side[0], Beside(args, kwargs, _result(self.operation, args, kwargs), crossed, undecided)
        return beside is None or not all(np.array_equal(args[i], beside.args[i], equal_nan=True) for i in self.compared)

    def drifts_apart(self, moving: Moving, jets: list[list]) -> bool:
        """Do some part by their drifts alone, which say that they are not the same around the point, but no more?"""
        drifts = [moving.drifts.get((self.index, i), 0.0) for i in self.compared]
        before = _shares(self.operation, *self.in_order(jets))
        return _differ(_shares(self.operation, *self.in_order([*jets, drifts])), before)

    def in_order(self, jets: list[list]) -> tuple[tuple, dict]:
        """The arguments of the call with places for numbers; what it begins with, `initial`, is one that stays."""
        kwargs = self.operation.kwargs
        if kwargs.get("initial") is None:
            return _in_order(self.args, self.compared, jets), kwargs
        first = len(self.args)
        *args, initial = _in_order((*self.args, kwargs["initial"]), [*self.compared, first], [[*j, 0.0] for j in jets])
        return tuple(args), {**kwargs, "initial": initial}


class _Ties(Sweep):
    """A walk that looks for ties, from the entry that another sweep is at."""

    def __init__(self, sweep: Sweep) -> None:
        super().__init__(sweep.level)
        self.at = sweep.at + 1
        self.found: list[Tie] = []

    def pass_over(self, entry: Any) -> None:
        if type(entry) is Operation and entry.side == [] and not entry.nested:
            self.look_at(entry)
        super().pass_over(entry)

    def look_at(self, operation: Operation) -> None:
        operation.side.append(None)
        rule = operation.rule
        args = tuple([np.copy(a) if isinstance(a, np.ndarray) else a for a in map(plain, operation.args)])
        compared = [i for i, name in enumerate(rule.parameters[: len(args)]) if name in rule.sided]
        shares = _shares(operation, args, operation.kwargs)
        if _differ(shares, _shares(operation, args, operation.kwargs, sided=True)):
            self.found.append(Tie(self.at, operation, args, compared, shares))


def _shares(operation: Operation, args: tuple, kwargs: dict, sided: bool = False) -> dict[str, Any]:
    """What part of a cotangent each argument gets."""
    rule, out = operation.rule, _result(operation, args, kwargs)
    d = all_different(plain(operation.out))
    pullbacks = rule.sided if sided else rule.pullbacks
    return {name: pullbacks[name](d, out, *args, **kwargs) for name in rule.sided}


def _result(operation: Operation, args: tuple, kwargs: dict) -> Any:
    """What the call makes of these arguments, or what it has made, where a rule looks at that as it is."""
    rule = operation.rule
    return plain(operation.out) if rule.compares == "arguments" else rule.primal(*args, **kwargs)


def _differ(shares: dict[str, Any], sided: dict[str, Any]) -> bool:
    return any(not np.array_equal(part, shares[name]) for name, part in sided.items())


class Moving:
    """How the operands of ties move along the curve.

    slopes, curvatures: (index of the tie on the tape, position of the operand) -> plain number or array.
    sideways, drifts: how operands, and their slopes, move with what the outer level differentiates, where that does not
        see all that the curve moves.
    """

    def __init__(self, sweep: Sweep, ties: list[Tie]) -> None:
        inner = sweep.level
        outer = next(level for level in reversed(live.levels) if not level.transposing)
        shapes = _shapes(inner)
        direction = Direction(shapes)
        operands = {(tie.index, i): tie.args[i] for tie in ties for i in tie.watched}

        def back(*cotangents: Any) -> tuple:
            walk = _Seeded(sweep, ties, dict(zip(operands, cotangents, strict=True)))
            walk.run()
            return tuple([read(walk, shape) for shape in shapes])

        at_outer = [_seen_by(outer, shape) for shape in shapes]
        all_seen = all(_is_seen(outer, shape) for shape in at_outer)
        visible = direction if all_seen else direction.seen(outer, at_outer)
        with _live(outer.depth + 1):
            slopes = direction.pushed(back, operands)
            seen_slopes = slopes if all_seen else visible.pushed(back, operands)
        self.slopes = {key: plain(d) for key, d in slopes.items()}
        ends = {leaf.target for shape in at_outer for leaf in _leaves(shape)}
        self.curvatures = _pushed_again(outer, seen_slopes, ends, visible, at_outer)
        self.sideways: dict = {}
        self.drifts: dict = {}
        if not all_seen:
            others = _shapes(outer)
            values = {(tie.index, i): tie.operation.args[i] for tie in ties for i in tie.compared}
            self.sideways = _pushed_again(outer, values, set(), Direction(others), others)
            self.drifts = _pushed_again(outer, slopes, set(), Direction(others), others)


def _pushed_again(outer: Level, recorded: dict, ends: set, direction: Direction, shapes: list[Shape]) -> dict:
    """The tangents of what a level has recorded, in a direction of what has these shapes."""
    nodes = {key: target_of(outer, d) for key, d in recorded.items()}
    moving = {key: plain(recorded[key]) for key, node in nodes.items() if type(node) is Node}

    def back(*cotangents: Any) -> tuple:
        walk = _DownTo(outer, ends)
        for key, d in zip(moving, cotangents, strict=True):
            walk.give(nodes[key], d)
        walk.run()
        return tuple([read(walk, shape) for shape in shapes])

    with _live(outer.depth):
        return {key: plain(d) for key, d in direction.pushed(back, moving).items()}


class Direction:
    """Of the curve, at the point: a tangent of each argument."""

    def __init__(self, shapes: list[Shape]) -> None:
        numbers = count()
        memo: dict[int, Any] = {}
        self.tangents = tuple([_growing(shape, numbers, memo) for shape in shapes])

    def seen(self, level: Level, shapes: list[Shape]) -> Direction:
        """The part of it that moves what a level differentiates."""
        made = Direction([])
        made.tangents = tuple([_seen_part(t, level, shape) for t, shape in zip(self.tangents, shapes, strict=True)])
        return made

    def pushed(self, back: Callable, operands: dict) -> dict:
        """The tangents of the operands, from the pullback of them all: it is run backwards."""
        if not operands:
            return {}
        ones = [np.ones_like(x) if isinstance(x, np.ndarray) else type(x)(1) for x in operands.values()]
        _, transpose = pullback(_Engine(back), tuple(ones), {}, keep=False, transposing=True)
        walk = Sweep(transpose.level)
        seed(walk, transpose.result, self.tangents)
        walk.run()
        found = [read(walk, shape) for shape in transpose.args]
        return {key: d for key, d in zip(operands, found, strict=True) if d is not None}


class _Engine:
    """A function of the engine that takes traced values as they are."""

    _is_engine_callable = True

    def __init__(self, function: Callable) -> None:
        self.function = function

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)


class _Seeded(Sweep):
    """A sweep from the entry that another one is at, which gives the operands of ties their cotangents on its way."""

    def __init__(self, sweep: Sweep, ties: list[Tie], cotangents: dict) -> None:
        super().__init__(sweep.level)
        self.at = sweep.at + 1
        self.ties = {tie.index: tie for tie in ties}
        self.cotangents = cotangents

    def pass_over(self, entry: Any) -> None:
        tie = self.ties.get(self.at)
        for i in tie.watched if tie else ():
            self.give(tie.operation.targets[i], self.cotangents[self.at, i])
        super().pass_over(entry)


class _DownTo(Sweep):
    """A sweep that leaves the cotangents where some arguments of an inner level were made."""

    def __init__(self, level: Level, ends: set) -> None:
        super().__init__(level)
        self.ends = ends

    def take(self, node: Any) -> Any:
        return None if node in self.ends else super().take(node)


def _leaves(shape: Shape) -> Iterator[Shape]:
    """The leaves of a shape that are in no storage."""
    if shape.kind == LEAF:
        yield shape
    elif shape.kind == TUPLE:
        for item in shape.items.values():
            yield from _leaves(item)


def _shapes(level: Level) -> list[Shape]:
    """The arguments of a level, and the parameters that it knows by identity."""
    return [*level.args, *[Shape(LEAF, array, target=node) for array, node in level.implicit.values()]]


def _node(level: Level, value: Any) -> Any:
    """The node of a value that an inner level differentiates."""
    return level.implicit[id(value)][1] if id(value) in level.implicit else node_at(level, value)


def _is_seen(level: Level, shape: Shape) -> bool:
    """Does this level differentiate all of what has this shape?"""
    if shape.kind == LEAF:
        return shape.target is not None
    if shape.kind == TUPLE:
        return all(_is_seen(level, item) for item in shape.items.values())
    return shape.kind == NOTHING or id(shape.storage) in level.active


def _seen_part(tangent: Any, level: Level, shape: Shape) -> Any:
    """What is left of a tangent where only that moves which this level differentiates."""
    if shape.kind == TUPLE and tangent is not None:
        return [_seen_part(t, level, item) for t, item in zip(tangent, shape.items.values(), strict=True)]
    return tangent if _is_seen(level, shape) else None


def _seen_by(level: Level, shape: Shape) -> Shape:
    """The shape of an argument of an inner level, with the targets that its leaves have at this one."""
    if shape.kind == LEAF:
        return Shape(LEAF, plain(shape.value), target=_node(level, shape.value))
    if shape.kind == TUPLE:
        return Shape(TUPLE, shape.value, items={i: _seen_by(level, item) for i, item in shape.items.items()})
    return shape


def _growing(shape: Shape, numbers: Iterator[int], memo: dict[int, Any]) -> Any:
    """A tangent of an argument: positive numbers without relation to each other, later ones larger."""
    if shape.kind == NOTHING:
        return None
    if shape.kind == LEAF:
        x = plain(shape.value)
        speeds = np.array([(next(numbers) + 1) ** 0.7123 for _ in range(np.size(x))]).reshape(np.shape(x))
        return speeds.astype(x.dtype) if isinstance(x, np.ndarray) else type(x)(speeds)
    if id(shape) in memo:
        return memo[id(shape)]
    made: Any = [] if shape.kind in (LIST, TUPLE) else {}
    memo[id(shape)] = made
    for key, item in shape.items.items():
        tangent = _growing(item, numbers, memo)
        if isinstance(made, list):
            made.append(tangent)
        else:
            made[key] = tangent
    return made


@contextmanager
def _live(number: int) -> Iterator[None]:
    """With only the outermost levels recording."""
    before, live.levels = live.levels, live.levels[:number]
    try:
        yield
    finally:
        live.levels = before


@contextmanager
def _forgotten(levels: list[Level]) -> Iterator[None]:
    """What is recorded meanwhile serves the question alone: the tapes are as before."""
    before = [(level.tape, len(level.tape)) for level in levels]
    try:
        yield
    finally:
        for recorded, length in before:
            del recorded[length:]


def _in_order(args: tuple, compared: list[int], jets: list[list]) -> tuple:
    """The arguments, those that are compared replaced by their places in the order of (value, slope, curvature).

    The place of 0 that does not move is 0; a NaN stays one.
    """
    values = [np.asarray(args[i]) for i in compared]
    jets = [[np.ravel(v) for v in values]] + [
        [np.ravel(np.broadcast_to(np.nan_to_num(j), np.shape(v))) for j, v in zip(jet, values, strict=True)]
        for jet in jets
    ]
    numbers, *moves = [np.concatenate([*jet, [0.0]]) for jet in jets]
    rows = [numbers.real + 0.0, *[_without_rounding(m.real.astype(float)) for m in moves]]
    if any(np.iscomplexobj(v) for v in values):  # by the real part, then by the imaginary one
        rows += [numbers.imag + 0.0, *[_without_rounding(m.imag.astype(float)) for m in moves]]
    _, places = np.unique(np.stack(rows), axis=1, return_inverse=True)
    places = np.where(np.isnan(numbers), np.nan, np.ravel(places) - np.ravel(places)[-1])
    made = list(args)
    start = 0
    for i, value in zip(compared, values, strict=True):
        ordered = places[start : start + value.size].reshape(value.shape)
        ordered = np.where(ordered == 0, np.copysign(0.0, value.real), ordered)  # the sign of a zero may still decide
        made[i] = ordered if isinstance(args[i], np.ndarray) else float(ordered)
        start += value.size
    return tuple(made)


def _without_rounding(moves: np.ndarray) -> np.ndarray:
    """Numbers that differ by rounding only are made the same."""
    scale = np.max(np.abs(moves))
    return moves if scale == 0 else np.round(moves / scale, 12)
