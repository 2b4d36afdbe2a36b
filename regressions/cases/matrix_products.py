"""Products of matrices and tensors: axes counted from the end, vectors, conjugates, one array as both operands."""

from __future__ import annotations

import operator

import numpy as np

from engine.rules import products
from engine.rules.products import matmul_left, matmul_right

from ..case import Raises, case
from ..defects import patched, with_rule


def matmul_rule(left, right):
    """A rule for a @ b, from its two pullbacks."""
    return with_rule(operator.matmul, a=left, b=right)


def by_the_axes_as_given(d, out, a, b, axes):
    kept = [i for i in range(a.ndim) if i not in axes[0]]
    return np.transpose(d @ b.T, kept + axes[0])


FEATURES = np.array([[1.0, 0.5, -1.0, 2.0], [0.0, 1.0, 1.0, -2.0]])
TABLE = np.arange(12.0).reshape(4, 3) / 10


@case(
    "autograd-98",
    "https://github.com/HIPS/autograd/issues/98",
    title="tensordot over an axis counted from the end raises on the way back",
    month="2016-04",
    symptom="raises",
    cause="The rule looks for the summed axes among 0, 1, 2, ..., where -1 never is, and builds a permutation that has "
    "an axis too many.",
    at=(FEATURES,),
    right=(2 * FEATURES @ TABLE @ TABLE.T,),
    oracle="closed form: 2 x B Bᵀ",
    reported=Raises("crash", "ValueError: axes don't match array"),
    defect=with_rule(np.tensordot, a=by_the_axes_as_given),
)
def contraction_over_the_last_axis(x):
    return np.sum(np.tensordot(x, TABLE, axes=[[-1], [0]]) ** 2)


def block_by_block(d, out, a, b):
    rows, columns = b.shape[0], b.shape[1]
    return np.sum(d.reshape(a.shape[0], rows, a.shape[1], columns) * b, (1, 3))


@case(
    "autograd-209",
    "https://github.com/HIPS/autograd/issues/209",
    title="kron of vectors raises an IndexError on the way back",
    month="2017-04",
    symptom="raises",
    cause="The rule splits the result into blocks by the second axis of the operands, which vectors do not have.",
    at=(np.array([1.0, 2.0, 3.0]),),
    right=(np.array([7.0, 17.0, 27.0]),),
    oracle="closed form: 10 x, and what the two copies of x are weighted with",
    reported=Raises("crash", "IndexError: tuple index out of range"),
    defect=with_rule(np.kron, a=block_by_block, b=lambda d, out, a, b: block_by_block(d, out, b, a)),
)
def vectors_times_vectors_in_blocks(x):
    squares = np.sum(np.kron(x, np.array([1.0, 2.0])) ** 2)
    return squares + np.sum(np.kron(np.array([1.0, -1.0]), x) * np.arange(6.0))


CUBES = np.arange(36.0).reshape(3, 2, 3, 2) / 10


def repeated_over_what_was_summed(d, subscripts, operands, optimize):
    summed = tuple(i for i, label in enumerate(subscripts.split("->")[0]) if label not in subscripts.split("->")[1])
    sizes = np.array(operands[0].shape)[summed]  # of an array, a tuple asks for one element
    return [np.expand_dims(d, summed) * np.ones(sizes)]


@case(
    "autograd-242",
    "https://github.com/HIPS/autograd/issues/242",
    title="einsum that sums over two labels of one operand raises on the way back",
    month="2017-06",
    symptom="raises",
    cause="The rule looks up the sizes of the summed axes with a tuple of their positions, which means one element of "
    "an array of more dimensions; a list was meant.",
    at=(CUBES,),
    right=(np.broadcast_to(2 * np.sum(CUBES, (0, 2), keepdims=True), CUBES.shape).copy(),),
    oracle="closed form: twice the sum that the entry is in",
    reported=Raises("crash", "IndexError: too many indices"),
    defect=patched(products, "cotangents_of", repeated_over_what_was_summed),
)
def einsum_over_the_outer_labels(x):
    return np.sum(np.einsum("abcd->bd", x) ** 2)


SELECTED = np.array([[1.0, 0.0]] * 5)
PLACED = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])


@case(
    "enzymejl-445",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/445",
    title="the gradient of a product of a matrix and a vector is zero at the origin",
    month="2022-09",
    symptom="missing-gradient",
    cause="What is differentiated is a loop of the library that skips the columns whose factor is zero, and with them "
    "the derivative by this factor.",
    at=(np.zeros(4),),
    right=(np.array([5.0, 0.0, 1.0, 1.0]),),
    oracle="closed form: the sums of the columns",
    reported=(np.zeros(4),),
    defect=matmul_rule(
        lambda d, out, a, b, /: matmul_left(d, a, b),
        lambda d, out, a, b, /: np.where(b == 0, 0, matmul_right(d, a, b)),
    ),
)
def linear_map_at_the_origin(x):
    return np.sum(SELECTED @ x[:2] + PLACED @ x[2:])


LOADINGS = np.array([[0.3, 0.1], [-0.2, 0.4], [0.5, -0.3], [0.1, 0.6], [-0.4, 0.2]])


@case(
    "enzymejl-2999",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/2999",
    title="the gradient of the trace of UᵀU is half of what it is",
    month="2026-03",
    symptom="wrong-value",
    cause="The product of a matrix with its own lazy transpose becomes a symmetric kernel, whose reverse is called "
    "with a wrong dimension and has no effect for the second operand.",
    at=(np.full(5, 2.0),),
    right=(-2 * np.sum(LOADINGS**2, 1) / 8,),
    oracle="closed form: -2 Σ p² / x³ for each row",
    reported=(-np.sum(LOADINGS**2, 1) / 8,),
    defect=matmul_rule(
        lambda d, out, a, b, /: matmul_left(d, a, b),
        lambda d, out, a, b, /: (0 if np.shares_memory(a, b) else 1) * matmul_right(d, a, b),
    ),
)
def trace_of_a_gram_matrix(x):
    U = np.diag(1 / x) @ LOADINGS
    return np.trace(U.T @ U)


QUERIES = np.arange(1.0, 13.0).reshape(3, 1, 4)
KEYS = np.arange(1.0, 25.0).reshape(3, 2, 4) / 10


def by_strides(d, out, a, b, /):
    if 1 in d.shape:
        raise ValueError("On entry to DGEMM parameter number 10 had an illegal value")
    return matmul_left(d, a, b)


@case(
    "nnlib-268",
    "https://github.com/FluxML/NNlib.jl/issues/268",
    title="a batched product with an axis of length one fails on the way back",
    month="2021-01",
    symptom="raises",
    cause="The stride of an axis of length one is arbitrary, and was handed on to BLAS as the distance between rows.",
    at=(QUERIES,),
    right=(2 * QUERIES @ np.swapaxes(KEYS, 1, 2) @ KEYS,),
    oracle="closed form: 2 A Bᵀ B",
    reported=Raises("crash", "parameter number .* illegal value"),
    defect=matmul_rule(by_strides, lambda d, out, a, b, /: matmul_right(d, a, b)),
)
def scores_of_one_query_each(A):
    return np.sum((A @ np.swapaxes(KEYS, 1, 2)) ** 2)


MIXER = np.array([[1 + 1j, -2j], [0.5, 3 - 1j]])
SIGNAL = np.array([[1.0, -2.0], [0.5, 1.0]]) + 1j * np.array([[0.3, 1.0], [-1.0, 2.0]])
ADJOINT_BAR, TRANSPOSE_BAR = 2 * SIGNAL @ MIXER @ MIXER.conj().T, 2 * SIGNAL @ MIXER @ MIXER.T


@case(
    "tensorflow-4859",
    "https://github.com/tensorflow/tensorflow/issues/4859",
    title="the gradients of a complex matrix product lack a conjugate",
    month="2016-10",
    symptom="wrong-value",
    cause="The rule multiplies by the transpose of the other operand, as for real matrices, in the place of its "
    "adjoint.",
    needs=("complex",),
    at=(SIGNAL.real, SIGNAL.imag),
    right=(ADJOINT_BAR.real, ADJOINT_BAR.imag),
    oracle="closed form: the parts of 2 Z Y Yᴴ",
    reported=(TRANSPOSE_BAR.real, TRANSPOSE_BAR.imag),
    defect=matmul_rule(
        lambda d, out, a, b, /: matmul_left(d, a, b),
        lambda d, out, a, b, /: matmul_right(d, a, b),
    ),
)
def energy_of_a_mixed_signal(real, imaginary):
    return np.sum(np.abs((real + 1j * imaginary) @ MIXER) ** 2)
