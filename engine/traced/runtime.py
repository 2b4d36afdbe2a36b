"""The functions that rewritten code calls, by the name it calls them with."""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import CellType
from typing import Any

from ..errors import DifferentiationError
from . import builtins, containers, library, operations, writes  # noqa: F401 (they register procedures)
from .attributes import delete_attribute, get_attribute, set_attribute
from .calls import call, call_method
from .levels import plain
from .match import matches
from .storage import load, load_cell, store_cell, stored

__all__ = ["RUNTIME"]


class Context:
    """A context manager entered and left through `call`."""

    def __init__(self, manager: Any) -> None:
        self.manager = manager

    def __enter__(self) -> Any:
        return call(type(self.manager).__enter__, self.manager)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        if isinstance(error, DifferentiationError):
            return False  # not the program's own: no handler of it may take it
        return operations.truth(call(type(self.manager).__exit__, self.manager, kind, error, trace))


def new_cell(*value: Any) -> CellType:
    """A cell for a captured variable, empty or with its first value."""
    cell = CellType()
    if value:
        store_cell(cell, value[0])
    return cell


def keep_cell(cell: CellType, value: Any) -> Any:
    store_cell(cell, value)
    return value


def delete_cell(cell: CellType, name: str) -> None:
    try:
        del cell.cell_contents
    except ValueError:
        raise NameError(f"cannot access free variable '{name}' where it is not associated with a value") from None
    stored(cell, None, None)


def load_global(module_globals: dict, name: str, value: Any) -> Any:
    return load(module_globals, name, value)


def store_global(module_globals: dict, name: str, value: Any) -> None:
    module_globals[name] = plain(value)
    stored(module_globals, name, value)


def keep_global(module_globals: dict, name: str, value: Any) -> Any:
    store_global(module_globals, name, value)
    return value


def delete_global(module_globals: dict, name: str) -> None:
    if name not in module_globals:
        raise NameError(f"name '{name}' is not defined")
    del module_globals[name]
    stored(module_globals, name, None)


def parent(cell: CellType, instance: Any) -> super:
    """super() of the class whose body defines the running method."""
    return super(cell.cell_contents, instance)


_BINARY = dict(builtins.RUNTIME_BINARY)
_IN_PLACE = builtins.RUNTIME_IN_PLACE
_COMPARE = {
    label: operations.comparison(getattr(operator, label), label, mirror)
    for label, mirror in (("eq", "eq"), ("ne", "ne"), ("lt", "gt"), ("le", "ge"), ("gt", "lt"), ("ge", "le"))
}

RUNTIME: dict[str, Callable | type] = {
    **_BINARY,
    **_IN_PLACE,
    **_COMPARE,
    "neg": operations.unary(operator.neg, "neg"),
    "pos": operations.unary(operator.pos, "pos"),
    "invert": operations.unary(operator.invert, "invert"),
    "is_": operations.is_,
    "is_not": operations.is_not,
    "in_": operations.in_,
    "not_in": operations.not_in,
    "truth": operations.truth,
    "plain": plain,
    "slice": operations.make_slice,
    "getitem": operations.getitem,
    "setitem": operations.setitem,
    "delitem": operations.delitem,
    "aug_item": operations.aug_item,
    "aug_attribute": operations.aug_attribute,
    "get_attribute": get_attribute,
    "set_attribute": set_attribute,
    "delete_attribute": delete_attribute,
    "call": call,
    "call_method": call_method,
    "iterate": operations.iterate,
    "unpack": operations.unpack,
    "unpacking": operations.unpacking,
    "items": operations.items,
    "keywords": operations.keywords,
    "make_list": operations.make_list,
    "make_dict": operations.make_dict,
    "make_set": operations.make_set,
    "kwargs_dict": operations.kwargs_dict,
    "make_function": builtins.make_function,
    "build_class": builtins.build_class,
    "new_cell": new_cell,
    "load_cell": load_cell,
    "store_cell": store_cell,
    "keep_cell": keep_cell,
    "delete_cell": delete_cell,
    "load_global": load_global,
    "store_global": store_global,
    "keep_global": keep_global,
    "delete_global": delete_global,
    "super": parent,
    "context": Context,
    "matches": matches,
    "DifferentiationError": DifferentiationError,
}
