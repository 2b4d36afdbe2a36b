"""The shape of an argument or a result: taken once, when it enters or leaves, and read back from by identity.

The program may edit a list or an object after it was passed in, so what the sweep reads and seeds follows the shape as
it was: identities, lengths and kinds. A storage that is reached twice has one shape.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from types import MemberDescriptorType, ModuleType
from typing import Any

import numpy as np

from ..errors import CotangentMismatchError
from ..kinds import is_odd, refuse_odd_array
from ..tangents import Tangent, accumulate, is_differentiable, zeros_like
from .attributes import get_attribute, instance_dict
from .calls import call
from .items import getitem
from .levels import Level, Node, Traced, own, plain, root_of
from .primitives import target_of
from .storage import created, found, mirror
from .tape import Sweep, engine_call

__all__ = ["Shape", "enter", "fits", "leave", "like", "read", "seed"]

LEAF, TUPLE, LIST, DICT, OBJECT, NOTHING = "leaf", "tuple", "list", "dict", "object", "nothing"


@dataclass
class Shape:
    """One node of the shape: `value` is the plain value, `target` where a leaf's cotangent is."""

    kind: str
    value: Any
    target: Any = None
    storage: Any = None
    items: dict[Any, Shape] = field(default_factory=dict)


def is_container(value: Any) -> bool:
    """Is this a mutable structure whose fields may have cotangents: a list, a dict, an instance of a user's class?"""
    if isinstance(value, list | deque | dict):
        return True
    if isinstance(value, type | ModuleType | BaseException) or callable(value) and not _has_fields(value):
        return False
    return _has_fields(value)


def _has_fields(value: Any) -> bool:
    kind = type(value)
    if kind.__module__ in ("builtins", "numpy", "functools") or kind.__name__ == "function":
        return False
    return instance_dict(value) is not None or bool(slots_of(kind))


def slots_of(kind: type) -> list[str]:
    """The names of the `__slots__` of a class and its bases."""
    return [n for c in kind.__mro__ for n, m in c.__dict__.items() if type(m) is MemberDescriptorType]


def fields_of(value: Any) -> tuple[Any, dict[Any, Any]]:
    """The storage of a container and its plain items."""
    if isinstance(value, list | deque):
        return value, dict(enumerate(value))
    if isinstance(value, dict):
        return value, dict(value)
    own_dict = instance_dict(value)
    slots = {n: getattr(value, n) for n in slots_of(type(value)) if hasattr(value, n)}
    return (own_dict if own_dict is not None else value), {**slots, **(own_dict or {})}


def shape_of(value: Any, leaf: Any, memo: dict[int, Shape], stored: Any = None) -> Shape:
    """The shape of a value; `leaf` makes each leaf outside a storage, `stored` those inside one."""
    stored = stored or _stored_leaf
    bare = plain(value)
    if isinstance(value, tuple):
        items = {i: shape_of(v, leaf, memo, stored) for i, v in enumerate(value)}
        return Shape(TUPLE, bare, items=items)
    if isinstance(bare, np.ndarray) and is_odd(bare):
        refuse_odd_array(bare, "by")
    if is_differentiable(bare):
        return leaf(value)
    if not is_container(bare):
        return Shape(NOTHING, bare)
    if id(bare) in memo:
        return memo[id(bare)]
    storage, contents = fields_of(bare)
    kind = LIST if isinstance(bare, list | deque) else DICT if isinstance(bare, dict) else OBJECT
    memo[id(bare)] = made = Shape(kind, bare, storage=storage)
    made.items = {key: shape_of(v, stored, memo, stored) for key, v in contents.items()}
    return made


def _stored_leaf(value: Any) -> Shape:
    return Shape(LEAF, plain(value))


# -- arguments --------------------------------------------------------------------------------------------------------


def enter(level: Level, value: Any, memo: dict[int, Shape]) -> tuple[Any, Shape]:
    """An argument as the program gets it at `level`, and its shape; its storages become active."""

    def leaf(v: Any) -> Shape:
        node = Node()
        bare = plain(v)
        if isinstance(bare, np.ndarray):
            _claim(level, bare)
            own(level, bare, node)
        return Shape(LEAF, v, target=node)

    known = len(memo)
    shape = shape_of(value, leaf, memo)
    for made in list(memo.values())[known:]:
        level.active[id(made.storage)] = made.storage
        for item in made.items.values():
            _claim_stored(level, item)
    return _traced(level, value, shape), shape


def _traced(level: Level, value: Any, shape: Shape) -> Any:
    if shape.kind == LEAF:
        return Traced(level, value, shape.target)
    if shape.kind == TUPLE:
        items = [_traced(level, v, shape.items[i]) for i, v in enumerate(value)]
        return value._make(items) if hasattr(value, "_make") else tuple.__new__(type(value), items)
    return value


def _claim(level: Level, array: np.ndarray) -> None:
    """Note the base of an argument; two arguments over one base may be read, not written."""
    base = root_of(array)
    if id(base) in level.owners or id(base) in level.claimed:
        level.shared[id(base)] = base
    level.claimed[id(base)] = base


def _claim_stored(level: Level, shape: Shape) -> None:
    if shape.kind == TUPLE:
        for item in shape.items.values():
            _claim_stored(level, item)
    elif shape.kind == LEAF and isinstance(shape.value, np.ndarray):
        _claim(level, shape.value)


def read(sweep: Sweep, shape: Shape) -> Any:
    """The cotangent of an argument: the same structure, None where nothing has a cotangent."""
    return _read(sweep, shape, None, {})


def _read(sweep: Sweep, shape: Shape, d: Any, memo: dict[int, Any]) -> Any:
    if shape.kind == LEAF:
        return of_its_kind(sweep.bars.get(shape.target) if shape.target is not None else d, shape.value)
    if shape.kind == TUPLE:
        parts = [_read(sweep, s, None if d is None else d[i], memo) for i, s in shape.items.items()]
        if all(p is None for p in parts):
            return None
        return type(shape.value)._make(parts) if hasattr(shape.value, "_make") else tuple(parts)
    if shape.kind == NOTHING:
        return None
    if id(shape) in memo:
        return memo[id(shape)]
    memo[id(shape)] = made = _empty(shape)  # a cycle comes back to it
    entries = sweep.mirrors.get(id(shape.storage))
    if shape.kind == LIST and entries is not None:
        entries = mirror(sweep, shape.storage, len(shape.items))
    parts = {
        key: _read(sweep, s, None if entries is None else found(entries, key), memo) for key, s in shape.items.items()
    }
    if all(p is None or p is made for p in parts.values()):
        memo[id(shape)] = None
        return None
    return _fill(made, parts)


def of_its_kind(d: Any, value: Any) -> Any:
    """A cotangent of an array of no dimensions is an array too, where NumPy's arithmetic has made it a scalar."""
    if d is not None and isinstance(plain(value), np.ndarray) and not isinstance(plain(d), np.ndarray):
        return call(np.asarray, d)
    return d


def _empty(shape: Shape) -> Any:
    """A list, dict or Tangent for the cotangents of a storage, to be filled."""
    if shape.kind == OBJECT:
        return Tangent(type(shape.value).__name__, {})
    return [] if shape.kind == LIST else {}


def _fill(made: Any, parts: dict[Any, Any]) -> Any:
    """Fill it, through the storage layer: outer levels may watch the cotangents."""
    if isinstance(made, list):
        made.extend(plain(part) for part in parts.values())
        return created(made, enumerate(parts.values()))
    storage = made if isinstance(made, dict) else made.__dict__
    storage.update((key, plain(part)) for key, part in parts.items())
    created(storage, parts.items())
    return made


# -- results ----------------------------------------------------------------------------------------------------------


def leave(level: Level, value: Any) -> Shape:
    """The shape of a result, with the targets of its leaves at `level`.

    What is in a list or object is known by that; a list that a primitive has just made holds traced values themselves.
    """

    def leaf(v: Any) -> Shape:
        return Shape(LEAF, plain(v), target=target_of(level, v))

    return shape_of(value, leaf, {}, lambda v: leaf(v) if isinstance(v, Traced) else _stored_leaf(v))


def fits(argument: Any, tangent: Any, path: str) -> None:
    """See that a tangent has the structure, the shapes and the kind of an argument; None stands for zeros.

    Raises:
        CotangentMismatchError: it has not.
    """
    _compare(shape_of(argument, _stored_leaf, {}), tangent, path, "tangent", set())


def _compare(shape: Shape, d: Any, path: str, what: str, seen: set[int]) -> None:
    if d is None or shape.kind == NOTHING or id(shape) in seen:
        return
    if shape.kind == LEAF:
        check(d, plain(shape.value), path, what)
        return
    seen.add(id(shape))
    _check_structure(d, shape, path, what)
    for key, item in shape.items.items():
        label = f"{path}.{key}" if shape.kind == OBJECT else f"{path}[{key!r}]"
        _compare(item, d[key] if shape.kind == TUPLE else _part_of(d, key, shape.kind), label, what, seen)


def seed(sweep: Sweep, shape: Shape, d: Any, path: str = "the result") -> None:
    """Put the cotangent of a result where the sweep starts from.

    Raises:
        CotangentMismatchError: its structure or shape is not that of the result.
    """
    if d is None or shape.kind == NOTHING:
        return
    if shape.kind == LEAF:
        check(d, shape.value, path)
        if shape.target is not None:
            sweep.give(shape.target, d)
        return
    if shape.kind == TUPLE:
        _check_structure(d, shape, path)
        for i, item in shape.items.items():
            seed(sweep, item, d[i], f"{path}[{i}]")
        return
    _check_structure(d, shape, path)
    for key, item in shape.items.items():
        if item.kind == NOTHING:
            continue
        part = _part_of(d, key, shape.kind)
        label = f"{path}.{key}" if shape.kind == OBJECT else f"{path}[{key!r}]"
        entry = _stored_seed(sweep, item, part, label)
        if entry is not None:
            entries = mirror(sweep, shape.storage, len(shape.items) if shape.kind == LIST else None)
            entries[key] = engine_call(accumulate, found(entries, key), entry)


def _stored_seed(sweep: Sweep, shape: Shape, d: Any, path: str) -> Any:
    """What the mirror of a storage gets for one of its items; storages inside it are seeded on their own."""
    if shape.kind == LEAF:
        if d is not None:
            check(d, shape.value, path)
            if shape.target is not None:
                sweep.give(shape.target, d)
                return None
        return d
    if shape.kind == TUPLE and d is not None:
        parts = [_stored_seed(sweep, item, d[i], f"{path}[{i}]") for i, item in shape.items.items()]
        return None if all(p is None for p in parts) else tuple(parts)
    seed(sweep, shape, d, path)
    return None


def _part_of(d: Any, key: Any, kind: str) -> Any:
    if kind == OBJECT and not isinstance(d, dict):
        return get_attribute(d, key) if hasattr(d, key) else None
    if kind == DICT or isinstance(d, dict):
        return getitem(d, key) if key in d else None
    return getitem(d, key)


def _check_structure(d: Any, shape: Shape, path: str, what: str = "cotangent") -> None:
    kind = {TUPLE: list | tuple, LIST: list | tuple | deque, DICT: dict, OBJECT: object}[shape.kind]
    fits = isinstance(plain(d), kind) and not (shape.kind == OBJECT and is_differentiable(plain(d)))
    if fits and shape.kind in (TUPLE, LIST):
        fits = len(d) == len(shape.items)
    elif fits and isinstance(d, dict):
        fits = d.keys() <= shape.items.keys()
    if not fits:
        size, name = len(shape.items), type(shape.value).__name__
        expected = {
            TUPLE: f"a tuple of {size}", LIST: f"a list of {size}", OBJECT: f"a {name}",
            DICT: f"a dict with the keys {', '.join(map(repr, shape.items))}",
        }  # fmt: skip
        raise CotangentMismatchError(
            f"{path} is {expected[shape.kind]}; its {what} is {plain(d)!r:.60}.\n"
            f"  Way out: give the same structure, None for parts without a {what}."
        )


def check(d: Any, value: Any, path: str, what: str = "cotangent") -> None:
    """A cotangent must be a number or array of its primal's shape, and a real one if its primal is real."""
    bare = plain(d)
    expected = f"an array of shape {np.shape(value)}" if isinstance(value, np.ndarray) else "a number"
    if not isinstance(bare, np.ndarray | np.generic | int | float | complex) or not _is_numeric(bare):
        raise CotangentMismatchError(
            f"{path} is {expected}; its {what} is {bare!r:.60}.\n  Way out: give {expected}"
            + (", np.array of the list." if isinstance(bare, list | tuple) else ".")
        )
    if isinstance(bare, np.ndarray) and is_odd(bare):
        raise CotangentMismatchError(
            f"{path} is {expected}; its {what} is a {type(bare).__name__}, whose operators the rules do not know.\n"
            f"  Way out: np.asarray of it."
        )
    if np.shape(bare) != np.shape(value):
        raise CotangentMismatchError(
            f"{path} has shape {np.shape(value)}, its {what} has shape {np.shape(bare)}; give one of the same shape"
        )
    if np.iscomplexobj(bare) and not np.iscomplexobj(value):
        raise CotangentMismatchError(
            f"{path} is real, and its {what} is complex.\n  Way out: give a real one; that of a real number has no "
            f"imaginary part."
        )


def _is_numeric(value: Any) -> bool:
    return value.dtype.kind in "fciu" if isinstance(value, np.ndarray | np.generic) else not isinstance(value, bool)


# -- gradients of several calls, leaf by leaf -------------------------------------------------------------------------


def like(argument: Any, gradients: list[Any], combine: Any) -> Any:
    """combine(leaf, its gradients) for each leaf of one argument (zeros for None), in the argument's structure."""
    bare = plain(argument)
    if is_differentiable(bare):
        return combine(bare, [zeros_like(bare) if g is None else g for g in gradients])
    if isinstance(bare, tuple):
        parts = [
            like(v, [None if g is None else getitem(g, i) for g in gradients], combine) for i, v in enumerate(argument)
        ]
        return type(bare)._make(parts) if hasattr(bare, "_make") else tuple(parts)
    if not is_container(bare):
        return None
    _, contents = fields_of(bare)
    kind = LIST if isinstance(bare, list | deque) else DICT if isinstance(bare, dict) else OBJECT
    made = {
        key: like(v, [None if g is None else _part_of(g, key, kind) for g in gradients], combine)
        for key, v in contents.items()
    }
    return _fill(_empty(Shape(kind, bare)), made)
