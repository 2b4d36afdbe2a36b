"""Mistakes in following mutable state, put back into the reference engine: written arrays, their views, lists, dicts.

Made as those in `defects` are. All are mistakes of the tier that records; the other one is off for as long.
"""

from __future__ import annotations

import copy
import operator
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from engine import tangents
from engine.api import _LevelAware
from engine.errors import MutationError
from engine.rules import registry
from engine.traced import arrays, calls, containers, items, primitives, run, runtime, storage, structure, tape
from engine.traced.calls import call
from engine.traced.levels import live, plain

from . import Defect, on_traced_tier, patched

__all__ = [
    "additions_through_a_view_are_lost",
    "appended_values_get",
    "attributes_of_results_are_lost",
    "buffers_are_not_zeroed",
    "by_a_rule",
    "chunks_overwrite",
    "collected_items_are_cut_off",
    "comprehension_refused",
    "copies_are_stored_for_cotangents",
    "cotangents_are_dropped_in",
    "cotangents_of_lists_are_concatenated",
    "dict_read_without_its_key",
    "dictionaries_do_not_add",
    "entries_cannot_hold_arrays",
    "entries_start_undefined",
    "every_writer_wins",
    "first_cotangent_becomes_the_buffer",
    "gradients_share_memory",
    "in_runtime",
    "nothing_is_rolled_back",
    "overwritten_values_are_looked_at",
    "partial_sums_are_kept",
    "reads_are_lost",
    "result_clears_its_operands",
    "structures_do_not_add",
    "sums_are",
    "together",
    "traced",
    "with_procedure",
    "writers_numbered_in_their_dtype",
    "writes_object",
    "writes_refused",
    "written_values_get_zero",
]


def traced(owner: Any, name: str, wrong: Any) -> Defect:
    """A part of the recording tier, `owner.name`, does something else."""
    return on_traced_tier(patched(owner, name, wrong))


def together(*defects: Defect) -> Defect:
    """Several changes that make one mistake."""

    @contextmanager
    def all_of_them() -> Iterator[None]:
        with ExitStack() as stack:
            for defect in defects:
                stack.enter_context(defect())
            yield

    return all_of_them


def with_procedure(primal: Callable, wrong: Callable) -> Defect:
    """Calls of this function run something else."""

    @contextmanager
    def defect() -> Iterator[None]:
        with registry.scope(), registry.removed(primal):
            registry.procedure(primal)(wrong)
            yield

    return on_traced_tier(defect)


def by_a_rule(function: Callable, **pullbacks: Callable) -> Defect:
    """This function of the program is not followed: it has a rule, and that is wrong."""

    @contextmanager
    def defect() -> Iterator[None]:
        with registry.scope():
            registry.rule(function, **pullbacks)
            yield

    return on_traced_tier(defect)


def in_runtime(name: str, wrong: Callable) -> Defect:
    """Rewritten code calls something else for an operation of the language."""

    @contextmanager
    def defect() -> Iterator[None]:
        right = runtime.RUNTIME[name]
        runtime.RUNTIME[name] = wrong
        try:
            yield
        finally:
            runtime.RUNTIME[name] = right

    return on_traced_tier(defect)


def passing(pullback: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    """x, as a function whose pullback is `pullback(d, x)`."""

    def same(x: Any) -> Any:
        return copy.copy(x)

    def through(value: Any) -> Any:
        if registry.lookup(same) is None:
            registry.rule(same, x=lambda d, out, x: pullback(d, x))
        return call(same, value)

    return through


# -- writes to arrays --------------------------------------------------------------------------------------------------

_store, _view_add = arrays.store, arrays.View.add


def writes_object(objection: Callable[[Any, Any, Any], None], *, in_sweep: bool = False) -> Defect:
    """Before each write of the program (or of the sweep), `objection(array, index, value)` may raise."""

    def store(array: Any, index: Any, value: Any) -> None:
        if bool(live.levels) is not in_sweep:
            objection(array, index, value)
        _store(array, index, value)

    return traced(arrays, "store", store)


def writes_refused(message: str) -> Defect:
    """No write to an array is followed."""

    def refuse(array: Any, index: Any, value: Any) -> None:
        raise MutationError(message)

    return writes_object(refuse)


def _without_restoring(array: Any, index: Any, value: Any) -> None:
    clears_the_buffer = isinstance(value, int) and value == 0
    if live.levels or clears_the_buffer:
        _store(array, index, value)


nothing_is_rolled_back = traced(arrays, "store", _without_restoring)
"""The sweep reads arrays as they are at the end, not as they were when they were used."""

written_values_get_zero = traced(arrays, "stored_cotangent", lambda d, value: 0 * tangents.stored_cotangent(d, value))
"""A buffer counts as a constant: what the sweep finds for it never reaches what was written into it."""

every_writer_wins = traced(arrays, "_winners", lambda array, index: np.ones(array[index].shape))
"""All values that are stored to one element receive its cotangent, not the last alone."""


def _numbered_in_dtype(array: np.ndarray, index: Any) -> np.ndarray:
    numbers = np.arange(array[index].size).reshape(array[index].shape).astype(array.dtype)
    order = np.zeros_like(array)
    order[index] = numbers
    return (order[index] == numbers).astype(array.dtype)


writers_numbered_in_their_dtype = traced(arrays, "_winners", _numbered_in_dtype)
"""Who wrote last is decided by numbers in the dtype of the values, too coarse for many writers."""

overwritten_values_are_looked_at = traced(run, "selects", lambda level: False)
"""Nothing asks which values are looked at: one that is overwritten has a cotangent of zero, as if it were."""


def _bases_only(view: Any, sweep: Any, d: Any) -> None:
    if view.array is view.base:
        _view_add(view, sweep, d)


additions_through_a_view_are_lost = traced(arrays.View, "add", _bases_only)
"""What a view gets for being read is not added to the buffer of its base."""


def _taken_as_it_is(view: Any, sweep: Any, d: Any) -> None:
    if view.array is view.base and id(view.base) not in sweep.shadows and isinstance(d, np.ndarray):
        sweep.shadows[id(view.base)] = d
    else:
        _view_add(view, sweep, d)


first_cotangent_becomes_the_buffer = traced(arrays.View, "add", _taken_as_it_is)
"""The first cotangent of a written array is its buffer from then on, whoever owns it; a write clears it."""


@contextmanager
def _sources_as_stores() -> Iterator[None]:
    sources: dict[int, tuple[Any, Any]] = {}

    def note(made: Any, source: Any) -> None:
        if isinstance(source, np.ndarray) and source.shape == made.shape:
            sources[id(arrays.root_of(made))] = made, source

    def copied(array: Any, order: str = "C") -> Any:
        made = call(np.copy, array, order)
        note(plain(made), array)
        return made

    def store(array: Any, index: Any, value: Any) -> None:
        _store(array, index, value)
        if live.levels:
            note(plain(array), value)

    def shadow(sweep: Any, base: np.ndarray) -> np.ndarray:
        if id(base) not in sweep.shadows and id(base) in sources:
            sweep.shadows[id(base)] = sources[id(base)][1]
            sweep.shadows[id(base)][...] = 0
        return _shadow(sweep, base)

    right = calls.METHODS["copy"]
    calls.METHODS["copy"] = _LevelAware(copied)
    try:
        with patched(arrays, "store", store)(), patched(arrays, "shadow", shadow)():
            yield
    finally:
        calls.METHODS["copy"] = right


_shadow = arrays.shadow

copies_are_stored_for_cotangents = on_traced_tier(_sources_as_stores)
"""An array that was filled from a constant keeps its cotangent in that constant."""


# -- sums of cotangents ------------------------------------------------------------------------------------------------


def sums_are(wrong: Callable[[Any, Any], Any]) -> Defect:
    """Where a value is used more than once, its cotangents a, b are joined by `wrong(a, b)`."""

    def accumulate(a: Any, b: Any) -> Any:
        return tangents.accumulate(a, b) if a is None or b is None else wrong(a, b)

    return traced(tape, "accumulate", accumulate)


gradients_share_memory = traced(run, "owned", lambda gradient: gradient)
"""The gradients are the buffers of the sweep, not copies."""

_apply_back = tape.Sweep.apply


def _cleared(sweep: Any, operation: Any, d: Any) -> None:
    _apply_back(sweep, operation, d)
    if operation.rule.primal is operator.mul:
        for target in operation.targets:
            if target in sweep.bars:
                sweep.bars[target] = 0 * sweep.bars[target]


result_clears_its_operands = traced(tape.Sweep, "apply", _cleared)
"""A result shares its adjoint with the operand that its name was bound to before, and clears it when it is done."""


_add, _add_at = tape.Sweep.add, tape.Sweep.add_at


def _kept_to_the_end(sweep: Any, target: Any, d: Any) -> None:
    sweep.__dict__.setdefault("left", []).append(sweep.bars.get(target))
    _add(sweep, target, d)


partial_sums_are_kept = traced(tape.Sweep, "add", _kept_to_the_end)
"""Each sum of cotangents is a new array, and the old ones live as long as the sweep."""


def chunks_overwrite(length: int) -> Defect:
    """Cotangents of one value are summed in chunks of this length, and a chunk replaces the one before."""

    def add(sweep: Any, target: Any, d: Any) -> None:
        counts = sweep.__dict__.setdefault("counts", Counter())
        counts[target] += 1
        if counts[target] > length:
            counts[target] = 1
            sweep.take(target)
        _add(sweep, target, d)

    return traced(tape.Sweep, "add", add)


def _on_top_of_garbage(sweep: Any, node: Any, like: np.ndarray, index: Any, d: Any) -> None:
    if node not in sweep.bars:
        sweep.bars[node] = np.full_like(like, np.nan)
    _add_at(sweep, node, like, index, d)


buffers_are_not_zeroed = traced(tape.Sweep, "add_at", _on_top_of_garbage)
"""The buffer that the parts of an array add their cotangents to starts with what the memory holds: NaN, say."""


# -- lists and dicts ---------------------------------------------------------------------------------------------------


def appended_values_get(pullback: Callable[[Any, Any], Any]) -> Defect:
    """What is appended to a list gets `pullback(d, value)` in the place of its own cotangent d."""
    through = passing(pullback)
    return with_procedure(list.append, lambda sequence, value: containers.append(sequence, through(value)))


class _Undefined:
    def __add__(self, other: Any) -> Any:
        raise NameError("access to undefined reference")


def entries_with(empty: Callable[[int], Any]) -> Defect:
    """The cotangents of a list are kept in `empty(length)`."""

    def mirror(sweep: Any, storage_: Any, size: int | None) -> Any:
        if size is None:
            return _mirror(sweep, storage_, size)
        return sweep.mirrors.setdefault(id(storage_), empty(size))

    return traced(storage, "mirror", mirror)


_mirror = storage.mirror

entries_start_undefined = entries_with(lambda size: [_Undefined()] * size)
entries_cannot_hold_arrays = entries_with(np.zeros)


def _one_dictionary(sweep: Any, storage_: Any, size: int | None) -> Any:
    if size is None:
        assert all(key == id(storage_) for key, kept in sweep.mirrors.items() if isinstance(kept, dict)), (
            "cannot add the gradients of two dictionaries"
        )
    return _mirror(sweep, storage_, size)


dictionaries_do_not_add = traced(storage, "mirror", _one_dictionary)

dict_read_without_its_key = traced(items._Items, "__iter__", lambda view: (view.make() for _ in view.mapping))
"""The walk over the values or items of a dict looks each up without saying which."""

_read = structure.read


def _put_in_front(entry: Any, sweep: Any) -> None:
    d = storage.collect(sweep, entry.nodes)
    if d is not None:
        sweep.mirrors.setdefault(id(entry.storage), []).insert(0, d)


def _mirrored(sweep: Any, shape: Any) -> Any:
    inner = [
        sweep.mirrors.get(id(item.storage)) if item.kind == structure.LIST else None for item in shape.items.values()
    ]
    own = list(sweep.mirrors.get(id(shape.storage), ()))
    return [own.pop(0) if part is None else part for part in inner]


cotangents_of_lists_are_concatenated = on_traced_tier(
    together(patched(storage.Load, "reverse", _put_in_front), patched(run, "read", _mirrored))
)
"""Two cotangents of one list are joined by +, which for lists means one after the other."""


def _lost_read(entry: Any, sweep: Any) -> None:
    storage.collect(sweep, entry.nodes)


def cotangents_are_dropped_in(entry: type) -> Defect:
    """Entries of this kind on the tape lose what they are given."""
    return traced(entry, "reverse", _lost_read)


def reads_are_lost(when: Callable[[storage.Load], bool] = lambda entry: True) -> Defect:
    """What is read from lists, dicts and objects, where `when(entry)` holds, has no cotangent."""
    reverse = storage.Load.reverse
    return traced(storage.Load, "reverse", lambda entry, sweep: (_lost_read if when(entry) else reverse)(entry, sweep))


def _sum_of_structures(a: Any, b: Any) -> Any:
    if a is not None and b is not None:
        raise TypeError("unsupported operand type(s) for +: 'Tangent' and 'Tangent'")
    return b if a is None else a


structures_do_not_add = traced(storage, "accumulate", _sum_of_structures)
"""There is no sum of two cotangents of one object, list or dict."""


def _cut_off(made: Any, pairs: Any) -> Any:
    list(pairs)
    return made


collected_items_are_cut_off = traced(items, "created", _cut_off)
"""A list or dict that a comprehension or a display has made is a constant."""


def comprehension_refused(error: Exception) -> Defect:
    """A list or dict with derivatives in it cannot be made."""

    def refuse(made: Any, pairs: Any) -> Any:
        if any(primitives.is_active(value) for _, value in pairs):
            raise error
        return made

    return traced(items, "created", refuse)


_apply = calls.apply


def _bare_tuple(function: Callable, rule: Any, args: tuple, kwargs: dict, depth: int | None = None) -> Any:
    out = _apply(function, rule, args, kwargs, depth)
    return tuple(out) if isinstance(out, tuple) else out


attributes_of_results_are_lost = traced(calls, "apply", _bare_tuple)
"""The named tuple that a primitive returns becomes a plain one."""
