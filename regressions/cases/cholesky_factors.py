"""Cholesky factors and triangles of symmetric matrices: what is read of the matrix, and what its gradient counts."""

from __future__ import annotations

import numpy as np

from engine.rules.decompositions import cholesky_pullback
from engine.rules.eigen import adjoint

from ..case import Raises, Tolerance, case
from ..defects import with_rule
from ..defects.state import by_a_rule, sums_are, with_procedure


def slope_of_the_factor(matrix, change):
    """dL = L Φ(L⁻¹ dA L⁻ᴴ)."""
    factor = np.linalg.cholesky(matrix)
    inverse = np.linalg.inv(factor)
    return factor @ lower_and_half(inverse @ change @ inverse.conj().T)


def lower_and_half(matrix):
    """Φ: the lower triangle, its diagonal halved."""
    return np.tril(matrix) - np.diag(np.diag(matrix)) / 2


def before_symmetry(factor, factor_bar, phi):
    """The cotangent of the matrix as L⁻ᵀ Φ(Lᵀ L̄) L⁻¹, which is not symmetric yet."""
    inverse = np.linalg.inv(factor)
    return inverse.T @ phi(factor.T @ factor_bar) @ inverse


def symmetrised(matrix):
    return (matrix + matrix.T) / 2


STIFFNESS = np.array([[2.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 2.0]])
UNITS = np.eye(9).reshape(9, 3, 3)


@case(
    "chainrules-414",
    "https://github.com/JuliaDiff/ChainRules.jl/issues/414",
    title="the Jacobian of a Cholesky factor is zero",
    month="2021-05",
    symptom="missing-gradient",
    cause="The factor is read from a field of the factorisation, and for that way of reading it nothing had a rule.",
    needs=("nested",),
    at=(STIFFNESS,),
    right=(np.stack([slope_of_the_factor(STIFFNESS, symmetrised(unit)) for unit in UNITS], -1).reshape(3, 3, 3, 3),),
    oracle="closed form: dL = L Φ(L⁻¹ dA L⁻ᵀ) for a change of each entry",
    reported=(np.zeros((3, 3, 3, 3)),),
    asks="value",
    tolerance=Tolerance(atol=1e-15, why="many of its entries are zero up to rounding"),
    defect=with_rule(np.linalg.cholesky, a=lambda d, out, a: np.zeros_like(a)),
)
def jacobian_of_a_cholesky_factor(A, *, ad):
    return ad.jacobian(lambda A: np.linalg.cholesky((A + A.T) / 2))(A)


COVARIANCE, OBSERVED = np.array([[1.3, 0.5], [0.5, 1.5]]), np.array([1.0, 2.0])
FACTOR = np.linalg.cholesky(COVARIANCE)
WEIGHED, SOLVED = np.linalg.solve(COVARIANCE, np.ones(2)), np.linalg.solve(COVARIANCE, OBSERVED)
OF_FACTOR = -(np.outer(WEIGHED, SOLVED) + np.outer(SOLVED, WEIGHED)) @ FACTOR


@case(
    "enzymejl-1254",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/1254",
    title="a system solved by its Cholesky factor: the gradient by the matrix is wrong",
    month="2024-01",
    symptom="wrong-value",
    cause="The rules of the factorisation and of the solve that uses it do not fit together. The thread has no numbers "
    "but says that the first entry is wrong: the number here is that of a diagonal which is not halved.",
    at=(COVARIANCE,),
    right=(-(np.outer(WEIGHED, SOLVED) + np.outer(SOLVED, WEIGHED)) / 2,),
    oracle="closed form: -½ (u vᵀ + v uᵀ) with u = A⁻¹ 1 and v = A⁻¹ b",
    reported=(symmetrised(before_symmetry(FACTOR, OF_FACTOR, np.tril)),),
    defect=with_rule(np.linalg.cholesky, a=lambda d, out, a: symmetrised(before_symmetry(out, np.tril(d), np.tril))),
)
def system_solved_by_its_factor(A):
    L = np.linalg.cholesky((A + A.T) / 2)
    return np.sum(np.linalg.solve(L.T, np.linalg.solve(L, OBSERVED)))


def lower_factor(A):
    """Row by row, from the lower triangle of A alone."""
    n = len(A)
    L = np.zeros((n, n))
    for j in range(n):
        L[j, j] = np.sqrt(A[j, j] - np.sum(L[j, :j] ** 2))
        for i in range(j + 1, n):
            L[i, j] = (A[i, j] - np.sum(L[i, :j] * L[j, :j])) / L[j, j]
    return L


CORRELATIONS = np.array([[1.0, 0.13147602, 0.52829448], [0.13147602, 1.0, 0.18506733], [0.52829448, 0.18506733, 1.0]])
LAST_ROW = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
OF_LAST_ROW = symmetrised(before_symmetry(np.linalg.cholesky(CORRELATIONS), LAST_ROW, lower_and_half))


@case(
    "enzymejl-1604",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/1604",
    title="an entry of a Cholesky factor has a gradient in the triangle that is not read",
    month="2024-07",
    symptom="wrong-value",
    cause="The factorisation reads one triangle of a full matrix; its rule spreads what belongs to an entry over both.",
    needs=("mutation",),
    at=(CORRELATIONS,),
    right=(2 * np.tril(OF_LAST_ROW) - np.diag(np.diag(OF_LAST_ROW)),),
    oracle="closed form: L⁻ᵀ Φ(Lᵀ L̄) L⁻¹, both entries of a pair at the lower one",
    reported=(OF_LAST_ROW,),
    defect=by_a_rule(lower_factor, A=lambda d, out, A: cholesky_pullback(d, out)),
)
def entry_of_a_factor_by_its_lower_triangle(A):
    return lower_factor(A)[2, 1]


HERMITIAN = np.array([[2.0, 0.4 - 0.7j], [0.4 + 0.7j, 3.0]])
COMPLEX_FACTOR = np.linalg.cholesky(HERMITIAN)
OF_PARTS = np.array([[0.0, 0.0], [1 + 2j, 1.0]])  # the cotangent of the factor


def without_the_conjugate(change):
    inverse = np.linalg.inv(COMPLEX_FACTOR)
    return np.sum(np.conj(OF_PARTS) * (COMPLEX_FACTOR @ lower_and_half(inverse @ change @ inverse.T))).real


def transposed_only(d, out, a):
    inverse = np.linalg.inv(out)
    return adjoint(inverse) @ lower_and_half(adjoint(out) @ d) @ np.conj(inverse)


@case(
    "jax-882",
    "https://github.com/jax-ml/jax/pull/882",
    title="a complex Cholesky factor has the gradient of a transpose",
    month="2019-06",
    symptom="wrong-value",
    cause="The triangular solve of the rule was told to transpose the factor, and not to conjugate it.",
    needs=("complex",),
    at=(np.array([0.4, 0.7]),),
    right=(np.array([1 / np.sqrt(2) - 0.2 / np.sqrt(2.675), 2 / np.sqrt(2) - 0.35 / np.sqrt(2.675)]),),
    oracle="closed form: the factor has (x + iy) / √2 and √(3 - (x² + y²) / 2) in its last row",
    reported=(
        np.array(
            [
                without_the_conjugate(np.array([[0.0, 1.0], [1.0, 0.0]])),
                without_the_conjugate(np.array([[0.0, -1j], [1j, 0.0]])),
            ]
        ),
    ),
    defect=with_rule(np.linalg.cholesky, a=transposed_only),
)
def last_row_of_a_complex_factor(v):
    factor = np.linalg.cholesky(np.array([[2.0, v[0] - 1j * v[1]], [v[0] + 1j * v[1], 3.0]]))
    return np.real(factor[1, 0]) + 2 * np.imag(factor[1, 0]) + np.real(factor[1, 1])


METRIC = np.array([[4.0, 1.0], [1.0, 3.0]])
MINUS_SQUARE = -np.linalg.inv(METRIC) @ np.linalg.inv(METRIC)
LOWER_ONLY = 2 * np.tril(MINUS_SQUARE) - np.diag(np.diag(MINUS_SQUARE))


@case(
    "pytorch-18825",
    "https://github.com/pytorch/pytorch/issues/18825",
    title="the gradient through a Cholesky factor is a triangle, through the inverse it is symmetric",
    month="2019-04",
    symptom="wrong-value",
    cause="The rule gave the derivative by the triangle that the factorisation reads; the argument stands for a "
    "symmetric matrix, and its gradient should do so too.",
    at=(METRIC,),
    right=(MINUS_SQUARE,),
    oracle="definition: the gradient among symmetric changes, -A⁻² (convention 7)",
    no_differences="they move one entry at a time, and one of the two triangles is not read",
    reported=(LOWER_ONLY,),
    defect=with_rule(
        np.linalg.cholesky,
        a=lambda d, out, a: 2 * np.tril(cholesky_pullback(d, out)) - cholesky_pullback(d, out) * np.eye(2),
    ),
)
def trace_of_an_inverse_by_its_factor(A):
    inverse = np.linalg.inv(np.linalg.cholesky(A))
    return np.trace(inverse.T @ inverse)


MIXING = np.array([[1.0, 0.0], [-2.0, 3.0]])
OF_MIXING = symmetrised(before_symmetry(np.linalg.cholesky(METRIC), MIXING, lower_and_half))


def half_of_one_triangle(d, out, a):
    return np.triu(cholesky_pullback(d, out))


@case(
    "zygote-230",
    "https://github.com/FluxML/Zygote.jl/pull/230",
    title="the gradient through a Cholesky factor is half of what it is off the diagonal",
    month="2019-06",
    symptom="wrong-value",
    cause="Two conventions were mixed: one halves everything and returns a full matrix, the other halves the diagonal "
    "and returns one triangle. Half of one triangle is neither.",
    at=(METRIC,),
    right=(OF_MIXING,),
    oracle="closed form: the symmetric part of L⁻ᵀ Φ(Lᵀ L̄) L⁻¹",
    reported=((OF_MIXING + np.diag(np.diag(OF_MIXING))) / 2,),
    defect=with_rule(np.linalg.cholesky, a=half_of_one_triangle),
)
def weighted_cholesky_factor(A):
    return np.sum(MIXING * np.linalg.cholesky((A + A.T) / 2))


def upper_factor(a):
    """The factor U with Uᵀ U = A, from the upper triangle of A alone."""
    return np.linalg.cholesky(np.triu(a) + np.triu(a, 1).T).T


OF_ALL = before_symmetry(np.linalg.cholesky(METRIC), np.tril(np.ones((2, 2))), lower_and_half).T


@case(
    "jax-40421",
    "https://github.com/jax-ml/jax/issues/40421",
    title="an upper Cholesky factor has a gradient below the diagonal, where it reads nothing",
    month="2026-09",
    symptom="wrong-value",
    cause="The pullback returns a full matrix whose two entries of a pair add up to the derivative, and does not put "
    "both where the factorisation reads.",
    at=(METRIC,),
    right=(np.triu(OF_ALL) + np.tril(OF_ALL, -1).T,),
    oracle="closed form: L⁻ᵀ Φ(Lᵀ L̄) L⁻¹, both entries of a pair at the upper one",
    reported=(OF_ALL,),
    defect=by_a_rule(upper_factor, a=lambda d, out, a: before_symmetry(out.T, d.T, lower_and_half).T),
)
def sum_of_an_upper_factor(a):
    return np.sum(upper_factor(a))


FEATURES, TARGETS = np.array([[1.0, 0.5], [-0.3, 2.0]]), np.array([1.0, -1.0])
NORMAL = np.linalg.inv(FEATURES.T @ FEATURES + np.eye(2))


def fields_differ(first, second):
    raise TypeError("NamedTuple has no field status")


@case(
    "zygote-932",
    "https://github.com/FluxML/Zygote.jl/issues/932",
    title="a Cholesky factor used for a solve and for a determinant: its cotangents do not add",
    month="2021-03",
    symptom="raises",
    cause="The rule of the solve called the third field of the factorisation by another name than it has, which shows "
    "as soon as its cotangent meets that of another rule.",
    at=(FEATURES, TARGETS),
    right=(
        FEATURES @ (2 * NORMAL - np.outer(NORMAL @ np.ones(2), NORMAL @ TARGETS)
                    - np.outer(NORMAL @ TARGETS, NORMAL @ np.ones(2))),
        NORMAL @ np.ones(2),
    ),
    oracle="closed form: of 1ᵀ A⁻¹ x + log det A with A = BᵀB + 1",
    reported=Raises("crash", "has no field status"),
    defect=sums_are(fields_differ),
)  # fmt: skip
def misfit_and_log_determinant_by_one_factor(B, x):
    L = np.linalg.cholesky(B.T @ B + np.eye(2))
    z = np.linalg.solve(L.T, np.linalg.solve(L, x))
    return np.sum(z) + 2 * np.sum(np.log(np.diag(L)))


PRIOR = np.array([[2.0, 0.5], [0.5, 1.0]])


def is_positive_definite(matrix):
    try:
        np.linalg.cholesky(matrix)
        return True
    except np.linalg.LinAlgError:
        return False


def without_a_pullback(a):
    raise TypeError("'NoneType' object is not iterable")


@case(
    "zygote-1240",
    "https://github.com/FluxML/Zygote.jl/issues/1240",
    title="asking whether a constant matrix is positive definite breaks the gradient",
    month="2022-06",
    symptom="raises",
    cause="The test calls the factorisation with a keyword for which its rule does not exist; what the look-up "
    "returned in its place was taken for a rule.",
    at=(1.0,),
    right=(1.0,),
    oracle="closed form: x, since the matrix is positive definite",
    reported=Raises("crash", "TypeError: 'NoneType' object is not iterable"),
    defect=with_procedure(np.linalg.cholesky, without_a_pullback),
)
def weight_of_a_valid_prior(x):
    return x * (1.0 if is_positive_definite(PRIOR) else 0.0)


TRIANGLES = np.array([[1.0, 2.0], [5.0, 3.0]])


def symmetric(matrix, uplo):
    """The symmetric matrix that one triangle of `matrix` stands for."""
    if uplo == "U":
        return np.triu(matrix) + np.triu(matrix, 1).T
    return np.tril(matrix) + np.tril(matrix, -1).T


def always_upper(d, out, matrix, uplo):
    return np.triu(d) + np.tril(d, -1).T


@case(
    "zygote-343",
    "https://github.com/FluxML/Zygote.jl/pull/343",
    title="a symmetric matrix made of a lower triangle has its gradient in the upper one",
    month="2019-09",
    symptom="wrong-value",
    cause="The pullback of the wrapper adds up the pairs in the upper triangle, whichever of the two it reads.",
    at=(np.array([[0.3, 1.0], [7.0, -2.0]]),),
    right=(np.array([[1.0, 0.0], [7.0, 3.0]]),),
    oracle="closed form: the sum over each pair, at the entry that is read",
    reported=(np.array([[1.0, 7.0], [0.0, 3.0]]),),
    defect=by_a_rule(symmetric, matrix=always_upper),
)
def weighted_symmetric_matrix_of_a_lower_triangle(A):
    return np.sum(TRIANGLES * symmetric(A, "L"))
