"""Mistakes about the course a program takes, put back into the reference engine: loops, branches, calls, captures.

Made as those in `defects` are. Those in the reverse of a loop or branch as a whole are mistakes of the typed tier,
which has such a thing; those about a single operation or captured variable are mistakes of the tier that records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import engine
from engine.api import _LevelAware
from engine.traced import builtins, items, rewrite, statements, storage, tape
from engine.traced.calls import call
from engine.traced.levels import live, plain
from engine.typed import adjoint, doubts, emit
from engine.typed.core import Block, Let, Loop, Var, substitute

from . import Defect, on_traced_tier, patched
from .state import in_runtime, together, traced, with_procedure

__all__ = [
    "assigned_one_after_the_other",
    "captured_values_are",
    "cotangents_of_iterations_are_kept",
    "derivatives_inside_are",
    "first_product_gets",
    "known_after_one_round",
    "loops_keep_their_initial_values",
    "mapped_in_forward_order",
    "operands_of_the_last_iteration",
    "read_elements_are_constants",
    "reverse_of_a_branch_fails",
    "reverse_of_a_loop_fails",
    "rewritten_with",
    "rows_are_constants",
    "sweep_recurses",
    "sweeps_inside_fail",
]


# -- loops and branches as a whole: the typed tier ---------------------------------------------------------------------

_reverse_loop, _reverse_if = adjoint.Sweep.reverse_loop, adjoint.Sweep.reverse_if
_pullbacks_of, _spread_activity = adjoint.pullbacks_of, adjoint._spread_activity


def reverse_of_a_loop_fails(error: Exception, when: Callable[[Loop], bool]) -> Defect:
    """There is no adjoint of such loops, and the attempt ends in this error."""

    def refuse(sweep: Any, loop: Loop, cotangents: dict) -> None:
        if when(loop):
            raise error
        _reverse_loop(sweep, loop, cotangents)

    return patched(adjoint.Sweep, "reverse_loop", refuse)


def reverse_of_a_branch_fails(error: Exception, when: Callable[[Any], bool]) -> Defect:
    """There is no adjoint of such branches, and the attempt ends in this error."""

    def refuse(sweep: Any, branch: Any, cotangents: dict) -> None:
        if when(branch):
            raise error
        _reverse_if(sweep, branch, cotangents)

    return patched(adjoint.Sweep, "reverse_if", refuse)


def _with_initial_values(lowerer: Any, stmt: Let, d: Any, wanted: set) -> list:
    loops = [s for s in lowerer.block.stmts if type(s) is Loop]
    initial = {c.out: c.init for loop in loops for c in loop.carried}
    start = len(lowerer.block.stmts)
    found = _pullbacks_of(lowerer, stmt, d, wanted)
    added = Block()
    added.stmts = lowerer.block.stmts[start:]
    substitute(added, initial)
    return [(v, initial.get(c, c) if type(c) is Var else c) for v, c in found]


loops_keep_their_initial_values = together(
    patched(adjoint, "pullbacks_of", _with_initial_values),
    partial(np.errstate, divide="ignore"),  # an error made of a warning would be left to the other tier
)
"""What follows a loop is differentiated with the values that its variables had before it."""


def _one_round(stmts: list, active: set) -> None:
    for stmt in stmts:
        if type(stmt) is not Loop:
            _spread_activity([stmt], active)
            continue
        active.update(x.elem for x in stmt.xs if x.seq in active)
        active.update(c.param for c in stmt.carried if c.init in active)
        _one_round(stmt.body.stmts, active)
        active.update(c.out for c in stmt.carried if {c.param, c.init} & active)


known_after_one_round = patched(adjoint, "_spread_activity", _one_round)
"""A loop variable that starts as a constant is taken for one: its body is looked at once, not until nothing changes."""


def _one_by_one(emitter: Any, targets: list[str], values: list) -> list:
    return [made for target, value in zip(targets, values, strict=True) for made in _assign(emitter, [target], [value])]


_assign = emit.Emitter.assign

assigned_one_after_the_other = together(
    patched(emit.Emitter, "assign", _one_by_one), patched(doubts, "has_zeros", lambda gradients: False)
)
"""Loop variables that change together are assigned in turn, and the later ones see the new values of the earlier.

The zeros that come of it are believed: the other tier is not asked whether they stand for no dependence."""


def _kept(sweep: Any, loop: Loop, cotangents: dict) -> None:
    _reverse_loop(sweep, loop, cotangents)
    names = {adjoint.bar(c.param) for c in loop.carried}
    reverse = sweep.lowerer.block.stmts[-1]
    outside, sweep.lowerer.block = sweep.lowerer.block, reverse.body
    for c in reverse.carried:
        if c.param.hint in names:
            c.next = adjoint.accumulate(sweep.lowerer, c.param, c.next, c.param)
    sweep.lowerer.block = outside


cotangents_of_iterations_are_kept = patched(adjoint.Sweep, "reverse_loop", _kept)
"""The cotangent that an iteration starts with is not used up: what the iteration finds is added to it."""


# -- operations, one by one: the tier that records ---------------------------------------------------------------------

_apply = tape.Sweep.apply


def _of_the_last(sweep: Any, operation: Any, d: Any) -> None:
    if operation.rule.partials:
        last = sweep.__dict__.setdefault("last", {}).setdefault((operation.place, operation.rule.primal), operation)
        operation = tape.Operation(
            operation.rule, last.args, operation.kwargs, last.out, operation.targets, operation.nodes, operation.place
        )
    _apply(sweep, operation, d)


operands_of_the_last_iteration = traced(tape.Sweep, "apply", _of_the_last)
"""A line keeps one set of operands and results for its arithmetic: those of the last time that it ran."""


def first_product_gets(change: Callable[[Any, Any], Any]) -> Defect:
    """The last multiplication that ran is pulled back at `change(d, operation)`."""

    def apply(sweep: Any, operation: Any, d: Any) -> None:
        if operation.rule.primal.__name__ == "mul" and not sweep.__dict__.setdefault("changed", False):
            sweep.changed = True
            d = change(d, operation)
        _apply(sweep, operation, d)

    return traced(tape.Sweep, "apply", apply)


def _by_recursion(sweep: Any) -> None:
    def walk(entries: Iterator[Any]) -> None:
        entry = next(entries, None)
        if entry is not None:
            entry.reverse(sweep)
            walk(entries)

    walk(reversed(sweep.level.tape))


sweep_recurses = traced(tape.Sweep, "run", _by_recursion)
"""The way back takes one frame of the stack for each operation."""

_run = tape.Sweep.run


def sweeps_inside_fail(error: Exception, levels: int = 1) -> Defect:
    """A way back that this many levels are watching ends in this error."""

    def refuse(sweep: Any) -> None:
        if len(live.levels) >= levels:
            raise error
        _run(sweep)

    return traced(tape.Sweep, "run", refuse)


read_elements_are_constants = in_runtime("getitem", lambda container, index: plain(items.getitem(container, index)))
"""What is read from an array or container by its index is a constant."""

rows_are_constants = traced(items, "_rows", lambda array: iter(plain(array)))
"""The elements that a loop over an array goes through are constants."""


# -- calls and captured variables --------------------------------------------------------------------------------------


class _InForwardOrder:
    """The entries of calls in a row, each call walked backwards, but the calls themselves first to last."""

    selects = False

    def __init__(self, calls: list[list]) -> None:
        self.calls = calls

    def reverse(self, sweep: Any) -> None:
        for entries in self.calls:
            for entry in reversed(entries):
                entry.reverse(sweep)


def _mapped(function: Callable, *iterables: Any) -> Iterator[Any]:
    tape_, calls, results = live.levels[-1].tape, [], []
    rows = list(builtins._zip(iterables))
    for row in rows:
        start = len(tape_)
        results.append(call(function, *row))
        calls.append(tape_[start:])
        del tape_[start:]
    tape_.append(_InForwardOrder(calls))
    return builtins.lazily(iter(results))


mapped_in_forward_order = with_procedure(map, _mapped)
"""map() takes its function for pure: the pullbacks of its calls run first to last."""


def captured_values_are(change: Callable[[Any], Any]) -> Defect:
    """What is read from a captured variable is `change(value)`, where the value may carry a derivative."""
    return in_runtime("load_cell", lambda cell, name: change(storage.load_cell(cell, name)))


def derivatives_inside_are(change: Callable[..., tuple]) -> Defect:
    """A gradient that a differentiated program takes of f at args is `change(f, *args)`."""
    right = engine.gradient

    def gradient(f: Callable, *args: Any) -> Any:
        return change(f, *args) if live.levels else right(f, *args)

    return on_traced_tier(patched(engine, "gradient", _LevelAware(gradient)))


def rewritten_with(**handlers: Callable) -> Defect:
    """Statements and expressions are rewritten by other handlers: on_if=..., of_call=..."""
    parts = [patched(statements.Rewriter, name, handler) for name, handler in handlers.items()]
    return on_traced_tier(together(patched(rewrite, "_factories", {}), *parts))
