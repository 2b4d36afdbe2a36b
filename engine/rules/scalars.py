"""Functions of Python numbers: the modules `math` and `cmath`, and conversions to float and complex.

A partial must hold for Python floats, which raise where NumPy returns an infinity: `quotient` divides as NumPy does.
"""

from __future__ import annotations

import cmath
import math
from typing import Any

from .registry import composition, constant, elementwise, rule, vjp_of
from .vocabulary import quotient

TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)
LN2, LN10 = math.log(2), math.log(10)
DEGREE = math.pi / 180


def sign(x: float) -> float:
    """-1, 0 or 1: the derivative of |x|, with 0 at the kink (convention 2); NaN for NaN."""
    return x if x != x else float(x > 0) - float(x < 0)


def digamma(x: float) -> float:
    """(log Γ)'(x), to a few units in the last place; for a real x that is no pole.

    Below 1/2 by reflection, then by the recurrence ψ(x) = ψ(x + 1) - 1/x up to 10, where the asymptotic series in
    Bernoulli numbers has converged (Abramowitz and Stegun, 6.3.5, 6.3.7, 6.3.18).

    >>> round(digamma(1.0), 12)  # minus Euler's constant
    -0.577215664902
    """
    if x < 0.5:
        nearest = math.floor(x + 0.5)
        return digamma(1 - x) - math.pi / math.tan(math.pi * (x - nearest))
    result = 0.0
    while x < 10:
        result = result - 1 / x
        x = x + 1
    y = 1 / (x * x)
    series = y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y * (1 / 240 - y * (1 / 132 - y * (691 / 32760 - y / 12))))))
    return result + math.log(x) - 0.5 / x - series


# ---- trigonometric, hyperbolic, exponential and logarithmic
elementwise(math.sin, lambda out, x: math.cos(x))
elementwise(math.cos, lambda out, x: -math.sin(x))
elementwise(math.tan, lambda out, x: 1 + out * out)
elementwise(math.asin, lambda out, x: quotient(1.0, math.sqrt((1 - x) * (1 + x))))
elementwise(math.acos, lambda out, x: quotient(-1.0, math.sqrt((1 - x) * (1 + x))))
elementwise(math.atan, lambda out, x: 1 / (1 + x * x))
elementwise(math.sinh, lambda out, x: math.cosh(x))
elementwise(math.cosh, lambda out, x: math.sinh(x))
elementwise(math.tanh, lambda out, x: tanh_partial(out, x))
elementwise(math.asinh, lambda out, x: 1 / math.hypot(1.0, x))
elementwise(math.acosh, lambda out, x: quotient(1.0, math.sqrt((x - 1) * (x + 1))))
elementwise(math.atanh, lambda out, x: 1 / ((1 - x) * (1 + x)))
elementwise(math.exp, lambda out, x: out)
elementwise(math.expm1, lambda out, x: math.exp(x))
elementwise(math.log1p, lambda out, x: 1 / (1 + x))
elementwise(math.log2, lambda out, x: 1 / (x * LN2))
elementwise(math.log10, lambda out, x: 1 / (x * LN10))
elementwise(
    math.log,
    lambda out, x, base=None: 1 / x if base is None else 1 / (x * math.log(base)),
    lambda out, x, base=None: -out / (base * math.log(base)),
)
elementwise(math.sqrt, lambda out, x: quotient(0.5, out))
elementwise(math.cbrt, lambda out, x: quotient(1.0, 3 * out * out))
elementwise(math.exp2, lambda out, x: out * LN2)


def tanh_partial(out: float, x: float) -> float:
    """1 / cosh² x, written e^-2|x| (1 + |tanh x|)²: far out 1 - tanh² x has no digits left, and cosh x overflows."""
    twice = 1 + abs(out)
    return math.exp(-2 * abs(x)) * twice * twice


elementwise(tanh_partial, None, lambda slope, out, x: -2 * out * slope)

# ---- special functions
elementwise(math.erf, lambda out, x: TWO_OVER_SQRT_PI * math.exp(-x * x))
elementwise(math.erfc, lambda out, x: -TWO_OVER_SQRT_PI * math.exp(-x * x))
elementwise(math.gamma, lambda out, x: out * digamma(x))
elementwise(math.lgamma, lambda out, x: digamma(x))

# ---- magnitude, sign, angle (kinks: convention 2)
rule(
    math.fabs, x=lambda d, out, x: d * sign(x), compares=True, sided={"x": lambda d, out, x: d * math.copysign(1.0, x)}
)
rule(
    math.copysign,
    x=lambda d, out, x, y: d * (sign(x) * math.copysign(1.0, y)),
    compares=True,
    sided={"x": lambda d, out, x, y: d * (math.copysign(1.0, x) * math.copysign(1.0, y))},
)
elementwise(math.degrees, lambda out, x: 1 / DEGREE)
elementwise(math.radians, lambda out, x: DEGREE)
elementwise(math.atan2, lambda out, y, x: atan2_partial(x, x, y), lambda out, y, x: -atan2_partial(y, x, y))


def atan2_partial(side: float, x: float, y: float) -> float:
    """side / (x² + y²), without the overflow of a square; 0 at the origin (convention 2)."""
    radius = math.hypot(x, y)
    return part_of(part_of(side, radius), radius)


def part_of(x: float, length: float) -> float:
    """x / length, and 0 where the length is 0, where it turns without measure: its partials are NaN (convention 2)."""
    return x / length if length != 0 else 0.0


elementwise(
    part_of,
    lambda out, x, length: 1 / length if length != 0 else math.nan,
    lambda out, x, length: -out / length if length != 0 else math.nan,
)


@vjp_of(math.hypot)
def hypot(d: float, out: float, *coordinates: float) -> tuple:
    """x / |x| for each coordinate; 0 at the origin (convention 2)."""
    return tuple([d * part_of(x, out) for x in coordinates])


composition(math.dist, lambda p, q, /: math.hypot(*[a - b for a, b in zip(p, q, strict=True)]))


# ---- max and min of floats: what stands when the next one does not beat it (ties: convention 2)
def standing_largest(best: float, item: float, ties: int) -> float:
    """The largest so far, of which there are `ties`, when `item` is not larger; it may be one of them."""
    return best


def standing_smallest(best: float, item: float, ties: int) -> float:
    """The smallest so far, of which there are `ties`, when `item` is not smaller; it may be one of them."""
    return best


rule(
    standing_largest,
    selects=True,
    best=lambda d, out, best, item, ties: d * ties / (ties + 1) if item == best else d,
    item=lambda d, out, best, item, ties: d / (ties + 1) if item == best else 0.0,
    compares=True,
    sided={
        "best": lambda d, out, best, item, ties: 0.0 if item >= best else d,
        "item": lambda d, out, best, item, ties: d if item >= best else 0.0,
    },
)
rule(
    standing_smallest,
    selects=True,
    best=lambda d, out, best, item, ties: d * ties / (ties + 1) if item == best else d,
    item=lambda d, out, best, item, ties: d / (ties + 1) if item == best else 0.0,
    compares=True,
    sided={
        "best": lambda d, out, best, item, ties: 0.0 if item < best else d,
        "item": lambda d, out, best, item, ties: d if item < best else 0.0,
    },
)

# ---- remainders, parts of a float (the integer parts carry no derivative)
elementwise(math.fmod, lambda out, x, y: 1.0, lambda out, x, y: -float(round((x - out) / y)))
elementwise(math.remainder, lambda out, x, y: 1.0, lambda out, x, y: -float(round((x - out) / y)))
elementwise(math.ldexp, lambda out, x, i: math.ldexp(1.0, i), None)
elementwise(math.nextafter, lambda out, x, y: 1.0, None)
rule(math.modf, x=lambda d, out, x: d[0])
rule(math.frexp, x=lambda d, out, x: d[0] * math.ldexp(1.0, -out[1]))
if hasattr(math, "fma"):
    elementwise(math.fma, lambda out, x, y, z: y, lambda out, x, y, z: x, lambda out, x, y, z: 1.0)

# ---- powers
rule(
    math.pow,
    x=lambda d, out, x, y: d * float_power_base(out, x, y),
    y=lambda d, out, x, y: 0.0 if x == 0 else d * float_power_exponent(out, x, y),
)


def float_power_base(out: Any, x: Any, y: Any) -> Any:
    """∂(x^y)/∂x = y x^(y-1) for Python numbers; at x = 0 its limit from the right, and 0 for y = 0 (convention 3).

    An exponent below 1 goes through out / x: x^(y-1) may overflow, and Python then raises, although x^y does not.
    """
    if y >= 1:
        return y * x ** (y - 1)
    if x != 0:
        return y * (out / x)
    return 0.0 if y == 0 else math.copysign(math.inf, y)


def float_power_exponent(out: Any, x: Any, y: Any) -> Any:
    """∂(x^y)/∂y = x^y log x for Python numbers; 0 at x = 0, and NaN for a real x < 0 (convention 3)."""
    if x == 0:
        return 0.0
    if isinstance(out, complex):
        return out * cmath.log(x)
    return out * math.log(x) if x > 0 else math.nan


# ---- sums and products over sequences
rule(math.fsum, seq=lambda d, out, seq: d)
if hasattr(math, "sumprod"):
    rule(math.sumprod, p=lambda d, out, p, q: d * q, q=lambda d, out, p, q: d * p)


def prod(iterable: Any, /, *, start: Any = 1) -> Any:
    """math.prod, factor by factor."""
    for factor in iterable:
        start = start * factor
    return start


composition(math.prod, prod)

# ---- conversions
elementwise(float, lambda out, x: 1.0)
elementwise(complex, lambda out, real, imag=0.0: 1.0, lambda out, real, imag=0.0: 1j)

# ---- holomorphic functions
elementwise(cmath.exp, lambda out, z: out)
elementwise(cmath.sin, lambda out, z: cmath.cos(z))
elementwise(cmath.cos, lambda out, z: -cmath.sin(z))
elementwise(cmath.tan, lambda out, z: 1 + out * out)
elementwise(cmath.sinh, lambda out, z: cmath.cosh(z))
elementwise(cmath.cosh, lambda out, z: cmath.sinh(z))
elementwise(cmath.tanh, lambda out, z: 1 - out * out)
elementwise(cmath.asin, lambda out, z: 1 / (cmath.sqrt(1 - z) * cmath.sqrt(1 + z)))
elementwise(cmath.acos, lambda out, z: -1 / (cmath.sqrt(1 - z) * cmath.sqrt(1 + z)))
elementwise(cmath.atan, lambda out, z: 1 / (1 + z * z))
elementwise(cmath.asinh, lambda out, z: 1 / (cmath.sqrt(1 + 1j * z) * cmath.sqrt(1 - 1j * z)))
elementwise(cmath.acosh, lambda out, z: 1 / (cmath.sqrt(z - 1) * cmath.sqrt(z + 1)))
elementwise(cmath.atanh, lambda out, z: 1 / ((1 - z) * (1 + z)))
elementwise(
    cmath.log,
    lambda out, z, base=None: 1 / z if base is None else 1 / (z * cmath.log(base)),
    lambda out, z, base=None: -out / (base * cmath.log(base)),
)
elementwise(cmath.log10, lambda out, z: 1 / (z * LN10))
elementwise(cmath.sqrt, lambda out, z: 0.5 / out if out != 0 else math.inf)
elementwise(cmath.rect, lambda out, r, phi: cmath.rect(1.0, phi), lambda out, r, phi: 1j * out)
rule(cmath.phase, z=lambda d, out, z: d * turn(z))
rule(cmath.polar, z=lambda d, out, z: polar_pullback(d[0], d[1], z))


def polar_pullback(radius: Any, angle: Any, z: complex) -> Any:
    """What the radius and the angle say of z; either may be absent."""
    if radius is None:
        return angle * turn(z)
    return radius * direction(z) if angle is None else radius * direction(z) + angle * turn(z)


def direction(z: complex) -> complex:
    """z / |z|, the gradient of |z|; 0 at the origin (convention 2)."""
    return z / abs(z) if z != 0 else 0j


def turn(z: complex) -> complex:
    """i z / |z|², the gradient of the angle of z; 0 at the origin (convention 2)."""
    return 1j * z / abs(z) / abs(z) if z != 0 else 0j


# ---- no derivative: integers, truth values, steps
constant(
    math.ceil, math.floor, math.trunc, math.comb, math.factorial, math.gcd, math.lcm, math.isclose, math.isfinite,
    math.isinf, math.isnan, math.isqrt, math.perm, math.ulp, cmath.isclose, cmath.isfinite, cmath.isinf, cmath.isnan,
    int, bool, round,
)  # fmt: skip
