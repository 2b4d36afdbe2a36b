"""Mistakes in derivatives of derivatives and in forward mode, put back into the reference engine.

Made as those in `defects` are: what is confused between levels of differentiation, what is cut off between them, and
rules that are right once and cannot be differentiated again. The typed tier, which merges the levels, is off meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import engine
import engine.traced
from engine.api import _LevelAware
from engine.rules import registry
from engine.traced import primitives, run, tape
from engine.traced.levels import Traced, live, plain

from . import Defect, on_traced_tier, patched, with_rule
from .state import together, traced, writes_refused

__all__ = [
    "captured_values_count_as_the_argument",
    "forward_rule_missing",
    "inner_level_ends_the_outer_one",
    "levels_cannot_be_ordered",
    "result_is_constant",
    "rows_look_at_each_other",
    "rule_fails_when_differentiated",
    "rule_writes_in_place",
    "second_pass_meets",
    "ties_share_at_every_order",
    "with_new_rule",
    "zeros_are_left_out",
]


def with_new_rule(function: Callable, **pullbacks: Callable) -> Defect:
    """A function that needs no rule has one, a wrong one."""

    @contextmanager
    def defect() -> Iterator[None]:
        with registry.scope():
            registry.rule(function, **pullbacks)
            yield

    return defect


# -- levels ------------------------------------------------------------------------------------------------------------

_pullback, _target_of, _enter = engine.traced.pullback, primitives.target_of, run.enter


class _Closed(list):
    def append(self, entry: Any) -> None:
        pass


def _closing(f: Callable, args: tuple, kwargs: dict, **options: Any) -> Any:
    found = _pullback(f, args, kwargs, **options)
    for level in live.levels:
        level.tape = _Closed(level.tape)
    return found


inner_level_ends_the_outer_one = on_traced_tier(patched(engine.traced, "pullback", _closing))
"""Levels are not told apart when one of them ends: what the outer one does from then on is not recorded."""


def _entered(level: Any, value: Any, memo: Any) -> Any:
    found = _enter(level, value, memo)
    level.argument = found[1].target
    return found


def _any_argument(level: Any, value: Any) -> Any:
    target = _target_of(level, value)
    return level.argument if target is None and type(value) is Traced else target


captured_values_count_as_the_argument = on_traced_tier(
    together(patched(run, "enter", _entered), patched(primitives, "target_of", _any_argument))
)
"""Perturbation confusion: what an inner function captures and an outer derivative follows is taken for its argument."""


def _unordered(level: Any, value: Any) -> Any:
    target = _target_of(level, value)
    if target is None and type(value) is Traced and level.depth > 0:
        raise RuntimeError("cannot determine the order of two tags; is this perturbation confusion?")
    return target


levels_cannot_be_ordered = traced(primitives, "target_of", _unordered)
"""A value of an outer level in an operation of an inner one is refused."""


def result_is_constant(name: str) -> Defect:
    """What this function of the public face returns, or the function that it makes, carries no derivative."""
    right = getattr(engine, name)

    def cut(*args: Any) -> Any:
        made = right(*args)
        return _LevelAware(lambda *given: plain(made(*given))) if callable(made) else plain(made)

    return on_traced_tier(patched(engine, name, _LevelAware(cut)))


zeros_are_left_out = on_traced_tier(patched(engine.api, "_zeros_for_none", lambda gradient, argument: gradient))
"""Where nothing depends on an argument, the spelling that promises zeros says nothing instead."""

_sweep = run.Pullback.sweep


def _all_rows(self: Any, d: Any, counts: Any = None, careful: bool = False) -> Any:
    return _sweep(self, d)


rows_look_at_each_other = traced(run.Pullback, "sweep", _all_rows)
"""For a row of a Jacobian the other outputs have cotangents of zero, as if somebody looked at them."""

# -- rules of rules ----------------------------------------------------------------------------------------------------

_transformed = tape.transformed_call


def second_pass_meets(error: Exception, *functions: Callable) -> Defect:
    """What the engine does in a sweep (these functions of it, or any) has no derivative: this error ends it."""

    def refuse(function: Callable, *args: Any, **kwargs: Any) -> Any:
        if not functions or function in functions:
            raise error
        return _transformed(function, *args, **kwargs)

    return traced(tape, "transformed_call", refuse)


def rule_fails_when_differentiated(primal: Callable, error: Exception) -> Defect:
    """The pullback of this function is good for one derivative; another level on top of it meets this error."""
    apply = tape.Sweep.apply

    def refuse(sweep: Any, operation: Any, d: Any) -> None:
        if live.levels and operation.rule.primal is primal:
            raise error
        apply(sweep, operation, d)

    return traced(tape.Sweep, "apply", refuse)


def forward_rule_missing(primal: Callable, error: Exception) -> Defect:
    """This function has a rule for reverse mode only."""
    apply = tape.Sweep.apply

    def refuse(sweep: Any, operation: Any, d: Any) -> None:
        if live.levels and live.levels[-1].transposing and operation.rule.primal is primal:
            raise error
        apply(sweep, operation, d)

    return traced(tape.Sweep, "apply", refuse)


def _shares(sweep: Any, operation: Any, name: str, d: Any) -> Any:
    return sweep.pulled(operation, operation.rule.pullbacks[name], d)


ties_share_at_every_order = traced(tape.Sweep, "pulled_back", _shares)
"""What ties for a maximum or minimum gets a mean of slopes, in derivatives of derivatives too."""


def rule_writes_in_place(primal: Callable, **pullbacks: Callable) -> Defect:
    """The pullback of this function fills an array, and a write cannot be differentiated."""
    return together(with_rule(primal, **pullbacks), writes_refused("Mutating arrays is not supported"))
