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
    made.__module__, made.__doc__ = __name__, None
    return made


# ---- np.poly*
for primal in (np.polydiv, np.polyint, np.polyfit, np.poly):
    composition(primal, copied(primal))
rule(
    np.polyadd,
    moves=True,
    a1=lambda d, out, a1, a2: low_end(d, a1),
    a2=lambda d, out, a1, a2: low_end(d, a2),
)
rule(
    np.polysub,
    moves=True,
    a1=lambda d, out, a1, a2: low_end(d, a1),
    a2=lambda d, out, a1, a2: -low_end(d, a2),
)
rule(
    np.polyder,
    selects=True,
    p=lambda d, out, p, m=1: np.concatenate([d * falling(p, m), np.zeros(len(p) - len(d), np.result_type(d))]),
)


def low_end(d: Any, a: Any) -> Any:
    """The part of a sum of polynomials that a shorter one has a share in."""
    return np.reshape(d[len(d) - np.size(a) :], np.shape(a))


def falling(p: Any, m: int) -> np.ndarray:
    """For each coefficient that an m-fold derivative leaves over, n (n - 1) ... (n - m + 1), n its degree."""
    degrees = np.arange(len(p) - 1, m - 1, -1)
    return np.prod([degrees - k for k in range(m)], axis=0).astype(np.real(p).dtype) if m else np.ones(len(p))


constant(falling)


# ---- values
def polyval(p: Any, x: Any) -> Any:
    """np.polyval."""
    if isinstance(x, np.poly1d):
        refuse("np.polyval at a polynomial", "np.convolve and sums of arrays for its powers")
    return np.sum(0 * p) + 0 * np.asarray(x) if len(p) == 0 else horner(p, x)


def ascending(x: Any, c: Any, tensor: bool = True) -> Any:
    """np.polynomial.polynomial.polyval; of several polynomials by its own source."""
    if np.ndim(c) != 1 or len(c) == 0 or isinstance(c, tuple | list):
        return polynomial_polyval(x, c, tensor)
    return horner(np.flip(c), np.asarray(x) if isinstance(x, tuple | list) else x)


def horner(p: Any, x: Any) -> Any:
    """The polynomial with these coefficients, the highest first, at x."""
    return np.polyval(p, x)


rule(
    horner,
    mixes=True,
    p=lambda d, out, p, x: moments(d, conj(x), len(p)),
    x=lambda d, out, p, x: d * conj(horner(p[:-1] * falling(p, 1), x)) if len(p) > 1 else 0 * d,
)


def moments(d: Any, x: Any, n: int) -> Any:
    """The sums of d x^(n-1), ..., d x, d."""
    sums = [np.sum(d)]
    for _ in range(n - 1):
        d = d * x
        sums.append(np.sum(d))
    return np.stack(sums[::-1])


composition(np.polyval, polyval)
polynomial_polyval = copied(polynomial.polyval)
composition(polynomial.polyval, ascending)


def polymul(a1: Any, a2: Any) -> Any:
    """The product, without the zeros in front of it."""
    product = np.convolve(np.atleast_1d(a1), np.atleast_1d(a2))
    return product[zeros_in_front(product, a1, a2) :]


def zeros_in_front(product: Any, a1: Any, a2: Any) -> int:
    """How many coefficients of a product come from zeros in front of the factors."""
    zeros = [int(np.argmax(np.atleast_1d(p) != 0)) if np.any(p) else np.size(p) - 1 for p in (a1, a2)]
    return sum(zeros)


composition(np.polymul, polymul)
rule(np.vander, x=lambda d, out, x, N=None, increasing=False: vander_pullback(d, out, increasing))


def vander_pullback(d: Any, out: Any, increasing: bool) -> Any:
    """The sum of n x^(n-1) d over the columns, of degree n."""
    if not increasing:
        d, out = np.flip(d, 1), np.flip(out, 1)
    degrees = np.arange(1, max(np.shape(out)[1], 1)).astype(np.real(out).dtype)
    return np.sum(d[:, 1:] * conj(out[:, :-1] * degrees), 1)


rule(np.roots, p=lambda d, out, p: roots_pullback(d, out, p))


def roots_pullback(d: Any, out: Any, p: Any) -> Any:
    """p̄_k = -Σ_r conj(r^(N-1-k) / p'(r)) r̄: a root moves against the change of p there, by the slope there.

    It holds for coefficients in front that are zero too, which np.roots leaves out. A multiple root has no derivative.
    """
    slope, value = 0 * out, 0 * out
    for coefficient in p:
        slope, value = slope * out + value, value * out + coefficient
    moved = conj(powers(out, len(p)) / np.expand_dims(slope, -1))
    return -np.sum(moved * np.expand_dims(d, -1), 0)


def powers(x: Any, n: int) -> Any:
    """x^(n-1), ..., x, 1, one a column, in the precision of x."""
    columns = [np.ones_like(x)]
    for _ in range(1, n):
        columns.append(columns[-1] * x)
    return np.stack(columns[::-1], -1)


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
