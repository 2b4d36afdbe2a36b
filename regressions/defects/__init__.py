"""Ways to put a reported bug back into the reference engine, for as long as a context lasts.

Each is a function without arguments that returns the context: first the general ones, made of the functions and parts
that are named to them, then the mistakes in the engine's bookkeeping of arrays by identity, where it has two sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

import engine.traced
from engine import errors, implicit, stop_gradient, switches
from engine.rules import registry
from engine.traced import run, storage, structure, structured
from engine.traced.levels import plain

__all__ = [
    "cell_hides_its_array",
    "collection_seeds_itself",
    "declared_constant",
    "indexing_credits_twice",
    "inner_gradient_keeps_its_books_in_the_program",
    "known_by_name_only",
    "on_traced_tier",
    "patched",
    "raising",
    "refiled_when_read_back",
    "structural_cotangents_end_at_the_object",
    "summed_by_identity",
    "with_rule",
    "without_rule",
]

Defect = Callable[[], AbstractContextManager]


def without_rule(*primals: Callable) -> Defect:
    """The rules of these functions were never written: a call to one is a foreign call."""
    return lambda: registry.removed(*primals)


def with_rule(primal: Callable, **pullbacks: Callable) -> Defect:
    """The rule of this function is another, wrong one."""

    @contextmanager
    def defect() -> Iterator[None]:
        with registry.scope(), registry.removed(primal):
            registry.rule(primal, **pullbacks)
            yield

    return defect


def declared_constant(*primals: Callable) -> Defect:
    """These functions are marked as having no derivative: what goes through them is cut off."""

    @contextmanager
    def defect() -> Iterator[None]:
        with registry.scope():
            registry.constant(*primals)
            yield

    return defect


def raising(primal: Callable, error: type[errors.DifferentiationError], message: str) -> Defect:
    """Calls of this function are refused."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise error(message)

    @contextmanager
    def defect() -> Iterator[None]:
        with registry.scope(), registry.removed(primal):
            registry.procedure(primal)(refuse)
            yield

    return defect


def patched(owner: Any, name: str, wrong: Any) -> Defect:
    """A part of the engine, `owner.name`, does something else; what has been compiled with it is made anew."""

    @contextmanager
    def defect() -> Iterator[None]:
        right = getattr(owner, name)
        with registry.scope():
            setattr(owner, name, wrong)
            registry.generation.bump()
            try:
                yield
            finally:
                setattr(owner, name, right)

    return defect


def on_traced_tier(defect: Defect) -> Defect:
    """The defect in a part that only the traced tier has: the typed one, which would answer instead, is off."""

    @contextmanager
    def both() -> Iterator[None]:
        with switches.off("typed"), defect():
            yield

    return both


# -- arrays by identity ------------------------------------------------------------------------------------------------

_gradient, _pullback, _read = engine.gradient, engine.traced.pullback, structure.read
_with_nodes, _edit = storage.with_nodes, storage.Edit.reverse


def _by_name_only(f: Callable, args: tuple, kwargs: dict, *, implicit: Any = (), **options: Any) -> Any:
    named = {id(value) for value in f.__globals__.values()}
    known = [array if id(array) in named else array.copy() for array in implicit]
    return _pullback(f, args, kwargs, implicit=known, **options)


def _with_a_seed(entry: Any, sweep: Any) -> None:
    _edit(entry, sweep)
    for array, node in sweep.level.implicit.values():
        if node in entry.added:
            sweep.add(node, np.ones_like(array))


class _Again:
    """An entry of the tape that files what a node has collected so far once more."""

    def __init__(self, node: Any) -> None:
        self.node = node

    def reverse(self, sweep: Any) -> None:
        sweep.add(self.node, sweep.bars.get(self.node))


def _nodes_filed_again(level: Any, value: Any) -> tuple[Any, Any]:
    found, nodes = _with_nodes(level, value)
    if nodes is None and found is not value:  # an implicit parameter, read back from an active storage
        level.tape.append(_Again(found.node))
    return found, nodes


def _read_by_identity(sweep: Any, shape: Any) -> Any:
    parts = _read(sweep, shape)
    same = {key: [k for k, s in shape.items.items() if s.value is item.value] for key, item in shape.items.items()}
    return {key: sum(parts[k] for k in keys) for key, keys in same.items()}


def _item_twice(params: Any, index: int) -> Any:
    array = params._arrays[index]
    return array + (array - stop_gradient(array))


def _value_alone(function: Callable, rule: Any, args: tuple, kwargs: dict) -> Any:
    return function(*map(plain, args), **kwargs)


def _copy_of_contents(cell: Any, name: str) -> Any:
    value = cell.cell_contents
    return np.copy(value) if isinstance(value, np.ndarray) else value


def _booked(f: Callable, *args: Any) -> Any:
    found = _gradient(f, *args)
    dict.setdefault({}, id(f), found)
    return found


@contextmanager
def inner_gradient_keeps_its_books_in_the_program() -> Iterator[None]:
    """What an inner gradient finds is filed by identity, by a C function, where the outer one differentiates."""
    with patched(engine, "gradient", _booked)(), registry.removed(dict.setdefault):
        yield


known_by_name_only = patched(engine.traced, "pullback", _by_name_only)
collection_seeds_itself = patched(storage.Edit, "reverse", _with_a_seed)
indexing_credits_twice = patched(implicit.Params, "__getitem__", _item_twice)
refiled_when_read_back = patched(storage, "with_nodes", _nodes_filed_again)
structural_cotangents_end_at_the_object = patched(structured, "apply_to_objects", _value_alone)
summed_by_identity = on_traced_tier(patched(run, "read", _read_by_identity))
cell_hides_its_array = patched(storage.load_cell, "__code__", _copy_of_contents.__code__)
