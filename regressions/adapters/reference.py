"""The reference engine, asked in three ways: its gradient, its pullback, and its gradient on the traced tier alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import engine
from engine import errors, switches
from engine.rules import registry
from engine.tangents import Tangent

from ..case import NEEDS, Rules, fields
from . import Adapter

__all__ = ["ADAPTERS", "Reference"]

KINDS = {
    errors.ForeignCallError: "foreign-call",
    errors.MutationError: "mutation",
    errors.UnsupportedSyntaxError: "unsupported",
    errors.SourceError: "source",
    errors.ArgumentError: "argument",
}


class Reference(Adapter):
    """The engine as people use it: `gradient`, one joint function for value and reverse sweep."""

    name = "reference"
    capabilities = frozenset(NEEDS)
    face = engine
    keeps_conventions = has_none = True

    def vjp(self, f: Callable, *args: Any) -> tuple[Any, Callable[[Any], tuple]]:
        value, back = engine.pullback(f, *args)
        return value, lambda seed: neutral(back(seed))

    def gradient(self, f: Callable, *args: Any) -> tuple[Any, tuple]:
        value, cotangents = engine.value_and_gradient(f, *args)
        return value, neutral(cotangents)

    def value(self, program: Callable, *args: Any) -> Any:
        return neutral(super().value(program, *args))

    def implicit(self, f: Callable[[], Any], arrays: Sequence[Any]) -> tuple[Any, tuple]:
        value, grads = engine.value_and_gradient(f, engine.Params(arrays))
        return value, tuple(cotangent for _, cotangent in grads.items())

    @contextmanager
    def given(self, rules: Rules) -> Iterator[None]:
        with registry.scope():
            for primal, pullbacks in rules:
                registry.rule(primal, **pullbacks) if pullbacks else registry.constant(primal)
            yield

    def kind_of(self, error: Exception) -> str:
        return next((kind for cls, kind in KINDS.items() if isinstance(error, cls)), "crash")


class ByPullback(Reference):
    """The same engine by `pullback`: value first, reverse sweep when asked for."""

    name = "reference-pullback"
    capabilities = frozenset(NEEDS) - {"implicit"}
    answers = frozenset({"gradient"})
    gradient = Adapter.gradient


class OnTracedTier(Reference):
    """The same engine without its typed tier."""

    name = "reference-traced"

    def value(self, program: Callable, *args: Any) -> Any:
        with switches.off("typed"):
            return super().value(program, *args)

    def gradient(self, f: Callable, *args: Any) -> tuple[Any, tuple]:
        with switches.off("typed"):
            return super().gradient(f, *args)

    def implicit(self, f: Callable[[], Any], arrays: Sequence[Any]) -> tuple[Any, tuple]:
        with switches.off("typed"):
            return super().implicit(f, arrays)


def neutral(cotangent: Any) -> Any:
    """The cotangent with `fields` in the place of the engine's own `Tangent`."""
    if isinstance(cotangent, Tangent):
        return fields(**{name: neutral(part) for name, part in cotangent._fields().items()})
    if isinstance(cotangent, tuple) and hasattr(cotangent, "_fields"):
        return type(cotangent)(*map(neutral, cotangent))
    if isinstance(cotangent, tuple | list):
        return type(cotangent)(map(neutral, cotangent))
    if isinstance(cotangent, dict):
        return {key: neutral(part) for key, part in cotangent.items()}
    return cotangent


ADAPTERS = [Reference(), ByPullback(), OnTracedTier()]
