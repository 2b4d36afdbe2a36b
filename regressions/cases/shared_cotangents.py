"""Cotangents that meet: of a value used more than once, of two values at once, of an array that somebody else owns."""

from __future__ import annotations

import numpy as np

from ..case import Growth, case
from ..defects import on_traced_tier, with_rule
from ..defects.state import (
    buffers_are_not_zeroed,
    chunks_overwrite,
    first_cotangent_becomes_the_buffer,
    gradients_share_memory,
    partial_sums_are_kept,
    result_clears_its_operands,
    sums_are,
)


def the_later(a, b):
    return b


def added_into_the_first(a, b):
    a += b
    return a


def scaled(x, y):
    return y, x * np.sum(y)


@case(
    "casadi-530",
    "https://github.com/casadi/casadi/issues/530",
    title="a function that returns one of its inputs gives that input a wrong adjoint",
    month="2012-11",
    symptom="wrong-value",
    cause="The output that is an input shared the adjoint of that input, and what the other output has to add to it "
    "replaced it.",
    at=(np.array([0.1, 0.7, 1.3]), np.array([7.1, 2.9])),
    right=(np.array([10.0, 0.0, 0.0]), np.array([14.3, 5.9])),
    oracle="closed form: the sum of y for x0, 2y + x0 for y",
    reported=(np.array([10.0, 0.0, 0.0]), np.array([0.1, 0.1])),
    defect=sums_are(the_later),
)
def output_that_is_an_input(x, y):
    same, product = scaled(x, y)
    return np.sum(same**2) + product[0]


def newton_step(x):
    guess = 0.5
    return guess - (guess - x)


@case(
    "casadi-825",
    "https://github.com/casadi/casadi/issues/825",
    title="stacking an unknown and its solution forgets one of the two in the reverse pass",
    month="2013-08",
    symptom="wrong-value",
    cause="The input is an output and the argument of a call; when the call was walked over, its adjoint was set "
    "instead of added to.",
    at=(1.0,),
    right=(11.0,),
    oracle="closed form: the solution is the input itself, with the weights 1 and 10",
    reported=(10.0,),
    defect=sums_are(the_later),
)
def input_beside_its_solution(x):
    return np.sum(np.array([x, newton_step(x)]) * np.array([1.0, 10.0]))


MATRIX = np.array([[1.0, 2.0], [3.0, 4.0]])
INVERSE = np.linalg.inv(MATRIX)
PULLED = -INVERSE.T @ (2 * np.sign(INVERSE + INVERSE.T)) @ INVERSE.T


def scratch_space(d, out, a):
    result = -out.T @ d @ out.T
    d *= 0.5
    return result


@case(
    "chainrules-512",
    "https://github.com/JuliaDiff/ChainRules.jl/issues/512",
    title="a matrix function and its transpose in one sum get a wrong gradient",
    month="2021-08",
    symptom="wrong-value",
    cause="Both terms of a sum have the same array for their cotangent; the pullback of the matrix function used it as "
    "scratch space, and the other term saw what was left.",
    at=(MATRIX,),
    right=(PULLED,),
    oracle="closed form: -Yᵀ (S + Sᵀ) Yᵀ with Y the inverse and S the signs",
    reported=(0.75 * PULLED,),
    defect=on_traced_tier(with_rule(np.linalg.inv, a=scratch_space)),
)
def inverse_plus_its_transpose(x):
    return np.sum(np.abs(np.linalg.inv(x).T + np.linalg.inv(x)))


@case(
    "enzymejl-382",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/382",
    title="the pullback of a product into a square buffer leaves the caller's cotangent all zero",
    month="2022-07",
    symptom="wrong-value",
    cause="The cotangent of an array that is written to is cleared in place, and for a square buffer that was the very "
    "array the caller had passed.",
    needs=("mutation", "nested"),
    at=(np.array([[0.5, 1.0], [-1.0, 2.0]]),),
    right=(np.array([[1.0, 0.0], [2.0, 1.0]]),),
    oracle="definition: a pullback leaves the cotangent it is given as it was",
    reported=(np.zeros((2, 2)),),
    asks="value",
    defect=first_cotangent_becomes_the_buffer,
)
def cotangent_after_the_pullback(B, *, ad):
    def product(B):
        out = np.empty((2, 2))
        np.matmul(MATRIX, B, out=out)
        return out

    seed = np.array([[1.0, 0.0], [2.0, 1.0]])
    _, back = ad.pullback(product, B)
    back(seed)
    return seed


@case(
    "warp-394",
    "https://github.com/NVIDIA/warp/issues/394",
    title="the backward pass adds into the array that was given as cotangent",
    month="2024-12",
    symptom="wrong-value",
    cause="A sum hands its cotangent on as it is; a second contribution to the same value was added to that array in "
    "place.",
    needs=("nested",),
    at=(np.array([1.0, 2.0]),),
    right=(np.array([1.0, -1.0]),),
    oracle="definition: a pullback leaves the cotangent it is given as it was",
    reported=(np.array([3.0, -3.0]),),
    asks="value",
    defect=sums_are(added_into_the_first),
)
def cotangent_of_a_sum_after_the_pullback(x, *, ad):
    seed = np.array([1.0, -1.0])
    _, back = ad.pullback(lambda x: x + 2.0 * x, x)
    back(seed)
    return seed


@case(
    "flux-2098",
    "https://github.com/FluxML/Flux.jl/pull/2098",
    "https://github.com/pytorch/pytorch/issues/34082",
    title="an optimiser that scales one gradient in place scales another one too",
    month="2020-03",
    symptom="wrong-value",
    cause="Both operands of a sum have one array for their cotangent, and it was returned as the gradient of both.",
    needs=("nested",),
    at=(np.array([1.0, 2.0]), np.array([3.0, 4.0])),
    right=(np.array([8.0, 12.0]),),
    oracle="closed form: 2 (a + b), and a gradient belongs to whoever asked for it",
    reported=(np.array([0.8, 1.2]),),
    asks="value",
    defect=gradients_share_memory,
)
def second_gradient_after_a_step_with_the_first(a, b, *, ad):
    of_a, of_b = ad.gradient(lambda a, b: np.sum((a + b) ** 2), a, b)
    of_a *= 0.1
    return of_b


X = np.array([0.3, -1.0])


@case(
    "mxnet-17989",
    "https://github.com/apache/mxnet/issues/17989",
    title="of ten uses of a value only the first two count in its gradient",
    month="2020-04",
    symptom="wrong-value",
    cause="Many contributions were summed in chunks of a fixed length, and a later chunk overwrote the earlier one "
    "instead of adding to it.",
    at=(X,),
    right=(sum(k * np.cos(k * X) for k in range(10)),),
    oracle="closed form: Σ k cos kx",
    reported=(np.cos(X),),
    defect=chunks_overwrite(8),
)
def value_used_ten_times(x):
    total = 0.0
    for k in range(10):
        total = total + np.sum(np.sin(k * x))
    return total


BATCH = np.array([[1.0, 2.0, 3.0, 4.0], [2.0, 0.0, -1.0, 1.0], [0.0, 1.0, 5.0, 2.0]])
WEIGHTS = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0], [2.0, 0.0, 1.0]])


def convolved(row, kernel):
    return np.array([np.dot(row[i : i + 2], kernel) for i in range(3)])


@case(
    "nnlib-197",
    "https://github.com/FluxML/NNlib.jl/pull/197",
    title="the filter gradient of a convolution over a batch differs from run to run",
    month="2020-04",
    symptom="wrong-value",
    cause="Several threads add the contributions of the members of a batch to one buffer, and lose those that another "
    "one is adding meanwhile.",
    at=(np.array([0.5, -1.0]),),
    right=(np.array([19.0, 23.0]),),
    oracle="closed form: the correlations of batch and weights, summed",
    reported=(np.array([1.0, 2.0]),),
    defect=sums_are(the_later),
)
def filter_of_a_batch(kernel):
    return sum(np.dot(weights, convolved(row, kernel)) for row, weights in zip(BATCH, WEIGHTS, strict=True))


DIRECT, CONVOLVED = np.array([0.17, 0.19, 0.23]), np.array([0.11, 0.13, 0.15])


@case(
    "nnlib-538",
    "https://github.com/FluxML/NNlib.jl/issues/538",
    title="the gradient of a convolution replaces what its input has from elsewhere",
    month="2023-09",
    symptom="wrong-value",
    cause="The kernel that is to add to a buffer was told so, by a factor for the old contents, and ignored it.",
    at=(np.array([1.0, 2.0, 3.0]),),
    right=(DIRECT + CONVOLVED,),
    oracle="closed form: the sum of both weights",
    reported=(CONVOLVED,),
    defect=sums_are(the_later),
)
def input_of_a_convolution_used_beside_it(x):
    filtered = 1.0 * x
    return np.sum(filtered * CONVOLVED) + np.sum(x * DIRECT)


SIGNAL, PROBE = np.arange(1.0, 9.0), np.arange(6.0) / 6


@case(
    "nnlib-45",
    "https://github.com/FluxML/NNlib.jl/pull/45",
    title="the gradients of a dilated convolution are NaN or random numbers",
    month="2018-05",
    symptom="nan-inf",
    cause="Contributions are added to buffers that nobody had set to zero after they were allocated.",
    at=(SIGNAL, np.array([1.0, 2.0])),
    right=(
        np.concatenate([PROBE, np.zeros(2)]) + 2 * np.concatenate([np.zeros(2), PROBE]),
        np.array([PROBE @ SIGNAL[:-2], PROBE @ SIGNAL[2:]]),
    ),
    oracle="closed form: w0 c[k] + w1 c[k - 2], and the correlations of c with the two shifted signals",
    reported=(np.full(8, np.nan), np.full(2, np.nan)),
    defect=buffers_are_not_zeroed,
)
def dilated_convolution(x, w):
    return np.sum((w[0] * x[:-2] + w[1] * x[2:]) * PROBE)


def piece(a):
    b = a
    if b > 1.0:
        b = a * a
    else:
        b = -2.0 * a
    return b


@case(
    "warp-202",
    "https://github.com/NVIDIA/warp/issues/202",
    title="a copy b = a that is bound anew in both branches makes the gradient zero",
    month="2024-03",
    symptom="missing-gradient",
    cause="The plain copy gave both names one adjoint, and the assignment to the second name, walked over in reverse, "
    "cleared it for both.",
    at=(np.array([0.5, 2.0]),),
    right=(np.array([-2.0, 12.0]),),
    oracle="closed form: -2, and 3 · 2x",
    reported=(np.array([0.0, 0.0]),),
    defect=result_clears_its_operands,
)
def alias_bound_anew_in_both_branches(x):
    return piece(x[0]) + 3.0 * piece(x[1])


GRID = np.linspace(0.0, 1.0, 200_000)


@case(
    "zygote-905",
    "https://github.com/FluxML/Zygote.jl/issues/905",
    title="a large array that is used many times takes memory for each use",
    month="2021-02",
    symptom="memory",
    cause="Adding up the cotangents of the uses made a new array each time, and those before it were not given back "
    "while the reverse pass ran.",
    at=lambda n: (2.0, np.full(n, 0.5)),
    right=Growth("peak", 0, answer=lambda n: (50_000.0 * n, np.full(n, 200_000.0)), n=8),
    oracle="closed form: of x Σw ΣG, with ΣG = 100000",
    reported=Growth("peak", 1),
    defect=partial_sums_are_kept,
)
def large_array_used_many_times(x, weights):
    large = x * GRID
    total = 0.0
    for weight in weights:
        total = total + weight * np.sum(large)
    return total
