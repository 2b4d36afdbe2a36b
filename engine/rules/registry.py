"""The rule table: what the derivative of a primitive is, said once, for every way of using it.

A rule states, for each argument that can carry a derivative, the pullback as a plain Python expression:

    rule(np.matmul,  a=lambda d, out, a, b: ...,  b=lambda d, out, a, b: ...)

where `d` is the cotangent of the result `out`, and the remaining parameters are the call's own arguments. An
elementwise function states its partial derivatives only, in the order of its arguments:

    elementwise(np.multiply,  lambda out, x, y: y,  lambda out, x, y: x)

Nobody who writes a rule thinks of broadcasting, of dtypes or of real arguments in complex expressions: whatever a
pullback returns is projected onto its primal (`engine.tangents.project`). Rules are ordinary Python in the language the
engine differentiates, so a second derivative is the same transformation applied to the rule; the compiler inlines
their source.

A primitive is in one of five states: it has a rule, it is a `composition` of others, it is declared `constant` (its
result carries no derivative), it is `refused` for a reason, or it is unknown; the last two are foreign calls.

Rules for libraries that a program may not have loaded wait in modules of their own (`LATE`): they join the table when
a primitive is looked up that is not in it and the library is there, whichever of the two was imported first.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from inspect import CO_VARARGS, CO_VARKEYWORDS
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "SEQUENCE_PARAMETERS",
    "Rule",
    "composed",
    "composition",
    "constant",
    "elementwise",
    "is_constant",
    "lookup",
    "refusal",
    "refused",
    "removed",
    "rule",
    "scope",
    "vjp_of",
]


VARIADIC = CO_VARARGS | CO_VARKEYWORDS


@dataclass(frozen=True, eq=False)
class Rule:
    """How to differentiate one primitive. Exactly one of `partials`, `pullbacks`, `whole` and `procedure` says it.

    partials: one `f(out, *args)` an argument (None: no derivative); the pullback is d * conj(partial).
    pullbacks: argument name -> `f(d, out, *args, **kwargs)`, for the arguments that carry a derivative.
    whole: `f(d, out, *args, **kwargs)` -> a cotangent for each positional argument, for primitives with `*args`.
    procedure: what the traced tier runs in its place, for primitives that work on mutable state or call back.
    moves: the pullbacks move entries of `d`, add them up, scale them by what is not zero, or leave them out; no more.
    selects: entries of an argument may be left out: nothing in the result depends on them (convention 4).
    mixes: an entry of the result is a sum of products of one entry from each argument, as in a matrix product.
    entrywise: an entry of the result depends on the entries of the arguments that stand in the same place.
    pushforward: `f(tangents, out, *args, **kwargs)` -> tangent of `out`; optional, else the pullback is transposed.
    sided: argument name -> another pullback, in which a tie falls to one side, for the derivative of a derivative.
    compares: the pullbacks look at the arguments that have a sided one only to compare them, with each other, with the
        result and with 0, so that on which side a tie falls can be seen next to the point; "arguments": not with the
        result, at which they look as it is.
    careful: `f(looked, d, out, *args, **kwargs)` -> cotangent of the only argument that has one, for a primitive with
        several results; `looked` says for each of them which entries are looked at (None: none), see convention 4.
    """

    primal: Callable
    partials: tuple[Callable | None, ...] = ()
    pullbacks: dict[str, Callable] = field(default_factory=dict)
    whole: Callable | None = None
    pushforward: Callable | None = None
    sided: dict[str, Callable] = field(default_factory=dict)
    careful: Callable | None = None
    procedure: Callable | None = None
    moves: bool = False
    selects: bool = False
    mixes: bool = False
    entrywise: bool = False
    compares: bool | str = False

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of the primitive's own arguments, as the rule spells them."""
        written, skip = self._written
        plain = type(written) is FunctionType and not hasattr(written, "__wrapped__")
        if plain and not written.__code__.co_flags & VARIADIC:
            code = written.__code__  # inspect.signature takes a hundred times as long, at every import
            return code.co_varnames[skip : code.co_argcount + code.co_kwonlyargcount]
        return tuple(self.signature.parameters)

    @cached_property
    def signature(self) -> inspect.Signature:
        """What the rule accepts after `d` and `out`; a call outside it has no rule."""
        written, skip = self._written
        return inspect.Signature(list(inspect.signature(written).parameters.values())[skip:])

    @property
    def _written(self) -> tuple[Callable, int]:
        """A function with the primitive's arguments, and how many others it has before them."""
        if self.partials:
            return next(p for p in self.partials if p is not None), 1
        return self.whole or next(iter(self.pullbacks.values())), 2

    @cached_property
    def is_of_a_program(self) -> bool:
        """Is it a rule for a function of the program's, which may hand on its argument's memory and yet say more?"""
        module = getattr(self.primal, "__module__", None) or type(self.primal).__module__
        return module.split(".")[0] not in LIBRARIES and not module.startswith(("engine.rules", "engine.tangents"))

    @cached_property
    def reduces(self) -> bool:
        """Does an entry of the result depend on one slice of the first argument, by NumPy's `axis` and `keepdims`?"""
        return self.parameters[1:] != () and {"axis", "keepdims"} <= set(self.parameters)

    def leaves_out(self, kwargs: Mapping[str, Any]) -> bool:
        """May a call with these keywords leave entries of an argument out?"""
        return self.selects or "where" in kwargs

    def covers(self, position: int) -> bool:
        """Does the argument at this position carry a derivative?"""
        if self.whole is not None:
            return True
        if self.partials:
            return position < len(self.partials) and self.partials[position] is not None
        return position < len(self.parameters) and self.parameters[position] in self.pullbacks

    def differentiable(self) -> dict[str, Callable]:
        """Argument name -> its partial or pullback, in the order of the arguments."""
        if self.partials:
            return {n: p for n, p in zip(self.parameters, self.partials, strict=False) if p is not None}
        return self.pullbacks


_rules: dict[Any, Rule] = {}
_constants: dict[Any, str] = {}
_compositions: dict[Any, Callable] = {}
_refusals: dict[Any, Refusal] = {}

LATE = {
    "engine.rules.scipy.special": "scipy.special",
    "engine.rules.scipy.bessel": "scipy.special",
    "engine.rules.scipy.distributions": "scipy.special",
    "engine.rules.scipy.several": "scipy.special",
    "engine.rules.scipy.harmonics": "scipy.special",
    "engine.rules.scipy.linalg": "scipy.linalg",
    "engine.rules.scipy.factorisations": "scipy.linalg",
    "engine.rules.scipy.eigenvalues": "scipy.linalg",
    "engine.rules.scipy.equations": "scipy.linalg",
    "engine.rules.scipy.structured": "scipy.linalg",
    "engine.rules.scipy.integrate": "scipy.integrate",
    "engine.rules.scipy.integrals": "scipy.integrate",
    "engine.rules.scipy.sparse": "scipy.sparse",
    "engine.rules.scipy.sparse_systems": "scipy.sparse.linalg",
}
"""A module with rules -> the library they are for; it is imported when the library has been."""

_waiting = dict(LATE)


def awaken() -> bool:
    """Let in the rules of the libraries that have been imported by now; were there any?"""
    arrived = [module for module, library in _waiting.items() if library in sys.modules]
    for module in arrived:
        del _waiting[module]
        importlib.import_module(module)
    return bool(arrived)


class Refusal(NamedTuple):
    """Why a primitive has no derivative rule, and what to write instead."""

    reason: str
    way_out: str


@dataclass(frozen=True, eq=False)
class _Unhashable:
    """Stands in the table for a primitive that cannot be a key, such as a function of ctypes: found by identity."""

    primal: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Unhashable) and self.primal is other.primal

    def __hash__(self) -> int:
        return id(self.primal)


def _key(primal: Any) -> Any:
    try:
        hash(primal)
    except TypeError:
        return _Unhashable(primal)
    return primal


LIBRARIES = frozenset({"numpy", "scipy", "math", "cmath", "statistics", "operator", "_operator", "builtins"})
"""Where the primitives are from whose results, where they look at an argument's memory, are views and nothing else."""

SEQUENCE_PARAMETERS = frozenset(
    {"arrays", "arys", "tup", "operands", "xi", "choices", "choicelist", "object", "sample"}
    | {"lu_and_piv", "c_and_lower", "cb_and_lower", "c_or_cr", "args", "ranges", "arg1"}
)
"""Parameters that take a sequence of arrays, by the names NumPy and SciPy give them: they get a list or tuple.

A list or tuple of numbers given for any other differentiable argument means np.array(it), and the engine says so before
it asks the rule: rules see arrays and scalars.
"""


def elementwise(primals: Callable | tuple[Callable, ...], *partials: Callable | None) -> None:
    """Give an elementwise function, or several names of the same one, its partial derivatives.

    Each partial is `f(out, *args)`, an array of the broadcast shape; None marks an argument without a derivative.

    Raises:
        ValueError: the function has a rule already.
    """
    for primal in primals if isinstance(primals, tuple) else (primals,):
        _register(primal, Rule(primal, partials=partials, entrywise=True))


def rule(
    primals: Callable | tuple[Callable, ...],
    *,
    jvp: Callable | None = None,
    moves: Any = False,
    selects: Any = False,
    mixes: Any = False,
    careful: Callable | None = None,
    sided: Any = None,
    compares: Any = False,
    entrywise: Any = False,
    **pullbacks: Callable,
) -> None:
    """Give a function a rule: for each argument that carries a derivative, its pullback.

    A pullback is `f(d, out, *args, **kwargs)`: the cotangent `d` of the result `out`, then the arguments of the call;
    it returns the cotangent of the argument it is named after. `jvp`, where given, is `f(tangents, out, *args,
    **kwargs)` with one tangent an argument (zeros for those that do not move, None for those without a pullback) and
    returns the tangent of `out`; without it forward mode transposes the pullbacks. `moves` says that the pullbacks only
    move entries of `d`, scale them (not by zero), add them up or leave them out, as those of a transpose, a sum, a
    slice or a `where` do; `selects` that they may leave some out, as the last two do (it implies `moves`); `mixes` that
    an entry of the result is a sum of products of one entry from each argument, as in a matrix product; `careful` is
    the pullback of a function of one argument and several results that wants to know which of their entries are looked
    at. They serve convention 4. `sided` holds pullbacks in which a tie falls to one side (convention 2), and
    `compares` says that both kinds do nothing with those arguments but compare them ("arguments": with each other, and
    not with the result). `entrywise`: as for a ufunc, of which it is known, an entry of the result depends on the
    entries in the same place.

    Raises:
        ValueError: the function has a rule already, or a pullback names no argument of it.

    >>> import ctypes, math
    >>> from engine import gradient, rule
    >>> libm = ctypes.CDLL(None)
    >>> libm.cbrt.restype, libm.cbrt.argtypes = ctypes.c_double, [ctypes.c_double]
    >>> rule(libm.cbrt, x=lambda d, out, x: d / (3 * out * out))
    >>> gradient(lambda x: libm.cbrt(x) * x, 8.0)
    (2.6666666666666665,)
    """
    if not pullbacks:
        raise ValueError("a rule needs a pullback for at least one argument, or use engine.constant")
    names = primals if isinstance(primals, tuple) else (primals,)
    entrywise = entrywise or any(isinstance(p, np.ufunc) and p.signature is None and p.nout == 1 for p in names)
    for primal in names:
        made = Rule(
            primal,
            pullbacks=pullbacks,
            pushforward=jvp,
            sided=sided or {},
            careful=careful,
            moves=moves or selects,
            selects=selects,
            mixes=mixes,
            entrywise=entrywise,
            compares=compares,
        )
        unknown = [name for name in pullbacks if name not in made.parameters]
        if unknown:
            raise ValueError(f"the rule of {primal!r} names {unknown[0]!r}, its arguments are {made.parameters}")
        _register(primal, made)


def vjp_of(
    *primals: Callable, moves: bool = False, selects: bool = False, mixes: bool = False
) -> Callable[[Callable], Callable]:
    """Decorator: a whole pullback, `f(d, out, *args, **kwargs)` -> one cotangent a positional argument."""

    def decorate(whole: Callable) -> Callable:
        for primal in primals:
            _register(primal, Rule(primal, whole=whole, moves=moves or selects, selects=selects, mixes=mixes))
        return whole

    return decorate


def procedure(*primals: Callable) -> Callable[[Callable], Callable]:
    """Decorator: the traced tier runs this function, on traced arguments, in the place of the primitives."""

    def decorate(run: Callable) -> Callable:
        for primal in primals:
            _register(primal, Rule(primal, procedure=run))
        return run

    return decorate


def constant(*primals: Callable, reason: str = "no derivative") -> None:
    """Declare that the results of these functions carry no derivative: they are called with plain values.

    >>> import math
    >>> from engine import constant, gradient
    >>> def rounded(x): return float(f"{x:.1f}")
    >>> constant(rounded)
    >>> gradient(lambda x: x * rounded(x), 2.04)
    (2.0,)
    """
    for primal in primals:
        if _key(primal) in _rules or _key(primal) in _compositions:
            raise ValueError(f"{primal!r} has a rule, it cannot be declared constant")
        _refusals.pop(_key(primal), None)
        _constants[_key(primal)] = reason
    generation.bump()


def composition(primal: Callable, function: Callable) -> None:
    """Differentiate `function`, Python in the language of the engine, in the place of `primal`.

    For primitives that are a few others in a row; the two have the same value and take the same arguments.

    Raises:
        ValueError: the primitive has a rule already.
    """
    if _key(primal) in _rules or _key(primal) in _compositions:
        raise ValueError(f"{primal!r} has a rule already; take it away with engine.rules.removed first")
    _refusals.pop(_key(primal), None)
    _compositions[_key(primal)] = function
    generation.bump()


def refused(*primals: Callable, reason: str, way_out: str) -> None:
    """Say why these functions have no rule. With something active in reach the call is an error that tells both.

    Whatever else the table says of a function, before or later, takes the place of this.
    """
    for primal in primals:
        key = _key(primal)
        if key not in _rules and key not in _compositions and key not in _constants:
            _refusals[key] = Refusal(reason, way_out)


def existing(namespace: Any, names: str) -> tuple[Any, ...]:
    """What a module or a class has of these names; each release of a library has some that another has not.

    >>> import math
    >>> existing(math, "sin no_such_function") == (math.sin,)
    True
    """
    return tuple(dict.fromkeys([getattr(namespace, name) for name in names.split() if hasattr(namespace, name)]))


def refusal(primal: Any) -> Refusal | None:
    """Why `primal` is refused, or None."""
    found = _refusals.get(_key(primal))
    return refusal(primal) if found is None and _waiting and awaken() else found


def composed(primal: Any) -> Callable | None:
    """The Python function that is differentiated in the place of `primal`, or None."""
    try:
        found = _compositions.get(primal)
    except TypeError:
        found = _compositions.get(_key(primal))
    return composed(primal) if found is None and _waiting and awaken() else found


def _register(primal: Callable, made: Rule) -> None:
    if _key(primal) in _rules or _key(primal) in _compositions:
        raise ValueError(f"{primal!r} has a rule already; take it away with engine.rules.removed first")
    _constants.pop(_key(primal), None)
    _refusals.pop(_key(primal), None)
    _rules[_key(primal)] = made
    generation.bump()


def lookup(primal: Any) -> Rule | None:
    """The rule of `primal`, or None."""
    try:
        found = _rules.get(primal)
    except TypeError:
        found = _rules.get(_key(primal))
    return lookup(primal) if found is None and _waiting and awaken() else found


def is_constant(primal: Any) -> bool:
    """Is `primal` declared to have no derivative?"""
    try:
        found = primal in _constants
    except TypeError:
        found = _key(primal) in _constants
    return is_constant(primal) if not found and _waiting and awaken() else found


def registered() -> Iterable[Callable]:
    """Every primitive that has a rule."""
    awaken()
    return tuple([made.primal for made in _rules.values()])


@contextmanager
def removed(*primals: Callable) -> Iterator[None]:
    """Take the rules (compositions, marks `constant`) of these primitives away: they are foreign calls for a while."""
    awaken()
    tables: tuple[dict[Any, Any], ...] = (_rules, _constants, _compositions, _refusals)
    taken = [{_key(p): table.pop(_key(p)) for p in primals if _key(p) in table} for table in tables]
    missing = [p for p in primals if not any(_key(p) in entries for entries in taken)]
    generation.bump()
    try:
        if missing:
            raise ValueError(f"{missing[0]!r} has no rule to take away")
        yield
    finally:
        for table, entries in zip(tables, taken, strict=True):
            table.update(entries)
        generation.bump()


@contextmanager
def replaced(primal: Callable, **pullbacks: Callable) -> Iterator[None]:
    """Put another rule in the place of the one `primal` has: how a defect is put back."""
    with removed(primal):
        rule(primal, **pullbacks)
        try:
            yield
        finally:
            del _rules[_key(primal)]


@contextmanager
def scope() -> Iterator[None]:
    """Forget, at the end, every change made to the table inside: rules given, taken away, functions declared constant.

    >>> def half(x): return x / 2
    >>> with scope():
    ...     constant(half)
    ...     is_constant(half)
    True
    >>> is_constant(half)
    False
    """
    awaken()
    tables: tuple[dict[Any, Any], ...] = (_rules, _constants, _compositions, _refusals, _waiting)
    before = [dict(table) for table in tables]
    try:
        yield
    finally:
        for module in before[-1].keys() - _waiting.keys():  # its rules came inside: they shall come again
            sys.modules.pop(module, None)
        for table, entries in zip(tables, before, strict=True):
            table.clear()
            table.update(entries)
        generation.bump()


class _Generation:
    """Counts the changes of the table: compiled code that inlined a rule is stale when the number has moved.

    dropping: functions that drop such code; they are called at every change.
    """

    def __init__(self) -> None:
        self.number = 0
        self.dropping: list[Callable[[], object]] = []

    def bump(self) -> None:
        self.number += 1
        for drop in self.dropping:
            drop()


generation = _Generation()
