"""scipy.integrate, of functions: by Leibniz' rule. A limit moves the integral by the integrand's value there.

The integrand's own derivative is summed over the points of a mesh, which adapts to its values and stands still. The
mesh is made without a derivative, so that an integrand is called more often than SciPy calls it.

What a sum does not see is refused: a jump or a pole of the integrand inside the range, which moves the integral where
it moves, and a kink where second derivatives are taken. Whether it moves cannot be told from the integrand's values.
"""

from __future__ import annotations

import functools
import heapq
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from scipy import integrate as si
from scipy import special as sp

from ..registry import composition, constant
from ..vocabulary import is_moving, orders, rebased, refuse

SUM = "the sum np.sum(w * f(x)) over nodes and weights of your own, x, w = np.polynomial.legendre.leggauss(n)"


def quad(
    func: Any, a: Any, b: Any, args: Any = (), full_output: int = 0, epsabs: float = 1.49e-8, epsrel: float = 1.49e-8,
    limit: int = 50, points: Any = None, weight: Any = None, wvar: Any = None, wopts: Any = None, maxp1: int = 50,
    limlst: int = 50, complex_func: bool = False,
) -> tuple:  # fmt: skip
    """The integral of a function of one variable, and what else QUADPACK says."""
    if weight is not None or not callable(func):
        refuse("scipy.integrate.quad with weight= or a compiled integrand", "the weight as a part of a Python function")
    args = args if isinstance(args, tuple) else (args,)
    found = found_quad(func, a, b, args, full_output, epsabs, epsrel, limit, points, complex_func)
    moving = integral(func, a, b, args, points)
    must_agree(found[0], moving, found[1], epsabs, epsrel)
    return rebased(found[0], moving), *found[1:]


def quad_vec(
    f: Any, a: Any, b: Any, epsabs: float = 1e-200, epsrel: float = 1e-8, norm: str = "2", cache_size: float = 100e6,
    limit: float = 10000, workers: Any = 1, points: Any = None, quadrature: Any = None, full_output: bool = False, *,
    args: Any = (),
) -> tuple:  # fmt: skip
    """The integral of a function with values that are arrays."""
    args = args if isinstance(args, tuple) else (args,)
    found = found_quad_vec(f, a, b, epsabs, epsrel, norm, limit, points, quadrature, full_output, args)
    moving = integral(f, a, b, args, points)
    must_agree(found[0], moving, found[1], epsabs, epsrel)
    return rebased(found[0], moving), *found[1:]


def dblquad(
    func: Any, a: Any, b: Any, gfun: Any, hfun: Any, args: Any = (), epsabs: float = 1.49e-8, epsrel: float = 1.49e-8
) -> tuple:
    """The integral over x from a to b, y from g(x) to h(x)."""
    found = found_dblquad(func, a, b, gfun, hfun, args, epsabs, epsrel)
    moving = over_ranges(func, (lambda x, *_: (limit_at(gfun, x), limit_at(hfun, x)), (a, b)), (), tuple(args))
    must_agree(found[0], moving, found[1], epsabs, epsrel)
    return rebased(found[0], moving), found[1]


def tplquad(
    func: Any, a: Any, b: Any, gfun: Any, hfun: Any, qfun: Any, rfun: Any, args: Any = (), epsabs: float = 1.49e-8,
    epsrel: float = 1.49e-8,
) -> tuple:  # fmt: skip
    """The integral over x from a to b, y from g(x) to h(x), z from q(x, y) to r(x, y)."""
    found = found_tplquad(func, a, b, gfun, hfun, qfun, rfun, args, epsabs, epsrel)
    ranges = (
        lambda y, x, *_: (limit_at(qfun, x, y), limit_at(rfun, x, y)),
        lambda x, *_: (limit_at(gfun, x), limit_at(hfun, x)),
        (a, b),
    )
    moving = over_ranges(func, ranges, (), tuple(args))
    must_agree(found[0], moving, found[1], epsabs, epsrel)
    return rebased(found[0], moving), found[1]


def nquad(func: Any, ranges: Any, args: Any = None, opts: Any = None, full_output: bool = False) -> tuple:
    """The integral over several variables, the first of them innermost."""
    if opts is not None:
        refuse("scipy.integrate.nquad with opts=", "calls of scipy.integrate.quad, one inside the other")
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    found = found_nquad(func, ranges, args, full_output)
    moving = over_ranges(func, tuple(ranges), (), args)
    must_agree(found[0], moving, found[1], 1.49e-8, 1.49e-8)
    return rebased(found[0], moving), *found[1:]


def limit_at(limit: Any, *where: Any) -> Any:
    """A limit that may be a function of the outer variables."""
    return limit(*where) if callable(limit) else limit


def over_ranges(func: Any, ranges: tuple, outer: tuple, args: tuple) -> Any:
    """The integral over these ranges, at given places along those around them."""
    last = ranges[-1]
    low, high = last(*outer, *args) if callable(last) else last

    def inside(x: Any) -> Any:
        return over_ranges(func, ranges[:-1], (x, *outer), args) if len(ranges) > 1 else func(x, *outer, *args)

    return integral(inside, low, high, ())


def integral(func: Any, a: Any, b: Any, args: tuple, points: Any = None) -> Any:
    """The sum over a mesh that stands still; nothing but rounding is between it and the integral at where it stands."""
    total = 0.0
    ends = [end for end in (a, b) if is_moving(end)]
    breaks = [] if points is None else [p for p in points if not is_moving(p)]
    for x, weight in mesh(func, a, b, args, breaks, ends, orders()):
        total = total + weight * func(x, *args)
    if is_moving(b) and np.isfinite(b):
        total = total + gained(func, b, args)
    if is_moving(a) and np.isfinite(a):
        total = total - gained(func, a, args)
    return total


def gained(func: Any, end: Any, args: tuple) -> Any:
    """The integral from where a limit stands to where it moves to, which is nothing yet.

    By three Gauss nodes in an interval of no length, which give its first six derivatives.
    """
    start, total = standing(end), 0.0
    for place, weight in THREE:
        total = total + weight * func(start + (end - start) * place, *args)
    return (end - start) * total


def standing(x: Any) -> Any:
    """The value of a limit, which does not move."""
    return x


THREE = ((0.5 - 0.15**0.5, 5 / 18), (0.5, 4 / 9), (0.5 + 0.15**0.5, 5 / 18))
"""The nodes and weights of Gauss on [0, 1]."""


# ---- the mesh
class Part(NamedTuple):
    """An interval of a parameter; of two the one with the larger error comes first.

    size: the integral of the modulus; ripple: how far the integrand is from a polynomial through every second place.
    """

    negative_error: float
    number: int
    size: float
    ripple: float
    line: Callable
    low: float
    high: float
    pairs: list

    @property
    def width(self) -> float:
        return abs(self.high - self.low)

    def is_divisible(self) -> bool:
        """Are there enough numbers between the ends that something rough in it does not fall between two parts?"""
        return self.width > 1e-14 * max(abs(self.low), abs(self.high))


def mesh(func: Callable, a: Any, b: Any, args: tuple, breaks: list, ends: list, orders: int) -> list:
    """Points and weights of an integral: intervals are cut in two, the one with the largest error first.

    The error is the difference of two rules, Gauss' with 10 points and Kronrod's with 21 that contain them, of which
    the second is far better. It has to be small: a derivative of the integrand is harder to sum than its values.

    breaks: places that stand still, at which the integrand may do as it likes; ends: the limits that move.

    Raises:
        DifferentiationError: what is inside the range is too rough for derivatives of these orders.
    """
    number, parts = count(), []
    for line, low, high in lines(float(a), float(b), breaks):
        heapq.heappush(parts, measured(func, args, line, low, high, next(number)))
    fixed = sorted({end for part in parts for end in (part.low, part.high)})

    def halves(part: Part) -> list[Part]:
        middle = part.low + UNEVEN * (part.high - part.low)
        sides = (part.low, middle), (middle, part.high)
        return [measured(func, args, part.line, *side, next(number)) for side in sides]

    while parts:
        size, error = sum(part.size for part in parts), -sum(part.negative_error for part in parts)
        worst = parts[0]
        if not error > 1e-13 * size or not worst.is_divisible():
            break
        if len(parts) == 200:
            if error > 1e-8 * size:
                refuse("an integral that a sum over 200 intervals does not come near", f"a substitution, or {SUM}")
            break
        heapq.heappop(parts)
        made = halves(worst)
        if sum(half.negative_error for half in made) <= worst.negative_error and -worst.negative_error < 1e-11 * size:
            made = [half._replace(negative_error=0.0) for half in made]  # what is left is rounding in the integrand
        for half in made:
            heapq.heappush(parts, half)
    parts = smooth(parts, halves, fixed, max(1, orders))
    for end in ends:
        check_end(func, args, end, float(b) if end == a else float(a), parts)
    return [pair for part in parts for pair in part.pairs]


UNEVEN = 0.4871362
"""Where intervals are cut: at no place where a program would let its integrand jump."""


def smooth(parts: list[Part], halves: Callable, fixed: list, orders: int) -> list[Part]:
    """The intervals, cut until each holds so little that is not smooth that it may move.

    What moves by δ changes the integral by δ times how much the integrand varies there, its slope by that over the
    width, and so on: of a jump that is never little, of a kink not at the second order. What is at a fixed place, an
    end of the range, does not move.
    """
    whole = sum(part.width for part in parts)
    if not whole:
        return parts
    scale = sum(part.size for part in parts) / whole
    narrow = whole * (10.0 ** (-12 / orders) if orders > 1 else 1e-15)

    def roughness(part: Part) -> float:
        apart = min(abs(place - end) for place in (part.low, part.high) for end in fixed)
        if part.ripple < 1e-12 * scale or apart < 3 * part.width < 3e-9 * whole:
            return 0.0
        return part.ripple * (whole / part.width) ** (orders - 1)

    for _ in range(CUTS):
        worst = max(parts, key=roughness)
        if roughness(worst) <= 1e-8 * scale:
            return parts
        if worst.width < narrow or not worst.is_divisible():
            if orders == 1 and roughness(worst) <= 1e-6 * scale:
                return parts
            break
        parts.remove(worst)
        parts += halves(worst)
    what = "a jump or a pole" if orders == 1 else "a kink, a jump or a pole"
    refuse(
        f"an integral of a function that has {what} near {worst.line(worst.low)[0]:.6g}",
        "points= where that stands still; where it moves, an integral on each side of it",
    )
    return parts


CUTS = 400


def check_end(func: Callable, args: tuple, end: float, other: float, parts: list[Part]) -> None:
    """Refuse a function that jumps at a limit that moves: it is its value inside the range that is gained.

    Raises:
        DifferentiationError: it does.
    """
    if not np.isfinite(end) or end == other:
        return
    reach = other - end if np.isfinite(other) else np.copysign(1.0 + abs(end), other)
    at, inside = (np.asarray(func(x, *args)) for x in (end, end + 1e-12 * reach))
    scale = sum(part.size for part in parts) / sum(part.width for part in parts)
    if not np.all(np.abs(at - inside) <= 1e-4 * np.maximum(scale, np.abs(inside))):
        refuse(
            f"an integral whose limit {end:.6g} moves, where the integrand jumps",
            "an integrand that is at its limit what it is inside of the range",
        )


def lines(a: float, b: float, breaks: list) -> Iterator[tuple]:
    """Intervals of a parameter, each with what makes a place and a stretch of it; an endless range in two halves."""
    if np.isfinite(a) and np.isfinite(b):
        inside = sorted([float(p) for p in breaks if min(a, b) < p < max(a, b)], reverse=a > b)
        ends = [a, *inside, b]
        for i in range(len(ends) - 1):
            yield straight, ends[i], ends[i + 1]
    elif a != b:
        origin = a if np.isfinite(a) else b if np.isfinite(b) else 0.1287317
        for end, sign in ((a, -1.0), (b, 1.0)):
            if not np.isfinite(end):
                yield functools.partial(endless, origin, np.sign(end), sign * np.sign(end)), 0.0, 1.0


def straight(t: float) -> tuple:
    """The parameter itself."""
    return t, 1.0


def endless(origin: float, direction: float, sign: float, t: float) -> tuple:
    """From the origin, for t = 1, to infinity, for t = 0."""
    return origin + direction * (1 - t) / t, sign / (t * t)


def measured(func: Callable, args: tuple, line: Callable, low: float, high: float, number: int) -> Part:
    """An interval with what is found in it."""
    half, middle = (high - low) / 2, (high + low) / 2
    gauss, total, size, pairs, heights = 0.0, 0.0, 0.0, [], []
    for place, kronrod, tenth in zip(PLACES, KRONROD, GAUSS, strict=True):
        x, stretch = line(middle + half * place)
        height = np.asarray(func(x, *args)) * stretch
        total, gauss = total + kronrod * half * height, gauss + tenth * half * height
        size += kronrod * abs(half) * np.max(np.abs(height), initial=0)
        pairs.append((float(x), kronrod * half * stretch))
        heights.append(height)
    error = np.max(np.abs(total - gauss), initial=0)
    expected = np.tensordot(BETWEEN, np.stack(heights[1::2]), 1)
    ripple = np.max(np.abs(np.stack(heights[0::2]) - expected), initial=0)
    return Part(-float(error), number, float(size), float(ripple), line, low, high, pairs)


def rule_of_kronrod() -> tuple:
    """The 21 places in [-1, 1] of Kronrod's rule, its weights, and those of Gauss' rule at every second of them.

    The places between the zeros of the Legendre polynomial P are those of the Stieltjes polynomial E, of degree 11,
    for which P E is orthogonal to all of lower degree than that. The weights integrate Chebyshev's polynomials.
    """
    nodes, weights = np.polynomial.legendre.leggauss(40)
    values = np.polynomial.legendre.legvander(nodes, 11)
    products = (values[:, 1:11:2] * (weights * values[:, 10])[:, None]).T @ values[:, 1:12:2]
    odd = np.append(np.linalg.solve(products[:, :5], -products[:, 5]), 1.0)
    stieltjes = np.zeros(12)
    stieltjes[1::2] = odd
    between = np.real(np.polynomial.legendre.legroots(stieltjes))
    tenth, tenths = np.polynomial.legendre.leggauss(10)
    places = np.sort(np.concatenate([between, tenth]))
    orders = np.arange(21)
    moments = np.where(orders % 2, 0.0, 2.0 / (1.0 - orders.astype(float) ** 2 + (orders % 2)))
    kronrod = np.linalg.solve(np.polynomial.chebyshev.chebvander(places, 20).T, moments)
    gauss = np.zeros(21)
    gauss[1::2] = tenths
    return tuple(places.tolist()), tuple(kronrod.tolist()), tuple(gauss.tolist())


PLACES, KRONROD, GAUSS = rule_of_kronrod()
BETWEEN = np.polynomial.legendre.legvander(PLACES[0::2], 9) @ np.linalg.inv(
    np.polynomial.legendre.legvander(PLACES[1::2], 9)
)
"""From the values at Gauss' places to those of their polynomial at the places between."""


def must_agree(found: Any, moving: Any, error: Any, epsabs: float, epsrel: float) -> None:
    """Refuse an integral of which SciPy and the mesh think differently: one has overlooked what the other has seen."""
    apart = np.abs(np.asarray(found) - moving)
    allowed = 10 * np.max([error, epsabs, epsrel * np.max(np.abs(found), initial=0)])
    if np.any(apart > allowed):
        refuse("an integral of which two rules find different values", f"points= where it is hard, or {SUM}")


# ---- SciPy's values
def found_quad(
    func: Any, a: float, b: float, args: tuple, full_output: int, epsabs: float, epsrel: float, limit: int, points: Any,
    complex_func: bool,
) -> tuple:  # fmt: skip
    """SciPy's value of quad."""
    return si.quad(func, a, b, args, full_output, epsabs, epsrel, limit, points, complex_func=complex_func)


def found_quad_vec(
    f: Any, a: float, b: float, epsabs: float, epsrel: float, norm: str, limit: float, points: Any, quadrature: Any,
    full_output: bool, args: tuple,
) -> tuple:  # fmt: skip
    """SciPy's value of quad_vec, on one processor."""
    return si.quad_vec(
        f, a, b, epsabs, epsrel, norm, limit=limit, points=points, quadrature=quadrature, full_output=full_output,
        args=args,
    )  # fmt: skip


def found_dblquad(*args: Any) -> tuple:
    """SciPy's value of dblquad."""
    return si.dblquad(*args)


def found_tplquad(*args: Any) -> tuple:
    """SciPy's value of tplquad."""
    return si.tplquad(*args)


def found_nquad(func: Any, ranges: Any, args: tuple, full_output: bool) -> tuple:
    """SciPy's value of nquad."""
    return si.nquad(func, ranges, args, full_output=full_output)


constant(found_quad, found_quad_vec, found_dblquad, found_tplquad, found_nquad, mesh, standing, must_agree)
composition(si.quad, quad)
composition(si.quad_vec, quad_vec)
composition(si.dblquad, dblquad)
composition(si.tplquad, tplquad)
composition(si.nquad, nquad)


def fixed_quad(func: Any, a: Any, b: Any, args: Any = (), n: int = 5) -> tuple:
    """Gauss' rule, whose points move with the limits: the derivative of the sum that it is."""
    x, w = sp.roots_legendre(n)
    if np.isinf(a) or np.isinf(b):
        raise ValueError("Gaussian quadrature is only available for finite limits.")
    y = (b - a) * (x + 1) / 2.0 + a
    return (b - a) / 2.0 * np.sum(w * func(y, *args), axis=-1), None


composition(si.fixed_quad, fixed_quad)
