"""Functions of complex numbers: conjugates in gradients, parts and moduli, and points where squares underflow."""

from __future__ import annotations

import operator

import mpmath
import numpy as np

from engine.rules.elementwise import over
from engine.rules.reductions import others_product

from ..case import case
from ..defects import with_rule
from ..defects.fit import imaginary_parts_are_kept
from ..defects.orders import with_new_rule
from ..defects.state import by_a_rule, together

conjugate_is_the_identity = with_rule(np.conj, x=lambda d, out, x, /: d)


@case(
    "chainrules-19",
    "https://github.com/JuliaDiff/ChainRules.jl/issues/19",
    title="conjugation has the derivative one",
    month="2019-04",
    symptom="wrong-value",
    cause="The cotangent is passed on as it is. Conjugation is not holomorphic, and its pullback is conjugation.",
    needs=("complex",),
    at=(np.array([1 - 3j]),),
    right=(np.array([2 + 1j]),),
    oracle="closed form: of 2x + y",
    reported=(np.array([2 - 1j]),),
    defect=conjugate_is_the_identity,
)
def real_part_of_a_multiple_of_the_conjugate(z):
    return np.sum(np.real((2 + 1j) * np.conj(z)))


@case(
    "chainrules-530",
    "https://github.com/JuliaDiff/ChainRules.jl/issues/530",
    title="the sum over an adjoint has the gradient of the sum over a transpose",
    month="2021-09",
    symptom="wrong-value",
    cause="A sum need not look at the lazy adjoint around its array, it was thought, and took it off; the elements "
    "under it are conjugated.",
    needs=("complex",),
    at=(np.array([1 + 2j, 3 - 1j]),),
    right=(np.array([-1j, -1j]),),
    oracle="closed form: the imaginary parts count negatively",
    reported=(np.array([1j, 1j]),),
    defect=conjugate_is_the_identity,
)
def sum_over_an_adjoint(z):
    return np.sum(np.imag(np.conj(z)[np.newaxis, :]))


def squared_modulus(z):
    return np.real(z) ** 2 + np.imag(z) ** 2


@case(
    "chainrules-195",
    "https://github.com/JuliaDiff/ChainRules.jl/issues/195",
    title="the tangent of a squared modulus is a complex number",
    month="2020-05",
    symptom="wrong-dtype",
    cause="The forward rule is 2 x dx, as for real numbers, without a conjugate and without taking the real part.",
    needs=("nested", "forward", "complex"),
    at=(np.array([1 + 2j]),),
    right=(np.array([6.0]),),
    oracle="closed form: 2 Re(conj(z) dz)",
    reported=(np.array([-2 + 6j]),),
    asks="value",
    defect=together(
        by_a_rule(squared_modulus, z=lambda d, out, z: 2 * d * z, jvp=lambda tangents, out, z: 2 * z * tangents[0]),
        imaginary_parts_are_kept,
    ),
)
def tangent_of_a_squared_modulus(z, *, ad):
    return ad.jvp(squared_modulus, (z,), (np.array([1 + 1j]),))[1]


@case(
    "enzymejl-1308",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/1308",
    title="the derivative of the complex exponential is conjugated",
    month="2024-02",
    symptom="wrong-value",
    cause="What a gradient multiplies by, the conjugate of the derivative, was returned for the derivative itself.",
    needs=("nested", "forward", "complex"),
    at=(np.array([0.4 + 1.1j]),),
    right=(np.exp(np.array([0.4 + 1.1j])),),
    oracle="closed form: exp(z), along the direction one",
    reported=(np.exp(np.array([0.4 - 1.1j])),),
    asks="value",
    defect=with_rule(
        np.exp,
        x=lambda d, out, x, /: d * np.conj(out),
        jvp=lambda tangents, out, x, /: tangents[0] * np.conj(out),
    ),
)
def derivative_of_the_exponential(z, *, ad):
    return ad.jvp(np.exp, (z,), (np.ones_like(z),))[1]


POWERS = np.array([1 + 0j, 2.0, 3.0])


@case(
    "zygote-705",
    "https://github.com/FluxML/Zygote.jl/issues/705",
    title="the imaginary part of a sum of exponentials has the gradient i, for every term",
    month="2020-06",
    symptom="wrong-value",
    cause="Two libraries exchanged cotangents that one of them conjugates; of an array of complex numbers the factor "
    "exp(z) was lost on the way.",
    needs=("complex",),
    at=(POWERS,),
    right=(1j * np.exp(POWERS).conj(),),
    oracle="closed form: i conj(exp(z))",
    reported=(np.array([1j, 1j, 1j]),),
    defect=with_rule(np.exp, x=lambda d, out, x, /: d + 0 * x),
)
def imaginary_part_of_exponentials(z):
    return np.imag(np.sum(np.exp(z)))


@case(
    "zygote-519",
    "https://github.com/FluxML/Zygote.jl/pull/519",
    title="the gradient of a quotient of complex arrays is not conjugated",
    month="2020-03",
    symptom="wrong-value",
    cause="The rule of real arrays was used: the cotangent is divided by the denominator, and not by its conjugate.",
    needs=("complex",),
    at=(np.array([1 + 2j]), np.array([2 - 1j])),
    right=(np.array([0.4 - 0.2j]), np.array([0.2 + 0.4j])),
    oracle="closed form: 1 / conj(y) and -conj(x / y²)",
    reported=(np.array([0.4 + 0.2j]), np.array([0.2 - 0.4j])),
    defect=with_rule(operator.truediv, x=lambda d, out, x, y, /: d / y, y=lambda d, out, x, y, /: -d * out / y),
)
def real_part_of_a_quotient(x, y):
    return np.sum(np.real(x / y))


@case(
    "tensorflow-12514",
    "https://github.com/tensorflow/tensorflow/issues/12514",
    title="the gradient of a product of complex numbers is wrong",
    month="2017-08",
    symptom="wrong-value",
    cause="The products of the other factors are not conjugated before the cotangent is multiplied by them.",
    needs=("complex",),
    at=(1.0,),
    right=(-6.0,),
    oracle="closed form: of -3x²",
    reported=(10.0,),
    defect=with_rule(np.prod, a=lambda d, out, a: d * others_product(a)),
)
def real_part_of_a_square_by_a_product(x):
    return np.real(np.prod(np.array([x + 2j * x, x + 2j * x])))


SIGNAL, FILTER = np.array([1 + 2j, -1j, 2.0 + 0j, 0.5 + 0.5j]), np.array([1 - 1j, 0.5 + 2j])
FILTERED = 2 * np.convolve(SIGNAL, FILTER, mode="valid")


@case(
    "flux-1876",
    "https://github.com/FluxML/Flux.jl/issues/1876",
    title="the gradients of a complex convolution are not conjugated",
    month="2022-02",
    symptom="wrong-value",
    cause="The pullback is the transpose of the convolution, as for real numbers; it should be the adjoint.",
    needs=("complex",),
    at=(SIGNAL, FILTER),
    right=(
        np.convolve(FILTERED, FILTER[::-1].conj()),
        np.convolve(SIGNAL[::-1].conj(), FILTERED, mode="valid"),
    ),
    oracle="closed form: 2y correlated with the other operand",
    reported=(np.convolve(FILTERED, FILTER[::-1]), np.convolve(SIGNAL[::-1], FILTERED, mode="valid")),
    defect=with_rule(
        np.convolve,
        a=lambda d, out, a, v, mode: np.convolve(d, v[::-1]),
        v=lambda d, out, a, v, mode: np.convolve(a[::-1], d, mode),
    ),
)
def power_of_a_filtered_signal(x, w):
    return np.sum(np.abs(np.convolve(x, w, mode="valid")) ** 2)


imaginary_part_counts_negatively = with_rule(np.imag, val=lambda d, out, val: -1j * d)


@case(
    "jax-979",
    "https://github.com/jax-ml/jax/issues/979",
    title="a modulus made of real and imaginary part has the conjugate of its gradient",
    month="2019-07",
    symptom="wrong-value",
    cause="The rule for the imaginary part followed the opposite convention of the rule for the modulus: a slip of one "
    "sign.",
    needs=("complex",),
    at=(np.array([1.0 + 0.5j]),),
    right=(np.array([1.0 + 0.5j]) / np.sqrt(1.25),),
    oracle="closed form: z / |z|",
    reported=(np.array([1.0 - 0.5j]) / np.sqrt(1.25),),
    defect=imaginary_part_counts_negatively,
)
def modulus_by_its_parts(z):
    return np.sum(np.sqrt(np.real(z) ** 2 + np.imag(z) ** 2))


@case(
    "jax-15872",
    "https://github.com/jax-ml/jax/issues/15872",
    title="following the gradient of Im(z)² downhill goes uphill",
    month="2023-05",
    symptom="wrong-value",
    cause="The gradient is dL/dx - i dL/dy, as is documented: the conjugate of the direction of steepest ascent, which "
    "other engines return.",
    needs=("nested", "complex"),
    at=(np.array([2.0j]),),
    right=(1.2**2,),
    oracle="closed form: a step of 0.2 against the gradient 4i (convention 1)",
    reported=(2.8**2,),
    asks="value",
    defect=imaginary_part_counts_negatively,
)
def descent_along_the_imaginary_axis(z, *, ad):
    def height(z):
        return np.sum(np.imag(z) ** 2)

    return float(height(z - 0.2 * ad.grad(height)(z)))


# -- kinks, and points that are hard to reach --------------------------------------------------------------------------


def one_at_zero(d, out, x, /):
    return d * (over(x, out) if np.iscomplexobj(x) else np.where(x < 0, -1, 1))


@case(
    "jax-10515",
    "https://github.com/jax-ml/jax/issues/10515",
    title="the slope of abs at zero is 1 for a real zero and 0 for a complex one",
    month="2022-05",
    symptom="wrong-value",
    cause="Each kind of number has a rule of its own, and they settle the kink in different ways.",
    needs=("nested", "complex"),
    at=(np.array([0.0]),),
    right=(np.array([0j]),),
    oracle="definition: a real number is a complex one, and so is its slope",
    reported=(np.array([1 + 0j]),),
    asks="value",
    defect=with_rule(np.absolute, x=one_at_zero),
)
def slopes_at_a_real_and_at_a_complex_zero(x, *, ad):
    def size(x):
        return np.sum(np.abs(x))

    return ad.grad(size)(x) - ad.grad(size)(x + 0j)


def by_the_power_below(d, out, x, y, /):
    with np.errstate(invalid="ignore"):
        return d * np.conj(y * np.exp((y - 1) * np.log(x)))


@case(
    "jax-18749",
    "https://github.com/jax-ml/jax/issues/18749",
    title="the first power of an infinite complex number has the slope NaN",
    month="2023-11",
    symptom="nan-inf",
    cause="The slope is p zᵖ⁻¹, and the power with exponent zero of an infinite complex number was NaN, not one.",
    needs=("complex",),
    at=(np.array([np.inf + 0j]),),
    right=(np.array([1.0 + 0j]),),
    oracle="closed form: the first power is the number itself",
    no_differences="the number is infinite",
    reported=(np.array([complex(np.nan, np.nan)]),),
    defect=with_rule(operator.pow, x=by_the_power_below),
)
def first_power_of_infinity(z):
    return np.sum(np.real(z**1.0))


def by_a_squared_modulus(d, out, x, /):
    squared = np.real(x) ** 2 + np.imag(x) ** 2
    return d * np.where(out == 0, 0, x * out / squared)


@case(
    "pytorch-96543",
    "https://github.com/pytorch/pytorch/issues/96543",
    title="the modulus of a tiny complex number has the slope NaN, that of zero has none",
    month="2023-03",
    symptom="nan-inf",
    cause="Most likely z / |z| is made with a squared modulus, which underflows; only an exact zero is looked after.",
    needs=("complex",),
    at=(np.array([-1e-200]), np.array([0.0])),
    right=(np.array([-1.0]), np.array([0.0])),
    oracle="closed form: z / |z|",
    no_differences="their steps are much larger than the number",
    reported=(np.array([np.nan]), np.array([np.nan])),
    defect=with_rule(np.absolute, x=by_a_squared_modulus),
)
def modulus_of_a_tiny_number(real, imaginary):
    return np.sum(np.abs(real + 1j * imaginary))


SMALL = np.array([5.6843e-14, 1.0e-13], dtype=np.float32)


def by_powers_of_the_modulus(d, out, z):
    squared = np.abs(z) ** 2
    return d * 1j * z * squared**2 / (squared**2 * squared)


@case(
    "pytorch-98276",
    "https://github.com/pytorch/pytorch/issues/98276",
    title="the angle of a small complex number in single precision has the slope NaN",
    month="2023-04",
    symptom="nan-inf",
    cause="Most likely a power of the modulus underflows on the way; the slope is large and finite.",
    needs=("complex",),
    at=(SMALL,),
    right=(np.array([-7557935514101.999, 4296157264382.9272], np.float32),),
    oracle="mpmath: atan2 of the parts",
    reported=(np.array([np.nan, np.nan], np.float32),),
    exact=lambda v: mpmath.atan2(v[1], v[0]),
    defect=with_rule(np.angle, z=by_powers_of_the_modulus),
)
def angle_of_a_small_number(v):
    return np.sum(np.angle(v[:1] + 1j * v[1:]))


MODERN = np.lib.NumpyVersion(np.__version__) >= "2.0.0"


def sign(z):
    """z / |z|, as np.sign has it from NumPy 2 on."""
    return np.sign(z) if MODERN else z / np.abs(z)


@case(
    "autograd-618",
    "https://github.com/HIPS/autograd/pull/618",
    title="the sign of a complex number has no gradient",
    month="2024-04",
    symptom="missing-gradient",
    cause="The rule says that the sign is constant nearly everywhere. NumPy 2 changed its meaning for complex numbers, "
    "from the sign of the real part to z / |z|, which turns with z.",
    needs=("complex",),
    at=(np.array([1.0 + 1.0j]),),
    right=(np.array([1 - 1j]) / 8**0.5,),
    oracle="closed form: y² / |z|³ and -xy / |z|³",
    reported=(np.array([0j]),),
    defect=with_rule(np.sign, x=lambda d, out, x: np.zeros_like(x))
    if MODERN
    else with_new_rule(sign, z=lambda d, out, z: np.zeros_like(z)),
)
def real_part_of_a_sign(z):
    return np.sum(np.real(sign(z)))


def by_a_real_shortcut(d, out, x, /):
    return d * np.conj(np.where(np.imag(x) == 0, np.exp(np.real(x)), out))


@case(
    "forwarddiff-653",
    "https://github.com/JuliaDiff/ForwardDiff.jl/issues/653",
    title="the second derivative of exp(ix) vanishes at zero",
    month="2023-06",
    symptom="missing-gradient",
    cause="The exponential of a complex number takes a shortcut where its imaginary part equals zero, a comparison of "
    "values that does not see that it moves.",
    needs=("nested", "complex"),
    at=(0.0,),
    right=(-1.0,),
    oracle="closed form: -cos x",
    reported=(0.0,),
    asks="value",
    defect=with_rule(np.exp, x=by_a_real_shortcut),
)
def curvature_of_a_wave(x, *, ad):
    return ad.grad(ad.grad(lambda x: np.real(np.exp(1j * x))))(x)
