"""Elementwise operators and functions: for each argument the partial derivative, an array of the broadcast shape.

The operators of Python and NumPy's functions of the same meaning share one entry, for floats and arrays alike. Where a
partial is a plain 1 or -1, or no partial exists (|z| is not holomorphic), the entry is a pullback instead.
"""

from __future__ import annotations

import cmath
import math
import operator
from typing import Any

import numpy as np

from .registry import composition, constant, elementwise, rule
from .scalars import DEGREE, LN2, LN10, float_power_base
from .selection import between, chosen
from .vocabulary import conj, filled

# ---- arithmetic
rule((operator.add, np.add), moves=True, x=lambda d, out, x, y, /: d, y=lambda d, out, x, y, /: d)
rule((operator.sub, np.subtract), moves=True, x=lambda d, out, x, y, /: d, y=lambda d, out, x, y, /: -d)
rule((operator.neg, np.negative), moves=True, x=lambda d, out, x, /: -d)
rule((operator.pos, np.positive), moves=True, x=lambda d, out, x, /: d)
elementwise((operator.mul, np.multiply), lambda out, x, y: y, lambda out, x, y: x)
elementwise((operator.truediv, np.divide), lambda out, x, y: reciprocal(out, y), lambda out, x, y: -out / y)
elementwise((operator.mod, np.remainder), lambda out, x, y: 1, lambda out, x, y: -(x // y))
elementwise(np.fmod, lambda out, x, y: 1, lambda out, x, y: -np.rint((x - out) / y))
rule(
    (operator.pow, np.power, np.float_power),
    x=lambda d, out, x, y, /: d * conj(power_base(out, x, y)),
    y=lambda d, out, x, y, /: by_exponent(d, out, x, y),
)
rule(
    pow,
    entrywise=True,
    base=lambda d, out, base, exp: d * conj(power_base(out, base, exp)),
    exp=lambda d, out, base, exp: by_exponent(d, out, base, exp),
)


def reciprocal(out: Any, y: Any) -> Any:
    """1 / y, by NumPy's division where the value is NumPy's: infinite at 0, which Python's own refuses."""
    if isinstance(y, int | float) and isinstance(out, np.ndarray | np.generic):
        return float(np.divide(1, y))
    return 1 / y


def power_base(out: Any, x: Any, y: Any) -> Any:
    """∂(x^y)/∂x = y x^(y-1), and 0 where x = y = 0 (convention 3).

    A float exponent may carry a derivative itself, so its 0 is not treated as a constant.
    """
    if isinstance(y, int):
        if y == 2:
            return 2 * x
        if y == 0:
            return np.zeros_like(x)
    if isinstance(x, int | float) and isinstance(y, int | float) and not isinstance(out, complex):
        return float_power_base(out, x, y)
    if isinstance(x, int | float | complex) and x != 0 or isinstance(y, int | float | complex) and y != 0:
        return y * x ** (y - 1)
    return y * np.where((x == 0) & (y == 0), 1, x) ** (y - 1)


def by_exponent(d: Any, out: Any, x: Any, y: Any) -> Any:
    """d conj(∂(x^y)/∂y); at x = 0 nothing, whatever d is: 0^y does not move with y (convention 3)."""
    if isinstance(x, int | float | complex):
        return 0.0 if x == 0 else d * conj(power_exponent(out, x, y))
    return np.where(x == 0, 0, d * conj(power_exponent(out, x, y)))


def power_exponent(out: Any, x: Any, y: Any) -> Any:
    """∂(x^y)/∂y = x^y log x; 0 at x = 0, and NaN for a real x < 0 (convention 3)."""
    if isinstance(x, int | float | complex):
        if x == 0:
            return 0 * y
        if np.iscomplexobj(out):
            return out * cmath.log(x)
        return out * (math.log(x) if x > 0 else math.nan)  # type: ignore[operator, arg-type]
    base = np.where(x == 0, 1, x)
    return out * np.log(base + 0j if np.iscomplexobj(out) else base)


# ---- roots, exponentials, logarithms
elementwise(np.square, lambda out, x: x + x)
elementwise(np.sqrt, lambda out, x: 0.5 / out)
elementwise(np.cbrt, lambda out, x: 1 / (3 * out * out))
elementwise(np.reciprocal, lambda out, x: -out * out)
elementwise(np.exp, lambda out, x: out)
elementwise(np.expm1, lambda out, x: np.exp(x))
elementwise(np.exp2, lambda out, x: out * LN2)
elementwise(np.log, lambda out, x: reciprocal(out, x))
elementwise(np.log1p, lambda out, x: reciprocal(out, 1 + x))
elementwise(np.log2, lambda out, x: reciprocal(out, x * LN2))
elementwise(np.log10, lambda out, x: reciprocal(out, x * LN10))
elementwise(np.logaddexp, lambda out, x, y: share(out, x, y), lambda out, x, y: share(out, y, x))
elementwise(np.logaddexp2, lambda out, x, y: share2(out, x, y), lambda out, x, y: share2(out, y, x))


def share(out: Any, x: Any, y: Any) -> Any:
    """How much of logaddexp(x, y) comes from x: e^x / (e^x + e^y)."""
    return np.exp(excess(out, x, y))


def share2(out: Any, x: Any, y: Any) -> Any:
    """How much of logaddexp2(x, y) comes from x."""
    return np.exp2(excess(out, x, y, -1))


# Their slope is the product of both shares: 1 - share has no digits left where one of them is nearly all.
elementwise(share, None, lambda s, out, x, y: s * share(out, y, x), lambda s, out, x, y: -s * share(out, y, x))
elementwise(
    share2, None, lambda s, out, x, y: LN2 * s * share2(out, y, x), lambda s, out, x, y: -LN2 * s * share2(out, y, x)
)


def excess(out: Any, x: Any, y: Any, half: float = -LN2) -> Any:
    """x - out, the logarithm of x's share in logaddexp; where infinities meet, equals share equally (convention 2)."""
    met = np.isinf(out) & (x == out)
    return np.where(met & (x == y), half, np.where(met, 0, x - np.where(met, 0, out)))


# ---- trigonometric and hyperbolic
elementwise(np.sin, lambda out, x: np.cos(x))
elementwise(np.cos, lambda out, x: -np.sin(x))
elementwise(np.tan, lambda out, x: 1 + out * out)
elementwise(np.arcsin, lambda out, x: 1 / np.sqrt((1 - x) * (1 + x)))
elementwise(np.arccos, lambda out, x: -1 / np.sqrt((1 - x) * (1 + x)))
elementwise(np.arctan, lambda out, x: 1 / (1 + x * x))
elementwise(np.sinh, lambda out, x: np.cosh(x))
elementwise(np.cosh, lambda out, x: np.sinh(x))
elementwise(np.tanh, lambda out, x: tanh_partial(out, x))
elementwise(np.arcsinh, lambda out, x: 1 / np.sqrt(1 + x * x))
elementwise(np.arccosh, lambda out, x: 1 / (np.sqrt(x - 1) * np.sqrt(x + 1)))
elementwise(np.arctanh, lambda out, x: reciprocal(out, (1 - x) * (1 + x)))
elementwise((np.degrees, np.rad2deg), lambda out, x: 1 / DEGREE)
elementwise((np.radians, np.deg2rad), lambda out, x: DEGREE)
elementwise(np.hypot, lambda out, x, y: over(x, out), lambda out, x, y: over(y, out))
elementwise(np.arctan2, lambda out, y, x: angle_partial(x, x, y), lambda out, y, x: -angle_partial(y, x, y))
elementwise(np.sinc, lambda out, x: sinc_partial(out, x))


SHALLOW = {np.dtype(kind): np.finfo(kind).eps ** 0.25 for kind in (np.float16, np.float32, np.float64)}


def tanh_partial(out: Any, x: Any) -> Any:
    """1 / cosh² x: 1 - tanh² x, which has lost its digits where it is small; there e^-2|x| (1 + |tanh x|)².

    1 / cosh x itself overflows.
    """
    slope = 1 - out * out
    if np.iscomplexobj(x) or (
        isinstance(out, np.ndarray) and np.minimum.reduce(slope, None, initial=1) > SHALLOW.get(out.dtype, 1)
    ):
        return slope
    twice = 1 + np.abs(out)
    return np.exp(-2 * np.abs(x)) * twice * twice


elementwise(tanh_partial, None, lambda slope, out, x: -2 * out * slope)


def over(x: Any, length: Any) -> Any:
    """x / length, and 0 where the length is 0: the gradient of a length, its least subgradient (convention 2)."""
    if isinstance(length, float):
        return x / length if length != 0 else x / 1.0
    if np.iscomplexobj(length) or not np.minimum.reduce(length, None, initial=1) > 0:
        length = np.where(length == 0, 1, length)
    if not isinstance(x, np.ndarray) or not np.iscomplexobj(x) or np.iscomplexobj(length):
        return x / length
    result = np.empty(np.broadcast_shapes(np.shape(x), np.shape(length)), np.result_type(x, length))
    np.divide(x.real, length, out=result.real)  # NumPy's own division is one of two complex numbers
    np.divide(x.imag, length, out=result.imag)
    return result


# A direction turns without measure at the origin: what moves it there is NaN (convention 2).
elementwise(
    over,
    lambda out, x, length: 1 / np.where(length == 0, np.nan, length),
    lambda out, x, length: -out / np.where(length == 0, np.nan, length),
)


def angle_partial(side: Any, x: Any, y: Any) -> Any:
    """side / (x² + y²); 0 at the origin (convention 2). By the radius where squares leave the range of the dtype."""
    square = x * x + y * y
    if isinstance(square, np.ndarray) and square.dtype.kind == "f":
        range_of = np.finfo(square.dtype)
        if np.min(square, initial=1) > range_of.tiny / range_of.eps and np.max(square, initial=1) < np.inf:
            return side / square
    radius = np.hypot(x, y)
    return over(over(side, radius), radius)


elementwise(
    angle_partial,
    lambda out, side, x, y: but_at_origin(angle_partial(1.0, x, y), x, y),
    lambda out, side, x, y: -2 * out * but_at_origin(angle_partial(x, x, y), x, y),
    lambda out, side, x, y: -2 * out * but_at_origin(angle_partial(y, x, y), x, y),
)


def but_at_origin(value: Any, x: Any, y: Any) -> Any:
    """The value, and NaN where x = y = 0."""
    return np.where((x == 0) & (y == 0), np.nan, value)


def sinc_partial(out: Any, x: Any) -> Any:
    """(cos πx - sinc x) / x; near 0, where that cancels, by its series, which has the right derivatives at 0 too."""
    square = (np.pi * x) ** 2
    small = square < 0.25
    u = np.where(small, square, 0)
    series = -(1 - u / 10 * (1 - u / 28 * (1 - u / 54 * (1 - u / 88 * (1 - u / 130))))) / 3
    safe = np.where(small, 1, x)
    return np.where(small, series * (np.pi**2 * x), (np.cos(np.pi * safe) - out) / safe)


# ---- magnitude, sign, selection (kinks and ties: convention 2)
rule(
    (abs, operator.abs, np.absolute),
    x=lambda d, out, x, /: d * direction(x, out),
    compares=True,
    sided={"x": lambda d, out, x, /: d * direction(x, out, sided=True)},
)
rule(
    np.fabs,
    x=lambda d, out, x, /: d * direction(x, out),
    compares=True,
    sided={"x": lambda d, out, x, /: d * direction(x, out, sided=True)},
)
rule(np.sign, x=lambda d, out, x, /: sign_pullback(d, out, x))
rule(
    np.copysign,
    x=lambda d, out, x, y, /: d * (direction(x, out) * np.copysign(1, out)),
    compares=True,
    sided={"x": lambda d, out, x, y, /: d * (direction(x, out, sided=True) * np.copysign(1, out))},
)
rule(
    np.maximum,
    selects=True,
    x=lambda d, out, x, y, /: chosen(d, x < y, x, y),
    y=lambda d, out, x, y, /: chosen(d, y < x, x, y),
    compares=True,
    sided={
        "x": lambda d, out, x, y, /: np.where(x <= y, 0, d),
        "y": lambda d, out, x, y, /: np.where(y < x, 0, d),
    },
)
rule(
    np.minimum,
    selects=True,
    x=lambda d, out, x, y, /: chosen(d, x > y, x, y),
    y=lambda d, out, x, y, /: chosen(d, y > x, x, y),
    compares=True,
    sided={
        "x": lambda d, out, x, y, /: np.where(x > y, 0, d),
        "y": lambda d, out, x, y, /: np.where(y >= x, 0, d),
    },
)
rule(
    np.fmax,
    x=lambda d, out, x, y, /: chosen(d, (x != out) & (out == out), x, y),
    y=lambda d, out, x, y, /: chosen(d, (y != out) & (out == out), x, y),
    compares=True,
    sided={
        "x": lambda d, out, x, y, /: np.where((x != out) & (out == out) | (x == y), 0, d),
        "y": lambda d, out, x, y, /: np.where((y != out) & (out == out), 0, d),
    },
)
rule(
    np.fmin,
    x=lambda d, out, x, y, /: chosen(d, (x != out) & (out == out), x, y),
    y=lambda d, out, x, y, /: chosen(d, (y != out) & (out == out), x, y),
    compares=True,
    sided={
        "x": lambda d, out, x, y, /: np.where((x != out) & (out == out), 0, d),
        "y": lambda d, out, x, y, /: np.where((y != out) & (out == out) | (x == y), 0, d),
    },
)
rule(np.where, selects=True, x=lambda d, out, condition, x, y, /: np.where(condition, d, 0),
     y=lambda d, out, condition, x, y, /: np.where(condition, 0, d))  # fmt: skip
rule(
    np.nan_to_num,
    selects=True,
    x=lambda d, out, x, copy=True, nan=0.0, posinf=None, neginf=None: np.where(np.isfinite(x), d, 0),
    nan=lambda d, out, x, copy=True, nan=0.0, posinf=None, neginf=None: np.where(np.isnan(x), d, 0),
    posinf=lambda d, out, x, copy=True, nan=0.0, posinf=None, neginf=None: np.where(np.isposinf(x), d, 0),
    neginf=lambda d, out, x, copy=True, nan=0.0, posinf=None, neginf=None: np.where(np.isneginf(x), d, 0),
)
elementwise(np.heaviside, None, lambda out, x, y: x == 0)


def direction(x: Any, out: Any, sided: bool = False) -> Any:
    """The gradient of |x|: the sign of a real x, x / |x| for a complex one; 0 at 0, or `sided` by its sign bit."""
    if np.iscomplexobj(x):
        return over(x, out)
    return np.copysign(1, x) if sided else np.sign(x)


def sign_pullback(d: Any, out: Any, x: Any) -> Any:
    """The sign of a real x is a step. Of a complex z it is z / |z| since NumPy 2, which moves along the circle only."""
    if not np.iscomplexobj(x) or np.lib.NumpyVersion(np.__version__) < "2.0.0":
        return None
    along = 1j * out
    return over(np.real(np.conj(along) * d), np.abs(x)) * along


def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """np.clip is the maximum with one bound and the minimum with the other, whose conventions at ties it shares."""
    lower = min if a_min is None else a_min
    upper = max if a_max is None else a_max
    if lower is None:
        return a if upper is None else np.minimum(a, upper)
    return np.maximum(a, lower) if upper is None else clipped(a, lower, upper)


def clipped(a: Any, lower: Any, upper: Any) -> Any:
    """np.clip between two bounds."""
    return np.clip(a, lower, upper)


composition(np.clip, clip)
rule(
    clipped,
    selects=True,
    entrywise=True,
    a=lambda d, out, a, lower, upper: between(d, a, lower, upper),
    lower=lambda d, out, a, lower, upper: chosen(lowered(d, a, lower, upper), lower < a, a, lower),
    upper=lambda d, out, a, lower, upper: chosen(d, upper > np.maximum(a, lower), np.maximum(a, lower), upper),
    compares=True,
    sided={
        "a": lambda d, out, a, lower, upper: np.where((a <= lower) | (np.maximum(a, lower) > upper), 0, d),
        "lower": lambda d, out, a, lower, upper: np.where((lower < a) | (np.maximum(a, lower) > upper), 0, d),
        "upper": lambda d, out, a, lower, upper: np.where(upper >= np.maximum(a, lower), 0, d),
    },
)


def lowered(d: Any, a: Any, lower: Any, upper: Any) -> Any:
    """What the minimum with the upper bound leaves of `d` for the maximum of the others."""
    raised = np.maximum(a, lower)
    return chosen(d, raised > upper, raised, upper)


# ---- conversions, parts of complex numbers, parts of floats
elementwise(
    (np.float16, np.float32, np.float64, np.longdouble, np.complex64, np.complex128, np.clongdouble), lambda out, x: 1
)
rule(np.real, moves=True, val=lambda d, out, val: d)
rule(np.imag, moves=True, val=lambda d, out, val: 1j * d)
rule(np.conjugate, moves=True, x=lambda d, out, x, /: np.conj(d))
rule(np.angle, z=lambda d, out, z, deg=False: d * turn(z) * (1 / DEGREE if deg else 1))
rule(np.ldexp, x=lambda d, out, x, i, /: np.ldexp(d, i))
rule(np.modf, x=lambda d, out, x, /: filled(d, out)[0])
rule(np.frexp, x=lambda d, out, x, /: np.ldexp(filled(d[:1], out[:1])[0], -out[1]))
rule(np.divmod, x=lambda d, out, x, y, /: filled(d, out)[1], y=lambda d, out, x, y, /: -filled(d, out)[1] * out[0])
rule(np.nextafter, x=lambda d, out, x, y, /: d)
rule(np.unwrap, p=lambda d, out, p, discont=None, axis=-1, *, period=2 * np.pi: d)


def turn(z: Any) -> Any:
    """The gradient of the angle of z, i z / |z|²; 0 at the origin (convention 2)."""
    return 1j * z * angle_partial(1.0, np.real(z), np.imag(z))


# ---- no derivative: truth values, integers, steps
constant(
    operator.floordiv, operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge, operator.not_,
    operator.truth, operator.is_, operator.is_not, operator.and_, operator.or_, operator.xor, operator.invert,
    operator.inv, operator.lshift, operator.rshift, operator.index, operator.contains,
    np.floor_divide, np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not, np.bitwise_and, np.bitwise_or, np.bitwise_xor,
    np.invert, np.left_shift, np.right_shift, np.gcd, np.lcm, np.isfinite, np.isinf, np.isnan, np.isnat, np.signbit,
    np.spacing, np.floor, np.ceil, np.trunc, np.rint, np.round, np.around, np.fix, np.isclose,
    np.allclose, np.array_equal, np.array_equiv, np.isreal, np.iscomplex, np.isrealobj, np.iscomplexobj, np.isneginf,
    np.isposinf, np.isscalar, np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32,
    np.uint64, np.dtype, np.finfo, np.iinfo,
)  # fmt: skip
if hasattr(np, "bitwise_count"):
    constant(np.bitwise_count)
