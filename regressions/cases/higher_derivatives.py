"""Third and higher derivatives, where what is right for the first and the second runs out."""

from __future__ import annotations

import math
import operator

import numpy as np

from ..case import case
from ..defects import with_rule


@case(
    "autograd-116",
    "https://github.com/HIPS/autograd/issues/116",
    title="the third and fourth derivatives of a Gaussian are NaN at 0",
    month="2016-06",
    symptom="nan-inf",
    cause="The derivative of xⁿ is n xⁿ⁻¹, and after two of them n is 0: what should vanish is 0 times 0⁻¹.",
    needs=("nested",),
    at=(0.0,),
    right=((0.0, 12.0),),
    oracle="mpmath: the Taylor series 1 - x² + x⁴ / 2, in which x³ is absent and x⁴ has 12 / 4!",
    reported=((float("nan"), float("nan")),),
    asks="value",
    no_differences="differences of the fourth order have no digits left",
    defect=with_rule(operator.pow, x=lambda d, out, x, y: d * y * np.power(x, y - 1.0), y=lambda d, out, x, y: 0.0 * d),
)
def third_and_fourth_derivative_of_a_gaussian(x, *, ad):
    third = ad.grad(ad.grad(ad.grad(lambda u: np.exp(-(u**2)))))
    return third(x), ad.grad(third)(x)


def slope_with_a_constant_branch(x):
    safe = np.where(x == 0, 1.0, x)
    return np.where(x == 0, 0.0, (np.cos(np.pi * safe) - np.sinc(safe)) / safe)


@case(
    "jax-5054",
    "https://github.com/jax-ml/jax/issues/5054",
    title="the second and the fourth derivative of sinc vanish at 0",
    month="2020-12",
    symptom="missing-gradient",
    cause="The quotient 0 / 0 is guarded by a branch that is the constant 1, and so are all derivatives taken from "
    "that branch.",
    needs=("nested",),
    at=(0.0,),
    right=((-(math.pi**2) / 3, math.pi**4 / 5),),
    oracle="closed form: the Taylor series 1 - π²x²/6 + π⁴x⁴/120",
    reported=((0.0, 0.0),),
    asks="value",
    defect=with_rule(np.sinc, x=lambda d, out, x: d * slope_with_a_constant_branch(x)),
)
def second_and_fourth_derivative_of_sinc(x, *, ad):
    second = ad.grad(ad.grad(np.sinc))
    return second(x), ad.grad(ad.grad(second))(x)


@case(
    "jax-1315",
    "https://github.com/jax-ml/jax/pull/1315",
    title="the second and third derivative of softplus are lost far to the right",
    month="2019-09",
    symptom="missing-gradient",
    cause="The slope was written exp(x) / (1 + exp(x)); differentiated again it is 1 minus a share that has been "
    "rounded to 1.",
    needs=("nested",),
    at=(500.0,),
    right=((math.exp(-500.0), -math.exp(-500.0)),),
    oracle="closed form: s (1 - s) and s (1 - s)(1 - 2s) with 1 - s = exp(-500), and s = 1 to rounding",
    reported=((0.0, 0.0),),
    asks="value",
    defect=with_rule(
        np.logaddexp,
        x=lambda d, out, x, y: d * np.exp(x) / (np.exp(x) + np.exp(y)),
        y=lambda d, out, x, y: d * np.exp(y) / (np.exp(x) + np.exp(y)),
    ),
)
def second_and_third_derivative_of_softplus(x, *, ad):
    second = ad.grad(ad.grad(lambda u: np.logaddexp(u, 0.0)))
    return second(x), ad.grad(second)(x)


@case(
    "zygote-726",
    "https://github.com/FluxML/Zygote.jl/issues/726",
    title="the third derivative of a Morse potential is NaN at the bottom of the well",
    month="2020-07",
    symptom="nan-inf",
    cause="The power is differentiated once more than its exponent lasts, and 0 times 0⁻¹ comes up where the base is "
    "zero.",
    needs=("nested",),
    at=(1.0,),
    right=(-6.0,),
    oracle="closed form: 2e - 8e² with e = exp(1 - x)",
    reported=(float("nan"),),
    asks="value",
    defect=with_rule(operator.pow, x=lambda d, out, x, y: d * y * np.power(x, y - 1.0), y=lambda d, out, x, y: 0.0 * d),
)
def third_derivative_of_a_morse_potential(x, *, ad):
    return ad.grad(ad.grad(ad.grad(lambda u: (1 - np.exp(1 - u)) ** 2)))(x)


@case(
    "pytensor-1772",
    "https://github.com/pymc-devs/pytensor/issues/1772",
    title="the third derivative through a loop of squarings is three times what it is",
    month="2025-12",
    symptom="wrong-value",
    cause="A path through the operator that runs the loop is counted more than once at third order; the thread "
    "suspects its gradient.",
    needs=("nested",),
    at=(0.95,),
    right=(32 * 31 * 30 * 0.95**29,),
    oracle="closed form: of x³²",
    reported=(3 * 32 * 31 * 30 * 0.95**29,),
    asks="value",
    no_defect="the engine runs the program's own loop; it has no operator for loops whose gradient could be wrong",
)
def third_derivative_of_repeated_squaring(x, *, ad):
    def power(z):
        for _ in range(5):
            z = z**2
        return z

    return ad.grad(ad.grad(ad.grad(power)))(x)


@case(
    "jax-3136",
    "https://github.com/jax-ml/jax/issues/3136",
    title="the sixth derivative of 1 / x is wrong in single precision",
    month="2020-05",
    symptom="wrong-value",
    cause="The slope of a quotient was written with squares of squares of the divisor; with each order there are more "
    "terms and larger ones, until nothing but their rounding is left.",
    needs=("nested",),
    at=(np.float32(4.0),),
    right=(np.float32(720 / 4**7),),
    oracle="closed form: 720 / x⁷",
    reported=(np.float32(-1.956),),
    asks="value",
    no_differences="differences of the sixth order have no digits left",
    no_defect="the number is rounding alone, and comes out so only in the order in which one compiler put the terms",
)
def sixth_derivative_of_a_reciprocal(x, *, ad):
    slope = lambda u: 1.0 / u  # noqa: E731
    for _ in range(6):
        slope = ad.grad(slope)
    return slope(x)
