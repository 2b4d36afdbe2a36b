"""Making an instance: what `cls(*args)` means, by what the class is, and the methods that libraries generate for it."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from types import FunctionType
from typing import Any

from ..rules import lookup
from . import reach
from .attributes import lookup_in, set_raw
from .calls import call, is_library, is_numpy
from .foreign import foreign
from .items import iterate
from .levels import plain
from .storage import created, load

__all__ = ["construct", "generated", "instance_of"]


def construct(cls: type, args: tuple, kwargs: dict) -> Any:
    """`cls(*args, **kwargs)`."""
    meta = type(cls)
    if type(meta.__call__) is FunctionType and meta is not type:
        return call(meta.__call__, cls, *args, **kwargs)
    return instance_of(cls, args, kwargs)


def instance_of(cls: type, args: tuple, kwargs: dict) -> Any:
    """`type.__call__(cls, *args, **kwargs)`, which is what a metaclass that overrides it falls back on."""
    new, init = cls.__new__, cls.__init__  # type: ignore[misc]
    if issubclass(cls, tuple):
        if hasattr(cls, "_fields") or type(new) is FunctionType:
            return new(cls, *args, **kwargs) if not has_own_source(new) else call(new, cls, *args, **kwargs)
        return tuple.__new__(cls, tuple(iterate(*args)) if args else ())
    if issubclass(cls, BaseException):
        return _exception(cls, args, kwargs)
    python_new = type(new) is FunctionType
    python_init = type(init) is FunctionType
    if not (python_new or python_init) and new is not object.__new__:
        base = next((b for b in cls.__mro__ if lookup(b) is not None), None)
        if base is not None and base is not cls:
            return _subclass_of_container(cls, args, kwargs)
        return foreign(cls, args, kwargs)
    if is_numpy(cls) or _is_library_class(cls) and not reach.is_active((args, kwargs)):
        return foreign(cls, args, kwargs)
    if python_new:
        instance = call(new, cls, *args, **kwargs)
        if not isinstance(instance, cls):
            return instance
    elif python_init or (new is object.__new__ and not args and not kwargs):
        instance = new(cls)
    else:
        instance = cls(*args, **kwargs)  # raises Python's own complaint about the arguments
    if python_init:
        call(init, instance, *args, **kwargs)
    elif init is not object.__init__:
        call(init, instance, *args, **kwargs)
    return instance


def has_own_source(function: Any) -> bool:
    return type(function) is FunctionType and not function.__code__.co_filename.startswith("<string>") and (
        "namedtuple" not in function.__code__.co_filename
    )  # fmt: skip


def _is_library_class(cls: type) -> bool:
    module = sys.modules.get(cls.__module__)
    return is_library(getattr(module, "__file__", None) or "")


def _subclass_of_container(cls: type, args: tuple, kwargs: dict) -> Any:
    """A subclass of list or dict without hooks of its own: filled by the procedures of its base."""
    instance = cls.__new__(cls)
    if args or kwargs:
        if isinstance(instance, list):
            call(list.extend, instance, *args)
        else:
            call(dict.update, instance, *args, **kwargs)
    return instance


def _exception(cls: type, args: tuple, kwargs: dict) -> Any:
    instance = cls.__new__(cls, *[plain(a) for a in args])
    created(instance, [("args", args)])
    if type(cls.__init__) is FunctionType:
        call(cls.__init__, instance, *args, **kwargs)
    else:
        cls.__init__(instance, *[plain(a) for a in args], **kwargs)
    return instance


def generated(function: FunctionType, args: tuple, kwargs: dict) -> tuple[Any] | None:
    """Methods that dataclasses and namedtuple generate: no source, known meaning. None: not one of those."""
    name, owner = function.__name__, args[0] if args else None
    cls = owner if isinstance(owner, type) else type(owner)
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return (function(*args, **kwargs),)  # a named tuple holds traced values as it is
    if dataclasses.is_dataclass(cls):
        if name == "__init__":
            initialise_dataclass(cls, function, args, kwargs)
            return (None,)
        return (function(*[plain(a) for a in args], **{k: plain(v) for k, v in kwargs.items()}),)
    return None


def initialise_dataclass(cls: type, init: FunctionType, args: tuple, kwargs: dict) -> None:
    """What the generated `__init__` of a dataclass does: fields in order, defaults, factories, `__post_init__`."""
    instance = args[0]
    bound = inspect.signature(init).bind(*args, **kwargs)
    extra = []
    for name, field in cls.__dataclass_fields__.items():  # type: ignore[attr-defined]
        kind = field._field_type.name  # _FIELD, _FIELD_CLASSVAR or _FIELD_INITVAR
        if kind == "_FIELD_CLASSVAR":
            continue
        if field.init and name in bound.arguments:
            value = bound.arguments[name]
        elif field.default is not dataclasses.MISSING:
            value = load(init, name, field.default)
        elif field.default_factory is not dataclasses.MISSING:
            value = call(field.default_factory)
        else:
            continue
        if kind == "_FIELD_INITVAR":
            extra.append(value)
        else:
            set_raw(instance, name, value)
    found, _ = lookup_in(cls.__mro__, "__post_init__")
    if type(found) is FunctionType:
        call(found, instance, *extra)
