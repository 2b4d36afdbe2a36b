"""Methods of lists, tuples and dicts of known structure, and of lists that grow."""

from __future__ import annotations

from typing import Any

from . import runtime
from .core import Const
from .types import NotTyped
from .values import DictOf, Grown, ListOf, Outside, Ref, Tup


def list_method(lowerer: Any, owner: Any, name: str, args: list, kwargs: dict) -> Any:
    if kwargs or type(owner) not in (Ref, Outside):
        raise NotTyped(f"the method {name}")
    contents = lowerer.contents_of(owner)
    if type(contents) is DictOf:
        if name in ("items", "keys", "values"):
            lowerer.iterated.insert(0, owner)  # a view is live: a later write to the dict is beyond this tier
        return dict_method(contents, name, args)
    if type(owner) is not Ref:
        raise NotTyped(f"{name} of a list from outside")
    lowerer.not_iterated(owner)
    if name == "append":
        if type(contents) is Grown:
            changed: Any = Grown(lowerer.let(runtime.append, (contents.atom, args[0])))
        else:
            changed = ListOf((*contents.items, args[0]))
        lowerer.store[owner.number, "contents"] = changed
        return Const(None)
    if type(contents) is ListOf and name == "pop" and contents.items:
        i = lowerer.known_int(args[0]) if args else -1
        items = list(contents.items)
        if not -len(items) <= i < len(items):
            raise NotTyped("an index out of range")
        popped = items.pop(i)
        lowerer.store[owner.number, "contents"] = ListOf(tuple(items))
        return popped
    if type(contents) is ListOf and name == "extend":
        lowerer.store[owner.number, "contents"] = ListOf((*contents.items, *lowerer.items_of(args[0])))
        return Const(None)
    raise NotTyped(f"the method {name} of a list")


def dict_method(contents: DictOf, name: str, args: list) -> Any:
    if name == "items":
        return Tup(tuple([Tup((Const(k), v)) for k, v in contents.items.items()]))
    if name == "values":
        return Tup(tuple(contents.items.values()))
    if name == "keys":
        return Tup(tuple([Const(k) for k in contents.items]))
    if name == "get" and type(args[0]) is Const:
        found = contents.items.get(args[0].value)
        return found if found is not None else args[1] if len(args) > 1 else Const(None)
    raise NotTyped(f"the method {name} of a dict")
