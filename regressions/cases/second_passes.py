"""Second derivatives that raise: rules that write, passes that meet what the first one made, options lost halfway."""

from __future__ import annotations

import operator

import numpy as np

import engine
from engine.tangents import from_partial
from engine.traced import arrays

from ..case import Raises, Tolerance, case
from ..defects import with_rule
from ..defects.orders import rule_fails_when_differentiated, rule_writes_in_place, second_pass_meets
from ..defects.state import sums_are, together, traced, writes_refused

MUTATION = Raises("mutation", "[Mm]utating arrays is not supported")


def softmax(x):
    powers = np.exp(x - np.max(x))
    return powers / np.sum(powers)


def softmax_in_place(d, out, x):
    cotangent = d * out
    cotangent -= out * np.sum(cotangent)
    return cotangent


WEIGHTS, DIRECTION, LOGITS = np.array([1.0, -2.0, 0.5]), np.array([0.3, 0.1, -1.0]), np.array([0.2, -0.1, 0.7])
SHARES = softmax(LOGITS)
TURN = DIRECTION - SHARES @ DIRECTION
SLOPE = WEIGHTS @ (SHARES * TURN)


@case(
    "nnlib-393",
    "https://github.com/FluxML/NNlib.jl/pull/393",
    title="softmax has no second derivative, because the first one is computed in place",
    month="2022-02",
    symptom="raises",
    cause="The pullback updates its result in place to save memory, and the outer pass refuses every write.",
    needs=("nested", "rules", "mutation"),
    at=(LOGITS,),
    rules=[(softmax, {"x": softmax_in_place})],
    right=(2 * SLOPE * SHARES * (WEIGHTS * TURN - SLOPE - (SHARES @ WEIGHTS) * TURN),),
    oracle="closed form: 2 g dg/dx, g = c · (s ∘ (d - s·d)) with s the shares",
    reported=MUTATION,
    defect=writes_refused("Mutating arrays is not supported"),
)
def squared_slope_of_a_softmax(x, *, ad):
    return ad.grad(lambda t: np.dot(WEIGHTS, softmax(x + t * DIRECTION)))(0.0) ** 2


SCALES = np.array([0.5, -1.0, 2.0])
LOGISTIC = 1 / (1 + np.exp(1.3 * SCALES))


def log_sigmoid(x):
    return -(np.log1p(np.exp(-np.abs(x))) + np.maximum(-x, 0.0))


@case(
    "nnlib-432",
    "https://github.com/FluxML/NNlib.jl/issues/432",
    title="the gradient of the slopes of a log-sigmoid fails",
    month="2022-08",
    symptom="raises",
    cause="The rule for the activation inside a broadcast is made for one derivative; its own work cannot be "
    "differentiated.",
    needs=("nested",),
    at=(SCALES,),
    right=(2 * SCALES * LOGISTIC * (LOGISTIC - 1.3 * SCALES * LOGISTIC * (1 - LOGISTIC)),),
    oracle="closed form: 2 q q′ with q = w s(-1.3 w), s the logistic function",
    reported=Raises("crash", "TypeError: no method"),
    defect=second_pass_meets(TypeError("no method for a number of another level"), from_partial),
)
def slopes_of_a_log_sigmoid(w, *, ad):
    return sum(ad.grad(lambda t, k=k: log_sigmoid(w[k] * t))(1.3) ** 2 for k in range(3))


def item_filled_in(d, out, a, index):
    cotangent = np.zeros_like(a)
    cotangent[index] = d
    return cotangent


POINT = np.array([1.0, 2.0, 3.0])
HESSIAN = np.array([[6.0, 0.0, 6.0], [0.0, 12.0, 0.0], [6.0, 0.0, 2.0]])


@case(
    "zygote-820",
    "https://github.com/FluxML/Zygote.jl/issues/820",
    title="a second derivative through indexing is refused as a mutation",
    month="2020-11",
    symptom="raises",
    cause="The pullback of indexing makes an array of zeros and writes the cotangent into it, and writing has no "
    "derivative there.",
    needs=("nested",),
    at=(POINT,),
    right=(2 * HESSIAN @ np.array([12.0, 12.0, 6.0]),),
    oracle="closed form: 2Hg",
    reported=MUTATION,
    defect=rule_writes_in_place(operator.getitem, a=item_filled_in),
)
def squared_gradient_through_slices(x, *, ad):
    return np.sum(ad.grad(lambda u: np.sum(u[0:2] ** 3) + u[2] ** 2 * u[0])(x) ** 2)


def refuse_a_sum(a, b):
    raise TypeError("no method for the sum of two one-element gradients")


@case(
    "zygote-1414",
    "https://github.com/FluxML/Zygote.jl/issues/1414",
    title="the Hessian of a quadratic written with single elements raises",
    month="2023-04",
    symptom="raises",
    cause="The gradient of one element is a lazy array of its own kind; the second pass cannot differentiate how two "
    "of them are added.",
    needs=("nested",),
    at=(np.array([1.0, -2.0]),),
    right=(np.array([[2.0, 3.0], [3.0, 4.0]]),),
    oracle="closed form: of x₀² + 3 x₀ x₁ + 2 x₁²",
    reported=Raises("crash", "TypeError"),
    asks="value",
    defect=sums_are(refuse_a_sum),
)
def hessian_of_a_quadratic_by_elements(x, *, ad):
    return ad.hessian(lambda u: u[0] ** 2 + 3 * u[0] * u[1] + 2 * u[1] ** 2)(x)


def maximum_filled_in(d, out, a, axis=None):
    cotangent = np.zeros_like(a)
    cotangent[np.argmax(a, axis=axis), np.arange(np.shape(a)[1])] = d
    return cotangent


MIXING, COLUMN = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([7.0, 8.0, 9.0])


@case(
    "zygote-1244",
    "https://github.com/FluxML/Zygote.jl/issues/1244",
    title="the gradient of a squared gradient of column maxima is refused as a mutation",
    month="2022-06",
    symptom="raises",
    cause="The pullback of the maximum writes the cotangent into an array of zeros, and writing has no derivative "
    "there.",
    needs=("nested",),
    at=(COLUMN,),
    right=(np.array([300608.0, 375760.0, 450912.0]),),
    oracle="closed form: 8 |w|² (w·x) w for the row w that wins",
    reported=MUTATION,
    defect=rule_writes_in_place(np.max, a=maximum_filled_in),
)
def squared_gradient_of_a_column_maximum(x, *, ad):
    slopes = ad.grad(lambda u: np.sum(np.max(np.reshape(MIXING @ u, (-1, 1)) ** 2, axis=0)))(x)
    return np.sum(slopes**2)


def rows_filled_in(d, out, object):
    cotangent = np.zeros(np.shape(d))
    cotangent[...] = d
    return [list(row) for row in cotangent]


@case(
    "zygote-1497",
    "https://github.com/FluxML/Zygote.jl/issues/1497",
    title="no second derivative through a triangular matrix put together from a vector",
    month="2024-01",
    symptom="raises",
    cause="The pullback of the matrix literal writes in place, as that of a buffer does, and the outer pass refuses "
    "writes.",
    needs=("nested",),
    at=(np.arange(1.0, 7.0),),
    right=(np.full(6, 2.0),),
    oracle="closed form: of Σ 2x",
    reported=MUTATION,
    defect=rule_writes_in_place(np.array, object=rows_filled_in),
)
def gradient_through_a_matrix_literal(x, *, ad):
    def squares(u):
        return np.sum(np.array([[u[0], 0.0, 0.0], [u[1], u[2], 0.0], [u[3], u[4], u[5]]]) ** 2)

    return np.sum(ad.grad(squares)(x))


def rows_stored(leaf, leaves, shape):
    matrix = np.zeros((len(leaves), len(leaves)))
    for k, row in enumerate(leaves):
        arrays.store(matrix, k, row)
    return matrix


@case(
    "zygote-1264",
    "https://github.com/FluxML/Zygote.jl/issues/1264",
    title="a loss that uses a Hessian cannot be differentiated even for what the Hessian does not depend on",
    month="2022-07",
    symptom="raises",
    cause="The routine for Hessians fills a matrix row by row in place, which the reverse pass refuses before it asks "
    "whether anybody wants a cotangent of it.",
    needs=("nested",),
    at=(np.array([0.9, 0.1, 0.5]), np.array([0.6, 0.2, 0.5])),
    right=(np.array([12 * 0.9, 12 * 0.1, 12 * 0.5]), np.ones(3)),
    oracle="closed form: of Σ 6 x² + bias",
    reported=MUTATION,
    defect=together(traced(engine.api, "_stacked", rows_stored), writes_refused("Mutating arrays is not supported")),
)
def bias_beside_a_hessian(x, bias, *, ad):
    return np.sum(ad.hessian(lambda u: np.sum(u**3))(x) @ x + bias)


@case(
    "zygote-1068",
    "https://github.com/FluxML/Zygote.jl/pull/1068",
    title="elementwise functions cannot be differentiated twice",
    month="2021-09",
    symptom="raises",
    cause="The rule for a broadcast gets the slopes from dual numbers, and the outer pass cannot look into a dual "
    "number.",
    needs=("nested",),
    at=(np.array([1.0, 2.0]),),
    right=(np.array([2.0, 2.0]),),
    oracle="closed form: the loss is Σ (log 2 + x)²",
    reported=Raises("crash", "TypeError"),
    defect=second_pass_meets(TypeError("no method for a dual number"), from_partial),
)
def gradient_of_an_elementwise_chain(x, *, ad):
    return np.sum(ad.grad(lambda u: np.sum(np.log(2 * np.exp(u)) ** 2))(x))


SIGNAL = np.array([1.0, -1.0, 2.0, 0.5, 1.5])
LAGS = np.stack([SIGNAL[1:], SIGNAL[:-1]])
CURVATURE = 2 * LAGS @ LAGS.T
KERNEL = np.array([0.7, -0.3])


@case(
    "jax-380",
    "https://github.com/jax-ml/jax/issues/380",
    title="the gradient through a step of gradient descent fails for a convolution",
    month="2019-02",
    symptom="raises",
    cause="The adjoint of a convolution is one with the axes of batch and feature exchanged; the rule kept those of "
    "the forward pass, which fits once and not twice.",
    needs=("nested",),
    at=(KERNEL,),
    right=((np.eye(2) - 0.01 * CURVATURE) @ CURVATURE @ (KERNEL - 0.01 * CURVATURE @ KERNEL),),
    oracle="closed form: (I - 0.01 H) H (w - 0.01 H w), H the Hessian",
    reported=Raises("crash", "ValueError"),
    defect=rule_fails_when_differentiated(np.convolve, ValueError("the feature dimensions of the operands differ")),
)
def loss_after_a_step_on_a_convolution(kernel, *, ad):
    def loss(w):
        return np.sum(np.convolve(SIGNAL, w, mode="valid") ** 2)

    return loss(kernel - 0.01 * ad.grad(loss)(kernel))


TAPS = np.array([0.3, -0.2, 0.5, 0.1, 0.4, -0.6])
STRIDED = np.array([[0.7, -0.4, -2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.7, -0.4, -2.0, 0.0]])
HEIGHTS = np.tanh(STRIDED @ TAPS)


@case(
    "jax-563",
    "https://github.com/jax-ml/jax/issues/563",
    title="the Hessian through a stride that does not divide the length raises a shape error",
    month="2019-04",
    symptom="raises",
    cause="The strided step leaves out the last elements, and its adjoint did not put them back, which shows where it "
    "is differentiated again.",
    needs=("nested",),
    at=(TAPS,),
    right=(STRIDED.T @ np.diag(-2 * HEIGHTS * (1 - HEIGHTS**2)) @ STRIDED,),
    oracle="closed form: Bᵀ diag(tanh″) B for the matrix B of the two steps",
    reported=Raises("crash", "ValueError"),
    asks="value",
    defect=rule_fails_when_differentiated(operator.getitem, ValueError("operands could not be broadcast together")),
)
def hessian_through_strided_steps(x, *, ad):
    def loss(u):
        steps = u[:-1] - 2.0 * u[1:]
        return np.sum(np.tanh(0.7 * steps[:-1:2] + steps[1::2]))

    return ad.hessian(loss)(x)


FORM = np.array([[1.0, 2.0], [0.5, -1.0]])
gradient_of, jacobian_of = engine.grad, engine.jacobian


@case(
    "jax-9969",
    "https://github.com/jax-ml/jax/issues/9969",
    title="an option given to hessian reaches only one of the two derivatives it is made of",
    month="2022-03",
    symptom="raises",
    cause="A Hessian is the derivative of a derivative, and only the inner one was told of the option; the outer one "
    "then refuses what it gets. Here the option is which argument to move.",
    needs=("nested",),
    at=(np.array([1.0, -2.0]),),
    right=(2 * (FORM + FORM.T),),
    oracle="closed form: 2 (A + Aᵀ)",
    reported=Raises("argument"),
    asks="value",
    defect=traced(engine, "hessian", lambda f, argnums=0: lambda *args: jacobian_of(gradient_of(f, argnums))(*args)),
)
def hessian_for_the_second_argument(x, *, ad):
    return ad.hessian(lambda times, u: times * (u @ FORM @ u), 1)(2, x)


@case(
    "jax-29342",
    "https://github.com/jax-ml/jax/issues/29342",
    title="the second derivative of an entry of a solution crashes on a zero that is no array",
    month="2025-06",
    symptom="raises",
    cause="Differentiated again, the adjoint of the linear solve is handed the symbol for a zero cotangent, of which "
    "it knows nothing.",
    needs=("nested",),
    at=(200.0,),
    right=(2 / 200.0**3,),
    oracle="closed form: the entry is 1 / z",
    reported=Raises("crash", "TypeError"),
    asks="value",
    defect=rule_fails_when_differentiated(np.linalg.solve, TypeError("a Zero is no array")),
)
def second_derivative_of_an_entry_of_a_solution(z, *, ad):
    def entry(z):
        return np.linalg.solve(z * np.eye(3), np.array([1.0, 0.0, 0.0]))[0]

    return ad.grad(ad.grad(entry))(z)


def with_dimensions(d, out, a, b):
    return d * b if b.ndim == 0 else np.expand_dims(d, -1) * b


@case(
    "jax-16805",
    "https://github.com/jax-ml/jax/issues/16805",
    title="the second derivative of a checkpointed product of two plain floats crashes",
    month="2023-07",
    symptom="raises",
    cause="A rule asks its operand for the number of dimensions, which a float of Python does not have.",
    needs=("nested",),
    at=(1.0,),
    right=(2.0,),
    oracle="closed form: of x²",
    reported=Raises("crash", "has no attribute 'ndim'"),
    asks="value",
    defect=with_rule(np.dot, a=with_dimensions, b=lambda d, out, a, b: with_dimensions(d, out, b, a)),
)
def second_derivative_of_a_checkpointed_product(x, *, ad):
    return ad.grad(ad.grad(ad.checkpoint(lambda u: np.dot(u, u))))(x)


RECORD = np.arange(1.0, 10.0)
REAL, IMAGINARY, WEIGHT = (np.diag(2 * part) for part in np.split(RECORD, 3))
NOTHING = np.zeros((3, 3))
BLOCKS = np.block([[WEIGHT, NOTHING, REAL], [NOTHING, WEIGHT, IMAGINARY], [REAL, IMAGINARY, NOTHING]])


@case(
    "zygote-917",
    "https://github.com/FluxML/Zygote.jl/issues/917",
    title="no Hessian of a real function that makes complex numbers of its arguments",
    month="2021-03",
    symptom="raises",
    cause="The outer derivative is taken with dual numbers, and a complex number made of two dual numbers fitted no "
    "method.",
    needs=("nested", "complex"),
    at=(RECORD,),
    right=(BLOCKS,),
    oracle="closed form: of Σ w (a² + b²)",
    reported=Raises("crash", "TypeError"),
    asks="value",
    tolerance=Tolerance(atol=1e-13, why="the zeros are differences of numbers as large as the other entries"),
    defect=rule_fails_when_differentiated(np.absolute, TypeError("no method for a complex dual number")),
)
def hessian_of_weighted_moduli(v, *, ad):
    def loss(u):
        return np.sum(u[6:9] * np.abs(u[0:3] + u[3:6] * 1j) ** 2)

    return ad.hessian(loss)(v)
