"""What rewritten code calls for operators, indexing, iteration, unpacking and displays.

An operator goes, as in Python, to the class of its operands if that defines it in Python, else to the primitive. Items
of lists and dicts are read and written through `storage`, array elements through the rule of `getitem` and through
`arrays.store`.
"""

from __future__ import annotations

import operator
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType, GeneratorType
from typing import Any

import numpy as np

from ..errors import MutationError, UnsupportedSyntaxError, call_chain, where
from ..rules import lookup
from . import arrays
from .calls import call
from .levels import Traced, live, plain
from .primitives import apply, target_of
from .storage import created, edited, is_tracked, load, position, stored

__all__ = [
    "getitem",
    "is_tracked",
    "iterate",
    "make_dict",
    "make_list",
    "make_set",
    "setitem",
    "truth",
    "unpack",
    "unpacking",
]


# -- operators --------------------------------------------------------------------------------------------------------

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
    return call(function, _array_like(a), _array_like(b))


def _array_like(value: Any) -> Any:
    """A list beside an array is an operand of NumPy's."""
    if type(value) is list:
        from .calls import as_tuples

        items_ = as_tuples(value)
        return call(np.array, items_) if isinstance(items_, tuple) else np.array(items_)
    return value


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
            if type(found) is FunctionType and _has_source(found):
                result = call(found, receiver, other)
                if result is not NotImplemented:
                    return result
        return function(bare_a, bare_b)

    compare.__name__ = compare.__qualname__ = dunder
    return compare


def _has_source(function: FunctionType) -> bool:
    return not function.__code__.co_filename.startswith("<string>")


compare_eq = comparison(operator.eq, "eq", "eq")


def is_(a: Any, b: Any) -> bool:
    return plain(a) is plain(b)


def is_not(a: Any, b: Any) -> bool:
    return plain(a) is not plain(b)


def in_(item: Any, container: Any) -> bool:
    found = getattr(type(container), "__contains__", None)
    if type(found) is FunctionType:
        return truth(call(found, container, item))
    if type(getattr(type(container), "__iter__", None)) is FunctionType or isinstance(container, GeneratorType):
        return any(is_(item, other) or truth(compare_eq(other, item)) for other in iterate(container))
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


# -- indexing ---------------------------------------------------------------------------------------------------------


def make_slice(start: Any, stop: Any, step: Any) -> slice:
    return slice(plain(start), plain(stop), plain(step))


def getitem(container: Any, index: Any) -> Any:
    """`container[index]`."""
    kind = type(container)
    if kind is Traced or isinstance(container, np.ndarray | np.generic):
        return apply(operator.getitem, lookup(operator.getitem), (container, frozen_index(index)), {})
    if kind is list or kind is deque:
        return list_item(container, plain(index))
    if kind is tuple:
        return container[plain(index)]
    if kind is dict:
        key = plain(index)
        return load(container, key, container[key])
    if isinstance(container, type) and not hasattr(type(container), "__getitem__"):
        return container[plain(index)]
    found = getattr(kind, "__getitem__", None)
    if type(found) is FunctionType:
        return call(found, container, index)
    if isinstance(container, list | deque):
        return list_item(container, plain(index))
    if isinstance(container, dict):
        return dict_item(container, plain(index))
    if isinstance(container, tuple | str | bytes | range):
        return container[plain(index)]
    from .calls import foreign

    if found is None:
        return container[plain(index)]
    return foreign(operator.getitem, (container, index), {})


def built_in(sequence: Any) -> type:
    """The built-in class whose methods edit this sequence, whatever a subclass overrides."""
    return list if isinstance(sequence, list) else deque


def built_in_dict(mapping: dict) -> type:
    """The same for dicts; an OrderedDict keeps its order by methods of its own."""
    return OrderedDict if isinstance(mapping, OrderedDict) else dict


def list_item(container: Any, index: Any) -> Any:
    if isinstance(index, slice):
        size = len(container)
        values = list.__getitem__(container, slice(None)) if isinstance(container, list) else container[index]
        return make_list([load(container, i, values[i], size) for i in range(*index.indices(size))])
    value = built_in(container).__getitem__(container, index)
    return load(container, position(container, index), value, len(container))


def dict_item(container: dict, key: Any) -> Any:
    if key in container:
        return load(container, key, dict.__getitem__(container, key))
    missing = getattr(type(container), "__missing__", None)
    if type(missing) is FunctionType:
        return call(missing, container, key)
    factory = getattr(container, "default_factory", None)
    if factory is not None:
        value = call(factory)
        setitem(container, key, value)
        return load(container, key, dict.__getitem__(container, key))
    return container[key]


def frozen_index(index: Any) -> Any:
    """An index that later edits of the program cannot change."""
    index = plain(index)
    if isinstance(index, list):
        return [frozen_index(i) for i in index]
    if isinstance(index, tuple):
        return tuple([frozen_index(i) for i in index])
    return index


def setitem(container: Any, index: Any, value: Any) -> None:
    """`container[index] = value`."""
    kind = type(container)
    if kind is Traced or isinstance(container, np.ndarray):
        if type(plain(value)) is list:
            value = _array_like(value)
        index = frozen_index(index)
        if isinstance(index, np.ndarray):
            index = index.copy()
        elif isinstance(index, tuple):
            index = tuple([i.copy() if isinstance(i, np.ndarray) else i for i in index])
        arrays.store(container, index, value)
        return
    found = getattr(kind, "__setitem__", None)
    if type(found) is FunctionType:
        call(found, container, index, value)
    elif isinstance(container, list | deque):
        set_list_item(container, plain(index), value)
    elif isinstance(container, dict):
        set_dict_item(container, index, value)
    else:
        from .calls import foreign

        foreign(operator.setitem, (container, index, value), {})


def set_list_item(container: Any, index: Any, value: Any) -> None:
    base = built_in(container)
    if not isinstance(index, slice):
        base.__setitem__(container, index, plain(value))
        stored(container, position(container, index), value, len(container))
        return
    values = list(iterate(value))
    start, stop, step = index.indices(len(container))
    if step == 1:
        stop = max(start, stop)
        removed = base.__getitem__(container, slice(start, stop))
        base.__setitem__(container, slice(start, stop), [plain(v) for v in values])
        edited(container, start, removed, values)
        return
    base.__setitem__(container, index, [plain(v) for v in values])
    for i, v in zip(range(start, stop, step), values, strict=True):
        stored(container, i, v, len(container))


def set_dict_item(container: dict, key: Any, value: Any) -> None:
    mark_key(container, key)
    built_in_dict(container).__setitem__(container, plain(key), plain(value))
    stored(container, plain(key), value)


def mark_key(container: Any, key: Any) -> None:
    """Remember that an active value is a key: looking it up is fine, reading it back is not."""
    for level in live.levels:
        if target_of(level, key) is not None:
            level.keyed[id(container)] = container


def delitem(container: Any, index: Any) -> None:
    """`del container[index]`."""
    found = getattr(type(container), "__delitem__", None)
    if type(found) is FunctionType:
        call(found, container, index)
    elif isinstance(container, list | deque):
        delete_list_item(container, plain(index))
    elif isinstance(container, dict):
        key = plain(index)
        built_in_dict(container).__delitem__(container, key)
        stored(container, key, None)
    else:
        del container[plain(index)]


def delete_list_item(container: Any, index: Any) -> None:
    if not isinstance(index, slice):
        at = position(container, index)
        removed = built_in(container).__getitem__(container, index)
        built_in(container).__delitem__(container, index)
        edited(container, at, [removed], [])
        return
    for i in sorted(range(*index.indices(len(container))), reverse=True):
        delete_list_item(container, i)


def aug_item(container: Any, index: Any, new: Any) -> None:
    """The last step of `container[index] <op>= v`."""
    if isinstance(plain(container), np.ndarray):
        bare = plain(container)
        value = plain(new)
        if isinstance(value, np.ndarray) and np.shares_memory(value, bare):
            return  # the part was a view, and has been written in place
    setitem(container, index, new)


def aug_attribute(obj: Any, label: str, operation: Callable, value: Any) -> None:
    """`obj.label <op>= value`."""
    from .attributes import get_attribute, set_attribute

    set_attribute(obj, label, operation(get_attribute(obj, label), value))


# -- iteration --------------------------------------------------------------------------------------------------------


class _Items:
    """An iterable of traced items that keeps its length, for views of dicts."""

    def __init__(self, mapping: dict, make: Callable[[Any], Any], native: Any) -> None:
        self.mapping = mapping
        self.make = make
        self.native = native

    def __iter__(self) -> Iterator[Any]:
        for key in self.mapping:
            yield self.make(key)

    def __len__(self) -> int:
        return len(self.mapping)

    def __contains__(self, item: Any) -> bool:
        return plain(item) in self.native


_AS_THEY_ARE = frozenset({range, tuple, GeneratorType, str, _Items})


def iterate(iterable: Any) -> Iterable[Any]:
    """What `for item in iterable` goes over, item by item as the program would see it."""
    kind = type(iterable)
    if kind in _AS_THEY_ARE:
        return iterable
    if kind is Traced or isinstance(iterable, np.ndarray):
        return _rows(iterable)
    if kind is list:
        return _list_items(iterable)
    found = getattr(kind, "__iter__", None)
    if type(found) is FunctionType:
        return _by_protocol(call(found, iterable))
    if isinstance(iterable, tuple):
        return iterable
    if isinstance(iterable, list):
        return _list_items(iterable)
    if isinstance(iterable, deque):
        return _list_items(iterable)
    if isinstance(iterable, dict):
        refuse_keys(iterable)
        return iterable
    if isinstance(iterable, set | frozenset):
        refuse_keys(iterable)
        return iterable
    if type(getattr(kind, "__next__", None)) is FunctionType:
        return _by_protocol(iterable)
    if found is None and type(getattr(kind, "__getitem__", None)) is FunctionType:
        return _by_index(iterable)
    if type(iterable) in _VIEWS:
        return _view_items(iterable)
    from . import reach

    if reach.is_active(iterable):
        from .calls import foreign

        return foreign(iter, (iterable,), {})
    return iterable


_VIEWS = (type({}.values()), type({}.items()), type({}.keys()))


def _view_items(view: Any) -> Iterator[Any]:
    """A dict view made by code that was not rewritten: its dict is what it refers to."""
    import gc

    (mapping,) = [m for m in gc.get_referents(view) if isinstance(m, dict)]
    if isinstance(view, type({}.keys())):
        return iter(iterate(mapping))  # type: ignore[arg-type]
    if isinstance(view, type({}.values())):
        return (getitem(mapping, key) for key in mapping)
    return (pair for pair in items(mapping))


def _rows(array: Any) -> Iterator[Any]:
    bare = plain(array)
    if np.ndim(bare) == 0:
        iter(bare)
    for i in range(len(bare)):
        yield getitem(array, i)


def _list_items(container: Any) -> Iterator[Any]:
    i = 0
    base = built_in(container)
    while i < base.__len__(container):
        yield load(container, i, base.__getitem__(container, i), base.__len__(container))
        i += 1


def _by_protocol(iterator: Any) -> Iterable[Any]:
    found = getattr(type(iterator), "__next__", None)
    if type(found) is not FunctionType:
        return iterate(iterator) if iterator is not None else iter(iterator)
    return _calls_of_next(found, iterator)


def _calls_of_next(step: FunctionType, iterator: Any) -> Iterator[Any]:
    while True:
        try:
            item = call(step, iterator)
        except StopIteration:
            return
        yield item


def _by_index(iterable: Any) -> Iterator[Any]:
    i = 0
    while True:
        try:
            item = getitem(iterable, i)
        except IndexError:
            return
        yield item
        i += 1


def refuse_keys(container: Any) -> None:
    """Reading keys or set members back, when one of them carries a derivative, would lose it."""
    if any(id(container) in level.keyed for level in live.levels):
        raise MutationError(
            f"cannot differentiate reading back the keys of a {type(container).__name__}: one of them carries a "
            f"derivative, and a key has no cotangent\n  at {where(call_chain())}\n"
            f"  Way out: look values up by key, or keep them in a list."
        )


def items(mapping: Any) -> list[tuple[Any, Any]]:
    """The (key, traced value) pairs of a mapping."""
    if isinstance(mapping, dict):
        return [(key, getitem(mapping, key)) for key in iterate(mapping)]
    keys = call(type(mapping).keys, mapping) if hasattr(type(mapping), "keys") else mapping.keys()
    return [(key, getitem(mapping, key)) for key in iterate(keys)]


def keywords(mapping: Any) -> dict[str, Any]:
    """`**mapping` in a call: a dict of traced values that lives for the length of the call."""
    return dict(items(mapping))


def unpack(value: Any, structure: tuple) -> Any:
    """The items of `value` for an assignment to several targets; how many, and nested how, says `structure`."""
    count, star, inner = structure
    if type(value) is tuple and star is None and len(value) == count and not any(inner):
        return value
    found = list(iterate(value))
    if star is None:
        if len(found) > count:
            raise ValueError(f"too many values to unpack (expected {count})")
        if len(found) < count:
            raise ValueError(f"not enough values to unpack (expected {count}, got {len(found)})")
        if not any(inner):
            return tuple(found)
        return tuple([unpack(v, s) if s is not None else v for v, s in zip(found, inner, strict=True)])
    if len(found) < count - 1:
        raise ValueError(f"not enough values to unpack (expected at least {count - 1}, got {len(found)})")
    after = count - 1 - star
    ends = [*inner[:star], *[None] * (len(found) - count + 1), *inner[len(inner) - after :]]
    return tuple([unpack(v, s) if s is not None else v for v, s in zip(found, ends, strict=True)])


def unpacking(iterable: Iterable[Any], structure: tuple) -> Iterator[Any]:
    """The items of a loop whose target is a tuple."""
    for value in iterable:
        yield unpack(value, structure)


# -- displays ---------------------------------------------------------------------------------------------------------


def make_list(values: Iterable[Any]) -> list:
    """A new list with these traced items."""
    values = list(values)
    return created([plain(v) for v in values], enumerate(values))


def make_dict(pairs: Iterable[tuple[Any, Any]]) -> dict:
    """A new dict with these traced items; a later one with the same key wins."""
    made: dict[Any, Any] = {}
    traced: dict[Any, Any] = {}
    for key, value in pairs:
        mark_key(made, key)
        made[plain(key)] = plain(value)
        traced[plain(key)] = value
    return created(made, traced.items())


def make_set(values: Iterable[Any]) -> set:
    """A new set; active members may be looked up, not read back."""
    made: set[Any] = set()
    for value in values:
        mark_key(made, value)
        made.add(plain(value))
    return made


def kwargs_dict(mapping: dict[str, Any]) -> dict[str, Any]:
    """The dict of `**kwargs`, as a recorded storage."""
    return make_dict(mapping.items())


def fail_unsupported(what: str, remedy: str) -> None:
    raise UnsupportedSyntaxError(f"cannot differentiate {what}\n  at {where(call_chain())}\n  Way out: {remedy}.")
