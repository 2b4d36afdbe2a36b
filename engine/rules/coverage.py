"""Every public callable of the libraries that programs use, and what the table knows of it: `python -m engine.rules`.

    rule          a derivative is stated (or, for what works on mutable state, the procedure that follows it)
    composition   differentiated as Python made of others: its own source, or one that is stated
    constant      its result carries no derivative
    refused       called with plain values only; the reason is in the table

Nothing is listed by hand: names come from the libraries as installed, states from the registry as it is in use.
"""

from __future__ import annotations

import builtins
import cmath
import importlib
import math
import operator
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from types import BuiltinMethodType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from .methods import ATTRIBUTES, METHODS
from .registry import composed, is_constant, lookup, refusal

__all__ = ["STATES", "Entry", "entries", "report", "state_of"]

STATES = ("rule", "composition", "constant", "refused")
MODULES: tuple[ModuleType, ...] = (
    np, np.linalg, np.fft, np.random, np.polynomial, np.polynomial.polynomial, np.polynomial.chebyshev,
    np.polynomial.legendre, np.polynomial.hermite, np.polynomial.hermite_e, np.polynomial.laguerre,
    np.polynomial.polyutils, math, cmath, statistics, builtins, operator,
)  # fmt: skip
CLASSES: tuple[type, ...] = (np.ndarray, np.ufunc, np.random.Generator, np.random.RandomState)
LATE_MODULES = ("scipy.special", "scipy.linalg", "scipy.sparse", "scipy.sparse.linalg", "scipy.integrate")


class Entry(NamedTuple):
    """One public name: the namespace it is in, its state (None: forgotten), the reason of a refusal."""

    namespace: str
    name: str
    state: str | None
    reason: str = ""


def state_of(primal: Any) -> str | None:
    """Which of the four states a callable is in; None if the table has never heard of it.

    >>> state_of(np.sin), state_of(np.clip), state_of(np.argsort), state_of(len)
    ('rule', 'composition', 'constant', 'rule')
    """
    primal = unbound(primal)
    if lookup(primal) is not None:
        return "rule"
    if composed(primal) is not None:
        return "composition"
    if is_constant(primal):
        return "constant"
    if refusal(primal) is not None:
        return "refused"
    followed = primal.__init__ if isinstance(primal, type) else primal
    return "composition" if isinstance(followed, FunctionType) and not is_numpy(primal) else None


def unbound(primal: Any) -> Any:
    """The method that np.random.normal and its like, bound to one hidden generator, are for the engine."""
    if isinstance(primal, MethodType):
        return primal.__func__
    if isinstance(primal, BuiltinMethodType) and not isinstance(primal.__self__, ModuleType | type | None):
        return getattr(type(primal.__self__), primal.__name__, primal)
    return primal


def is_numpy(primal: Any) -> bool:
    """Does it belong to NumPy or SciPy, whose Python is not followed, numpy.polynomial apart?"""
    module = getattr(primal, "__module__", None) or ""
    return module.split(".")[0] in ("numpy", "scipy") and not module.startswith("numpy.polynomial")


def public_callables(module: ModuleType) -> Iterator[tuple[str, Callable]]:
    """The functions of a module and its classes, but for exceptions, which carry no numbers."""
    names = getattr(module, "__all__", None) or [name for name in dir(module) if not name.startswith("_")]
    for name in sorted(set(names)):
        found = getattr(module, name, None)
        exception = isinstance(found, type) and issubclass(found, BaseException)
        if callable(found) and not exception and type(found).__module__ != "_sitebuiltins":
            yield name, found


def entries() -> list[Entry]:
    """The whole table, of what is imported."""
    found = []
    late = [sys.modules[name] for name in LATE_MODULES if name in sys.modules]
    for module in (*MODULES, *late):
        found += [entry(module.__name__, name, primal) for name, primal in public_callables(module)]
    for owner in CLASSES:
        namespace = f"{owner.__module__}.{owner.__name__}"
        for name in dir(owner):
            if not name.startswith("_"):
                found.append(entry(namespace, name, member_of(owner, name)))
    return found


def member_of(owner: type, name: str) -> Any:
    """What a method or an attribute means to the engine: a function of the object, or the descriptor itself."""
    if owner is np.ndarray:
        return METHODS.get(name) or ATTRIBUTES.get(name) or getattr(owner, name)
    return getattr(owner, name)


def entry(namespace: str, name: str, primal: Any) -> Entry:
    """The row of one name."""
    why = refusal(unbound(primal))
    state = state_of(primal)
    return Entry(namespace, name, state, why.reason if why is not None and state == "refused" else "")


def report(found: list[Entry]) -> Iterator[str]:
    """The counts of each namespace, one line each, then what is refused and why, then what was forgotten."""
    columns = "".join(f"{state:>13}" for state in (*STATES, "forgotten"))
    yield f"{'namespace':34}{columns}{'autograd':>10}{'jax':>8}"
    for namespace in dict.fromkeys(e.namespace for e in found):
        rows = [e for e in found if e.namespace == namespace]
        counts = Counter(e.state for e in rows)
        others = "".join(f"{of(rows):>{w}}" for of, w in ((in_autograd, 10), (in_jax, 8)))
        yield f"{namespace:34}" + "".join(f"{counts[s]:13}" for s in (*STATES, None)) + others
    yield ""
    yield "autograd: names with a derivative, or declared to have none, in its namespace of the same name."
    yield "jax: names that its namespace of the same name defines, differentiable or not, NumPy's own objects left out."
    yield "'-': not installed, or no such namespace."
    reasons: dict[str, list[str]] = {}
    for e in found:
        if e.state == "refused":
            reasons.setdefault(e.reason, []).append(f"{e.namespace}.{e.name}")
    for reason, names in reasons.items():
        yield f"\nrefused because {reason}:\n  " + " ".join(names)
    forgotten = [f"{e.namespace}.{e.name}" for e in found if e.state is None]
    if forgotten:
        yield "\nforgotten:\n  " + " ".join(forgotten)


def in_autograd(rows: list[Entry]) -> str:
    """How many of the names autograd differentiates, as primitives or as compositions, or declares constant."""
    try:
        core, tracer = importlib.import_module("autograd.core"), importlib.import_module("autograd.tracer")
        importlib.import_module("autograd.numpy")  # fills the tables
        module = importlib.import_module(rows[0].namespace.replace("numpy", "autograd.numpy", 1)
                                         .replace("scipy", "autograd.scipy", 1))  # fmt: skip
    except ImportError:
        return "-"
    if not module.__name__.startswith("autograd"):
        return "-"
    constants = set().union(*tracer.notrace_primitives.values())
    found = [getattr(module, e.name, None) for e in rows]
    return str(sum(f in core.primitive_vjps or f in constants or is_autograds_own(f) for f in found))


def is_autograds_own(function: Any) -> bool:
    """Is it a function of autograd's that is no primitive with a derivative: a composition, or never traced?

    What it wraps without a derivative is made in `autograd.tracer`, too, and keeps what it wraps in `fun`.
    """
    if not isinstance(function, FunctionType):
        return False
    if function.__module__.startswith(("autograd.numpy", "autograd.scipy")):
        return True
    return getattr(function, "_is_primitive", False) and not hasattr(function, "fun")


def in_jax(rows: list[Entry]) -> str:
    """How many of the names JAX's namespace of the same name defines, other than by NumPy's or SciPy's own object."""
    namespace = rows[0].namespace
    if not namespace.startswith(("numpy", "scipy")):
        return "-"
    try:
        module = importlib.import_module(f"jax.{namespace}")
    except ImportError:
        return "-"
    original = sys.modules[namespace]
    return str(sum(getattr(module, e.name, getattr(original, e.name)) is not getattr(original, e.name) for e in rows))
