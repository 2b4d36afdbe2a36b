"""The functions that rewritten code calls, by the name it calls them with."""

from __future__ import annotations

from collections.abc import Callable
from types import CellType
from typing import Any

from ..errors import DifferentiationError
from . import (  # noqa: F401 (they register procedures)
    builtins,
    containers,
    draws,
    elements,
    items,
    library,
    operators,
    writes,
)
from .attributes import delete_attribute, get_attribute, set_attribute
from .calls import call, call_method
from .levels import plain
from .match import matches
from .operators import truth
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
        return truth(call(type(self.manager).__exit__, self.manager, kind, error, trace))


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


RUNTIME: dict[str, Callable | type] = {
    **operators.BINARY,
    **operators.IN_PLACE,
    **operators.UNARY,
    **operators.COMPARE,
    "is_": operators.is_,
    "is_not": operators.is_not,
    "in_": operators.in_,
    "not_in": operators.not_in,
    "truth": truth,
    "plain": plain,
    "slice": items.make_slice,
    "getitem": items.getitem,
    "setitem": items.setitem,
    "delitem": items.delitem,
    "aug_item": items.aug_item,
    "aug_attribute": items.aug_attribute,
    "get_attribute": get_attribute,
    "set_attribute": set_attribute,
    "delete_attribute": delete_attribute,
    "call": call,
    "call_method": call_method,
    "iterate": items.iterate,
    "unpack": items.unpack,
    "unpacking": items.unpacking,
    "items": items.items,
    "keywords": items.keywords,
    "make_list": items.make_list,
    "make_dict": items.make_dict,
    "make_set": items.make_set,
    "kwargs_dict": items.kwargs_dict,
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
