"""Forward mode: rules that only reverse mode has, tangents that are zero or lost, and what must agree with reverse."""

from __future__ import annotations

import operator

import numpy as np

import engine
from engine.api import _LevelAware
from engine.errors import ForeignCallError

from ..case import Raises, case
from ..defects import on_traced_tier, patched, with_rule
from ..defects.orders import forward_rule_missing, with_new_rule, zeros_are_left_out
from ..defects.state import overwritten_values_are_looked_at, writes_object


@case(
    "autograd-713",
    "https://github.com/HIPS/autograd/pull/713",
    title="np.conjugate has no forward rule, np.conj has",
    month="2025-07",
    symptom="raises",
    cause="Of the two names of one function the second was registered for reverse mode only.",
    needs=("nested", "forward", "complex"),
    at=(1.5,),
    right=(1.0,),
    oracle="closed form: Re((1 - 2i)(3 - i))",
    reported=Raises("foreign-call", "JVP of conjugate"),
    asks="value",
    defect=forward_rule_missing(np.conjugate, ForeignCallError("JVP of conjugate wrt argument 0 is not defined")),
)
def tangent_of_a_conjugate(x, *, ad):
    return ad.jvp(lambda x: float(np.real(np.conjugate(x * (1.0 + 2.0j)) * (3.0 - 1.0j))), (x,), (1.0,))[1]


@case(
    "autograd-536",
    "https://github.com/HIPS/autograd/issues/536",
    title="slogdet has no forward rule",
    month="2019-09",
    symptom="raises",
    cause="The functions of linear algebra were given rules for reverse mode only.",
    needs=("nested", "forward"),
    at=(4.0,),
    right=(1 / 4 + 1 / 5 + 1 / 6 + 1 / 7,),
    oracle="closed form: the sum of 1 / (t + k)",
    reported=Raises("foreign-call", "JVP of slogdet"),
    asks="value",
    defect=forward_rule_missing(np.linalg.slogdet, ForeignCallError("JVP of slogdet wrt argument 0 is not defined")),
)
def tangent_of_a_log_determinant(t, *, ad):
    def log_determinant(t):
        return float(np.linalg.slogdet(t * np.eye(4) + np.diag([0.0, 1.0, 2.0, 3.0]))[1])

    return ad.jvp(log_determinant, (t,), (1.0,))[1]


def no_dual_numbers(array, index, value):
    raise TypeError("a dual number is no float and cannot be stored among floats")


class Normalisation:
    def __init__(self):
        self.mean = np.zeros(1)

    def __call__(self, x):
        mean = np.mean(x)
        self.mean[0] = 0.9 * self.mean[0] + 0.1 * mean
        return (x - mean) / np.sqrt(np.mean((x - mean) ** 2) + 1e-5)


BATCH, PROBE = np.array([1.0, 2.0, 4.0]), np.array([1.0, -2.0, 0.5])
DEVIATION = BATCH - np.mean(BATCH)
SCALE = 1 / np.sqrt(np.mean(DEVIATION**2) + 1e-5)
NORMAL_SLOPE = SCALE * (PROBE - np.mean(PROBE)) - SCALE**3 * DEVIATION * np.mean(PROBE * DEVIATION)


@case(
    "flux-2122",
    "https://github.com/FluxML/Flux.jl/issues/2122",
    title="forward mode fails in a normalisation layer that keeps running statistics",
    month="2022-11",
    symptom="raises",
    cause="The running mean is a buffer of plain floats, and what the layer stores there while it is differentiated "
    "is a dual number.",
    needs=("nested", "forward", "mutation", "objects"),
    at=(BATCH,),
    right=((float(NORMAL_SLOPE[0]), float(0.1 * np.mean(BATCH))),),
    oracle="closed form: s (p - mean p) - s³ δ mean(p δ), δ the deviations, s the scale; a tenth of the mean is stored",
    reported=Raises("crash", "dual"),
    asks="value",
    no_differences="every call of the layer moves its mean once more",
    defect=writes_object(no_dual_numbers),
)
def running_mean_is_stored_on_the_way(x, *, ad):
    layer = Normalisation()
    _, slope = ad.jvp(lambda x: np.sum(PROBE * layer(x)), (x,), (np.array([1.0, 0.0, 0.0]),))
    return float(slope), float(layer.mean[0])


def decayed(y):
    return y * np.exp(-1.0)


@case(
    "diffrax-314",
    "https://github.com/patrick-kidger/diffrax/issues/314",
    title="forward mode does not go through a function with a reverse rule of its own",
    month="2023-09",
    symptom="raises",
    cause="A user's pullback is code like any other, and that system has no way to run it backwards.",
    needs=("nested", "forward", "rules"),
    at=(np.array([2.0, 3.0]),),
    rules=[(decayed, {"y": lambda d, out, y: d * np.exp(-1.0)})],
    right=(np.exp(-1.0) * np.array([1.0, 10.0]),),
    oracle="closed form: e⁻¹ times the tangent",
    reported=Raises("crash", "forward"),
    asks="value",
    defect=forward_rule_missing(decayed, TypeError("can't apply forward mode to a rule for reverse mode")),
)
def tangent_through_a_reverse_rule(y, *, ad):
    return ad.jvp(decayed, (y,), (np.array([1.0, 10.0]),))[1]


PLACES = np.array([[0.0, 0.1], [1.0, -0.2], [2.4, 1.2]])
SEPARATION = PLACES[:, None] - PLACES[None, :]
DISTANCE = np.sqrt(np.sum(SEPARATION**2, axis=-1)) + np.eye(3)


@case(
    "jax-654",
    "https://github.com/jax-ml/jax/issues/654",
    title="forces from a masked matrix of distances are NaN in reverse mode, right in forward mode",
    month="2019-04",
    symptom="nan-inf",
    cause="The distance of a particle from itself is masked out, and its slope is infinite; forward mode drops it with "
    "the value, reverse mode multiplies it by a zero cotangent.",
    at=(PLACES,),
    right=(np.sum(-2 * SEPARATION / DISTANCE[..., None] ** 3, axis=1),),
    oracle="closed form: the sum of -2 (xᵢ - xⱼ) / r³",
    reported=(np.full((3, 2), np.nan),),
    defect=overwritten_values_are_looked_at,
)
def energy_of_pairs_without_the_diagonal(places):
    distance = np.sqrt(np.sum((places[:, None] - places[None, :]) ** 2, axis=-1))
    apart = np.eye(len(places)) == 0
    return np.sum(np.where(apart, 1.0 / np.where(apart, distance, 1.0), 0.0))


@case(
    "jax-37405",
    "https://github.com/jax-ml/jax/pull/37405",
    title="the tangent of an output that depends on nothing is a symbol of the system's own",
    month="2026-05",
    symptom="missing-gradient",
    cause="Inside, a zero is a symbol, and it was handed out as it was instead of as a zero of the output's type.",
    needs=("nested", "forward"),
    at=(3.0,),
    right=((2.0, 0.0),),
    oracle="closed form: 2, and 0 for a constant",
    reported=((2.0, None),),
    asks="value",
    no_differences="pairs cannot be subtracted",
    defect=zeros_are_left_out,
)
def tangent_of_a_constant_output(x, *, ad):
    return ad.jvp(lambda x: (x * 2.0, 7.0), (x,), (1.0,))[1]


@case(
    "stan-math-2060",
    "https://github.com/stan-dev/math/issues/2060",
    title="at a tie fmin and fmax are NaN in forward mode and one-sided in reverse mode",
    month="2020-09",
    symptom="nan-inf",
    cause="The forward rule took it literally that a tie has no derivative, the reverse rule took the first argument; "
    "the sum of both is smooth.",
    needs=("nested", "forward"),
    at=(np.array([1.0, 1.0]),),
    right=(3.0,),
    oracle="closed form: the sum is x₀ + x₁",
    reported=(float("nan"),),
    asks="value",
    defect=with_rule(
        np.fmin,
        x=lambda d, out, x, y, /: np.where(x == y, np.nan * d, np.where(x < y, d, 0)),
        y=lambda d, out, x, y, /: np.where(x == y, np.nan * d, np.where(y < x, d, 0)),
    ),
)
def tangent_of_the_smaller_and_the_larger(x, *, ad):
    return float(ad.jvp(lambda x: np.fmin(x[0], x[1]) + np.fmax(x[0], x[1]), (x,), (np.array([1.0, 2.0]),))[1])


def power_tangent(tangents, out, x, y):
    base, exponent = (0.0 if t is None else t for t in tangents)
    return base * y * np.power(x, y - 1) + exponent * (0.0 if x == 0 else out * np.log(x))


@case(
    "uncertainties-283",
    "https://github.com/lmfit/uncertainties/issues/283",
    title="the slope of 0 ** p in p is NaN, from the partial derivative by the constant base",
    month="2024-12",
    symptom="nan-inf",
    cause="The tangent of the base is zero and is multiplied by its partial derivative all the same, which is infinite "
    "at 0.",
    needs=("nested", "forward"),
    at=(0.3,),
    right=(0.0,),
    oracle="closed form: 0 ** p is 0 for every p > 0",
    reported=(float("nan"),),
    asks="value",
    defect=on_traced_tier(
        with_rule(
            operator.pow,
            x=lambda d, out, x, y: d * y * np.power(x, y - 1),
            y=lambda d, out, x, y: d * 0.0,
            jvp=power_tangent,
        )
    ),
)
def tangent_of_a_power_of_zero(p, *, ad):
    return ad.jvp(lambda p: 0.0**p, (p,), (1.0,))[1]


MIXING, SHIFT = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, -0.5])


@case(
    "mlx-1771",
    "https://github.com/ml-explore/mlx/issues/1771",
    title="no forward mode through a dense layer",
    month="2025-01",
    symptom="raises",
    cause="Product and sum are fused into one primitive for speed, and that one was given a reverse rule only.",
    needs=("nested", "forward"),
    at=(np.array([0.3, -0.7]),),
    right=(27.0,),
    oracle="closed form: (7, 10) · (1, 2)",
    reported=Raises("foreign-call", "JVP"),
    asks="value",
    defect=forward_rule_missing(operator.matmul, ForeignCallError("JVP of the fused product is not implemented")),
)
def tangent_of_a_dense_layer(x, *, ad):
    def layer(x):
        return float(np.sum((x @ MIXING.T + SHIFT) * np.array([1.0, 2.0])))

    return ad.jvp(layer, (x,), (np.array([1.0, 2.0]),))[1]


@case(
    "nnlib-484",
    "https://github.com/FluxML/NNlib.jl/issues/484",
    title="forward mode cannot store what a pooling layer computes",
    month="2023-07",
    symptom="raises",
    cause="The buffer for the result is typed like the input, and the numbers that arrive for it are dual.",
    needs=("nested", "forward", "mutation"),
    at=(np.array([[1.0, 2.0], [3.0, 4.0]]),),
    right=(4.0,),
    oracle="closed form: the tangent at the largest element",
    reported=Raises("crash", "dual"),
    asks="value",
    defect=writes_object(no_dual_numbers),
)
def tangent_of_a_pooled_maximum(x, *, ad):
    def pooled(x):
        out = np.empty((1, 1), dtype=x.dtype)
        out[0, 0] = x[:2, :2].max()
        return float(out[0, 0])

    return ad.jvp(pooled, (x,), (np.array([[1.0, 2.0], [3.0, 4.0]]),))[1]


CUBE = np.array([[[1.0, 5.0], [2.0, 0.5]], [[-1.0, 3.0], [4.0, 0.0]]])


@case(
    "pytensor-1207",
    "https://github.com/pymc-devs/pytensor/pull/1207",
    title="forward mode knows maxima along one axis of a matrix and no others",
    month="2025-02",
    symptom="raises",
    cause="The forward rule was written by hand for two dimensions and one axis, and raises for everything else.",
    needs=("nested", "forward"),
    at=(CUBE,),
    right=(2 * 2.0 + 1 * 2.0 + 3 * 7.0,),
    oracle="closed form: twice the tangent at the 5, and 1 and 3 times those at the 5 and the 4",
    reported=Raises("crash", "ValueError"),
    asks="value",
    defect=forward_rule_missing(np.max, ValueError("forward mode of max is for one axis of a matrix")),
)
def tangent_of_maxima_over_several_axes(x, *, ad):
    def loss(x):
        return float(np.max(x) * 2.0 + np.sum(np.max(x, axis=(0, 2)) * np.array([1.0, 3.0])))

    return ad.jvp(loss, (x,), (np.arange(1.0, 9.0).reshape(2, 2, 2),))[1]


def inverse_from_factor(factor):
    return np.linalg.inv(factor @ factor.T)


def reordered(tangents, out, factor):
    moved = -out @ tangents[0] @ out @ factor.T
    return moved + moved.T


@case(
    "pytorch-196682",
    "https://github.com/pytorch/pytorch/issues/196682",
    title="the tangent of an inverse made from a Cholesky factor multiplies in the wrong order",
    month="2026-09",
    symptom="wrong-value",
    cause="With L the factor and X the inverse the rule computes -X dL X Lᵀ, and its transpose, in the place of "
    "-X dL Lᵀ X.",
    needs=("nested", "forward"),
    at=(0.7,),
    right=(-5 / (2 * 1.7**3) + 1 / (2 * 1.7**2),),
    oracle="closed form: the sum is 5 / 4a² - 1 / 2a + 1/4 with a = t + 1",
    reported=(-0.4988266424013123,),
    asks="value",
    defect=with_new_rule(
        inverse_from_factor,
        factor=lambda d, out, factor: -(out @ (d + d.T) @ out @ factor),
        jvp=reordered,
    ),
)
def tangent_of_an_inverse_from_a_factor(t, *, ad):
    def total(t):
        return float(np.sum(inverse_from_factor(np.array([[t + 1, 0.0], [1.0, 2.0]]))))

    return ad.jvp(total, (t,), (1.0,))[1]


@case(
    "pytorch-78961",
    "https://github.com/pytorch/pytorch/issues/78961",
    title="forward mode ignores that a gradient is stopped",
    month="2022-06",
    symptom="wrong-value",
    cause="The block without gradients switches off the recording that reverse mode needs; forward mode carries its "
    "tangents along and never asks.",
    needs=("nested", "forward"),
    at=(2.0,),
    right=(1.0,),
    oracle="definition: what is stopped is constant, so this is the slope of x",
    reported=(13.0,),
    asks="value",
    no_differences="no difference can know what is stopped",
    defect=on_traced_tier(patched(engine, "stop_gradient", _LevelAware(lambda x: x))),
)
def tangent_of_a_stopped_cube(x, *, ad):
    return ad.jvp(lambda x: ad.stop_gradient(x**3) + x, (x,), (1.0,))[1]


@case(
    "pytorch-92985",
    "https://github.com/pytorch/pytorch/issues/92985",
    title="the forward-mode Jacobian of the maximum of a vector raises",
    month="2023-01",
    symptom="raises",
    cause="The forward rule of the full maximum resizes an array that several tangents at once do not fit into; the "
    "thread does not say more.",
    needs=("nested", "forward"),
    at=(np.array([0.2, 0.7]),),
    right=(np.array([0.0, 1.0]),),
    oracle="closed form: 1 at the largest element",
    reported=Raises("crash", "RuntimeError"),
    asks="value",
    defect=forward_rule_missing(np.max, RuntimeError("a tensor that is a view cannot be resized")),
)
def forward_jacobian_of_a_maximum(x, *, ad):
    return np.array([ad.jvp(lambda x: float(np.max(x)), (x,), (direction,))[1] for direction in np.eye(2)])


@case(
    "tensorflow-127753",
    "https://github.com/tensorflow/tensorflow/issues/127753",
    title="forward mode over forward mode is wrong where an intermediate value is used twice",
    month="2026-09",
    symptom="wrong-value",
    cause="Tangents are kept in a table by the tensor they belong to, and of a tensor that is used twice the outer "
    "one is lost.",
    needs=("nested", "forward"),
    at=(0.7,),
    right=(4.2,),
    oracle="closed form: 6x",
    reported=(2.4,),
    asks="value",
    no_defect="forward mode is made from reverse mode here; there is no table of tangents to lose one from",
)
def second_tangent_of_a_cube(x, *, ad):
    def cube(x):
        m = x * 1.0
        return (m * m) * m

    return ad.jvp(lambda x: ad.jvp(cube, (x,), (1.0,))[1], (x,), (1.0,))[1]
