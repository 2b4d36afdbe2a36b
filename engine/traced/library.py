"""Procedures for the standard library: functools, itertools, copy, collections, operator, contextlib, logging."""

from __future__ import annotations

import abc
import contextlib
import copy
import dataclasses
import functools
import itertools
import logging
import operator
import sys
import warnings
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..errors import is_generated
from ..rules import constant
from ..rules.registry import procedure
from . import attributes
from .builtins import as_dict, lazily
from .calls import call, filled
from .items import delitem, getitem, items, iterate, make_list, set_dict_item, setitem
from .levels import Traced, plain
from .operators import BINARY, IN_PLACE, truth
from .storage import created, load

__all__: list[str] = []

constant(
    logging.getLogger, operator.index, operator.truth, operator.length_hint,
    reason="its result carries no derivative",
)  # fmt: skip

_missing = object()


def at_the_users_line(function: Callable) -> Callable:
    """A function that notes where it was called from, called with plain values on the user's behalf."""

    def run(*args: Any, **kwargs: Any) -> Any:
        frame, depth = sys._getframe(1), 1
        while frame.f_back is not None and not is_generated(frame.f_code):
            frame, depth = frame.f_back, depth + 1
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + depth
        return function(*[plain(a) for a in args], **{k: plain(v) for k, v in kwargs.items()})

    return run


for _label in ("debug", "info", "warning", "error", "critical", "exception", "log"):
    procedure(getattr(logging, _label))(at_the_users_line(getattr(logging, _label)))
    procedure(getattr(logging.Logger, _label))(at_the_users_line(getattr(logging.Logger, _label)))
procedure(warnings.warn)(at_the_users_line(warnings.warn))


@procedure(functools.reduce)
def reduce(function: Any, iterable: Any, initial: Any = _missing, /) -> Any:
    items_ = iter(iterate(iterable))
    if initial is _missing:
        try:
            initial = next(items_)
        except StopIteration:
            raise TypeError("reduce() of empty iterable with no initial value") from None
    for item in items_:
        initial = call(function, initial, item)
    return initial


@procedure(functools.partial)
def partial(function: Any, /, *args: Any, **kwargs: Any) -> functools.partial:
    made = functools.partial(function, *[plain(a) for a in args], **{k: plain(v) for k, v in kwargs.items()})
    if isinstance(function, functools.partial):
        args = tuple(filled([load(function, i, v) for i, v in enumerate(function.args)], args))
        kwargs = {**{k: load(function.keywords, k, v) for k, v in function.keywords.items()}, **kwargs}
    created(made.keywords, kwargs.items())
    return created(made, enumerate(args))


constant(
    functools.wraps, functools.update_wrapper, functools.lru_cache, functools.cache, functools.singledispatch,
    functools.total_ordering, functools.cached_property, contextlib.contextmanager, dataclasses.dataclass,
    dataclasses.field, dataclasses.is_dataclass, abc.abstractmethod, OrderedDict.move_to_end,
    reason="it moves names and functions, not values",
)  # fmt: skip


@procedure(functools.cmp_to_key)
def cmp_to_key(compare: Any) -> Callable[[Any], Any]:
    """A key that orders by a comparison function."""

    class Ordered:
        def __init__(self, value: Any) -> None:
            self.value = value

        def __lt__(self, other: Ordered) -> bool:
            return plain(call(compare, self.value, other.value)) < 0

    Ordered._is_engine_callable = True  # type: ignore[attr-defined]
    return Getter(Ordered)


# -- itertools: written as the generators that its documentation gives as equivalent ----------------------------------


@procedure(itertools.chain)
def chain(*iterables: Any) -> Iterator[Any]:
    return (item for iterable in iterables for item in iterate(iterable))


@procedure(itertools.chain.from_iterable)
def chain_all(iterables: Any) -> Iterator[Any]:
    return (item for iterable in iterate(iterables) for item in iterate(iterable))


@procedure(itertools.accumulate)
def accumulate(iterable: Any, func: Any = None, *, initial: Any = None) -> Iterator[Any]:
    add = BINARY["add"]
    items_ = iter(iterate(iterable))
    total = initial
    if initial is None:
        try:
            total = next(items_)
        except StopIteration:
            return
    yield total
    for item in items_:
        total = add(total, item) if func is None else call(func, total, item)
        yield total


@procedure(itertools.islice)
def islice(iterable: Any, *bounds: Any) -> Iterator[Any]:
    return lazily(itertools.islice(iter(iterate(iterable)), *[plain(b) for b in bounds]))


@procedure(itertools.takewhile)
def takewhile(predicate: Any, iterable: Any) -> Iterator[Any]:
    for item in iterate(iterable):
        if not truth(call(predicate, item)):
            return
        yield item


@procedure(itertools.dropwhile)
def dropwhile(predicate: Any, iterable: Any) -> Iterator[Any]:
    items_ = iter(iterate(iterable))
    for item in items_:
        if not truth(call(predicate, item)):
            yield item
            break
    yield from items_


@procedure(itertools.starmap)
def starmap(function: Any, iterable: Any) -> Iterator[Any]:
    return (call(function, *iterate(args)) for args in iterate(iterable))


@procedure(itertools.filterfalse)
def filterfalse(predicate: Any, iterable: Any) -> Iterator[Any]:
    items_ = iterate(iterable)
    return (item for item in items_ if not truth(item if predicate is None else call(predicate, item)))


@procedure(itertools.repeat)
def repeat(value: Any, *times: Any) -> Iterator[Any]:
    return (value for _ in itertools.repeat(None, *[plain(t) for t in times]))


@procedure(itertools.cycle)
def cycle(iterable: Any) -> Iterator[Any]:
    saved = []
    for item in iterate(iterable):
        saved.append(item)
        yield item
    while saved:
        yield from saved


@procedure(itertools.compress)
def compress(data: Any, selectors: Any) -> Iterator[Any]:
    return (item for item, keep in zip(iterate(data), iterate(selectors), strict=False) if truth(keep))


@procedure(itertools.pairwise)
def pairwise(iterable: Any) -> Iterator[tuple]:
    items_ = iter(iterate(iterable))
    for previous in items_:
        for item in items_:
            yield previous, item
            previous = item


def batched(iterable: Any, n: Any, *, strict: Any = False) -> Iterator[tuple]:
    size = plain(n)
    if size < 1:
        raise ValueError("n must be at least one")
    return _batches(iter(iterate(iterable)), size, strict)


def _batches(items_: Iterator[Any], size: int, strict: bool) -> Iterator[tuple]:
    while batch := tuple(itertools.islice(items_, size)):
        if strict and len(batch) < size:
            raise ValueError("batched(): incomplete batch")
        yield batch


if hasattr(itertools, "batched"):  # from Python 3.12 on
    procedure(itertools.batched)(batched)


@procedure(itertools.zip_longest)
def zip_longest(*iterables: Any, fillvalue: Any = None) -> Iterator[tuple]:
    return lazily(itertools.zip_longest(*[iter(iterate(i)) for i in iterables], fillvalue=fillvalue))


@procedure(itertools.product)
def product(*iterables: Any, repeat: int = 1) -> Iterator[tuple]:
    return lazily(itertools.product(*[list(iterate(i)) for i in iterables], repeat=plain(repeat)))


@procedure(itertools.combinations)
def combinations(iterable: Any, r: Any) -> Iterator[tuple]:
    return lazily(itertools.combinations(list(iterate(iterable)), plain(r)))


@procedure(itertools.combinations_with_replacement)
def combinations_with_replacement(iterable: Any, r: Any) -> Iterator[tuple]:
    return lazily(itertools.combinations_with_replacement(list(iterate(iterable)), plain(r)))


@procedure(itertools.permutations)
def permutations(iterable: Any, r: Any = None) -> Iterator[tuple]:
    return lazily(itertools.permutations(list(iterate(iterable)), plain(r)))


@procedure(itertools.groupby)
def groupby(iterable: Any, key: Any = None) -> Iterator[tuple]:
    for label, group in itertools.groupby(
        iterate(iterable), lambda item: plain(item if key is None else call(key, item))
    ):
        yield label, (item for item in group)


@procedure(itertools.tee)
def tee(iterable: Any, n: Any = 2) -> tuple:
    return tuple([lazily(copy_) for copy_ in itertools.tee(iter(iterate(iterable)), plain(n))])


@procedure(itertools.count)
def count(start: Any = 0, step: Any = 1) -> Iterator[Any]:
    add = BINARY["add"]
    while True:
        yield start
        start = add(start, step)


# -- copy -------------------------------------------------------------------------------------------------------------


@procedure(copy.copy)
def shallow(value: Any) -> Any:
    """copy.copy: a new container with the same items."""
    bare = plain(value)
    if type(value) is Traced or isinstance(bare, np.ndarray):
        return call(np.copy, value) if isinstance(bare, np.ndarray) else value
    hook = getattr(type(bare), "__copy__", None)
    if hook is not None and type(hook).__name__ == "function":
        return call(hook, value)
    return _rebuilt(value, lambda item: item)


@procedure(copy.deepcopy)
def deep(value: Any, memo: Any = None) -> Any:
    """copy.deepcopy: new containers all the way down; a value reached twice is copied once."""
    return _deep(value, {} if memo is None else memo)


def _deep(value: Any, memo: dict[int, Any]) -> Any:
    bare = plain(value)
    if isinstance(value, tuple):
        return plain(value) if not value else type(value)._make(_deep(v, memo) for v in value) if hasattr(
            value, "_make"
        ) else tuple([_deep(v, memo) for v in value])  # fmt: skip
    if id(bare) in memo:
        return memo[id(bare)]
    if isinstance(bare, np.ndarray):
        made = call(np.copy, value)
    elif type(value) is Traced or not _is_container(bare):
        return value if type(value) is Traced else copy.deepcopy(bare)
    else:
        hook = getattr(type(bare), "__deepcopy__", None)
        if type(hook).__name__ == "function":
            made = call(hook, value, memo)
        else:
            return _rebuilt(value, lambda item: _deep(item, memo), memo)
    memo[id(bare)] = made
    return made


def _is_container(value: Any) -> bool:
    if isinstance(value, list | dict):
        return True
    return attributes.instance_dict(value) is not None and not isinstance(value, type) and not callable_data(value)


def callable_data(value: Any) -> bool:
    """Functions and modules are copied by reference."""
    return type(value).__name__ in ("function", "module", "builtin_function_or_method", "method")


def _rebuilt(value: Any, each: Callable[[Any], Any], memo: dict[int, Any] | None = None) -> Any:
    """A new container of the same type with `each` of its items."""
    if isinstance(value, list):
        made: Any = type(value).__new__(type(value))
        if memo is not None:
            memo[id(value)] = made
        call(list.extend, made, [] if not value else make_list([each(v) for v in iterate(value)]))
        _copy_attributes(value, made, each)
        return made
    if isinstance(value, dict):
        made = type(value).__new__(type(value))
        if isinstance(value, defaultdict):
            made.default_factory = value.default_factory
        if memo is not None:
            memo[id(value)] = made
        for key, item in items(value):
            set_dict_item(made, key, each(item))
        _copy_attributes(value, made, each)
        return made
    own = attributes.instance_dict(value)
    if own is None or isinstance(value, type) or callable_data(value):
        return copy.copy(plain(value))
    made = object.__new__(type(value))
    if memo is not None:
        memo[id(value)] = made
    _copy_attributes(value, made, each)
    return made


def _copy_attributes(value: Any, made: Any, each: Callable[[Any], Any]) -> None:
    own = attributes.instance_dict(value)
    for label in list(own or ()):
        attributes.set_raw(made, label, each(getitem(own, label)))


# -- collections ------------------------------------------------------------------------------------------------------


@procedure(defaultdict)
def default_dict(factory: Any = None, source: Any = (), /, **named: Any) -> defaultdict:
    made: defaultdict = defaultdict(factory)
    call(dict.update, made, as_dict(source, **named))
    return made


@procedure(OrderedDict)
def ordered_dict(source: Any = (), /, **named: Any) -> OrderedDict:
    made: OrderedDict = OrderedDict()
    call(dict.update, made, as_dict(source, **named))
    return made


@procedure(Counter)
def counter(source: Any = None, /, **named: Any) -> Counter:
    """Counts of items are integers; counts given as a mapping may carry a derivative."""
    made: Counter = Counter()
    add = BINARY["add"]
    if source is not None:
        pairs = items(source) if isinstance(source, dict) else [(item, 1) for item in iterate(source)]
        for key, value in pairs:
            set_dict_item(made, key, add(getitem(made, key), value) if plain(key) in made else value)
    for key, value in named.items():
        set_dict_item(made, key, value)
    return made


# -- operator ---------------------------------------------------------------------------------------------------------


@procedure(operator.setitem)
def set_item(container: Any, index: Any, value: Any) -> None:
    setitem(container, index, value)


@procedure(operator.delitem)
def delete_item(container: Any, index: Any) -> None:
    delitem(container, index)


@procedure(operator.concat)
def concat(a: Any, b: Any) -> Any:
    return BINARY["add"](a, b)


@procedure(operator.iconcat)
def concat_in_place(a: Any, b: Any) -> Any:
    return IN_PLACE["iadd"](a, b)


if hasattr(operator, "call"):
    procedure(operator.call)(call)


constant(
    operator.not_, operator.is_, operator.is_not, operator.contains, operator.countOf, operator.indexOf,
    *[getattr(operator, label) for label in ("is_none", "is_not_none") if hasattr(operator, label)],  # Python 3.14
    reason="its result carries no derivative",
)  # fmt: skip


for _label, _augment in IN_PLACE.items():
    procedure(getattr(operator, _label))(_augment)


class Getter:
    """What operator.itemgetter, attrgetter and methodcaller return, with the reading done by the runtime."""

    _is_engine_callable = True

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self.read = read

    def __call__(self, obj: Any) -> Any:
        return self.read(obj)


@procedure(operator.itemgetter)
def itemgetter(*keys: Any) -> Getter:
    if len(keys) == 1:
        return Getter(lambda obj: getitem(obj, keys[0]))
    return Getter(lambda obj: tuple([getitem(obj, key) for key in keys]))


def _attribute(obj: Any, path: str) -> Any:
    for label in path.split("."):
        obj = attributes.get_attribute(obj, label)
    return obj


@procedure(operator.attrgetter)
def attrgetter(*paths: str) -> Getter:
    if len(paths) == 1:
        return Getter(lambda obj: _attribute(obj, paths[0]))
    return Getter(lambda obj: tuple([_attribute(obj, path) for path in paths]))


@procedure(operator.methodcaller)
def methodcaller(label: str, /, *args: Any, **kwargs: Any) -> Getter:
    return Getter(lambda obj: call(attributes.get_attribute(obj, label), *args, **kwargs))
