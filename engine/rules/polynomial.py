"""Polynomials. NumPy's functions of them are Python, and the engine follows their own source.

numpy.polynomial leaves out coefficients at the high end that are zero, of arguments and of every series on the way.
What depends on them would be lost: the copies that are followed keep all of them, only what is returned is shortened.
The degree of a polynomial jumps where its highest coefficient is zero; a derivative that is wanted there is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev, hermite, hermite_e, laguerre, legendre, polynomial, polyutils

from .registry import composition, constant, refused, rule
from .vocabulary import conj, refuse


def copied(primal: Callable, names: dict[str, Any] | None = None) -> FunctionType:
    """The Python source of a NumPy function as a function of ours: the engine reads it like the user's."""
    source: Any = getattr(primal, "__wrapped__", primal)
    names = source.__globals__ if names is None else names
    made = FunctionType(source.__code__, names, source.__name__, source.__defaults__, source.__closure__)
    made.__kwdefaults__ = source.__kwdefaults__
    made.__module__ = __name__
    return made


# ---- np.poly*
for primal in (np.polyval, np.polyadd, np.polysub, np.polydiv, np.polyder, np.polyint, np.polyfit, np.poly):
    composition(primal, copied(primal))


def polymul(a1: Any, a2: Any) -> Any:
    """The product, without the zeros in front of it."""
    product = np.convolve(np.atleast_1d(a1), np.atleast_1d(a2))
    return product[zeros_in_front(product, a1, a2) :]


def zeros_in_front(product: Any, a1: Any, a2: Any) -> int:
    """How many coefficients of a product come from zeros in front of the factors."""
    zeros = [int(np.argmax(np.atleast_1d(p) != 0)) if np.any(p) else np.size(p) - 1 for p in (a1, a2)]
    return sum(zeros)


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of x, one a column."""
    columns = [np.ones_like(x)]
    for _ in range(1, len(x) if N is None else N):
        columns.append(columns[-1] * x)
    if N == 0:
        return np.stack(columns, -1)[:, :0]
    return np.stack(columns if increasing else columns[::-1], -1)


composition(np.polymul, polymul)
composition(np.vander, vander)
rule(np.roots, p=lambda d, out, p: roots_pullback(d, out, p))


def roots_pullback(d: Any, out: Any, p: Any) -> Any:
    """p̄_k = -Σ_r conj(r^(N-1-k) / p'(r)) r̄: a root moves against the change of p there, by the slope there.

    It holds for coefficients in front that are zero too, which np.roots leaves out. A multiple root has no derivative.
    """
    slope, value = 0 * out, 0 * out
    for coefficient in p:
        slope, value = slope * out + value, value * out + coefficient
    moved = conj(vander(out, len(p)) / np.expand_dims(slope, -1))
    return -np.sum(moved * np.expand_dims(d, -1), 0)


# ---- numpy.polynomial
def whole(seq: Any) -> Any:
    """In the place of `trimseq`."""
    return seq


def functions_of(module: Any) -> dict[str, Any]:
    """The functions that a module of numpy.polynomial defines."""
    return {
        name: made
        for name, made in vars(module).items()
        if callable(made) and not isinstance(made, type) and getattr(made, "__module__", None) == module.__name__
    }


def copies_of(module: Any, **replaced: Any) -> SimpleNamespace:
    """The functions of a module, copied: they call each other, and find what is `replaced` in the place of its own."""
    names = dict(vars(module))
    names.update({name: copied(made, names) for name, made in functions_of(module).items()})
    names.update(replaced)
    return SimpleNamespace(**names)


def trimmed(series: Any) -> Any:
    """A copy without the zeros at the high end."""
    return polyutils.trimseq(np.copy(series))


def shortened(series: Callable) -> Callable:
    """A function of series, its result without the zeros at the high end."""

    def followed(*args: Any, **kwargs: Any) -> Any:
        return trimmed(series(*args, **kwargs))

    return followed


def divided(divide: Callable) -> Callable:
    """A division of series, whose divisor has to begin with a coefficient that is not zero."""

    def followed(c1: Any, c2: Any) -> tuple:
        quotient, rest = divide(c1, trimmed(np.atleast_1d(c2)))
        return trimmed(quotient), trimmed(rest)

    return followed


constant(zeros_in_front, np.common_type)

BASES = (
    (polynomial, "poly"), (chebyshev, "cheb"), (legendre, "leg"), (hermite, "herm"), (hermite_e, "herme"),
    (laguerre, "lag"),
)  # fmt: skip
for module, prefix in BASES:
    copies = copies_of(module, pu=copies_of(polyutils, trimseq=whole))
    for name in ("add", "sub", "mul", "mulx", "pow", "fromroots"):
        composition(getattr(module, prefix + name), shortened(getattr(copies, prefix + name)))
    composition(getattr(module, prefix + "div"), divided(getattr(copies, prefix + "div")))
    for primal in functions_of(module).values():
        if hasattr(primal, "__wrapped__"):  # NumPy 2 calls some through a dispatcher
            composition(primal, copied(primal))

rule(polyutils.trimseq, seq=lambda d, out, seq: with_all_its_terms(d, seq))


def with_all_its_terms(d: Any, seq: Any) -> Any:
    """The cotangent of a series that was not shortened after all."""
    if len(d) != len(seq):
        refuse(
            "a polynomial whose highest coefficients are zero and left out: its degree jumps there",
            "work on coefficients of the full length, with polyval, np.convolve and sums of arrays",
        )
    return d


refused(
    np.poly1d,
    reason="it keeps its coefficients where only NumPy's own functions look",
    way_out="use numpy.polynomial.Polynomial, or np.polyval and its kin on the coefficients",
)
