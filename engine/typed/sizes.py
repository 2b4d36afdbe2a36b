"""Ints that follow from loaded ints and from the shapes of loaded arrays, as numbers.

A function that calls itself on smaller arrays is unrolled, which needs to know where it ends. Whatever an answer relied
on, the value of an int or the shape of an array, is checked at the entry: another size is another instance.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from . import runtime
from .core import Const, Pack, Var
from .results import REDUCTIONS, UFUNC_REDUCTIONS, is_elementwise
from .types import Array, NotTyped, Scalar, type_of

NUMBERS = {
    operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod, operator.neg, operator.pos,
    operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne, operator.not_, operator.and_,
    operator.or_, operator.lshift, operator.rshift, min, max, abs, bool, int, runtime.truth_and, runtime.truth_or,
}  # fmt: skip
SAME = {
    runtime.put, runtime.addat, runtime.same, runtime.owned, runtime.cast, runtime.zero_of, runtime.real_part,
    np.zeros_like, np.ones_like, np.empty_like, np.full_like, np.copy,
}  # fmt: skip
"""Functions whose result has the shape of the first argument."""
FOLLOWING = {
    operator.getitem, runtime.read, np.reshape, np.transpose, np.moveaxis, np.swapaxes, np.expand_dims, np.squeeze,
    np.ravel, np.broadcast_to, np.concatenate, np.stack, np.zeros, np.ones, np.empty, np.full, np.eye, np.identity,
    np.arange, np.tile, np.flip, np.roll, np.tril, np.triu, np.diagonal, np.trace, np.outer, np.dot, np.matmul,
    operator.matmul, np.cumsum, *REDUCTIONS, *UFUNC_REDUCTIONS,
}  # fmt: skip
"""Functions whose result has a shape that no number in an array decides."""


class Unknown(Exception):
    """The number does not follow from what is known at the entry."""


class Sizes:
    """The part of the lowerer that knows numbers and shapes."""

    def number_of(self, v: Any) -> Any:
        """The int or bool that `v` is, from now on relied on; None where it is not known."""
        asked = Question(self)
        try:
            found = asked.number(v)
        except Unknown:
            return None
        asked.rely()
        return found

    def sized(self, v: Var) -> Var:
        """`v` with the dimensions that it has."""
        if not isinstance(v.type, Array) or not any(m.startswith("?") for m in v.type.mask):
            return v
        asked = Question(self)
        try:
            shape = asked.shape(v)
        except Unknown:
            return v
        asked.rely()
        v.type = Array(v.type.dtype, tuple(["1" if n == 1 else "n" for n in shape]))
        return v


class Question:
    """One question, and the places that the answer depends on."""

    def __init__(self, lowerer: Any) -> None:
        self.lowerer = lowerer
        self.ints: list = []
        self.arrays: list = []

    def rely(self) -> None:
        for place in self.ints:
            place.check = ("equal", place.value)
        for place in self.arrays:
            self.lowerer.places.shapes[place] = place.value.shape

    def place(self, v: Var) -> Any:
        return next((p for p in self.lowerer.places.read if p.var is v), None)

    def number(self, v: Any) -> Any:
        if type(v) is Const and type(v.value) in (int, bool):
            return v.value
        if type(v) is not Var or not isinstance(v.type, Scalar):
            raise Unknown
        made = self.lowerer.makers.get(v)
        if made is None:
            place = self.place(v)
            if place is None or type(place.value) is not int:
                raise Unknown
            self.ints.append(place)
            return place.value
        if made.fn is runtime.dim:
            return self.shape(made.args[0])[self.number(made.args[1])]
        if made.fn not in NUMBERS or made.kw:
            raise Unknown
        try:
            return made.fn(*[self.number(a) for a in made.args])
        except ArithmeticError:
            raise Unknown from None

    def shape(self, x: Any) -> tuple:
        if type(x) is Const and isinstance(x.value, np.ndarray):
            return x.value.shape
        if isinstance(type_of(x), Scalar):
            return ()
        if type(x) is not Var or not isinstance(x.type, Array):
            raise Unknown
        if "?" not in "".join(x.type.mask) and set(x.type.mask) <= {"1"}:
            return (1,) * len(x.type.mask)
        made = self.lowerer.makers.get(x)
        if made is None:
            place = self.place(x)
            if place is None:
                raise Unknown
            self.arrays.append(place)
            return place.value.shape
        if made.fn in SAME:
            return self.shape(made.args[0])
        try:
            if is_elementwise(made.fn) and not made.kw:
                return np.broadcast_shapes(*[self.shape(a) for a in made.args])
            if made.fn in FOLLOWING:
                return np.shape(
                    made.fn(*[self.outline(a) for a in made.args], **{k: self.outline(a) for k, a in made.kw})
                )
        except (ValueError, TypeError, IndexError, NotTyped):
            pass
        raise Unknown

    def outline(self, arg: Any) -> Any:
        """Something of the shape of an array argument, without its numbers; ints as they are."""
        if type(arg) is Pack:
            items = [self.outline(item) for item in arg.items]
            return slice(*items) if arg.kind is slice else arg.kind(items)
        if type(arg) is Const:
            return arg.value
        of = type_of(arg)
        if isinstance(of, Array):
            if of.dtype.kind == "b":
                raise Unknown  # as an index it would decide a length
            return np.ndarray(self.shape(arg), of.dtype, bytes(of.dtype.itemsize), 0, (0,) * len(of.mask))
        return self.number(arg) if isinstance(of, Scalar) and of.kinds <= {"int"} else 0.0
