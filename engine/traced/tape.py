"""The reverse sweep: what is collected on the way back, and the entry of an ordinary operation.

A tape is a list of entries. The sweep of level k runs with only the levels outside k live, and all it does with
cotangents (applying rules, adding them up, writing to buffers) is done through the operations of `primitives` and
`arrays`: for the outer levels it is ordinary recorded work, so a derivative of a derivative needs nothing of its own.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from ..errors import CotangentMismatchError
from ..rules import Rule, rule
from ..rules.indexing import scatter
from ..tangents import accumulate, from_partial, is_differentiable, project, zeros_like
from .levels import Level, Node, Traced, live, node_at, plain, strip

__all__ = ["Operation", "Sweep", "engine_call"]


class Sweep:
    """The state of one walk back over a tape; a second call of a pullback makes a new one.

    bars: node -> cotangent so far. owned: nodes whose cotangent is a buffer of our own, added to in place.
    mirrors: id of a storage -> cotangents of what it holds (see `storage`).
    shadows: id of a written base array -> buffer of cotangents (see `arrays`).
    redo: undone writes, to be done again in the opposite order.
    at: the place on the tape of the entry that is being walked over.
    """

    def __init__(self, level: Level) -> None:
        self.level = level
        self.bars: dict[Node, Any] = {}
        self.owned: set[Node] = set()
        self.mirrors: dict[int, Any] = {}
        self.shadows: dict[int, np.ndarray] = {}
        self.redo: list[Callable[[], None]] = []
        self.at = len(level.tape)

    def run(self) -> None:
        """Walk back over what is before `at` on the tape; the user's data is as before, even when a rule raises."""
        try:
            # The primal has warned of its infinities; the rules meet them again, outside the program's own errstate.
            with np.errstate(all="ignore"):
                while self.at:
                    self.at -= 1
                    self.pass_over(self.level.tape[self.at])
        finally:
            for redo in reversed(self.redo):
                redo()
            self.redo.clear()

    def pass_over(self, entry: Any) -> None:
        """Take one step back."""
        entry.reverse(self)

    def add(self, target: Any, d: Any) -> None:
        """Add `d` to the cotangent of a target: a node, or what has `add(sweep, d)`, such as a view of a buffer."""
        if d is None or target is None:
            return
        if type(target) is not Node:
            target.add(self, d)
        elif target in self.owned:
            self.bars[target] = engine_call(accumulate, self.bars[target], d)
            self.owned.discard(target)
        else:
            before = self.bars.get(target)
            self.bars[target] = d if before is None else engine_call(accumulate, before, d)

    def give(self, target: Any, d: Any) -> None:
        """`add`, for a target that may be a tuple of targets with a tuple of cotangents."""
        if target is None or d is None:
            return
        if isinstance(target, tuple):
            for t, part in zip(target, d, strict=True):
                self.give(t, part)
        else:
            self.add(target, d)

    def add_at(self, node: Node, like: np.ndarray, index: Any, d: Any) -> None:
        """Add `d` to part of the cotangent of an array: one buffer however many parts are added."""
        bar = self.bars.get(node)
        if node not in self.owned:
            bar = np.zeros_like(like) if bar is None else np.array(bar)
            self.bars[node] = bar
            self.owned.add(node)
        if is_basic(index):
            bar[index] += d
        elif bar.dtype == np.float16:
            bar += scatter(d, bar, index)
        else:
            np.add.at(bar, index, d)

    def take(self, node: Node) -> Any:
        """The finished cotangent of a node whose defining entry is being walked over."""
        self.owned.discard(node)
        return self.bars.pop(node, None)

    def apply(self, operation: Operation, d: Any) -> None:
        """Give the arguments of an operation their cotangents, from that of its result."""
        rule, targets, args = operation.rule, operation.targets, operation.args
        if rule.pushforward is not None and live.levels and live.levels[-1].transposing:
            operation.transpose(self, live.levels[-1], d)
            return
        if rule.whole is not None:
            bars = engine_call(rule.whole, d, operation.out, *args, **operation.kwargs)
            for target, bar, arg in zip(targets, bars, args, strict=False):
                operation.give(self, target, bar, arg)
            return
        for position, target in enumerate(targets):
            if target is None or not rule.covers(position):
                continue
            if rule.partials:
                bar = self.partial(operation, rule.partials[position], d)
            elif rule.primal is operator.getitem and type(target) is Node and not live.levels:
                self.add_at(target, plain(args[0]), plain(args[1]), d)
                continue
            else:
                bar = self.pulled_back(operation, rule.parameters[position], d)
            operation.give(self, target, bar, args[position])

    def partial(self, operation: Operation, partial: Any, d: Any) -> Any:
        """The cotangent of an argument, from a partial derivative."""
        return engine_call(from_partial, partial, d, operation.out, operation.args)

    def pulled_back(self, operation: Operation, name: str, d: Any) -> Any:
        """The cotangent of the argument of this name, which at a tie is one thing and moves like another.

        A tie shares, and no average of one-sided slopes moves as any of them does. So what an outer level sees of a
        share is that it moves as if the tie had fallen to one side; `minimum` and `maximum` then are a sort, as smooth
        as what is done with its results. To which side is seen next to the point (`ties`), where the rule allows to
        look there. Where those that tie touch and do not cross, it falls to that side altogether.
        """
        rule = operation.rule
        shared = rule.pullbacks[name]
        if name not in rule.sided or not (operation.nested or any(not level.transposing for level in live.levels)):
            return self.pulled(operation, shared, d)
        beside = beside_a_tie(self, operation) if rule.compares else None
        sided = self.pulled(operation, rule.sided[name], d, beside)
        if operation.nested or live.levels[-1].transposing:
            return sided
        value = self.pulled(operation, shared, d)
        if beside is not None:
            value = engine_call(np.where, beside.crossed[name], value, sided)
        return engine_call(moving_as, value, sided)

    def pulled(self, operation: Operation, pullback: Callable, d: Any, beside: Any = None) -> Any:
        """The cotangent of an argument, by a pullback: that of the operation as it is, or of what is `beside` a tie."""
        call = operation if beside is None else beside
        return engine_call(pullback, d, call.out, *call.args, **call.kwargs)

    def through(self, entry: Any, back: Any, d: Any) -> tuple:
        """The cotangents of the arguments of a function that was run again for `entry`; `back` is its pullback."""
        return back(d)

    def collect(self, nodes: Any, value: Any) -> Any:
        """The cotangents of a result: one, or a tuple of them (zeros for None) when the result is a tuple."""
        if isinstance(nodes, tuple):
            parts = [self.collect(n, v) for n, v in zip(nodes, value, strict=True)]
            return None if all(p is None for p in parts) else tuple(parts)
        return None if nodes is None else self.take(nodes)


def moving_as(value: Any, other: Any) -> Any:
    """The value, whose derivative is that of another."""
    return value


rule(moving_as, moves=True, other=lambda d, out, value, other: d)


def is_basic(index: Any) -> bool:
    """Does this index select without repeating an element: integers, slices, `...`, newaxis?"""
    items = index if isinstance(index, tuple) else (index,)
    return all(
        i is None or i is Ellipsis or (isinstance(i, slice | int | np.integer) and not isinstance(i, bool))
        for i in items
    )


def engine_call(function: Callable, *args: Any, **kwargs: Any) -> Any:
    """Run a function of the engine or of a rule: as it is, or recorded where an outer level is watching."""
    if live.levels:
        if _watched(args, kwargs):
            return transformed_call(function, *args, **kwargs)
    elif any(_holds_traced(a) for a in args):  # of a level that has ended: a pullback has left it
        args = tuple([plain(a) for a in args])
    return function(*args, **kwargs)


def _watched(args: tuple, kwargs: dict) -> bool:
    if any(level.written for level in live.levels):
        return True
    return any(_holds_traced(a) for a in args) or any(_holds_traced(a) for a in kwargs.values())


def _holds_traced(value: Any) -> bool:
    return type(value) is Traced or (isinstance(value, tuple) and any(_holds_traced(v) for v in value))


def transformed_call(function: Callable, *args: Any, **kwargs: Any) -> Any:
    """`calls.call`, bound by that module when it is imported: entries lie below it and need it at run time."""
    raise AssertionError("engine.traced.calls is not imported yet")


def beside_a_tie(sweep: Sweep, operation: Operation) -> Any:
    """`ties.beside_a_tie`, bound by that module when it is imported."""
    raise AssertionError("engine.traced.ties is not imported yet")


class Operation:
    """One call of a primitive that has a rule."""

    __slots__ = ("args", "kwargs", "nodes", "nested", "out", "place", "rule", "side", "targets")

    def __init__(
        self,
        rule: Rule,
        args: tuple,
        kwargs: dict,
        out: Any,
        targets: tuple,
        nodes: Any,
        place: tuple[str, int],
        nested: bool = False,
        side: list | None = None,
    ) -> None:
        self.rule = rule
        self.args = args
        self.kwargs = kwargs
        self.out = out
        self.targets = targets
        self.nodes = nodes
        self.place = place
        self.nested = nested  # an inner level has recorded it too: this is the derivative of a derivative
        self.side = side  # for `ties`, the same list on each level that has recorded the call

    @property
    def selects(self) -> bool:
        """May entries of an argument have been left out?"""
        return self.rule.leaves_out(self.kwargs)

    def reverse(self, sweep: Sweep) -> None:
        d = sweep.collect(self.nodes, self.out)
        if d is not None:
            sweep.apply(self, d)

    def at(self, args: tuple) -> Operation:
        """The same call at other arguments."""
        made = copy(self)
        made.args = args
        return made

    def transpose(self, sweep: Sweep, level: Level, d: Any) -> None:
        """Record at `level` that the pullback was applied, to be run backwards by the rule's own pushforward."""
        watched = node_at(level, d)
        bare, args = strip(d, level), tuple([strip(a, level) for a in self.args])
        nodes: list[Any] = []
        found: list[tuple[Any, Traced]] = []
        for target, name, arg in zip(self.targets, self.rule.parameters, args, strict=False):
            pullback = self.rule.pullbacks.get(name)
            if target is None or pullback is None:
                nodes.append(None)
                continue
            bar = engine_call(pullback, bare, self.out, *args, **self.kwargs)
            nodes.append(Node())
            found.append((target, Traced(level, _projected(bar, arg, self.rule.primal, self.place), nodes[-1])))
        level.tape.append(Pushforward(self, args, watched, nodes))  # before the sums that its results enter
        for target, traced in found:
            sweep.add(target, traced)

    def give(self, sweep: Sweep, target: Any, bar: Any, arg: Any) -> None:
        """Project the cotangent of one argument onto it and add it up; an argument may be a tuple of such."""
        if bar is None or target is None:
            return
        if isinstance(target, tuple):
            if type(bar) is Traced:  # an array, for a sequence of its rows
                bar = [engine_call(operator.getitem, bar, i) for i in range(len(target))]
            for t, b, a in zip(target, bar, arg, strict=True):
                self.give(sweep, t, b, a)
            return
        sweep.add(target, _projected(bar, arg, self.rule.primal, self.place))


class Pushforward:
    """The transpose of one pullback: tangents of the arguments -> tangent of the result."""

    __slots__ = ("args", "nodes", "operation", "target")
    selects = False

    def __init__(self, operation: Operation, args: tuple, target: Any, nodes: list) -> None:
        self.operation = operation
        self.args = args
        self.target = target
        self.nodes = nodes

    def reverse(self, sweep: Sweep) -> None:
        tangents = [None if node is None else sweep.take(node) for node in self.nodes]
        if all(t is None for t in tangents):
            return
        made = self.operation
        for i, arg in enumerate(self.args[: len(tangents)]):
            if tangents[i] is None and made.rule.covers(i) and is_differentiable(plain(arg)):
                tangents[i] = zeros_like(plain(arg))
        out = engine_call(made.rule.pushforward, tuple(tangents), made.out, *self.args, **made.kwargs)
        if not isinstance(plain(made.out), tuple):
            _check_tangent(plain(out), plain(made.out), made)
        sweep.give(self.target, _projected(out, made.out, made.rule.primal, made.place))


def _check_tangent(tangent: Any, out: Any, made: Operation) -> None:
    """A tangent that is larger than what it belongs to is a mistake of the rule; nothing may sum it."""
    try:
        both = np.broadcast_shapes(np.shape(tangent), np.shape(out))
        fits = both == np.shape(out) and not isinstance(tangent, tuple | list)
    except ValueError:
        fits = False
    if not fits:
        kind = f"a {type(tangent).__name__}" if isinstance(tangent, tuple | list) else f"shape {np.shape(tangent)}"
        raise CotangentMismatchError(
            f"the forward rule of {getattr(made.rule.primal, '__name__', made.rule.primal)} returned {kind} for the "
            f"tangent of a result of shape {np.shape(out)} (called at {made.place[0]}:{made.place[1]})\n"
            f"  Way out: mend its jvp; it returns the tangent of the result, and the result itself is known already."
        )


def _projected(bar: Any, arg: Any, primal: Callable, place: tuple[str, int]) -> Any:
    bare, like = plain(bar), plain(arg)
    if type(bare) is type(like) and (
        not isinstance(like, np.ndarray) or (bare.shape == like.shape and bare.dtype == like.dtype)
    ):
        return bar
    try:
        return engine_call(project, bar, arg)
    except ValueError as error:
        raise CotangentMismatchError(
            f"the rule of {getattr(primal, '__name__', primal)} returned a cotangent of shape {np.shape(bare)} "
            f"for an argument of shape {np.shape(like)} (called at {place[0]}:{place[1]}): {error}\n"
            f"  Way out: mend the pullback; it must return what broadcasts from the argument's shape."
        ) from error
