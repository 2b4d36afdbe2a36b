"""Procedures for the methods of list, dict, set and deque: the edit itself, and its record in `storage`."""

from __future__ import annotations

import copy
import operator
from collections import OrderedDict, defaultdict, deque
from typing import Any

from ..rules import constant, lookup
from ..rules.registry import procedure
from .builtins import as_dict, as_list
from .calls import call
from .items import (
    _Items,
    built_in,
    built_in_dict,
    delete_list_item,
    delitem,
    dict_item,
    getitem,
    items,
    iterate,
    list_item,
    make_dict,
    mark_key,
    refuse_keys,
    set_dict_item,
    set_list_item,
)
from .levels import plain
from .sorting import equals_in_order, sorting_order
from .storage import edited, load, permuted, stored

__all__: list[str] = []

constant(
    list.count, list.index, list.__len__, list.__contains__, dict.__len__, dict.__contains__, set.__len__,
    set.__contains__, set.union, set.intersection, set.difference, set.issubset, set.issuperset, set.isdisjoint,
    set.symmetric_difference, set.discard, set.remove, set.clear, set.update, frozenset.__contains__, tuple.index,
    tuple.count, deque.count, deque.index,
    reason="its result carries no derivative",
)  # fmt: skip


def insert(sequence: Any, index: int, value: Any) -> None:
    built_in(sequence).insert(sequence, index, plain(value))
    edited(sequence, index, [], [value])


@procedure(list.append, deque.append)
def append(sequence: Any, value: Any) -> None:
    size = len(sequence)
    full = getattr(sequence, "maxlen", None) == size
    if full and size:
        delete_list_item(sequence, 0)
        size -= 1
    insert(sequence, size, value)


@procedure(deque.appendleft)
def append_left(sequence: deque, value: Any) -> None:
    if sequence.maxlen is not None and sequence.maxlen == len(sequence) and sequence:
        delete_list_item(sequence, len(sequence) - 1)
    insert(sequence, 0, value)


@procedure(list.extend, deque.extend)
def extend(sequence: Any, iterable: Any) -> None:
    values = list(iterate(iterable)) if iterable is sequence else iterate(iterable)
    for value in values:
        append(sequence, value)


@procedure(deque.extendleft)
def extend_left(sequence: deque, iterable: Any) -> None:
    for value in list(iterate(iterable)):
        append_left(sequence, value)


@procedure(list.insert, deque.insert)
def insert_at(sequence: Any, index: Any, value: Any) -> None:
    at = operator.index(plain(index))
    at = max(0, at + len(sequence)) if at < 0 else min(at, len(sequence))
    insert(sequence, at, value)


@procedure(list.pop)
def pop(sequence: list, index: Any = -1) -> Any:
    at = operator.index(plain(index))
    at = at + len(sequence) if at < 0 else at
    removed = list.pop(sequence, plain(index))
    return edited(sequence, at, [removed], [])[0]


@procedure(deque.pop)
def pop_right(sequence: deque) -> Any:
    removed = deque.pop(sequence)
    return edited(sequence, len(sequence), [removed], [])[0]


@procedure(deque.popleft)
def pop_left(sequence: deque) -> Any:
    return edited(sequence, 0, [deque.popleft(sequence)], [])[0]


@procedure(list.remove, deque.remove)
def remove(sequence: Any, value: Any) -> None:
    at = built_in(sequence).index(sequence, plain(value))
    delete_list_item(sequence, at)


@procedure(list.clear, deque.clear)
def clear(sequence: Any) -> None:
    removed = list(sequence)
    built_in(sequence).clear(sequence)
    edited(sequence, 0, removed, [])


@procedure(list.copy, deque.copy)
def copy_list(sequence: Any) -> Any:
    if isinstance(sequence, deque):
        return make_deque(sequence, sequence.maxlen)
    return as_list(sequence)


@procedure(list.reverse, deque.reverse)
def reverse(sequence: Any) -> None:
    built_in(sequence).reverse(sequence)
    permuted(sequence, list(range(len(sequence)))[::-1])


@procedure(deque.rotate)
def rotate(sequence: deque, n: Any = 1) -> None:
    order = deque(range(len(sequence)))
    order.rotate(plain(n))
    sequence.rotate(plain(n))
    permuted(sequence, list(order))


@procedure(list.sort)
def sort(sequence: list, *, key: Any = None, reverse: Any = False) -> None:
    items = list(iterate(sequence))
    order = sorting_order(items, key, bool(reverse))
    numbers = equals_in_order([items[i] for i in order], key, bool(reverse))
    if numbers is not None:
        set_list_item(sequence, slice(None), numbers)
        return
    before = list(sequence)
    list.__setitem__(sequence, slice(None), [before[i] for i in order])
    permuted(sequence, order)


procedure(list.__getitem__)(lambda sequence, index: list_item(sequence, plain(index)))
procedure(dict.__getitem__)(lambda mapping, key: dict_item(mapping, plain(key)))
procedure(list.__setitem__)(lambda sequence, index, value: set_list_item(sequence, plain(index), value))
procedure(list.__delitem__)(lambda sequence, index: delete_list_item(sequence, plain(index)))
procedure(list.__iter__, dict.__iter__)(lambda container: iter(iterate(container)))


@procedure(list.__init__)
def initialise_list(sequence: list, iterable: Any = ()) -> None:
    clear(sequence)
    extend(sequence, iterable)


@procedure(deque)
def make_deque(iterable: Any = (), maxlen: Any = None) -> deque:
    made: deque = deque((), plain(maxlen))
    extend(made, iterable)
    return made


# -- dict -------------------------------------------------------------------------------------------------------------


@procedure(dict.__setitem__)
def set_item(mapping: dict, key: Any, value: Any) -> None:
    mark_key(mapping, key)
    built_in_dict(mapping).__setitem__(mapping, plain(key), plain(value))
    stored(mapping, plain(key), value)


@procedure(dict.__delitem__)
def delete_item(mapping: dict, key: Any) -> None:
    built_in_dict(mapping).__delitem__(mapping, plain(key))
    stored(mapping, plain(key), None)


@procedure(dict.get)
def get(mapping: dict, key: Any, default: Any = None) -> Any:
    key = plain(key)
    return load(mapping, key, dict.__getitem__(mapping, key)) if key in mapping else default


@procedure(dict.setdefault)
def set_default(mapping: dict, key: Any, default: Any = None) -> Any:
    bare = plain(key)
    if bare not in mapping:
        set_item(mapping, key, default)
    return load(mapping, bare, dict.__getitem__(mapping, bare))


_MISSING = object()


@procedure(dict.pop)
def pop_item(mapping: dict, key: Any, default: Any = _MISSING) -> Any:
    bare = plain(key)
    if bare not in mapping:
        if default is _MISSING:
            raise KeyError(bare)
        return default
    value = load(mapping, bare, dict.__getitem__(mapping, bare))
    delete_item(mapping, bare)
    return value


@procedure(dict.popitem)
def pop_last(mapping: dict, last: bool = True) -> tuple[Any, Any]:
    if not mapping:
        raise KeyError("popitem(): dictionary is empty")
    refuse_keys(mapping)
    key = next(reversed(mapping)) if last else next(iter(mapping))
    return key, pop_item(mapping, key)


@procedure(dict.update)
def update(mapping: dict, source: Any = (), /, **named: Any) -> None:
    for key, value in items(as_dict(source, **named)):
        set_dict_item(mapping, key, value)


@procedure(dict.clear)
def clear_dict(mapping: dict) -> None:
    for key in list(mapping):
        delitem(mapping, key)


@procedure(dict.copy)
def copy_dict(mapping: dict) -> dict:
    return make_dict(items(mapping))


@procedure(dict.keys)
def keys(mapping: dict) -> Any:
    refuse_keys(mapping)
    return dict.keys(mapping)


@procedure(dict.values)
def values(mapping: dict) -> Any:
    return _Items(mapping, lambda key: getitem(mapping, key), mapping.values())


@procedure(dict.items)
def pairs(mapping: dict) -> Any:
    refuse_keys(mapping)
    return _Items(mapping, lambda key: (key, getitem(mapping, key)), mapping.items())


@procedure(dict.fromkeys)
def from_keys(keys_: Any, value: Any = None) -> dict:
    return make_dict([(key, value) for key in iterate(keys_)])


@procedure(dict.__init__)
def initialise_dict(mapping: dict, source: Any = (), /, **named: Any) -> None:
    update(mapping, source, **named)


@procedure(set.add)
def add(members: set, value: Any) -> None:
    mark_key(members, value)
    members.add(plain(value))


@procedure(set.pop)
def pop_member(members: set) -> Any:
    refuse_keys(members)
    return members.pop()


@procedure(tuple.__new__)
def new_tuple(cls: type, iterable: Any = ()) -> tuple:
    return tuple.__new__(cls, tuple(iterate(iterable)))


@procedure(*{list.__new__, dict.__new__, set.__new__, OrderedDict.__new__, defaultdict.__new__})
def new_empty(cls: type, *args: Any, **kwargs: Any) -> Any:
    return cls.__new__(cls)


# The methods that the dictionaries of `collections` override in C do the same to the storage.
for _kind in (OrderedDict, defaultdict):
    for _label, _method in vars(_kind).items():
        _rule = lookup(getattr(dict, _label, None))
        if _rule is not None and _label not in ("__init__", "__new__", "copy") and lookup(_method) is None:
            procedure(_method)(_rule.procedure)


@procedure(OrderedDict.copy, defaultdict.copy)
def copy_special(mapping: Any) -> Any:
    return call(copy.copy, mapping)
