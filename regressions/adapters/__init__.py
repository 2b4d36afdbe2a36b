"""How an engine is plugged in: one derivative primitive, what it can do, and how its answers and errors are read.

An adapter is a class below `Adapter` in a module of its own, `adapters/<engine>.py`, which alone imports that engine,
and names its ways of being asked in `ADAPTERS`: the first is the engine as people use it, the others are further
routes to the same answer, which must agree with it.
"""

from __future__ import annotations

import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any, ClassVar

from ..case import Rules

__all__ = ["Adapter", "UnknownEngine", "adapters_of", "engine_names"]


class UnknownEngine(LookupError):
    """There is no adapter of that name; the message lists those there are."""


class Adapter(ABC):
    """One way of asking one engine."""

    name: ClassVar[str]
    capabilities: ClassVar[frozenset[str]]  # of case.NEEDS
    face: Any  # what a program that takes a derivative itself receives as `ad`: gradient, Params

    @abstractmethod
    def vjp(self, f: Callable, *args: Any) -> tuple[Any, Callable[[Any], tuple]]:
        """f(*args), and the function from the cotangent of that value to one cotangent an argument."""

    def gradient(self, f: Callable, *args: Any) -> tuple[Any, tuple]:
        """f(*args), and one cotangent an argument, None where nothing depends and `fields` for an object."""
        value, pullback = self.vjp(f, *args)
        return value, pullback(1.0)

    def implicit(self, f: Callable[[], Any], arrays: Sequence[Any]) -> tuple[Any, tuple]:
        """f(), and one cotangent for each array known by identity; for engines that can do "implicit"."""
        raise NotImplementedError(f"{self.name} declares no implicit parameters")

    def given(self, rules: Rules) -> AbstractContextManager:
        """The context in which these rules hold; for engines that can do "rules"."""
        raise NotImplementedError(f"{self.name} declares no rules of one's own")

    def kind_of(self, error: Exception) -> str:
        """Which of case.KINDS the engine means by this exception."""
        return "crash"


def engine_names() -> list[str]:
    """The engines there are adapters for."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def adapters_of(engine: str) -> list[Adapter]:
    """The ways of asking `engine`; the first is the one people use.

    Raises:
        UnknownEngine: there is no adapter of that name.
    """
    if engine not in engine_names():
        raise UnknownEngine(f"there is no engine {engine!r}; there is {', '.join(engine_names())}")
    return import_module(f"{__name__}.{engine}").ADAPTERS
