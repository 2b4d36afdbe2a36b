"""The workloads as users of other engines would write them: one module an engine, which imports it at first use.

Each says in `prepare(workload, args, constants)` how one workload is asked: the `Asked` that comes back has its data
in the engine's own arrays already, and its `call` returns when the answer is there, not before. A port keeps the
algorithm of the workload (a loop stays a loop) and says it in the engine's idiom.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.workloads import Workload

__all__ = ["ENGINES", "Asked", "Lazy", "NoPort", "plain", "prepare"]

ENGINES = ("reference", "autograd", "jax", "torch")
"""The engine of this project first; the others are asked where an environment has them."""


class Lazy:
    """A module that is imported when something of it is first wanted: not every environment has it.

    >>> Lazy("math").sqrt(4.0)
    2.0
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):  # Python and doctest ask for these themselves
            raise AttributeError(attribute)
        found = getattr(import_module(self._name), attribute)
        setattr(self, attribute, found)
        return found


class NoPort(Exception):
    """The engine cannot say this workload: the message tells why."""


@dataclass(frozen=True)
class Asked:
    """A derivative ready to be timed: `call()` computes it; `read(answer, like)` makes it comparable to one by hand."""

    call: Callable[[], Any]
    read: Callable[[Any, Any], Any]


def prepare(engine: str, workload: Workload, args: tuple, constants: dict[str, Any]) -> Asked:
    """
    Raises:
        ImportError: the engine is not in this environment.
        NoPort: it cannot say this workload.
    """
    asked: Asked = import_module(f"benchmarks.ports.{engine}").prepare(workload, args, constants)
    return asked


def plain(got: Any, like: Any, lower: Callable[[Any], Any]) -> Any:
    """An answer in another engine's arrays, in the structure and the types of one by hand.

    >>> plain([np.float64(2.0), {"w": [1, 2]}], (1.0, SimpleNamespace(w=np.zeros(2))), np.asarray)
    (2.0, namespace(w=array([1, 2])))
    """
    if isinstance(like, SimpleNamespace):
        return SimpleNamespace(**{name: plain(got.get(name), part, lower) for name, part in vars(like).items()})
    if isinstance(like, list | tuple):
        return type(like)(plain(part, part_like, lower) for part, part_like in zip(got, like, strict=True))
    if like is None or got is None:
        return got
    return float(lower(got)) if isinstance(like, float) else np.asarray(lower(got))
