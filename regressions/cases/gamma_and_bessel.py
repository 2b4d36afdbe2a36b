"""The gamma family, zeta and Bessel functions: mistaken formulas, arguments without one, slopes at zero."""

from __future__ import annotations

import math

import mpmath
import numpy as np
from scipy.special import betainc, digamma, gammainc, i0, i0e, i1e, zeta

from engine.rules.scipy import special as special_rules

from ..case import Raises, case
from ..defects import patched, with_rule, without_rule
from ..defects.orders import second_pass_meets
from ..defects.state import together


@case(
    "jax-37635",
    "https://github.com/jax-ml/jax/issues/37635",
    title="the slope of digamma at negative half-integers is that of another function",
    month="2026-05",
    symptom="wrong-value",
    cause="It is computed by a series that holds for positive arguments only; the reflection formula, which leads "
    "there from the negative ones, was forgotten.",
    at=(-16.5,),
    right=(9.810797812993574,),
    oracle="mpmath: of digamma",
    exact=lambda x: mpmath.digamma(x),
    reported=(1 / -16.5 + 1 / (2 * 16.5**2) + 1 / (6 * (-16.5) ** 3),),
    defect=with_rule(digamma, x=lambda d, out, x: d * (1 / x + 1 / (2 * x**2) + 1 / (6 * x**3))),
)
def digamma_left_of_zero(x):
    return digamma(x)


def no_formula(*args):
    raise ValueError("the gradient with respect to this parameter is not supported")


@case(
    "jax-38610",
    "https://github.com/jax-ml/jax/issues/38610",
    title="the incomplete beta function has no gradient by its shapes",
    month="2026-06",
    symptom="raises",
    cause="The rule covers the upper limit alone; by the two shapes there is no closed formula, and nobody had written "
    "the series.",
    at=(np.array([1.0, 2.0]),),
    right=(np.array([0.25 - 0.75 * math.log(2.0), 0.25 * math.log(2.0)]),),
    oracle="mpmath: of the regularised incomplete beta function",
    exact=lambda v: mpmath.betainc(v[0], v[1], 0, 0.5, regularized=True),
    reported=Raises("crash", "ValueError: .*this parameter is not supported"),
    defect=together(
        patched(special_rules, "betainc_by_a", no_formula), patched(special_rules, "betainc_by_b", no_formula)
    ),
)
def incomplete_beta_function_by_its_shapes(v):
    return betainc(v[0], v[1], 0.5)


@case(
    "jax-2064",
    "https://github.com/jax-ml/jax/pull/2064",
    title="the incomplete gamma function has no gradient by its shape",
    month="2020-01",
    symptom="raises",
    cause="The derivative by the upper limit is a density, that by the shape a series of its own, which came later.",
    at=(np.array([1.5, 2.0]),),
    right=(np.array([-0.27743356420871, math.exp(-2) * math.sqrt(2) / math.gamma(1.5)]),),
    oracle="mpmath: of the regularised incomplete gamma function",
    exact=lambda v: mpmath.gammainc(v[0], 0, v[1], regularized=True),
    reported=Raises("crash", "ValueError: .*this parameter is not supported"),
    defect=patched(special_rules, "gammainc_by_shape", no_formula),
)
def incomplete_gamma_function_by_both_arguments(v):
    return gammainc(v[0], v[1])


@case(
    "jax-7922",
    "https://github.com/jax-ml/jax/issues/7922",
    title="the incomplete gamma function cannot be differentiated twice by its shape",
    month="2021-09",
    symptom="raises",
    cause="Its first derivative is a primitive of its own, computed by compiled code, and that has no rule.",
    needs=("nested",),
    at=(1.5,),
    right=(-0.07409338751048228,),
    oracle="mpmath: differences with 60 digits",
    reported=Raises("crash", "NotImplementedError: differentiation rule .* not implemented"),
    asks="value",
    defect=second_pass_meets(
        NotImplementedError("differentiation rule for the slope by the shape not implemented"),
    ),
)
def curvature_of_the_incomplete_gamma_function(a, *, ad):
    return ad.grad(ad.grad(lambda shape: gammainc(shape, 2.0)))(a)


@case(
    "tensorflow-60041",
    "https://github.com/tensorflow/tensorflow/issues/60041",
    title="Hurwitz's zeta function has no gradient by its exponent, and says nothing",
    month="2023-03",
    symptom="missing-gradient",
    cause="No derivative was registered, and a function without one counts as constant.",
    at=(2.0,),
    right=(-0.9375482543158438,),
    oracle="mpmath: of zeta(x, 2)",
    exact=lambda x: mpmath.zeta(x, 2),
    reported=(None,),
    defect=with_rule(zeta, x=lambda d, out, x, q=None: None),
)
def hurwitz_zeta_function(x):
    return zeta(x, 2.0)


@case(
    "zygote-398",
    "https://github.com/FluxML/Zygote.jl/pull/398",
    title="the logarithm of the gamma function ends in a call of the C library",
    month="2019-11",
    symptom="raises",
    cause="The rule was there, in a version of another package that a bound kept out; without it the call was followed "
    "into the library.",
    needs=("plain-values", "refusal"),
    at=(np.array([1.0]),),
    right=(np.array([-0.5772156649015329]),),
    oracle="closed form: digamma(1), which is minus Euler's constant",
    reported=Raises("foreign-call", "lgamma"),
    defect=without_rule(math.lgamma),
)
def logarithm_of_the_gamma_function(x):
    return math.lgamma(x[0])


@case(
    "jax-11479",
    "https://github.com/jax-ml/jax/issues/11479",
    title="the Bessel function i0, which is even, is not flat at 0",
    month="2022-07",
    symptom="wrong-value",
    cause="It is written exp|x| times a scaled function; both factors have a kink at 0, where the one slope is taken "
    "from the right and the other is 0.",
    at=(0.0,),
    right=(0.0,),
    oracle="closed form: i1(0)",
    reported=(1.0,),
    defect=with_rule(
        i0,
        x=lambda d, out, x: (
            d * np.exp(np.abs(x)) * (np.where(x < 0, -1.0, 1.0) * i0e(x) + i1e(x) - np.sign(x) * i0e(x))
        ),
    ),
)
def bessel_function_at_zero(x):
    return i0(x)
