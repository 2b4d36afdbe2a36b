"""Float32 in, float32 out: constants, counts and seeds in a rule that raise the precision."""

from __future__ import annotations

import math
import operator

import numpy as np

import engine.traced

from ..case import Tolerance, case
from ..defects.numbers import cotangents_keep_their_dtype, in_another_precision
from ..defects.state import together, traced

single = np.float32


ROUNDED = Tolerance(rtol=6e-6, why="the doubles that were reported carry the roundings of single precision")


def double(array):
    return np.asarray(array, float)


def constant_like(array, value):
    """A constant as an array of doubles, which decides the precision of all that it meets."""
    return np.full(np.shape(array), value)


# -- seeds, counts and constants of rules ------------------------------------------------------------------------------


@case(
    "autograd-163",
    "https://github.com/HIPS/autograd/issues/163",
    title="the gradient for float32 is float64",
    month="2016-11",
    symptom="wrong-dtype",
    cause="The cotangent of the loss, from which everything starts, is a double 1.0 whatever the loss is.",
    at=(single([1.0, -2.0, 0.5]),),
    right=(single([2.0, -4.0, 1.0]),),
    oracle="closed form: 2x",
    reported=(double([2.0, -4.0, 1.0]),),
    defect=together(
        cotangents_keep_their_dtype, traced(engine.traced, "scalar_seed", lambda value, name="": np.float64(1.0))
    ),
)
def sum_of_squares(x):
    return np.sum(x**2)


def over_their_number(d, out, a, axis=None, *, keepdims=False, initial=None, where=True):
    winners = a == np.expand_dims(out, axis)
    return np.expand_dims(d, axis) * winners / np.sum(winners, axis, keepdims=True)


@case(
    "autograd-199",
    "https://github.com/HIPS/autograd/pull/199",
    title="the gradient of the maximum of float32 is float64",
    month="2017-03",
    symptom="wrong-dtype",
    cause="The cotangent is divided by the number of those that tie, a 64-bit integer, which makes it a double.",
    at=(single([[1.0, 3.0, 2.0], [0.5, 0.7, -1.0]]),),
    right=(single([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]),),
    oracle="closed form: 1 for the largest of each row",
    reported=(double([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]),),
    defect=in_another_precision(np.max, a=over_their_number),
)
def largest_of_each_row(x):
    return np.sum(np.max(x, axis=1))


@case(
    "autograd-671",
    "https://github.com/HIPS/autograd/issues/671",
    title="the gradient of x² in float32 is float64 with a newer NumPy",
    month="2025-01",
    symptom="wrong-dtype",
    cause="The rule makes its exponent with np.where, which returns an array of doubles where a plain number went in; "
    "arrays, unlike plain numbers, raise the precision.",
    at=(single([[0.5, -1.0], [2.0, 3.0]]),),
    right=(single([[1.0, -2.0], [4.0, 6.0]]),),
    oracle="closed form: 2x",
    reported=(double([[1.0, -2.0], [4.0, 6.0]]),),
    defect=in_another_precision(
        operator.pow,
        x=lambda d, out, x, y: d * y * x ** np.where(constant_like(x, y) != 0, y - 1.0, 1.0),
        y=lambda d, out, x, y: None,
    ),
)
def sum_of_squares_of_a_matrix(x):
    return np.real(np.sum(x**2))


@case(
    "jax-2150",
    "https://github.com/jax-ml/jax/pull/2150",
    title="the derivative code computes in double precision whatever it is given",
    month="2020-02",
    symptom="wrong-dtype",
    cause="The constants in the rules have no type of their own, so that each is a double, and promotes what it is "
    "multiplied with.",
    at=(single([1.0, 2.0, 3.0]),),
    right=(single([4.0, 4.0, 4.0]),),
    oracle="closed form: 2cx / k",
    reported=(double([4.0, 4.0, 4.0]),),
    defect=in_another_precision(
        operator.truediv, x=lambda d, out, x, y: d * (constant_like(y, 1.0) / y), y=lambda d, out, x, y: None
    ),
)
def squares_over_their_positions(x):
    c = 2.0
    k = np.arange(1, 4)
    return np.sum(c * x**2 / k.astype(x.dtype))


@case(
    "chainrules-233",
    "https://github.com/JuliaDiff/ChainRules.jl/issues/233",
    title="the derivative of a function of one float32 is float64",
    month="2020-07",
    symptom="wrong-dtype",
    cause="The type of the result is not taken from the float that went in: the cosine is computed in double "
    "precision.",
    at=(single(1.5),),
    right=(single(math.sin(1.5) + 1.5 * math.cos(1.5)),),
    oracle="closed form: sin x + x cos x",
    reported=(np.float64(math.sin(1.5) + 1.5 * math.cos(1.5)),),
    tolerance=ROUNDED,
    defect=in_another_precision(np.sin, x=lambda d, out, x: d * np.cos(np.float64(x))),
)
def sine_times_number(x):
    return np.sin(x) * x


@case(
    "flux-514",
    "https://github.com/FluxML/Flux.jl/issues/514",
    title="the gradient of a mean of float32 is float64",
    month="2018-12",
    symptom="wrong-dtype",
    cause="The rule multiplies by the inverse of the number of elements, and the inverse of an integer is a double.",
    at=(single([1.0, 2.0, 4.0]),),
    right=(single([0.0, 2 / 3, 2.0]),),
    oracle="closed form: 2 (x - 1) / 3",
    reported=(double([0.0, 2 / 3, 2.0]),),
    defect=in_another_precision(
        np.mean,
        a=lambda d, out, a, axis=None, dtype=None, *, keepdims=False, where=True: d * constant_like(a, 1 / a.size),
    ),
)
def mean_squared_distance_from_one(x):
    return np.mean((x - single(1)) ** 2)


@case(
    "flux-963",
    "https://github.com/FluxML/Flux.jl/issues/963",
    title="a leaky rectifier makes the gradient of float32 double",
    month="2019-12",
    symptom="wrong-dtype",
    cause="The slope on the left is a double; the result was rounded again, the gradient was not.",
    at=(single([-1.0, 2.0, -3.0]),),
    right=(single([0.01, 1.0, 0.01]),),
    oracle="closed form: 0.01 to the left of zero, 1 to the right",
    reported=(double(single([0.01, 1.0, 0.01])),),
    defect=in_another_precision(
        operator.mul,
        x=lambda d, out, x, y: constant_like(d, 1.0) * d * y,
        y=lambda d, out, x, y: constant_like(d, 1.0) * d * x,
    ),
)
def leaky_rectifier(x):
    return np.sum(np.maximum(x, single(0.01) * x))


TARGETS = single([1.2, 0.0, 0.1])


@case(
    "flux-2305",
    "https://github.com/FluxML/Flux.jl/issues/2305",
    title="Huber's loss of float32 has a float64 gradient",
    month="2023-08",
    symptom="wrong-dtype",
    cause="The threshold and the one half are doubles, and whatever they are multiplied with is one from there on.",
    at=(single([1.0, -2.0, 0.3]),),
    right=(single([single(1.0) - single(1.2), -1.0, single(0.3) - single(0.1)]) / single(3),),
    oracle="closed form: the error where it is small, else its sign, over 3",
    reported=(double(single([single(1.0) - single(1.2), -1.0, single(0.3) - single(0.1)]) / single(3)),),
    tolerance=ROUNDED,
    defect=in_another_precision(
        operator.mul,
        x=lambda d, out, x, y: constant_like(d, 1.0) * d * y,
        y=lambda d, out, x, y: constant_like(d, 1.0) * d * x,
    ),
)
def huber_loss(prediction):
    threshold, half = single(1), single(0.5)
    error = np.abs(prediction - TARGETS)
    return np.mean(np.where(error < threshold, half * error * error, threshold * (error - half * threshold)))


@case(
    "forwarddiff-604",
    "https://github.com/JuliaDiff/ForwardDiff.jl/issues/604",
    title="multiplying by a power of two turns single precision into double",
    month="2022-11",
    symptom="wrong-dtype",
    cause="The rule computes the power, a double, and multiplies by it, where it could scale the derivative as the "
    "function scales its argument.",
    at=(single(1.5),),
    right=(single(8.0),),
    oracle="closed form: 2³",
    reported=(np.float64(8.0),),
    defect=in_another_precision(np.ldexp, x=lambda d, out, x, i: d * np.float64(2**i)),
)
def number_times_a_power_of_two(x):
    return np.ldexp(x, 3)


@case(
    "forwarddiff-824",
    "https://github.com/JuliaDiff/ForwardDiff.jl/pull/824",
    title="2 to the power of a float32 has a float64 derivative",
    month="2026-07",
    symptom="wrong-dtype",
    cause="The derivative has the logarithm of the base in it, and that of the integer 2 is a double.",
    at=(single(1.5),),
    right=(single(2**1.5 * math.log(2)),),
    oracle="closed form: 2ˣ log 2",
    reported=(np.float64(2**1.5 * math.log(2)),),
    tolerance=ROUNDED,
    defect=in_another_precision(
        operator.pow, x=lambda d, out, x, y: None, y=lambda d, out, x, y: d * out * np.log(np.float64(x))
    ),
)
def two_to_the_power(x):
    return 2**x


@case(
    "zygote-727",
    "https://github.com/FluxML/Zygote.jl/issues/727",
    title="half of a float32 has a float64 derivative",
    month="2020-07",
    symptom="wrong-dtype",
    cause="The rule for division multiplies by the inverse of the divisor; that of the integer 2 is a double.",
    at=(single(1.0),),
    right=(single(0.5),),
    oracle="closed form: one half",
    reported=(np.float64(0.5),),
    defect=in_another_precision(
        operator.truediv, x=lambda d, out, x, y: d * np.float64(1 / y), y=lambda d, out, x, y: None
    ),
)
def half_of_a_number(x):
    return x / 2


@case(
    "zygote-663",
    "https://github.com/FluxML/Zygote.jl/issues/663",
    title="the gradient of the norm of float32 is float64",
    month="2020-05",
    symptom="wrong-dtype",
    cause="The rule divides by the norm as a double, and adds a double to keep from dividing by zero.",
    at=(single([[3.0, 0.0], [0.0, 4.0]]),),
    right=(single([[0.6, 0.0], [0.0, 0.8]]),),
    oracle="closed form: x over its norm",
    reported=(double([[0.6, 0.0], [0.0, 0.8]]),),
    defect=in_another_precision(
        np.linalg.norm, x=lambda d, out, x, ord=None, axis=None, keepdims=False: d * x / (constant_like(x, 1e-12) + out)
    ),
)
def norm_of_a_matrix(x):
    return np.linalg.norm(x)


WAVE = np.linspace(0.0, 1.0, 16).astype(np.float32)


def scaled_by_a_double(d, out, a, n=None, axis=-1, norm=None):
    return np.fft.fft(d) * constant_like(d, 1 / len(a))


@case(
    "zygote-751",
    "https://github.com/FluxML/Zygote.jl/pull/751",
    title="the gradient through a Fourier transform and back is double",
    month="2020-08",
    symptom="wrong-dtype",
    cause="The pullback of the inverse transform multiplies by 1 / n, a double, where dividing by n would keep single "
    "precision.",
    needs=("complex",),
    at=(WAVE,),
    right=(2 * WAVE,),
    oracle="closed form: 2x, the two transforms undoing each other",
    reported=(2 * double(WAVE),),
    tolerance=Tolerance(rtol=6e-6, atol=1e-6, why="transforms round each element as much as the largest"),
    defect=in_another_precision(np.fft.ifft, a=scaled_by_a_double),
)
def energy_of_a_wave_there_and_back(x):
    return np.sum(np.abs(np.fft.ifft(np.fft.fft(x))) ** 2)
