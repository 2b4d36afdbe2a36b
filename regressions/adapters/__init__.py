"""How an engine is plugged in: one derivative primitive, what it can do, and how its answers and errors are read.

An adapter is a class below `Adapter` (below `arrays.ArrayAdapter` for an engine with an array library of its own) in a
module of its own, `adapters/<engine>.py`, which alone imports that engine, and names its ways of being asked in
`ADAPTERS`: the first is the engine as people use it, the others are further routes to the same answer, which must agree
with it.
"""

from __future__ import annotations

import pkgutil
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from ..case import ASKS, NEEDS, Rules

__all__ = ["Adapter", "CannotBeAsked", "UnknownEngine", "adapters_of", "engine_names", "none_for_zeros"]


class UnknownEngine(LookupError):
    """There is no adapter of that name; the message lists those there are."""


class CannotBeAsked(Exception):
    """The engine lacks something that the case uses: the message names it. No failure of the engine."""


class Adapter(ABC):
    """One way of asking one engine."""

    name: ClassVar[str]
    version: ClassVar[str] = ""  # of the engine that was imported
    capabilities: ClassVar[frozenset[str]]  # of case.NEEDS
    face: Any  # what a program that takes derivatives itself receives as `ad`, see case.case; lacks raise CannotBeAsked
    keeps_conventions: ClassVar[bool] = False  # at a kink, only the answer of the numbered convention is right
    has_none: ClassVar[bool] = False  # None for what nothing depends on; other engines answer zeros
    answers: ClassVar[frozenset[str]] = frozenset(ASKS)  # the questions that can be put this way
    expected: ClassVar[Path | None] = None  # of an adapter from elsewhere: its file of expected failures
    lacks: ClassVar[dict[str, str]] = {}  # messages, as patterns, that say no more than that this is not there

    @abstractmethod
    def vjp(self, f: Callable, *args: Any) -> tuple[Any, Callable[[Any], Sequence[Any]]]:
        """f(*args), and the function from the cotangent of that value to one cotangent an argument."""

    def gradient(self, f: Callable, *args: Any) -> tuple[Any, tuple]:
        """f(*args), and one cotangent an argument, None where nothing depends and `fields` for an object."""
        value, pullback = self.vjp(f, *args)
        return value, tuple(pullback(1.0))

    def value(self, program: Callable, *args: Any) -> Any:
        """What a program returns that takes derivatives itself."""
        return program(*args, ad=self.face)

    def read(self, got: Any, expected: Any) -> Any:
        """The answer as it is to be compared: for an engine without None, its zeros are None where None is right."""
        return got if self.has_none else none_for_zeros(got, expected)

    def implicit(self, f: Callable[[], Any], arrays: Sequence[Any]) -> tuple[Any, tuple]:
        """f(), and one cotangent for each array known by identity; for engines that can do "implicit"."""
        raise NotImplementedError(f"{self.name} declares no implicit parameters")

    def given(self, rules: Rules) -> AbstractContextManager:
        """The context in which these rules hold; for engines that can do "rules"."""
        raise NotImplementedError(f"{self.name} declares no rules of one's own")

    def kind_of(self, error: Exception) -> str:
        """Which of case.KINDS the engine means by this exception."""
        return "crash"

    def lack(self, error: Exception) -> str:
        """What the engine does not have, where the exception says no more than that; otherwise nothing."""
        for pattern, what in self.lacks.items():
            if found := re.search(pattern, str(error)):
                return found.expand(what)
        return ""


def engine_names() -> list[str]:
    """The engines there are adapters for."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def adapters_of(engine: str) -> list[Adapter]:
    """The ways of asking `engine`; the first is the one people use.

    The name of one of the modules here, or `module:attribute` for an adapter from elsewhere: an instance of a class
    below Adapter, the class, or a list of instances.

    Raises:
        UnknownEngine: there is no adapter of that name, or what stands there is none.
        ImportError: the adapter's module, or the engine it imports, cannot be imported.
    """
    module, _, attribute = engine.partition(":")
    if attribute:
        found = getattr(import_module(module), attribute, None)
    elif engine in engine_names():
        found = import_module(f"{__name__}.{engine}").ADAPTERS
    else:
        raise UnknownEngine(
            f"there is no engine {engine!r}; there is {', '.join(engine_names())}, or module:attribute for one's own"
        )
    if isinstance(found, type) and issubclass(found, Adapter):
        found = found()
    adapters = [found] if isinstance(found, Adapter) else found
    if not isinstance(adapters, list) or not adapters or not all(isinstance(a, Adapter) for a in adapters):
        raise UnknownEngine(f"{attribute!r} in {module} is no adapter: {found!r:.80}")
    for adapter in adapters:
        unknown = adapter.capabilities - set(NEEDS)
        if unknown:
            raise UnknownEngine(f"{adapter.name} claims {sorted(unknown)[0]!r}, which is none of {', '.join(NEEDS)}")
    return adapters


def none_for_zeros(got: Any, expected: Any) -> Any:
    """The answer of a method that cannot tell zero from None, with None for its zeros where None is expected.

    >>> none_for_zeros((0.0, [0.0, 1.0]), (None, [None, 1.0]))
    (None, [None, 1.0])
    """
    if expected is None:
        return None if _is_zero(got) else got
    if type(got) is not type(expected):
        return got
    if isinstance(got, dict) and got.keys() == expected.keys():
        return {key: none_for_zeros(part, expected[key]) for key, part in got.items()}
    if isinstance(got, tuple | list) and len(got) == len(expected):
        parts = [none_for_zeros(*pair) for pair in zip(got, expected, strict=True)]
        return type(got)(*parts) if hasattr(got, "_fields") else type(got)(parts)
    if isinstance(got, SimpleNamespace) and vars(got).keys() == vars(expected).keys():
        return SimpleNamespace(**none_for_zeros(vars(got), vars(expected)))
    return got


def _is_zero(x: Any) -> bool:
    if isinstance(x, dict):
        return all(map(_is_zero, x.values()))
    if isinstance(x, tuple | list):
        return all(map(_is_zero, x))
    if isinstance(x, SimpleNamespace):
        return _is_zero(vars(x))
    return x is None or (isinstance(x, float | complex | np.inexact | np.ndarray) and not np.any(x))
