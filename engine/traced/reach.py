"""What foreign code could reach: does anything within the reach of these arguments carry a derivative?

The walk follows containers, objects, closures, defaults, bound receivers, partials, iterators and generator frames, and
for types it does not know whatever the garbage collector says they refer to. It stops at modules, classes and the
globals of functions.
"""

from __future__ import annotations

import functools
import gc
from types import BuiltinMethodType, CellType, FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any

import numpy as np

from .levels import Traced, live
from .primitives import target_of

__all__ = ["callbacks", "is_active", "storages"]

_INERT = (int, str, bytes, type(None), type, ModuleType, np.dtype, slice, range)


def is_active(start: Any) -> str | None:
    """A description of the first thing within reach that carries a derivative, or None."""
    if not live.levels:
        return None
    pending = [start]
    seen: set[int] = set()
    while pending:
        value = pending.pop()
        kind = type(value)
        if kind is Traced:
            return f"an argument of type {_kind(value)}"
        if isinstance(value, _INERT) or kind is float or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, np.ndarray):
            if any(target_of(level, value) is not None for level in live.levels):
                return "an array within its reach"
            continue
        if any(id(value) in level.active or id(value) in level.keyed for level in live.levels):
            return f"a {kind.__name__} within its reach"
        pending.extend(_neighbours(value))
    return None


def _kind(value: Any) -> str:
    while type(value) is Traced:
        value = value.primal
    return type(value).__name__


def _neighbours(value: Any) -> list[Any]:
    if isinstance(value, tuple | list | set | frozenset):
        found: list[Any] = list(value)
    elif isinstance(value, dict):
        found = [*value.keys(), *value.values()]
    elif isinstance(value, FunctionType):
        found = [*(value.__closure__ or ()), *(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
    elif isinstance(value, CellType):
        try:
            found = [value.cell_contents]
        except ValueError:
            found = []
    elif isinstance(value, MethodType):
        found = [value.__self__, value.__func__]
    elif isinstance(value, BuiltinMethodType):
        found = [value.__self__]
    elif isinstance(value, functools.partial):
        found = [value.func, value.args, value.keywords]
    elif isinstance(value, GeneratorType):
        found = list(value.gi_frame.f_locals.values()) if value.gi_frame is not None else []
    else:
        found = gc.get_referents(value)
        own = getattr(value, "__dict__", None)
        if isinstance(own, dict):
            found = [*found, own]
    if type(value) is list or type(value) is tuple or isinstance(value, dict):
        return found
    own = getattr(value, "__dict__", None)
    return [*found, own] if isinstance(own, dict) and own else found


def callbacks(start: Any) -> str | None:
    """The name of a Python function among these arguments that foreign code could call, or None."""
    pending = [start]
    seen: set[int] = set()
    while pending:
        value = pending.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, FunctionType):
            return value.__qualname__
        if isinstance(value, MethodType):
            return value.__qualname__
        if isinstance(value, functools.partial):
            pending.append(value.func)
        elif isinstance(value, tuple | list):
            pending.extend(value)
        elif isinstance(value, dict):
            pending.extend(value.values())
    return None


def storages(start: Any) -> set[int]:
    """The ids of everything within reach that could hold a value: containers, objects, cells, globals of functions."""
    pending = [start]
    seen: set[int] = set()
    while pending:
        value = pending.pop()
        if isinstance(value, _INERT) or type(value) in (float, Traced) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, FunctionType):
            seen.add(id(value.__globals__))
        pending.extend(_neighbours(value))
    return seen
