"""Determinants and their logarithms: singular, triangular, complex and stacked matrices."""

from __future__ import annotations

import numpy as np

from engine.rules.eigen import adjoint
from engine.rules.linalg import det_pullback, minors

from ..case import Raises, case
from ..defects import with_rule
from ..defects.fit import nothing_is_fitted
from ..defects.state import sums_are, together


@case(
    "autograd-549",
    "https://github.com/HIPS/autograd/issues/549",
    "https://github.com/tensorflow/tensorflow/issues/119477",
    title="the gradient of a determinant raises where the matrix is singular",
    month="2020-03",
    symptom="raises",
    cause="The rule is the determinant times the inverse, which a singular matrix does not have; its cofactors, which "
    "the product stands for, exist all the same.",
    at=(np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.0, 0.0, 1.0]]),),
    right=(np.array([[4.0, -2.0, 0.0], [-2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]),),
    oracle="closed form: the cofactors",
    reported=Raises("crash", "LinAlgError: Singular matrix"),
    defect=with_rule(np.linalg.det, a=lambda d, out, a: d * out * np.linalg.inv(a).T),
)
def volume_of_a_flat_box(edges):
    return np.linalg.det(edges)


def times_an_infinite_inverse(d, out, a):
    with np.errstate(divide="ignore", invalid="ignore"):
        return d * out * (minors(a) / out)


@case(
    "jax-2380",
    "https://github.com/jax-ml/jax/issues/2380",
    title="the gradient of the determinant of a singular matrix is NaN",
    month="2020-03",
    symptom="nan-inf",
    cause="The rule is the determinant times the inverse: here zero times a matrix of infinities.",
    at=(np.array([[1.0, 2.0], [2.0, 4.0]]),),
    right=(np.array([[4.0, -2.0], [-2.0, 1.0]]),),
    oracle="closed form: the cofactors",
    reported=(np.full((2, 2), np.nan),),
    defect=with_rule(np.linalg.det, a=times_an_infinite_inverse),
)
def determinant_of_dependent_rows(a):
    return np.linalg.det(a)


@case(
    "pytorch-104675",
    "https://github.com/pytorch/pytorch/issues/104675",
    title="the gradient of the determinant of a singular matrix is zero",
    month="2023-07",
    symptom="missing-gradient",
    cause="Most likely the rule multiplies the determinant, which is zero, by an inverse that is only approximate and "
    "therefore finite.",
    at=(np.array([[0.0, 1.0], [0.0, 1.0]]),),
    right=(np.array([[1.0, 0.0], [-1.0, 0.0]]),),
    oracle="closed form: the cofactors",
    reported=(np.zeros((2, 2)),),
    defect=with_rule(np.linalg.det, a=lambda d, out, a: d * out * np.linalg.pinv(a).T),
)
def determinant_with_a_column_of_zeros(a):
    return np.linalg.det(a)


@case(
    "pytorch-80761",
    "https://github.com/pytorch/pytorch/issues/80761",
    title="the gradient of the determinant of a matrix of one zero is zero",
    month="2022-07",
    symptom="missing-gradient",
    cause="The special treatment of singular matrices is wrong for the smallest of them, whose only cofactor is the "
    "empty determinant 1.",
    at=(np.array([[0.0]]),),
    right=(np.array([[1.0]]),),
    oracle="closed form: the determinant is the entry",
    reported=(np.array([[0.0]]),),
    defect=with_rule(np.linalg.det, a=lambda d, out, a: d * a if a.shape == (1, 1) else det_pullback(d, out, a)),
)
def determinant_of_a_single_zero(a):
    return np.linalg.det(a)


def by_the_structure_of_the_values(d, out, a):
    if np.array_equal(a, np.tril(a)):
        return np.diag(d * out / np.diag(a))
    return det_pullback(d, out, a)


@case(
    "forwarddiff-197",
    "https://github.com/JuliaDiff/ForwardDiff.jl/issues/197",
    title="the determinant of a matrix that happens to be triangular depends on its diagonal only",
    month="2017-03",
    symptom="missing-gradient",
    cause="The zeros above the diagonal choose the product of the diagonal in the place of a factorisation; that they "
    "may move is not asked.",
    at=(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 1.0]]),),
    right=(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, -1.0], [0.0, 0.0, 1.0]]),),
    oracle="closed form: the cofactors",
    reported=(np.eye(3),),
    defect=with_rule(np.linalg.det, a=by_the_structure_of_the_values),
)
def determinant_of_zeros_above_the_diagonal(a):
    return np.linalg.det(a)


STACK = np.stack([np.diag([2.0, 3.0]), np.diag([4.0, 5.0])])


@case(
    "coordinax-557",
    "https://github.com/GalacticDynamics/coordinax/pull/557",
    title="determinants of a stack of matrices get gradients from each other's entries",
    month="2026-07",
    symptom="wrong-value",
    cause="The rule takes the trace of A⁻¹ dA over the first two axes, which NumPy's trace means unless it is told; of "
    "a stack the first one counts the matrices.",
    at=(STACK,),
    right=(np.array([[[3.0, 0.0], [0.0, 2.0]], [[5.0, 0.0], [0.0, 4.0]]]),),
    oracle="closed form: the cofactors of each matrix",
    reported=(np.array([[[3.0, 10.0], [0.0, 0.0]], [[0.0, 0.0], [1.2, 4.0]]]),),
    defect=with_rule(np.linalg.det, a=lambda d, out, a: np.einsum("iik,j->ikj", np.linalg.inv(a), d * out)),
)
def determinants_of_a_stack(matrices):
    return np.sum(np.linalg.det(matrices))


def from_the_first_entry(d, out, a):
    slope = np.ones_like(a[0, 0])
    if slope.shape != d.shape:
        raise TypeError(f"the derivative has shape {slope.shape}, the determinants {d.shape}")
    return slope


@case(
    "jax-6121",
    "https://github.com/jax-ml/jax/issues/6121",
    title="determinants of a stack of matrices of one entry: the derivative has another shape",
    month="2021-03",
    symptom="raises",
    cause="The shortcut for matrices of one entry reads a[0, 0], which in a stack is not the entry of each of them.",
    at=(np.array([[[2.0]], [[-3.0]], [[0.5]]]),),
    right=(np.ones((3, 1, 1)),),
    oracle="closed form: each determinant is its entry",
    reported=Raises("crash", "TypeError.*shape"),
    defect=with_rule(np.linalg.det, a=from_the_first_entry),
)
def determinants_of_single_entries(matrices):
    return np.sum(np.linalg.det(matrices))


PRECISION = np.array([[2.0, 0.3, 0.0], [0.1, 1.5, -0.2], [0.0, 0.4, 3.0]])
POTENTIAL = np.array([0.5, -1.0, 2.0])


def in_place(first, second):
    total = np.array(first)
    total += second
    return total


@case(
    "autograd-22",
    "https://github.com/HIPS/autograd/pull/22",
    title="a matrix used in a determinant and in a system: its two gradients do not add",
    month="2015-04",
    symptom="raises",
    cause="The rule of solve returns a scalar where the right-hand side is a vector, and the sum of cotangents is "
    "formed in place, in an array of the shape of the first one.",
    at=(PRECISION,),
    right=(
        -0.5 * np.linalg.inv(PRECISION).T
        - 0.5 * np.outer(np.linalg.solve(PRECISION.T, POTENTIAL), np.linalg.solve(PRECISION, POTENTIAL)),
    ),
    oracle="closed form: -½ J⁻ᵀ - ½ (J⁻ᵀ h)(J⁻¹ h)ᵀ",
    reported=Raises("crash", "ValueError: non-broadcastable output operand"),
    defect=together(
        with_rule(
            np.linalg.solve,
            a=lambda d, out, a, b: -np.dot(np.linalg.solve(a.T, d), out),
            b=lambda d, out, a, b: np.linalg.solve(a.T, d),
        ),
        nothing_is_fitted,
        sums_are(in_place),
    ),
)
def log_partition_function(J):
    return -0.5 * np.log(np.linalg.det(J)) + 0.5 * np.dot(POTENTIAL, np.linalg.solve(J, POTENTIAL))


COMPLEX = np.array([[1 + 1j, 2.0], [0.5j, 3 - 1j]])
PHASE = np.linalg.slogdet(COMPLEX)[0]


@case(
    "chainrules-234",
    "https://github.com/JuliaDiff/ChainRules.jl/pull/234",
    title="the sign of a complex log-determinant counts as a constant",
    month="2020-07",
    symptom="wrong-value",
    cause="The rule is that of real matrices, whose sign does not move; of a complex one it is a phase, which does.",
    needs=("complex",),
    at=(COMPLEX,),
    right=(np.linalg.inv(COMPLEX).conj().T * (1 + 1j * np.real((1 - 2j) * 1j * PHASE)),),
    oracle="closed form: A⁻ᴴ (1 + i Re (c i s)), with the phase s",
    reported=(np.linalg.inv(COMPLEX).conj().T,),
    defect=with_rule(np.linalg.slogdet, a=lambda d, out, a: d[1] * adjoint(np.linalg.inv(a))),
)
def phase_and_logarithm_of_a_determinant(A):
    sign, logarithm = np.linalg.slogdet(A)
    return np.real((1 - 2j) * sign) + logarithm


@case(
    "zygote-519",
    "https://github.com/FluxML/Zygote.jl/pull/519",
    title="the gradient of a complex determinant is not conjugated",
    month="2020-03",
    symptom="wrong-value",
    cause="The formula of real matrices, the determinant times the transposed inverse, was used for complex ones, "
    "where the adjoint belongs.",
    needs=("complex",),
    at=(np.array([[1.0, 2j], [3j, 4.0]]),),
    right=(np.array([[4.0, 3j], [2j, 1.0]]),),
    oracle="closed form: the conjugates of the cofactors",
    reported=(np.array([[4.0, -3j], [-2j, 1.0]]),),
    defect=with_rule(np.linalg.det, a=lambda d, out, a: d * out * np.linalg.inv(a).T),
)
def real_part_of_a_determinant(A):
    return np.real(np.linalg.det(A))
