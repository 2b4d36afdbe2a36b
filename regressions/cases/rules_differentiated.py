"""Second derivatives through a rule: the work of a pullback has a derivative, and so has everything it has saved."""

from __future__ import annotations

import numpy as np

from engine import stop_gradient
from engine.rules.reductions import cumprod_pullback, others_product

from ..case import case
from ..defects import with_rule
from ..defects.orders import with_new_rule, zeros_are_left_out
from ..defects.state import together


@case(
    "tracker-148",
    "https://github.com/FluxML/Tracker.jl/issues/148",
    title="the gradient of the sum of the gradient of a product is wrong",
    month="2023-09",
    symptom="wrong-value",
    cause="The pullback divides the product by each factor and keeps the product as a plain number, so that for the "
    "second pass only the divisor depends on x.",
    needs=("nested",),
    at=(np.array([1.0, 2.0]),),
    right=(np.array([1.0, 1.0]),),
    oracle="closed form: the sum of the gradient of x₀ x₁ is x₁ + x₀",
    reported=(np.array([-2.0, -0.5]),),
    defect=with_rule(np.prod, a=lambda d, out, a: d * stop_gradient(out) / a),
)
def sum_of_the_slopes_of_a_product(x, *, ad):
    return np.sum(ad.grad(np.prod)(x))


@case(
    "pytorch-106789",
    "https://github.com/pytorch/pytorch/issues/106789",
    title="the Hessian of a product with two zero factors is zero",
    month="2023-08",
    symptom="missing-gradient",
    cause="With two zeros the gradient is zero, and the rule took the shortcut of returning new zeros, which are "
    "connected with nothing.",
    needs=("nested",),
    at=(np.array([2.0, 3.0, 0.0, 0.0]),),
    right=(np.array([[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 6.0], [0.0, 0.0, 6.0, 0.0]]),),
    oracle="closed form: the product of the other two factors for each pair",
    reported=(np.zeros((4, 4)),),
    asks="value",
    defect=with_rule(np.prod, a=lambda d, out, a: np.zeros_like(a) if np.sum(a == 0) > 1 else d * others_product(a)),
)
def hessian_of_a_product_with_two_zeros(x, *, ad):
    return ad.hessian(np.prod)(x)


@case(
    "tensorflow-61117",
    "https://github.com/tensorflow/tensorflow/issues/61117",
    title="the mixed second derivative of a product is 0 where one factor is 0",
    month="2023-06",
    symptom="wrong-value",
    cause="The product of the other factors comes right out of the rule, but by a path that cannot be followed where "
    "a factor is zero.",
    needs=("nested",),
    at=(np.array([0.0, 1.0]),),
    right=(np.array([[0.0, 1.0], [1.0, 0.0]]),),
    oracle="closed form: of x₀ x₁",
    reported=(np.zeros((2, 2)),),
    asks="value",
    defect=with_rule(np.prod, a=lambda d, out, a: d * stop_gradient(others_product(a))),
)
def hessian_of_a_product_with_one_zero(x, *, ad):
    return ad.hessian(np.prod)(x)


def through_the_zero_alone(d, out, a, axis):
    has_zero = np.any(a == 0, axis=axis, keepdims=True)
    return cumprod_pullback(d, out, a, axis) * np.where(has_zero, a == 0, 1.0)


@case(
    "pytorch-196701",
    "https://github.com/pytorch/pytorch/issues/196701",
    title="the second derivative of a cumulative product with a zero in it loses terms",
    month="2026-09",
    symptom="wrong-value",
    cause="A special branch for zeros moves the zero factor alone: right for the value of the first derivative, in "
    "which all else is multiplied by zero, and not for its own derivative.",
    needs=("nested", "forward"),
    at=(1.0,),
    right=(144.0,),
    oracle="closed form: -8 from the first row, 152 from the second",
    reported=(68.0,),
    defect=with_rule(np.cumprod, a=lambda d, out, a, axis=None: through_the_zero_alone(d, out, a, axis)),
)
def slope_of_cumulative_products(t, *, ad):
    def weighted(t):
        rows = np.array([[t, t + 1, 2 - t], [t - 1, 2 * t + 1, t + 3]])
        return np.sum(np.cumprod(rows, axis=-1) * np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))

    return float(ad.jvp(weighted, (t,), (1.0,))[1])


@case(
    "pytorch-196696",
    "https://github.com/pytorch/pytorch/issues/196696",
    title="the second derivative of a determinant lacks a term",
    month="2026-09",
    symptom="wrong-value",
    cause="The rule is det(A) tr(A⁻¹ dA); differentiated once more, the determinant moves and the inverse, which was "
    "saved, does not.",
    needs=("nested", "forward"),
    at=(0.7,),
    right=(4.0,),
    oracle="closed form: of (t + 2)(2t + 3) - 1",
    reported=(8.827205882352942,),
    defect=with_rule(np.linalg.det, a=lambda d, out, a: d * out * stop_gradient(np.linalg.inv(a)).T),
)
def slope_of_a_determinant(t, *, ad):
    def determinant(t):
        return np.linalg.det(np.array([[t + 2, 1.0], [1.0, 2 * t + 3]]))

    return float(ad.jvp(determinant, (t,), (1.0,))[1])


SECOND = np.zeros((2, 2, 2, 2))  # of ad - bc
SECOND[0, 0, 1, 1] = SECOND[1, 1, 0, 0] = 1.0
SECOND[0, 1, 1, 0] = SECOND[1, 0, 0, 1] = -1.0
MATRIX = np.array([[1.3, 0.4], [-0.7, 0.9]])
GRADIENT = np.array([[0.9, 0.7], [-0.4, 1.3]])


@case(
    "tensorflow-55230",
    "https://github.com/tensorflow/tensorflow/issues/55230",
    title="the Hessian of a determinant is wrong, its gradient right",
    month="2022-03",
    symptom="wrong-value",
    cause="A term of the derivative of det(A) A⁻ᵀ is missing; the thread does not say which, and the numbers here are "
    "those for an inverse that is held fixed.",
    needs=("nested",),
    at=(MATRIX,),
    right=(SECOND,),
    oracle="closed form: ad - bc has constant second derivatives",
    reported=(np.multiply.outer(GRADIENT, GRADIENT) / 1.45,),
    asks="value",
    defect=with_rule(np.linalg.det, a=lambda d, out, a: d * out * stop_gradient(np.linalg.inv(a)).T),
)
def hessian_of_a_determinant(matrix, *, ad):
    return ad.hessian(np.linalg.det)(matrix)


def by_singular_values(d, out, a):
    u, s, vh = np.linalg.svd(a)
    return d * out * np.matmul(u / s, vh)


@case(
    "pytorch-192521",
    "https://github.com/pytorch/pytorch/issues/192521",
    title="the Hessian of a determinant is NaN at the identity",
    month="2026-08",
    symptom="nan-inf",
    cause="To be safe at singular matrices the rule goes through a singular value decomposition, whose own derivative "
    "divides by the differences of the singular values.",
    needs=("nested",),
    at=(np.eye(2),),
    right=(SECOND,),
    oracle="closed form: ad - bc has constant second derivatives",
    reported=(np.full((2, 2, 2, 2), np.nan),),
    asks="value",
    defect=with_rule(np.linalg.det, a=by_singular_values),
)
def hessian_of_a_determinant_at_the_identity(matrix, *, ad):
    return ad.hessian(np.linalg.det)(matrix)


@case(
    "pytorch-196697",
    "https://github.com/pytorch/pytorch/issues/196697",
    title="the second derivative of log|det A| is zero",
    month="2026-09",
    symptom="missing-gradient",
    cause="The rule is tr(A⁻¹ dA), and the inverse, which was saved, does not move when the rule is differentiated.",
    needs=("nested", "forward"),
    at=(0.7,),
    right=(-9 / 7.1**2,),
    oracle="closed form: -9 / (3t + 5)²",
    reported=(0.0,),
    asks="value",
    defect=with_rule(np.linalg.slogdet, a=lambda d, out, a: d[1] * stop_gradient(np.linalg.inv(a)).T),
)
def second_derivative_of_a_log_determinant(t, *, ad):
    def slope(t):
        def log_determinant(t):
            return np.linalg.slogdet(np.array([[t + 2, 1.0], [1.0, 3.0]]))[1]

        return ad.jvp(log_determinant, (t,), (1.0,))[1]

    return float(ad.jvp(slope, (t,), (1.0,))[1])


def with_the_saved_solution(d, out, a, b):
    return -np.matmul(np.matmul(np.linalg.inv(a).T, d), stop_gradient(out).T)


@case(
    "pytorch-196695",
    "https://github.com/pytorch/pytorch/issues/196695",
    title="the second derivative of the solution of a linear system is half of what it is",
    month="2026-09",
    symptom="wrong-value",
    cause="Of dX = A⁻¹ (dB - dA X) one term was differentiated again with the solution as it was saved, not as it "
    "moves.",
    needs=("nested", "forward"),
    at=(-0.5,),
    right=(3.0435555555555557,),
    oracle="finite differences: nested ones, which confirm it",
    reported=(1.5217777777777779,),
    defect=with_rule(
        np.linalg.solve, a=with_the_saved_solution, b=lambda d, out, a, b: np.matmul(np.linalg.inv(a).T, d)
    ),
)
def slope_of_a_linear_system(t, *, ad):
    def weighted_solution(t):
        a = np.array([[t + 2, 1.0], [0.0, t + 3]])
        b = np.array([[t, 2 * t + 1], [t + 1, 3 - t]])
        return np.sum(np.linalg.solve(a.T, b.T) * np.array([[1.0, -1.0], [2.0, 3.0]]))

    return float(ad.jvp(weighted_solution, (t,), (1.0,))[1])


def normalised(x):
    deviation = x - np.mean(x)
    return deviation / np.sqrt(np.mean(deviation**2) + 0.25)


def with_saved_moments(d, out, x):
    mean, scale = stop_gradient(np.mean(x)), stop_gradient(1 / np.sqrt(np.var(x) + 0.25))
    deviation = x - mean
    return scale * (d - np.mean(d)) - scale**3 * (deviation - np.mean(deviation)) * np.mean(d * deviation)


@case(
    "pytorch-196700",
    "https://github.com/pytorch/pytorch/issues/196700",
    title="the second derivative of a layer normalisation has the wrong sign",
    month="2026-09",
    symptom="wrong-value",
    cause="The rule is written in terms of the saved mean and the saved inverse deviation, and both stand still when "
    "it is differentiated.",
    needs=("nested", "forward"),
    at=(0.7,),
    right=(3 * 0.7 / (1 + 0.7**2) ** 2.5,),
    oracle="closed form: of -t / √(1 + t²)",
    reported=(-0.38487405661968344,),
    defect=with_new_rule(normalised, x=with_saved_moments),
)
def slope_of_a_layer_normalisation(t, *, ad):
    def weighted(t):
        return np.sum(normalised(np.array([t, 0.0])) * np.array([1.0, 2.0]))

    return float(ad.jvp(weighted, (t,), (1.0,))[1])


def elu(x):
    return np.where(x > 0, x, np.exp(x) - 1)


def elu_slope(d, x):
    return d * np.where(x > 0, 1.0, np.exp(x))


@case(
    "tensorflow-11091",
    "https://github.com/tensorflow/tensorflow/issues/11091",
    title="the second derivative of 2 elu(-x) misses the factor 2",
    month="2017-06",
    symptom="wrong-value",
    cause="The rule of the rule leaves out the cotangent that the first one was given, and with it every scale.",
    needs=("nested",),
    at=(1.0,),
    right=(2 * np.exp(-1.0).item(),),
    oracle="closed form: 2 exp(-x)",
    reported=(np.exp(-1.0).item(),),
    defect=together(
        with_new_rule(elu, x=lambda d, out, x: elu_slope(d, x)),
        with_new_rule(
            elu_slope,
            d=lambda dd, out, d, x: dd * np.where(x > 0, 1.0, np.exp(x)),
            x=lambda dd, out, d, x: dd * np.where(x > 0, 0.0, np.exp(x)),
        ),
    ),
)
def slope_of_a_scaled_elu(x, *, ad):
    return ad.grad(lambda x: 2 * elu(-x))(x)


TARGETS = np.array([0.2, 0.9])


def cross_entropy(x):
    return -np.sum(TARGETS * np.log(x) + (1 - TARGETS) * np.log(1 - x))


def entropy_slope(d, x):
    return d * ((1 - TARGETS) / (1 - x) - TARGETS / x)


@case(
    "pytorch-59477",
    "https://github.com/pytorch/pytorch/issues/59477",
    title="the second derivative of a summed binary cross-entropy fails the check, the first passes",
    month="2021-06",
    symptom="wrong-value",
    cause="The rule of the rule was written by hand for the mean and used for the sum; the thread says that it fails, "
    "not by how much, and the numbers are those of the mean.",
    needs=("nested",),
    at=(np.array([0.3, 0.6]),),
    right=(np.diag([0.2 / 0.09 + 0.8 / 0.49, 0.9 / 0.36 + 0.1 / 0.16]),),
    oracle="closed form: y / x² + (1 - y) / (1 - x)²",
    reported=(np.diag([0.2 / 0.09 + 0.8 / 0.49, 0.9 / 0.36 + 0.1 / 0.16]) / 2,),
    asks="value",
    defect=together(
        with_new_rule(cross_entropy, x=lambda d, out, x: entropy_slope(d, x)),
        with_new_rule(
            entropy_slope,
            x=lambda dd, out, d, x: dd * d * ((1 - TARGETS) / (1 - x) ** 2 + TARGETS / x**2) / np.size(x),
        ),
    ),
)
def hessian_of_a_summed_cross_entropy(x, *, ad):
    return ad.hessian(cross_entropy)(x)


@case(
    "pytorch-1712",
    "https://github.com/pytorch/pytorch/issues/1712",
    title="the second derivative of the square of a maximum is lost",
    month="2017-06",
    symptom="missing-gradient",
    cause="The pullback of the maximum writes the cotangent's bare numbers into a new array, which leads back to "
    "nothing.",
    needs=("nested",),
    at=(np.array([1.0, 3.0, 2.0]),),
    right=(np.diag([0.0, 2.0, 0.0]),),
    oracle="closed form: of x₁²",
    reported=(np.zeros((3, 3)),),
    asks="value",
    defect=with_rule(np.max, a=lambda d, out, a: np.where(a == out, stop_gradient(d), 0.0)),
)
def hessian_of_a_squared_maximum(x, *, ad):
    return ad.hessian(lambda x: np.max(x) ** 2)(x)


@case(
    "tensorflow-60071",
    "https://github.com/tensorflow/tensorflow/issues/60071",
    title="forward mode over reverse mode gives nothing for the sum of absolute values",
    month="2023-03",
    symptom="missing-gradient",
    cause="The first derivative is a sign, which has no tangent, and the absence of one was passed on in the place of "
    "the zeros that had been asked for.",
    needs=("nested", "forward"),
    at=(np.array([1.0, 2.0]),),
    right=(np.zeros(2),),
    oracle="closed form: the gradient is constant nearby",
    reported=(None,),
    asks="value",
    defect=zeros_are_left_out,
)
def second_derivative_of_absolute_values(x, *, ad):
    return ad.hvp(lambda x: np.sum(np.fabs(x)), x, np.ones(2))
