"""What rewritten code calls for indexing, iteration, unpacking and displays.

Items of lists and dicts are read and written through `storage`, array elements through the rule of `getitem` and
through `arrays.store`; whatever a class defines in Python is called.
"""

from __future__ import annotations

import operator
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType, GeneratorType
from typing import Any

import numpy as np

from ..errors import DifferentiationError, MutationError, call_chain, where
from ..rules import lookup
from . import arrays, reach
from .calls import as_tuples, call
from .foreign import foreign
from .levels import Traced, live, plain
from .primitives import apply, target_of
from .storage import created, edited, load, position, stored

__all__ = ["getitem", "iterate", "make_dict", "make_list", "make_set", "setitem", "unpack", "unpacking"]

# -- indexing ---------------------------------------------------------------------------------------------------------


def array_like(value: Any) -> Any:
    """A list, tuple or deque beside an array is an operand of NumPy's."""
    if isinstance(value, list | tuple | deque):
        items_ = as_tuples(value)
        return call(np.array, tuple(items_)) if isinstance(items_, tuple) else np.array(items_)
    return value


def make_slice(start: Any, stop: Any = None, step: Any = None) -> slice:
    """A slice of plain bounds. One that carries a derivative would be a bound of np.r_ or np.mgrid, and be lost."""
    if any(target_of(level, bound) is not None for level in live.levels for bound in (start, stop, step)):
        raise DifferentiationError(
            f"Can't differentiate a slice by its bounds\n  at {where(call_chain())}\n"
            f"  Way out: np.arange or np.linspace for a range of np.r_ or np.mgrid; int(...) for an index."
        )
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
        if type(value) is not Traced and not isinstance(value, np.ndarray | np.generic | int | float | complex | str):
            if isinstance(value, list | deque) or isinstance(value, tuple) and reach.is_active(value):
                value = array_like(value)
            elif reach.is_active(value):
                foreign(operator.setitem, (container, index, value), {})
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

    _is_view = True

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
    if reach.is_active(iterable):
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
