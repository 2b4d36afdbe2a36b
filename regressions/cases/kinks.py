"""Kinks: the modulus at zero, clamps at their bounds, and smooth functions that are written with both."""

from __future__ import annotations

import numpy as np

from ..case import Between, case
from ..defects import on_traced_tier, with_rule
from ..defects.orders import with_new_rule
from ..defects.state import together

WEIGHTS = np.array([1.0, 2.0, 3.0])


@case(
    "autograd-100",
    "https://github.com/HIPS/autograd/issues/100",
    "https://github.com/rsokl/MyGrad/pull/379",
    title="the gradient of a modulus is NaN at zero",
    month="2016-04",
    symptom="nan-inf",
    cause="The rule divides x by its modulus, which is 0 over 0.",
    at=(np.array([-2.0, 0.0, 4.0]),),
    right=(np.array([-1.0, 0.0, 3.0]),),
    admissible=((Between(np.array([-1.0, -2.0, 3.0]), np.array([-1.0, 2.0, 3.0])),),),
    oracle="definition: the weight times the sign, and 0 at 0 by convention 2",
    reported=(np.array([-1.0, np.nan, 3.0]),),
    defect=with_rule(np.abs, x=lambda d, out, x, /: d * x / out),
)
def weighted_sum_of_moduli(x):
    return np.sum(np.abs(x) * WEIGHTS)


@case(
    "zygote-1529",
    "https://github.com/FluxML/Zygote.jl/issues/1529",
    "https://github.com/jax-ml/jax/issues/37820",
    title="the slope of a modulus at zero is 1, where the sign of zero is 0",
    month="2024-10",
    symptom="wrong-value",
    cause="Which side zero is on was read off its sign bit; the same sum by another path had slope 0.",
    at=(np.array([0.0, 3.0, -2.0]),),
    right=(np.array([0.0, 1.0, -1.0]),),
    oracle="definition: the sign, 0 at 0 by convention 2: the mean of both slopes, and the subgradient of least norm",
    reported=(np.array([1.0, 1.0, -1.0]),),
    defect=with_rule(np.abs, x=lambda d, out, x, /: np.where(np.signbit(x), -d, d)),
)
def sum_of_moduli(x):
    return np.sum(np.abs(x))


@case(
    "zygote-1472",
    "https://github.com/FluxML/Zygote.jl/issues/1472",
    title="the gradient of the modulus of a complex zero is NaN",
    month="2023-11",
    symptom="nan-inf",
    cause="The modulus was differentiated as the root of a sum of squares, whose slope is infinite at zero.",
    needs="complex",
    at=(np.array([0.0 + 0.0j, 3.0 + 4.0j]),),
    right=(np.array([0.0 + 0.0j, 0.6 + 0.8j]),),
    oracle="definition: z / |z|, and 0 at 0 by convention 2",
    reported=(np.array([complex(np.nan, np.nan), 0.6 + 0.8j]),),
    defect=with_rule(np.abs, x=lambda d, out, x, /: d * x / out),
)
def sum_of_complex_moduli(z):
    return np.sum(np.abs(z))


# -- clamps ------------------------------------------------------------------------------------------------------------


@case(
    "pytorch-7002",
    "https://github.com/pytorch/pytorch/issues/7002",
    title="a clamp has no gradient at its very bounds",
    month="2018-04",
    symptom="missing-gradient",
    cause="The mask was made with strict inequalities; a parameter that starts at its bound never leaves it.",
    at=(np.array([0.0, 0.25, 1.0]),),
    right=(np.array([0.5, 2.0, 1.5]),),
    admissible=((np.array([1.0, 2.0, 3.0]),),),
    oracle="definition: x and its bound share at a tie, by convention 2",
    reported=(np.array([0.0, 2.0, 0.0]),),
    defect=with_rule(np.clip, a=lambda d, out, a, a_min, a_max: np.where((a_min < a) & (a < a_max), d, 0.0)),
)
def clamped_to_the_unit_interval(x):
    return np.sum(np.clip(x, 0.0, 1.0) * WEIGHTS)


@case(
    "pytorch-184572",
    "https://github.com/pytorch/pytorch/issues/184572",
    title="two ways to write the positive part have two slopes at zero",
    month="2026-05",
    symptom="wrong-value",
    cause="Each rule had a convention of its own at the kink: a maximum shared, and a clip passed everything on.",
    at=(0.0,),
    right=(5.5,),
    admissible=((0.0,), (11.0,)),
    oracle="definition: one slope for both, times 11; it is 1/2 by convention 2",
    reported=(10.5,),
    defect=with_rule(np.clip, a=lambda d, out, a, a_min, a_max: np.where(a >= a_min, d, 0.0)),
)
def positive_part_in_two_ways(x):
    return np.maximum(x, 0.0) + 10.0 * np.clip(x, 0.0, None)


def relu(x):
    return np.where(x > 0, x, 0.0)


@case(
    "jax-2342",
    "https://github.com/jax-ml/jax/pull/2342",
    title="relu has slope 1/2 at zero, where it is meant to be flat",
    month="2020-03",
    symptom="wrong-value",
    cause="It was made of a maximum, and inherited its share at a tie; who writes relu wants the branch that is taken.",
    at=(np.array([-1.0, 0.0, 2.0]),),
    right=(np.array([0.0, 0.0, 1.0]),),
    admissible=((np.array([0.0, 1.0, 1.0]),),),
    oracle="definition: at 0 the constant is selected, and by convention 4 nothing else is looked at",
    reported=(np.array([0.0, 0.5, 1.0]),),
    defect=with_new_rule(relu, x=lambda d, out, x: d * (x == out) / (1 + (x == 0))),
)
def sum_of_rectified_numbers(x):
    return np.sum(relu(x))


def relu6(x):
    return np.where(x < 6.0, relu(x), 6.0)


@case(
    "tinygrad-18029",
    "https://github.com/tinygrad/tinygrad/pull/18029",
    title="relu6 has slope 1/2 at its upper knee",
    month="2026-09",
    symptom="wrong-value",
    cause="It was the minimum of relu and 6, and the share that a minimum gives at a tie came through to a function "
    "whose own convention is another.",
    at=(np.array([3.0, 6.0, 7.0]),),
    right=(np.array([1.0, 0.0, 0.0]),),
    admissible=((np.array([1.0, 1.0, 0.0]),),),
    oracle="definition: at 6 the constant is selected, and by convention 4 nothing else is looked at",
    reported=(np.array([1.0, 0.5, 0.0]),),
    defect=with_new_rule(relu6, x=lambda d, out, x: d * (x == out) / (1 + (x == 6))),
)
def sum_of_numbers_rectified_twice(x):
    return np.sum(relu6(x))


def hard_sigmoid(x):
    return np.clip((x + 3.0) / 6.0, 0.0, 1.0)


@case(
    "nnlib-706",
    "https://github.com/FluxML/NNlib.jl/pull/706",
    title="the hard sigmoid has slope 1 where it is flat",
    month="2026-06",
    symptom="wrong-value",
    cause="The rule, which looks at the output, had the wrong constant for the branches that are clipped.",
    at=(np.array([-5.0, 0.0, 5.0]),),
    right=(np.array([0.0, 1 / 6, 0.0]),),
    oracle="closed form: 1/6 between -3 and 3",
    reported=(np.array([1.0, 1 / 6, 1.0]),),
    defect=with_new_rule(hard_sigmoid, x=lambda d, out, x: d * np.where((out > 0) & (out < 1), 1 / 6, 1.0)),
)
def sum_of_hard_sigmoids(x):
    return np.sum(hard_sigmoid(x))


PIXELS = np.array([1.0, 2.0, 4.0, 8.0])
PLACES = np.arange(4.0)


def slope_beyond_the_border(d, out, x, xp, fp):
    padded = np.append(fp, 0.0)
    cell = int(np.floor(x))
    return d * (padded[cell + 1] - padded[cell])


@case(
    "pytorch-23925",
    "https://github.com/pytorch/pytorch/issues/23925",
    title="interpolation that is clamped at the border has a wild gradient exactly there",
    month="2019-08",
    symptom="wrong-value",
    cause="The cell beyond the border, which is padded with zeros, was taken for the slope, and the clamp for one "
    "that passes everything on.",
    at=(3.0,),
    right=(4.0,),
    admissible=((Between(0.0, 4.0),),),
    oracle="definition: 4 to the left and 0 to the right; the last cell is closed, like convention 3",
    reported=(-8.0,),
    defect=with_rule(np.interp, x=slope_beyond_the_border),
)
def pixel_at_the_border(u):
    return np.interp(u, PLACES, PIXELS)


# -- smooth functions made of kinks ------------------------------------------------------------------------------------


def softplus(x):
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


# What is right of a kink counts at it.
modulus_rises_at_zero = with_rule(np.abs, x=lambda d, out, x, /: np.where(x >= 0, d, -d))
positive_part_is_flat_at_zero = with_rule(np.maximum, x=lambda d, out, x, y, /: np.where(x > y, d, 0.0))


@case(
    "jax-2107",
    "https://github.com/jax-ml/jax/issues/2107",
    title="softplus has slope 0 at zero, in place of 1/2",
    month="2020-01",
    symptom="missing-gradient",
    cause="The maximum shares at its tie while the modulus takes its slope to the right: the kinks of the two, which "
    "cancel, do so only if they are treated alike.",
    at=(0.0,),
    right=(0.5,),
    oracle="closed form: 1 / (1 + exp(-x))",
    reported=(0.0,),
    defect=modulus_rises_at_zero,
)
def softplus_at_zero(x):
    return softplus(x)


@case(
    "nnlib-671",
    "https://github.com/FluxML/NNlib.jl/issues/671",
    title="softplus has slope -1/2 at zero, and no curvature to match",
    month="2026-06",
    symptom="wrong-value",
    cause="The positive part has slope 0 at zero and the modulus slope 1; each is a subgradient, and together they "
    "are none.",
    needs="nested",
    at=(0.0,),
    right=((0.5, 0.25),),
    oracle="closed form: s = 1 / (1 + exp(-x)), and s (1 - s)",
    reported=((-0.5, 0.25),),
    asks="value",
    defect=together(modulus_rises_at_zero, positive_part_is_flat_at_zero),
)
def slope_and_curvature_of_softplus(x, *, ad):
    return ad.grad(softplus)(x), ad.grad(ad.grad(softplus))(x)


@case(
    "jax-37992",
    "https://github.com/jax-ml/jax/issues/37992",
    title="ldexp(x, 1), which is 2x, has slope 1 at exactly x = 0",
    month="2026-05",
    symptom="wrong-value",
    cause="Zero and infinity are handed through by a guard, which changes no value; but it is the guard's branch, the "
    "identity, that is differentiated there.",
    at=(np.array([0.0, 3.0]),),
    right=(np.array([2.0, 2.0]),),
    oracle="closed form: of 2x",
    reported=(np.array([1.0, 2.0]),),
    defect=with_rule(np.ldexp, x=lambda d, out, x, i, /: np.where(np.isinf(x) | (x == 0), d, d * 2.0**i)),
)
def doubled_by_its_exponent(x):
    return np.sum(np.ldexp(x, 1))


def always_above(d, out, x, /):
    return np.where(x < 0, -d, d)


@case(
    "forwarddiff-377",
    "https://github.com/JuliaDiff/ForwardDiff.jl/issues/377",
    title="the second derivative of |-x²| at zero is -2",
    month="2018-11",
    symptom="wrong-value",
    cause="Which branch of the modulus a zero is in was read off its value, which says nothing; -x² comes from below, "
    "and its zero has the sign to show it.",
    needs=("nested", "forward"),
    at=(0.0,),
    right=(2.0,),
    oracle="closed form: of x²",
    reported=(-2.0,),
    asks="value",
    defect=on_traced_tier(with_rule(np.abs, x=lambda d, out, x, /: d * np.sign(x), sided={"x": always_above})),
)
def second_derivative_of_a_folded_parabola(x, *, ad):
    def slope(x):
        return ad.jvp(lambda x: np.abs(-(x**2)), (x,), (1.0,))[1]

    return float(ad.jvp(slope, (x,), (1.0,))[1])
