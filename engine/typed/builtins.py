"""Builtins and questions about types, answered from abstract values where the structure is known.

Each entry takes (lowerer, args, kwargs) and returns an abstract value, or NotImplemented to be called as a primitive.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from ..rules.indexing import scatter
from ..rules.scalars import standing_largest, standing_smallest
from ..tangents import is_differentiable
from . import runtime
from .core import Const, Pack, Var
from .types import FLOAT, NONE, Array, NotTyped, Plain, Scalar, Seq, class_of_kind, is_active_type, is_complex, type_of
from .values import Closure, DictOf, Fields, Func, Grown, Iter, ListOf, Outside, Ref, Tup


def no_keywords(kwargs: dict) -> None:
    if kwargs:
        raise NotTyped("keywords of a builtin")


def class_of(lowerer: Any, value: Any) -> type:
    """The class of a value, where its type says it."""
    if type(value) is Const:
        return type(value.value)
    if type(value) is Tup:
        return value.cls
    if type(value) is Var:
        if isinstance(value.type, Scalar) and len(value.type.kinds) == 1:
            (kind,) = value.type.kinds
            return class_of_kind(kind)
        if isinstance(value.type, Array):
            return np.ndarray
        if isinstance(value.type, Plain):
            return value.type.cls
        if isinstance(value.type, Seq):
            return list
    if type(value) in (Ref, Outside):
        contents = lowerer.contents_of(value)
        return contents.cls if type(contents) is Fields else dict if type(contents) is DictOf else list
    if type(value) in (Func, Closure):
        return FunctionType
    if type(value) is Pack:
        return value.kind
    raise NotTyped("the class of a value that is not known")


def isinstance_(lowerer: Any, args: list, kwargs: dict) -> Any:
    value, classes = args
    kinds = class_set(classes)
    if type(value) is Var and isinstance(value.type, Scalar) and len(value.type.kinds) > 1:
        answers = {isinstance_(lowerer, [Var(Scalar(frozenset({k}))), classes], {}).value for k in value.type.kinds}
        if len(answers) > 1:
            raise NotTyped("isinstance of a number that is one or another")
        return Const(answers.pop())
    return Const(issubclass(class_of(lowerer, value), kinds))


def class_set(classes: Any) -> tuple:
    if type(classes) is Tup:
        return tuple([c for item in classes.items for c in class_set(item)])
    if type(classes) is Const:
        return (classes.value,)
    raise NotTyped("isinstance of unknown classes")


def type_(lowerer: Any, args: list, kwargs: dict) -> Any:
    if len(args) != 1:
        raise NotTyped("type with three arguments")
    return Const(class_of(lowerer, args[0]))


def len_(lowerer: Any, args: list, kwargs: dict) -> Any:
    (value,) = args
    if type(value) is Var:
        if isinstance(value.type, Array):
            if not value.type.mask:
                raise NotTyped("len of a 0-d array")
            return lowerer.dimension(value, 0)
        return NotImplemented
    if type(value) is Const:
        return Const(len(value.value))
    if type(value) in (Ref, Outside) and type(lowerer.contents_of(value)) is Grown:
        return lowerer.let(len, (lowerer.contents_of(value).atom,))
    items = lowerer.known_items(value)
    return NotImplemented if items is None else Const(len(items))


def range_(lowerer: Any, args: list, kwargs: dict) -> Any:
    no_keywords(kwargs)
    args = [lowerer.argument(a) for a in args]
    from .results import result_type

    return lowerer.emit(
        range, tuple(args), result_type(range, tuple(args)), must=lowerer.in_rule == 0 and len(args) == 3
    )


def iteration(kind: str) -> Callable:
    def made(lowerer: Any, args: list, kwargs: dict) -> Any:
        if kind == "zip" and kwargs.keys() <= {"strict"}:
            strict = kwargs.get("strict", Const(False))
            if type(strict) is Const and not strict.value:
                return Iter(kind, tuple(args))
            lists = [lowerer.known_items(a) for a in args]
            if all(items is None for items in lists):
                lengths = tuple([lowerer.indexed(a)[0] for a in args])
                lowerer.emit(runtime.equally_long, (Pack(tuple, lengths),), NONE, must=lowerer.in_rule == 0)
            elif any(items is None for items in lists) or len({len(items) for items in lists}) > 1:
                raise NotTyped("a strict zip")
            return Iter(kind, tuple(args))
        if kwargs or len(args) != 1:
            raise NotTyped(f"{kind} with other arguments")
        return Iter(kind, tuple(args))

    return made


def sequence(cls: type) -> Callable:
    def made(lowerer: Any, args: list, kwargs: dict) -> Any:
        if not args:
            return Tup(()) if cls is tuple else lowerer.new_object(ListOf(()))
        value = args[0]
        if type(value) is Ref and type(lowerer.contents_of(value)) is Grown and cls is list:
            return lowerer.new_object(lowerer.contents_of(value))
        items = lowerer.items_of(value)
        return Tup(tuple(items)) if cls is tuple else lowerer.new_object(ListOf(tuple(items)))

    return made


def sum_(lowerer: Any, args: list, kwargs: dict) -> Any:
    value, *rest = args
    start = kwargs.get("start", rest[0] if rest else Const(0))
    if type(value) is Ref and type(lowerer.contents_of(value)) is Grown:
        value = lowerer.contents_of(value).atom
    if type(value) is Var and isinstance(value.type, Seq) and isinstance(value.type.item, Scalar):
        total = lowerer.let(runtime.sum_list, (value,))
        return total if type(start) is Const and start.value == 0 else compensated(lowerer, start, total)
    items = lowerer.items_of(value)
    if (
        sys.version_info >= (3, 12)
        and len(items) > 1
        and all(type(item) is Var and item.type == FLOAT for item in items)
    ):
        total = lowerer.let(runtime.sum_list, (lowerer.pack_list(tuple(items)),))
        return total if type(start) is Const and start.value == 0 else compensated(lowerer, start, total)
    for item in items:
        start = lowerer.binary(operator.add, start, item)
    return start


def compensated(lowerer: Any, start: Any, total: Any) -> Any:
    """start + total, where `sum` adds plainly: from Python 3.12 on it carries rounding errors along."""
    if sys.version_info >= (3, 12):
        raise NotTyped("sum with a start")
    return lowerer.let(operator.add, (start, total))


def extreme(better: Callable) -> Callable:
    """min or max of known numbers: the first that nothing beats; floats that tie share (convention 2)."""
    standing = standing_smallest if better is operator.lt else standing_largest

    def made(lowerer: Any, args: list, kwargs: dict) -> Any:
        no_keywords(kwargs)
        items = lowerer.items_of(args[0]) if len(args) == 1 else args
        if not items:
            raise NotTyped("an extreme of nothing")
        if (
            all(isinstance(type_of_value(i), Scalar) and type_of_value(i).kinds <= {"int"} for i in items)
            and len(items) > 1
        ):
            return lowerer.let(min if better is operator.lt else max, tuple(items))
        best, ties = items[0], Const(1)
        for item in items[1:]:
            if not isinstance(type_of_value(best), Scalar) or not isinstance(type_of_value(item), Scalar):
                raise NotTyped("an extreme of something else than numbers")
            beats = lowerer.truth(lowerer.let(better, (item, best)))
            kept = best
            if not (type_of_value(best).kinds | type_of_value(item).kinds) & {"int", "bool"}:
                kept = lowerer.emit(standing, (best, item, ties), type_of_value(best))
                equal = lowerer.let(operator.eq, (item, best))
                ties = lowerer.branch(
                    beats, lambda: Const(1), lambda ties=ties, equal=equal: lowerer.let(operator.add, (ties, equal))
                )
            best = lowerer.branch(beats, lambda item=item: item, lambda kept=kept: kept)
        return best

    return made


def type_of_value(value: Any) -> Any:
    return type_of(value) if type(value) in (Var, Const) else None


def every(both: bool) -> Callable:
    def made(lowerer: Any, args: list, kwargs: dict) -> Any:
        if type(args[0]) is Var:
            raise NotTyped("all or any of an array")
        result: Any = Const(both)
        for item in reversed(lowerer.items_of(args[0])):
            here = lowerer.truth(item)
            rest = result
            result = lowerer.branch(
                here, lambda rest=rest: rest if both else Const(True), lambda rest=rest: Const(False) if both else rest
            )
        return result

    return made


def ndim_of(value: Any) -> int | None:
    kind = type_of_value(value)
    if isinstance(kind, Array):
        return len(kind.mask)
    return 0 if isinstance(kind, Scalar) else None


def np_ndim(lowerer: Any, args: list, kwargs: dict) -> Any:
    known = ndim_of(args[0])
    return NotImplemented if known is None else Const(known)


def np_shape(lowerer: Any, args: list, kwargs: dict) -> Any:
    known = ndim_of(args[0])
    if known is None:
        raise NotTyped("the shape of a structure")
    return Tup(()) if known == 0 else lowerer.attribute(args[0], "shape")


def np_size(lowerer: Any, args: list, kwargs: dict) -> Any:
    known = ndim_of(args[0])
    if known is None or len(args) > 1:
        raise NotTyped("the size of a structure")
    return Const(1) if known == 0 else lowerer.size_of(args[0])


def np_iscomplexobj(lowerer: Any, args: list, kwargs: dict) -> Any:
    return Const(is_complex(type_of(args[0])))


def float_(lowerer: Any, args: list, kwargs: dict) -> Any:
    return args[0] if type_of_value(args[0]) == Scalar(frozenset({"float"})) else NotImplemented


def hasattr_(lowerer: Any, args: list, kwargs: dict) -> Any:
    try:
        lowerer.attribute(args[0], args[1].value)
    except NotTyped:
        raise NotTyped("hasattr") from None
    return Const(True)


def getattr_(lowerer: Any, args: list, kwargs: dict) -> Any:
    if type(args[1]) is not Const or len(args) != 2:
        raise NotTyped("getattr of a computed name")
    return lowerer.attribute(args[0], args[1].value)


def callable_(lowerer: Any, args: list, kwargs: dict) -> Any:
    if type(args[0]) is Const:
        return Const(callable(args[0].value))
    return Const(any("__call__" in base.__dict__ for base in class_of(lowerer, args[0]).__mro__))


def scatter_(lowerer: Any, args: list, kwargs: dict) -> Any:
    d, a, index = args
    if not isinstance(type_of(a), Array) or not is_active_type(type_of(a)):
        raise NotTyped("scatter into no array")
    if is_complex(type_of(d)) and not is_complex(type_of(a)):
        raise NotTyped("a complex scatter into a real array")
    zeros = lowerer.let(runtime.zero_of, (a,))
    return lowerer.let(runtime.addat, (zeros, lowerer.argument(index), d))


def superclass(lowerer: Any, args: list, kwargs: dict) -> Any:
    raise NotTyped("super()")


def slice_(lowerer: Any, args: list, kwargs: dict) -> Any:
    parts = [lowerer.argument(a) for a in args]
    if len(parts) == 1:
        parts = [Const(None), *parts]
    return Pack(slice, tuple(parts + [Const(None)] * (3 - len(parts))))


def np_asarray(lowerer: Any, args: list, kwargs: dict) -> Any:
    if len(args) == 1 and not kwargs and isinstance(type_of_value(args[0]), Array):
        return args[0]
    return NotImplemented


def is_differentiable_(lowerer: Any, args: list, kwargs: dict) -> Any:
    return Const(is_active_type(type_of_value(args[0])))


BUILTINS: dict[Any, Callable] = {
    isinstance: isinstance_, type: type_, len: len_, range: range_, zip: iteration("zip"),
    enumerate: iteration("enumerate"), reversed: iteration("reversed"), tuple: sequence(tuple), list: sequence(list),
    sum: sum_, min: extreme(operator.lt), max: extreme(operator.gt), all: every(True), any: every(False),
    np.ndim: np_ndim, np.shape: np_shape, np.size: np_size, np.iscomplexobj: np_iscomplexobj, float: float_,
    hasattr: hasattr_, getattr: getattr_, callable: callable_, scatter: scatter_, super: superclass,
    slice: slice_, np.asarray: np_asarray, is_differentiable: is_differentiable_,
}  # fmt: skip
