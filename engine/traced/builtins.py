"""Procedures for Python's built-in functions and types: what they do with values that carry a derivative."""

from __future__ import annotations

import builtins
import types
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType, GeneratorType, MappingProxyType, MethodType
from typing import Any

import numpy as np

from ..errors import MutationError, call_chain, is_generated, where
from ..rules import constant
from ..rules.registry import procedure, vjp_of
from ..rules.scalars import standing_largest, standing_smallest
from . import attributes
from .calls import call
from .foreign import foreign
from .items import getitem, items, iterate, make_dict, make_list, make_set, make_slice, mark_key, unpack
from .levels import Traced, live, plain
from .nodes import PREFIX
from .operators import BINARY, COMPARE, truth
from .storage import created, stored

__all__: list[str] = []

constant(
    print, repr, isinstance, issubclass, id, type, callable, hash, ascii, chr, ord, bin, hex, oct, format, range, int,
    bool, str, bytes, bytearray, input, open, object, compile, globals, __import__, property, classmethod,
    staticmethod, MethodType, float.is_integer, float.hex, float.fromhex, float.__format__,
    float.__repr__, float.__hash__, np.float64.is_integer, np.float32.is_integer,
    BaseException.with_traceback, BaseException.__str__,
    reason="its result carries no derivative",
)  # fmt: skip


@procedure(slice)
def make_slice_of(*bounds: Any) -> slice:
    return make_slice(*bounds) if len(bounds) > 1 else make_slice(None, *bounds)


@procedure(len)
def length(value: Any) -> int:
    bare = plain(value)
    method = getattr(type(bare), "__len__", None)
    return call(method, value) if type(method) is FunctionType else len(bare)


@procedure(round)
def rounded(number: Any, ndigits: Any = None) -> Any:
    method = getattr(type(number), "__round__", None)
    if type(method) is FunctionType:
        return call(method, number, ndigits)
    return round(plain(number)) if ndigits is None else round(plain(number), plain(ndigits))


@procedure(divmod)
def quotient_and_rest(a: Any, b: Any) -> tuple[Any, Any]:
    return BINARY["floordiv"](a, b), BINARY["mod"](a, b)


@procedure(sum)
def total(iterable: Any, /, start: Any = 0) -> Any:
    values = [start, *iterate(iterable)]
    if all(type(plain(v)) in (int, float, bool) for v in values):
        return call(sum_of_numbers, *values)
    add = BINARY["add"]
    for value in values[1:]:
        start = add(start, value)
    return start


def sum_of_numbers(*numbers: float) -> float:
    """The sum of Python numbers as Python adds them up: from 3.12 on it carries the rounding errors along."""
    return sum(numbers)


@vjp_of(sum_of_numbers)
def sum_of_numbers_vjp(d: Any, out: Any, *numbers: Any) -> tuple:
    return (d,) * len(numbers)


def extreme(better: Callable[[Any, Any], bool], label: str, standing: Callable) -> Callable[..., Any]:
    """min or max: the first of the best, as Python picks it; floats that tie for it share (convention 2)."""
    missing = object()

    def pick(*args: Any, key: Any = None, default: Any = missing) -> Any:
        items = list(iterate(args[0])) if len(args) == 1 else list(args)
        if not items:
            if default is missing:
                raise ValueError(f"{label}() iterable argument is empty")
            return default
        best, best_key, ties = items[0], items[0] if key is None else call(key, items[0]), 1
        for item in items[1:]:
            this = item if key is None else call(key, item)
            if truth(better(this, best_key)):
                best, best_key, ties = item, this, 1
            elif key is None and are_equal_floats(plain(best), plain(item)):
                best = best_key = call(standing, best, item, ties)
                ties += 1
        return best

    pick.__name__ = label
    return pick


def are_equal_floats(a: Any, b: Any) -> bool:
    """Are these two floats, Python's or NumPy's, that tie?"""
    return isinstance(a, float | np.floating) and isinstance(b, float | np.floating) and bool(a == b)


procedure(max)(extreme(COMPARE["gt"], "max", standing_largest))
procedure(min)(extreme(COMPARE["lt"], "min", standing_smallest))


@procedure(any)
def any_true(iterable: Any) -> bool:
    return any(truth(item) for item in iterate(iterable))


@procedure(all)
def all_true(iterable: Any) -> bool:
    return all(truth(item) for item in iterate(iterable))


# -- iterators: generators of the runtime, lazy as Python's own -------------------------------------------------------


def lazily(iterator: Iterator[Any]) -> Iterator[Any]:
    """An iterator of traced values as a generator, which `iterate` knows to be the runtime's own."""
    yield from iterator


@procedure(zip)
def zipped(*iterables: Any, strict: bool = False) -> Iterator[tuple]:
    return lazily(zip(*[iter(iterate(i)) for i in iterables], strict=True)) if strict else _zip(iterables)


def _zip(iterables: tuple) -> Iterator[tuple]:
    iterators = [iter(iterate(i)) for i in iterables]
    return _zip_step(iterators)


def _zip_step(iterators: list) -> Iterator[tuple]:
    while iterators:
        row = []
        for iterator in iterators:
            try:
                row.append(next(iterator))
            except StopIteration:
                return
        yield tuple(row)


@procedure(enumerate)
def enumerated(iterable: Any, start: Any = 0) -> Iterator[tuple[int, Any]]:
    return ((i, item) for i, item in enumerate(iterate(iterable), plain(start)))


@procedure(map)
def mapped(function: Any, /, *iterables: Any, **strict: Any) -> Iterator[Any]:
    # Python 3.14 brought the keyword; before, this is the error that it was
    rows = map(lambda *row: row, *[iter(iterate(i)) for i in iterables], **strict) if strict else _zip(iterables)
    return (call(function, *row) for row in rows)


@procedure(filter)
def filtered(predicate: Any, iterable: Any, /) -> Iterator[Any]:
    items = iterate(iterable)
    return (item for item in items if truth(item if predicate is None else call(predicate, item)))


@procedure(reversed)
def backwards(sequence: Any) -> Iterator[Any]:
    method = getattr(type(sequence), "__reversed__", None)
    if type(method) is FunctionType:
        return call(method, sequence)
    if isinstance(sequence, dict):
        return reversed(sequence)
    if isinstance(sequence, range | str | bytes):
        return reversed(sequence)
    size = length(sequence)
    return (getitem(sequence, i) for i in range(size - 1, -1, -1))


@procedure(iter)
def iterator(iterable: Any, *sentinel: Any) -> Iterator[Any]:
    if sentinel:
        return _until(iterable, sentinel[0])
    found = iterate(iterable)
    if found is iterable and hasattr(type(iterable), "__next__"):
        return iterable
    return iter(found) if type(found) is not Traced else found


def _until(function: Any, sentinel: Any) -> Iterator[Any]:
    while True:
        item = call(function)
        if COMPARE["eq"](item, sentinel):
            return
        yield item


@procedure(next)
def following(iterator: Any, *default: Any) -> Any:
    method = getattr(type(iterator), "__next__", None)
    if type(method) is FunctionType:
        try:
            return call(method, iterator)
        except StopIteration:
            if default:
                return default[0]
            raise
    return next(iterator, *default)


def resumed(step: Callable) -> Callable:
    """A step of a generator; one that was not rewritten gets plain values, if nothing active is within its reach."""

    def run(generator: GeneratorType, *args: Any) -> Any:
        if is_generated(generator.gi_code):
            return step(generator, *args)
        return foreign(step, (generator, *args), {})

    return run


for _step in (GeneratorType.send, GeneratorType.throw, GeneratorType.close):
    procedure(_step)(resumed(_step))


# -- containers -------------------------------------------------------------------------------------------------------


@procedure(list)
def as_list(iterable: Any = ()) -> list:
    return make_list(iterate(iterable))


@procedure(tuple)
def as_tuple(iterable: Any = ()) -> tuple:
    return tuple(iterate(iterable))


@procedure(set)
def as_set(iterable: Any = ()) -> set:
    return make_set(iterate(iterable))


@procedure(frozenset)
def as_frozenset(iterable: Any = ()) -> frozenset:
    members = list(iterate(iterable))
    made = frozenset(plain(m) for m in members)
    for member in members:
        mark_key(made, member)
    return made


@procedure(dict)
def as_dict(source: Any = (), /, **named: Any) -> dict:
    return make_dict([*_pairs(source), *named.items()])


def _pairs(source: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(source, dict | MappingProxyType) or hasattr(source, "keys"):
        return items(source)
    return [unpack(pair, (2, None, (None, None))) for pair in iterate(source)]


# -- attributes and classes -------------------------------------------------------------------------------------------

_MISSING = object()


@procedure(getattr)
def attribute(obj: Any, name: str, default: Any = _MISSING) -> Any:
    if default is _MISSING:
        return attributes.get_attribute(obj, name)
    try:
        return attributes.get_attribute(obj, name)
    except AttributeError:
        return default


@procedure(hasattr)
def has_attribute(obj: Any, name: str) -> bool:
    try:
        attributes.get_attribute(obj, name)
    except AttributeError:
        return False
    return True


procedure(setattr)(attributes.set_attribute)
procedure(delattr)(attributes.delete_attribute)
procedure(object.__setattr__)(attributes.set_raw)


@procedure(object.__delattr__)
def delete_raw(obj: Any, name: str) -> None:
    object.__delattr__(obj, name)
    stored(attributes.instance_dict(obj) or obj, name, None)


@procedure(object.__getattribute__)
def get_raw(obj: Any, name: str) -> Any:
    found, owner = attributes.lookup_in(type(obj).__mro__, name)
    return attributes._resolve(obj, type(obj), name, found, owner)


@procedure(object.__init__)
def initialise(obj: Any, *args: Any, **kwargs: Any) -> None:
    """object.__init__: nothing."""


@procedure(object.__new__)
def new_object(cls: type, *args: Any, **kwargs: Any) -> Any:
    return object.__new__(cls)


@procedure(BaseException.__init__)
def initialise_exception(obj: BaseException, *args: Any, **kwargs: Any) -> None:
    obj.args = tuple([plain(a) for a in args])
    stored(obj, "args", args)


@procedure(vars)
def variables(obj: Any) -> Any:
    return vars(obj)


@procedure(builtins.dir)
def names(*obj: Any) -> list[str]:
    return dir(*[plain(o) for o in obj])


@procedure(super)
def parent(*args: Any) -> super:
    return super(*[plain(a) for a in args])


def make_function(
    code: Any, module_globals: dict, cells: tuple, defaults: tuple, named: list, annotations: Callable[[], list] | None
) -> FunctionType:
    """The nested function of a `def` or `lambda`, plain, over explicit cells."""
    made = FunctionType(code, module_globals, code.co_name, tuple([plain(d) for d in defaults]) or None, cells or None)
    made.__kwdefaults__ = {label: plain(value) for label, value in named} or None
    if annotations is not None:

        def annotate(form: int = 1) -> dict:
            return {label: plain(value) for label, value in annotations()}

        if hasattr(made, "__annotate__"):  # Python 3.14 asks for them when they are read
            made.__annotate__ = annotate
        else:
            made.__annotations__ = annotate()
    if live.levels and (defaults or named):
        labels = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
        created(made, [*zip(labels, defaults, strict=True), *named])
    return made


def build_class(
    body: Callable[[], tuple[dict, Any]], module_globals: dict, qualname: str, *bases: Any, metaclass: Any = None,
    **kwargs: Any,
) -> type:  # fmt: skip
    """The class of a `class` statement, from the variables of its body; those that carry a derivative are recorded."""
    variables, cell = body()
    attributes_ = {label: value for label, value in variables.items() if not label.startswith(PREFIX)}

    def fill(namespace: Any) -> None:
        namespace["__module__"] = module_globals.get("__name__")
        namespace["__qualname__"] = qualname
        for label, value in attributes_.items():
            namespace[label] = plain(value)
        if cell is not None:
            namespace["__classcell__"] = cell

    if metaclass is not None:
        kwargs["metaclass"] = metaclass
    made = types.new_class(qualname.rpartition(".")[2], bases, {k: plain(v) for k, v in kwargs.items()}, fill)
    created(made, attributes_.items())
    return made


@procedure(memoryview)
def memory(value: Any) -> memoryview:
    if live.levels and isinstance(plain(value), np.ndarray):
        raise MutationError(
            f"cannot differentiate a memoryview of an array: writes through it cannot be followed\n"
            f"  at {where(call_chain())}\n  Way out: write to the array itself, or take a memoryview of a copy."
        )
    return memoryview(value)
