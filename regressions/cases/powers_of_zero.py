"""Powers of zero: their slopes in the base and in the exponent, and what a logarithm of zero does to both."""

from __future__ import annotations

import operator

import numpy as np

from ..case import Raises, case
from ..defects import with_rule


@case(
    "forwarddiff-55",
    "https://github.com/JuliaDiff/ForwardDiff.jl/issues/55",
    title="the square of a coordinate that is zero has a NaN derivative",
    month="2015-09",
    symptom="nan-inf",
    cause="The derivative of a power was written as the exponent times the power over the base, 0 over 0.",
    at=(np.array([100.0, 0.0]),),
    right=(np.array([1.0, 0.0]),),
    oracle="closed form: -2y exp(-y²) and x / r",
    reported=(np.array([1.0, np.nan]),),
    defect=with_rule(operator.pow, x=lambda d, out, x, y, /: d * y * out / x),
)
def bump_on_a_cone(x):
    return np.exp(-(x[1] ** 2)) + np.sqrt(x[0] ** 2 + x[1] ** 2)


@case(
    "flux-350",
    "https://github.com/FluxML/Flux.jl/issues/350",
    title="a power with a constant exponent has a NaN gradient at zero",
    month="2018-08",
    symptom="nan-inf",
    cause="The derivative in the exponent was formed too, though nobody asked for it: zero times the logarithm of "
    "zero, and it spoiled the sum of both.",
    at=(np.array([0.0, 1.0]),),
    right=(np.array([0.0, np.pi]),),
    oracle="closed form: π x to the power π - 1",
    no_differences="the power does not exist to the left of zero",
    reported=(np.array([np.nan, np.pi]),),
    defect=with_rule(operator.pow, x=lambda d, out, x, y, /: d * (y * x ** (y - 1) + 0.0 * out * np.log(x))),
)
def sum_of_powers_of_pi(x):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sum(x**np.pi)


@case(
    "forwarddiff-414",
    "https://github.com/JuliaDiff/ForwardDiff.jl/pull/414",
    "https://github.com/EnzymeAD/Enzyme/pull/2855",
    title="a power of zero has a NaN derivative in its exponent",
    month="2019-10",
    symptom="nan-inf",
    cause="The power times the logarithm of the base is 0 times infinity; there was no guard for a base of zero.",
    at=(0.0, 1.0),
    right=(1.0, 0.0),
    oracle="closed form: x itself in x, and 0 to any positive power is 0",
    reported=(1.0, float("nan")),
    defect=with_rule(
        operator.pow,
        x=lambda d, out, x, y, /: d * y * x ** (y - 1),
        y=lambda d, out, x, y, /: d * out * np.log(np.float64(x)),
    ),
)
def power_with_a_free_exponent(x, y):
    with np.errstate(divide="ignore", invalid="ignore"):
        return x**y


@case(
    "chainrules-485",
    "https://github.com/JuliaDiff/ChainRules.jl/pull/485",
    title="the first power of zero has slope 0",
    month="2021-07",
    symptom="missing-gradient",
    cause="The guard for a base of zero, which was to avoid a division by it, gave 0 for every exponent.",
    at=(np.zeros(3), np.array([1.0, 2.0, 3.5])),
    right=(np.array([1.0, 0.0, 0.0]), np.zeros(3)),
    oracle="closed form: p x to the power p - 1, which for p = 1 is 1 everywhere; 0 in the exponent",
    no_differences="the last power does not exist to the left of zero",
    reported=(np.zeros(3), np.zeros(3)),
    defect=with_rule(
        operator.pow,
        x=lambda d, out, x, y, /: np.where(x == 0, 0.0, d * y * x ** (y - 1)),
        y=lambda d, out, x, y, /: 0.0 * d,
    ),
)
def powers_of_zero(x, p):
    with np.errstate(invalid="ignore"):
        return np.sum(x**p)


@case(
    "autograd-581",
    "https://github.com/HIPS/autograd/issues/581",
    title="the derivative of x ** 0.5 at the float 0.0 raises ZeroDivisionError",
    month="2022-08",
    symptom="raises",
    cause="The slope is half of x to the power -1/2, which NumPy's numbers take to infinity and Python's refuse to "
    "compute.",
    at=(0.0,),
    right=(float("inf"),),
    oracle="definition: the limit from inside, by convention 3",
    no_differences="the root does not exist to the left of zero",
    reported=Raises("crash", "ZeroDivisionError: .* to a negative power"),
    defect=with_rule(operator.pow, x=lambda d, out, x, y, /: d * y * x ** (y - 1)),
)
def root_as_a_power(x):
    return x**0.5


ROOTS = np.array([[1.0, 0.0], [0.0, 3.0]])


@case(
    "zygote-1101",
    "https://github.com/FluxML/Zygote.jl/issues/1101",
    title="roots of the powers of a matrix with zeros have a NaN derivative in the exponent",
    month="2021-10",
    symptom="nan-inf",
    cause="The root of a zero has an infinite slope, and a power of zero the slope 0 in its exponent: it does not move "
    "with it, which a number that happens to be 0 cannot say.",
    at=(4.0,),
    right=(4.5 * np.log(3.0).item(),),
    oracle="closed form: of 3 to the power θ/2, less 3; the other entries do not move",
    reported=(float("nan"),),
    defect=with_rule(
        operator.pow,
        x=lambda d, out, x, y, /: d * y * x ** (y - 1),
        y=lambda d, out, x, y, /: d * (out * np.log(np.where(x == 0, 1.0, x))),
    ),
)
def distance_of_roots_of_powers(theta):
    return np.linalg.norm(np.sqrt(ROOTS**theta) - ROOTS)
