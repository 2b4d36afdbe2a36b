"""Attribute access as Python does it, with each attribute found in the storage that really holds it.

The lookup order is the language's: a data descriptor of the class, the instance's own `__dict__`, another descriptor or
class attribute, `__getattr__`. Descriptors, properties and hooks written in Python are called through `calls.call`, so
what they read and write is recorded. A class attribute belongs to the class that owns it, a slot to the object.
"""

from __future__ import annotations

import functools
from types import BuiltinMethodType, FunctionType, MemberDescriptorType, MethodType, MethodWrapperType, ModuleType
from typing import Any

import numpy as np

from ..errors import MutationError, call_chain, where
from ..rules import ATTRIBUTES, NUMBER_ATTRIBUTES
from .arrays import store
from .calls import call
from .elements import Flat
from .levels import Traced, live, plain
from .storage import delete, load, stored

__all__ = ["Method", "delete_attribute", "get_attribute", "set_attribute"]

_MISSING = object()


class Method:
    """A bound method of an immutable value that carries a derivative: `f = x.sum`."""

    __slots__ = ("name", "receiver")

    def __init__(self, receiver: Any, name: str) -> None:
        self.receiver = receiver
        self.name = name


def get_attribute(obj: Any, name: str) -> Any:
    """`obj.name`."""
    kind = type(obj)
    if kind is Traced or isinstance(obj, np.ndarray):
        return _of_value(obj, name)
    if kind is ModuleType:
        return load(obj.__dict__, name, getattr(obj, name))
    if kind is super:
        return _of_super(obj, name)
    if isinstance(obj, type):
        value = getattr(obj, name)
        for owner in obj.__mro__:
            if name in owner.__dict__:
                return load(owner, name, value)
        return value
    if kind in _PLAIN_KINDS:
        return getattr(obj, name)
    if isinstance(obj, functools.partial) and name == "args":
        return tuple([load(obj, i, value) for i, value in enumerate(obj.args)])
    hook = kind.__getattribute__
    if type(hook) is FunctionType:
        return call(hook, obj, name)
    found, owner = lookup_in(kind.__mro__, name)
    return _resolve(obj, kind, name, found, owner)


_PLAIN_KINDS = frozenset({tuple, int, str, float, complex, list, dict, set, bool})


def lookup_in(mro: tuple[type, ...], name: str) -> tuple[Any, type | None]:
    """The raw attribute and the class of the `mro` that owns it."""
    for owner in mro:
        if name in owner.__dict__:
            return owner.__dict__[name], owner
    return _MISSING, None


def _resolve(obj: Any, kind: type, name: str, found: Any, owner: type | None) -> Any:
    if found is not _MISSING:
        if type(found) is property and found.fget is not None:
            return call(found.fget, obj)
        if type(found) is MemberDescriptorType:
            return load(obj, name, found.__get__(obj, kind))
        getter = getattr(type(found), "__get__", None)
        if hasattr(type(found), "__set__") and type(getter) is FunctionType:
            return call(getter, found, obj, kind)
    own_dict = instance_dict(obj)
    if own_dict is not None:
        if name == "__dict__":
            return own_dict
        if name in own_dict:
            return load(own_dict, name, own_dict[name])
    if found is not _MISSING:
        if type(found) is FunctionType:
            return MethodType(found, obj)
        if isinstance(found, functools.cached_property):
            value = call(found.func, obj)
            set_attribute(obj, name, value)
            return value
        getter = getattr(type(found), "__get__", None)
        if getter is None:
            return load(owner, name, found)
        if type(getter) is FunctionType:
            return call(getter, found, obj, kind)
        value = getattr(obj, name)
        return load(obj, name, value) if isinstance(obj, BaseException) and name == "args" else value
    hook = getattr(kind, "__getattr__", None)
    if type(hook) is FunctionType:
        return call(hook, obj, name)
    return getattr(obj, name)


def instance_dict(obj: Any) -> dict | None:
    """The dict that holds an object's attributes, None if it has none."""
    try:
        found = object.__getattribute__(obj, "__dict__")
    except AttributeError:
        return None
    return found if isinstance(found, dict) else None


def _of_super(obj: super, name: str) -> Any:
    this, instance = obj.__thisclass__, obj.__self__
    kind = obj.__self_class__
    mro = kind.__mro__
    found, owner = lookup_in(mro[mro.index(this) + 1 :], name)
    if type(found) is FunctionType and not isinstance(instance, type):
        return MethodType(found, instance)
    if type(found) is property and found.fget is not None:
        return call(found.fget, instance)
    if found is not _MISSING and getattr(type(found), "__get__", None) is None:
        return load(owner, name, found)
    return getattr(obj, name)


def _of_value(obj: Any, name: str) -> Any:
    """An attribute of an array or a number."""
    bare = plain(obj)
    if isinstance(bare, complex | float) and not isinstance(bare, np.generic) and name in NUMBER_ATTRIBUTES:
        return call(NUMBER_ATTRIBUTES[name], obj)
    if name in ATTRIBUTES and hasattr(bare, name):
        return call(ATTRIBUTES[name], obj)
    if name == "flat" and live.levels and isinstance(bare, np.ndarray):
        return Flat(obj)
    if name in ("ctypes", "data", "base", "__array_interface__"):
        raise MutationError(
            f"cannot differentiate .{name}: it opens the memory of an array to reads and writes that cannot be followed"
            f"\n  at {where(call_chain())}\n  Way out: x.ravel() for reading in order, x[...] = ... for writing."
        )
    found = getattr(bare, name)
    return Method(obj, name) if type(found) in (BuiltinMethodType, MethodWrapperType) else found


def set_attribute(obj: Any, name: str, value: Any) -> None:
    """`obj.name = value`."""
    kind = type(obj)
    if kind is Traced or isinstance(obj, np.ndarray):
        return _set_on_array(obj, name, value)
    if isinstance(obj, type):
        setattr(obj, name, plain(value))
        return stored(obj, name, value)
    hook = kind.__setattr__
    if type(hook) is FunctionType:
        if not has_source(hook):  # a frozen dataclass: its own complaint
            return setattr(obj, name, plain(value))
        return call(hook, obj, name, value)
    return set_raw(obj, name, value)


def has_source(function: FunctionType) -> bool:
    """Was this function written in a file, not generated by the library (dataclasses, namedtuple)?"""
    return not function.__code__.co_filename.startswith("<string>")


def set_raw(obj: Any, name: str, value: Any) -> None:
    """`object.__setattr__(obj, name, value)`: descriptors, then the object's own storage."""
    found, _ = lookup_in(type(obj).__mro__, name)
    if type(found) is property and found.fset is not None:
        call(found.fset, obj, value)
        return
    if found is not _MISSING and type(getattr(type(found), "__set__", None)) is FunctionType:
        call(type(found).__set__, found, obj, value)
        return
    if isinstance(obj, ModuleType):
        setattr(obj, name, plain(value))
    else:
        object.__setattr__(obj, name, plain(value))
    own_dict = instance_dict(obj)
    in_dict = own_dict is not None and type(found) is not MemberDescriptorType and name in own_dict
    stored(own_dict if in_dict else obj, name, value)


def _set_on_array(obj: Any, name: str, value: Any) -> None:
    bare = plain(obj)
    if name in ("real", "imag"):
        return store(getattr(bare, name), ..., value)
    if name == "flat":
        Flat(obj)[:] = value
        return None
    if not live.levels:
        return setattr(bare, name, plain(value))
    return _refuse(name)


def _refuse(name: str) -> None:
    raise MutationError(
        f"cannot differentiate the assignment of .{name} of an array: it changes what its memory means\n"
        f"  at {where(call_chain())}\n"
        f"  Way out: x.reshape(...) and x.astype(...) make a new array, x[...] = ... fills one."
    )


def delete_attribute(obj: Any, name: str) -> None:
    """`del obj.name`."""
    hook = type(obj).__delattr__
    if not isinstance(obj, type) and type(hook) is FunctionType:
        call(hook, obj, name)
        return
    found, _ = lookup_in(type(obj).__mro__, name)
    if type(found) is property and found.fdel is not None:
        call(found.fdel, obj)
        return
    own_dict = None if isinstance(obj, type) else instance_dict(obj)
    in_dict = own_dict is not None and name in own_dict
    delattr(obj, name)
    delete(own_dict if in_dict else obj, name)
