"""Which entries of each value the result depends on: asked when a gradient has come out NaN, and answered exactly.

A zero cotangent has two meanings. An entry may not be looked at: `where(x > 0, sqrt(x), 0)` at 0 takes the other one,
and the slope of the root there, infinite as it is, counts for nothing. Or it is looked at, and its weight happens to be
zero: `sqrt(x) ** 2` at 0, where 0 times infinity stands for the slope 1 and NaN is the honest answer. Numbers cannot
tell the two apart, so the sweep does not try. When its result has a NaN in it, and the tape a selection, the tape is
walked twice more: first with counts in the place of cotangents (is this entry looked at?), then with numbers again,
where an elementwise pullback gives exactly zero for an entry that is not (convention 4). Code without a NaN pays for
one look at the result.

In the literature this is the backward half of activity analysis, element by element: Hascoët, Naumann, Pascual,
"'To be recorded' analysis in reverse-mode automatic differentiation", FGCS 21 (2005).
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from ..tangents import Tangent, is_differentiable, zeros_like
from .levels import Level, live, plain
from .tape import Operation, Sweep, engine_call

__all__ = ["Careful", "Useful", "counts_of", "ones_of", "selects"]


class Useful(Sweep):
    """The walk with counts: an entry of a value is useful where its count is not zero.

    masks: entry of the tape -> True, or an array that says which entries of its result are useful. An entry that is not
    in it is not looked at at all.
    """

    def __init__(self, level: Level) -> None:
        super().__init__(level)
        self.masks: dict[Any, Any] = {}

    def run(self) -> None:
        outside, live.levels = live.levels, []  # counts carry no derivative
        try:
            super().run()
        finally:
            live.levels = outside

    def apply(self, operation: Operation, d: Any) -> None:
        rule = operation.rule
        if isinstance(d, tuple):
            self.masks[operation] = looked_at(d) if rule.careful else True
        else:
            d = plain(d)
            mask = np.asarray(d != 0)
            if not mask.any():
                return
            self.masks[operation] = True if mask.all() else mask
        if rule.moves:
            super().apply(operation, d)
            return
        if rule.mixes:  # which entries meet is a matter of shapes alone: with ones for the values, counts are counted
            super().apply(operation.at(tuple([ones_in_place_of(arg) for arg in operation.args])), d)
            return
        for position, (target, arg) in enumerate(zip(operation.targets, operation.args, strict=False)):
            if target is None or not rule.covers(position):
                continue
            if rule.entrywise:
                counts = d
            elif rule.reduces and position == 0 and not isinstance(d, tuple):
                counts = over_slices(operation, d)
            else:
                counts = ones_of(plain(arg))
            operation.give(self, target, counts, arg)

    def add(self, target: Any, d: Any) -> None:
        super().add(target, counts_of(d))

    def through(self, entry: Any, back: Any, d: Any) -> tuple:
        """The counts of the arguments of a function that is run again."""
        self.masks[entry] = d
        return back.useful(d)


class Careful(Sweep):
    """The walk with numbers, in which what is not looked at contributes exactly nothing."""

    def __init__(self, level: Level, masks: dict[Any, Any]) -> None:
        super().__init__(level)
        self.masks = masks

    def apply(self, operation: Operation, d: Any) -> None:
        if self.masks.get(operation) is not None:
            super().apply(operation, d)
            return
        for position, (target, arg) in enumerate(zip(operation.targets, operation.args, strict=False)):
            if target is not None and operation.rule.covers(position):  # zeros, as where all slopes exist
                operation.give(self, target, zeros_like(plain(arg)), arg)

    def partial(self, operation: Operation, partial: Any, d: Any) -> Any:
        return self._guarded(operation, super().partial(operation, partial, d))

    def pulled(self, operation: Operation, pullback: Any, d: Any, beside: Any = None) -> Any:
        rule = operation.rule
        if rule.careful is not None and pullback is rule.pullbacks[rule.parameters[0]]:
            looked = self.masks[operation]
            return engine_call(rule.careful, looked, d, operation.out, *operation.args, **operation.kwargs)
        bar = super().pulled(operation, pullback, d, beside)
        if rule.entrywise:
            return self._guarded(operation, bar)
        mask = self.masks[operation]
        if mask is not True and rule.reduces and pullback is rule.pullbacks.get(rule.parameters[0]):
            return engine_call(np.where, over_slices(operation, mask), bar, 0)
        return bar

    def through(self, entry: Any, back: Any, d: Any) -> tuple:
        counts = self.masks.get(entry)
        return () if counts is None else back.sweep(d, counts, careful=True)[0]

    def _guarded(self, operation: Operation, bar: Any) -> Any:
        mask = self.masks[operation]
        return bar if mask is True or bar is None else engine_call(np.where, mask, bar, 0)


def selects(level: Level) -> bool:
    """Does the tape hold an operation that leaves entries out?"""
    return any(entry.selects for entry in level.tape)


def looked_at(d: tuple) -> tuple:
    """For each of several results which entries are looked at, from their counts; None for one that is not."""
    return tuple([None if part is None else np.asarray(plain(part) != 0) for part in d])


def counts_of(d: Any) -> Any:
    """1 where `d` is not zero, else 0, of its own kind; counts never cancel."""
    bare = plain(d)
    if bare is None:
        return None
    one = looked_at_one(bare)
    return (bare != 0).astype(bare.dtype) * one if isinstance(bare, np.ndarray) else type(bare)(one if bare != 0 else 0)


def looked_at_one(value: Any) -> Any:
    """The count of one entry of `value`; a complex one is looked at in both parts, for either may be read as a view."""
    return 1 + 1j if np.iscomplexobj(value) else 1


def over_slices(operation: Operation, counts: Any) -> Any:
    """The counts of the result of a reduction, laid over the slices of its first argument."""
    bound = operation.rule.signature.bind(*[plain(arg) for arg in operation.args], **operation.kwargs)
    bound.apply_defaults()
    shape, axis = np.shape(plain(operation.args[0])), bound.arguments["axis"]
    if axis is not None and not bound.arguments["keepdims"] and shape:
        axes = axis if isinstance(axis, tuple) else (axis,)
        counts = np.expand_dims(counts, tuple([i % len(shape) for i in axes]))
    return np.broadcast_to(counts, shape)


def ones_in_place_of(arg: Any) -> Any:
    """An argument of a product with ones for its numbers; axes, subscripts and the like as they are."""
    arg = plain(arg)
    if isinstance(arg, np.ndarray) or is_differentiable(arg):
        return np.ones_like(arg, subok=False)
    return type(arg)([ones_in_place_of(part) for part in arg]) if type(arg) in (tuple, list) else arg


def ones_of(value: Any) -> Any:
    """The counts of a value, or of a cotangent of it, all of whose entries are looked at; None stays None."""
    value = plain(value)
    if isinstance(value, np.ndarray):
        return np.ones_like(value, subok=False) * looked_at_one(value)
    if is_differentiable(value):
        return type(value)(looked_at_one(value))
    if isinstance(value, tuple | list):
        return [ones_of(part) for part in value] if type(value) is list else tuple([ones_of(part) for part in value])
    if isinstance(value, dict):
        return {key: ones_of(part) for key, part in value.items()}
    if isinstance(value, Tangent):
        return Tangent(value._primal_type, ones_of(value._fields()))
    fields = getattr(value, "__dict__", None)
    return None if fields is None else SimpleNamespace(**ones_of(fields))
