"""Systems of linear equations and inverses: shapes of the right-hand side, triangles, and shortcuts by structure."""

from __future__ import annotations

import numpy as np
import scipy.linalg

from engine.rules.linalg import solve_pullback

from ..case import Raises, case
from ..defects import with_rule
from ..defects.fit import nothing_is_fitted
from ..defects.orders import forward_rule_missing
from ..defects.state import together

MATRIX = np.array([[4.0, 1.0, 0.0], [0.5, 3.0, 1.0], [0.0, -1.0, 5.0]])
LOADS, WEIGHTS = np.array([1.0, 2.0, -1.0]), np.array([1.0, -2.0, 0.5])
ADJOINT, SOLUTION = np.linalg.solve(MATRIX.T, WEIGHTS), np.linalg.solve(MATRIX, LOADS)


@case(
    "autograd-23",
    "https://github.com/HIPS/autograd/pull/23",
    title="the gradient of a solution by the matrix is one number in all places",
    month="2015-04",
    symptom="wrong-value",
    cause="The rule multiplies the two solutions as matrices. Where the right-hand side is a vector, that is their "
    "inner product, and not the outer one.",
    at=(MATRIX,),
    right=(-np.outer(ADJOINT, SOLUTION),),
    oracle="closed form: -(A⁻ᵀ w)(A⁻¹ b)ᵀ",
    reported=(np.full((3, 3), -ADJOINT @ SOLUTION),),
    defect=with_rule(
        np.linalg.solve,
        a=lambda d, out, a, b: -np.dot(np.linalg.solve(a.T, d), out.T),
        b=lambda d, out, a, b: np.linalg.solve(a.T, d),
    ),
)
def weighted_solution(matrix):
    return np.sum(np.linalg.solve(matrix, LOADS) * WEIGHTS)


SPRINGS = np.stack([np.eye(2), 2.0 * np.eye(2)])[None]  # of three dimensions NumPy 1 takes (2, 1) for two vectors


def of_each_system(d, out, a, b):
    return np.linalg.solve(np.swapaxes(a, -1, -2), np.broadcast_to(d, out.shape))


@case(
    "autograd-618",
    "https://github.com/HIPS/autograd/pull/618",
    title="one right-hand side for a stack of matrices gets a gradient for each of them",
    month="2024-04",
    symptom="wrong-shape",
    cause="The rule returns a solution for each matrix of the stack, and does not sum them over the axis along which "
    "the right-hand side was repeated; a vector on the right, in NumPy 2, comes to the same.",
    at=(np.array([[1.0], [2.0]]),),
    right=(np.array([[1.5], [1.5]]),),
    oracle="closed form: the sum of A⁻ᵀ 1 over the stack",
    reported=(np.array([[[[1.0], [1.0]], [[0.5], [0.5]]]]),),
    defect=together(
        with_rule(np.linalg.solve, a=lambda d, out, a, b: solve_pullback(d, out, a, b)[0], b=of_each_system),
        nothing_is_fitted,
    ),
)
def two_springs_under_one_load(load):
    return np.sum(np.linalg.solve(SPRINGS, load))


WIDE = np.array([[1.0, 2.0, 0.5], [0.0, 1.0, -1.0]])
COMMANDS, CHANGE = np.array([[1.0, 0.0, 2.0], [0.5, -1.0, 0.0]]), np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
PROJECTOR = WIDE.T @ np.linalg.inv(WIDE @ WIDE.T) @ WIDE


def slope_of_the_projector():
    """dQ for Q = M⁺ M: (1 - Q) dMᵀ (M⁺)ᵀ and its transpose."""
    half = (np.eye(3) - PROJECTOR) @ CHANGE.T @ np.linalg.inv(WIDE @ WIDE.T) @ WIDE
    return half + half.T


@case(
    "casadi-897",
    "https://github.com/casadi/casadi/issues/897",
    title="forward mode through a system with several right-hand sides raises",
    month="2013-11",
    symptom="raises",
    cause="The forward rule of a transposed system with a matrix on the right fails; that it is this one is inferred "
    "from the program of the report.",
    needs=("nested", "forward"),
    at=(WIDE,),
    right=(float(2 * np.sum((COMMANDS @ PROJECTOR) * (COMMANDS @ slope_of_the_projector()))),),
    oracle="closed form: the derivative of the projector M⁺ M onto the rows of M",
    reported=Raises("crash", "solve"),
    asks="value",
    defect=forward_rule_missing(np.linalg.solve, RuntimeError("solve: no forward derivative of this call")),
)
def slope_of_what_the_rows_can_follow(M, *, ad):
    def followed(M):
        right_inverse = np.linalg.solve((M @ M.T).T, M).T
        return np.sum((COMMANDS @ right_inverse @ M) ** 2)

    return float(ad.jvp(followed, (M,), (CHANGE,))[1])


def by_the_structure_of_the_values(d, out, a):
    a_bar = -out.T @ d @ out.T
    return np.triu(a_bar) if np.array_equal(a, np.triu(a)) else a_bar


@case(
    "forwarddiff-490",
    "https://github.com/JuliaDiff/ForwardDiff.jl/issues/490",
    title="the inverse of a matrix that happens to be diagonal: no gradient below the diagonal",
    month="2020-12",
    symptom="missing-gradient",
    cause="The zeros below the diagonal choose the algorithm for triangular matrices, which does not look at what is "
    "there; that these zeros may move is not asked.",
    at=(0.5 * np.eye(3),),
    right=(np.full((3, 3), -4.0),),
    oracle="closed form: -A⁻ᵀ 1 1ᵀ A⁻ᵀ",
    reported=(np.triu(np.full((3, 3), -4.0)),),
    defect=with_rule(np.linalg.inv, a=by_the_structure_of_the_values),
)
def sum_of_an_inverse(A):
    return np.sum(np.linalg.inv(A))


def by_triangular_solves(d, out, a):
    """The inverse as two solves with L and U, each of which is told to move by all of d(L - 1 + U)."""
    permutation, lower, upper = scipy.linalg.lu(a)
    l_inverse, u_inverse = np.linalg.inv(lower), np.linalg.inv(upper)
    factors_bar = -(u_inverse @ l_inverse).T @ d @ permutation @ l_inverse.T - u_inverse.T @ d @ out.T
    inside = np.tril(lower.T @ factors_bar, -1) + np.triu(factors_bar @ upper.T)
    return permutation @ l_inverse.T @ inside @ u_inverse.T


@case(
    "jaxjs-84",
    "https://github.com/ekzhang/jax-js/issues/84",
    title="the gradient of an inverse is wrong in every entry",
    month="2026-02",
    symptom="wrong-value",
    cause="The inverse is made of two triangular solves with the factors L and U, which lie in one matrix; the tangent "
    "of each solve uses all of it, and not the triangle that the solve reads.",
    at=(np.array([[2.0, 1.0], [1.0, 3.0]]),),
    right=(np.array([[-0.16, -0.08], [-0.08, -0.04]]),),
    oracle="closed form: -A⁻ᵀ 1 1ᵀ A⁻ᵀ",
    reported=(np.array([[-0.565, -0.23], [-0.07, -0.14]]),),
    defect=with_rule(np.linalg.inv, a=by_triangular_solves),
)
def total_conductance(resistances):
    return np.sum(np.linalg.inv(resistances))


def without_a_transpose(d, out, a):
    raise KeyError("sub")


INVERTED = np.linalg.inv(np.array([[2.0, 1.0], [0.5, 3.0]]))


@case(
    "jax-518",
    "https://github.com/jax-ml/jax/issues/518",
    title="the gradient of one entry of an inverse raises a KeyError",
    month="2019-03",
    symptom="raises",
    cause="The way back through a solve subtracts one linear quantity from another, and of all places only there; "
    "subtraction had no transpose.",
    at=(np.array([[2.0, 1.0], [0.5, 3.0]]),),
    right=(-np.outer(INVERTED[0], INVERTED[:, 0]),),
    oracle="closed form: -A⁻ᵀ e eᵀ A⁻ᵀ",
    reported=Raises("crash", "KeyError: 'sub'"),
    defect=with_rule(np.linalg.inv, a=without_a_transpose),
)
def corner_of_an_inverse(a):
    return np.linalg.inv(a)[0, 0]


def with_all_entries(d, out, a, b, trans=0):
    if trans == "T":
        return -np.outer(out, np.linalg.solve(np.triu(a), d))
    return -np.outer(np.linalg.solve(np.triu(a).T, d), out)


def cotangent_of_the_loads(d, out, a, b, trans=0):
    return np.linalg.solve(np.triu(a) if trans == "T" else np.triu(a).T, d)


triangles_are_not_cut_out = with_rule(scipy.linalg.solve_triangular, a=with_all_entries, b=cotangent_of_the_loads)


@case(
    "jax-1458",
    "https://github.com/jax-ml/jax/issues/1458",
    title="a change below the diagonal, which a triangular solve does not read, changes its tangent",
    month="2019-10",
    symptom="wrong-value",
    cause="The forward rule multiplies by all of dA in the place of its triangle.",
    needs=("nested", "forward"),
    at=(np.array([[1.0, -1.0], [5.0, 2.0]]),),
    right=(np.array([0.0, 0.0]),),
    oracle="definition: what is below the diagonal is not read",
    reported=(np.array([-0.75, -0.75]),),
    asks="value",
    defect=triangles_are_not_cut_out,
)
def tangent_of_a_triangular_solve(a, *, ad):
    def solved(a):
        return scipy.linalg.solve_triangular(a, np.array([1.0, 1.0]))

    return ad.jvp(solved, (a,), (np.array([[0.0, 0.0], [1.0, 0.0]]),))[1]


UPPER = np.array([[2.0, 1.0], [0.0, 3.0]])
UPPER_BAR = -np.outer(np.linalg.solve(UPPER.T, [1.0, -2.0]), np.linalg.solve(UPPER, np.ones(2)))


@case(
    "zygote-248",
    "https://github.com/FluxML/Zygote.jl/pull/248",
    title="a solve with a transposed triangular matrix has a gradient below the diagonal",
    month="2019-08",
    symptom="wrong-value",
    cause="The transpose of a triangular matrix is not of a triangular type itself, and got the rule for general "
    "matrices.",
    at=(UPPER,),
    right=(np.triu(UPPER_BAR),),
    oracle="closed form: -(A⁻ᵀ b)(A⁻¹ 1)ᵀ, its triangle",
    reported=(UPPER_BAR,),
    defect=triangles_are_not_cut_out,
)
def solution_of_the_transposed_system(R):
    return np.sum(scipy.linalg.solve_triangular(R, np.array([1.0, -2.0]), trans="T"))
