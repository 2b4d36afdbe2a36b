"""Exponentials and roots of matrices: real ones with complex eigenvalues, zero, diagonal and symmetric ones."""

from __future__ import annotations

import operator

import numpy as np
import scipy.linalg

from engine.rules.scipy.linalg import frechet_adjoint

from ..case import Raises, case
from ..defects import with_rule, without_rule
from ..defects.fit import imaginary_parts_are_kept, nothing_is_fitted
from ..defects.state import by_a_rule, together

COMPANION = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [-4.34, -18.31, -0.43]])


def by_the_spectrum(d, out, A):
    """V (F ∘ (V⁻¹ d V)) V⁻¹ at Aᵀ, F the divided differences of exp between its eigenvalues."""
    w, v = np.linalg.eig(A.T)
    gaps = w - w[:, np.newaxis]
    apart = np.where(gaps == 0, 1, gaps)
    differences = np.where(gaps == 0, np.exp(w), (np.exp(w) - np.exp(w)[:, np.newaxis]) / apart)
    return v @ (differences * (np.linalg.inv(v) @ d @ v)) @ np.linalg.inv(v)


@case(
    "zygote-409",
    "https://github.com/FluxML/Zygote.jl/pull/409",
    title="the exponential of a real matrix with complex eigenvalues has a complex cotangent",
    month="2019-11",
    symptom="wrong-dtype",
    cause="The spectral formula leaves imaginary parts of the size of rounding errors; a real argument gets a complex "
    "cotangent, or an exception where that is to be stored.",
    at=(np.array([1.0]),),
    right=(np.array([np.sum(COMPANION @ scipy.linalg.expm(COMPANION))]),),
    oracle="closed form: the sum of A exp(A x)",
    reported=(np.array([np.sum(COMPANION @ scipy.linalg.expm(COMPANION))], complex),),
    defect=together(with_rule(scipy.linalg.expm, A=by_the_spectrum), imaginary_parts_are_kept),
)
def propagator_of_a_damped_oscillator(x):
    return np.sum(scipy.linalg.expm(COMPANION * x))


def scaled_by_its_norm(d, out, A):
    with np.errstate(divide="ignore", invalid="ignore"):
        squarings = np.maximum(0, np.floor_divide(np.log2(np.linalg.norm(A, 1) / 5.4), 1))
    return d @ (np.eye(len(A)) + A.T / 2.0**squarings)


@case(
    "jax-2131",
    "https://github.com/jax-ml/jax/issues/2131",
    title="the exponential of the zero matrix is NaN, and so is its gradient",
    month="2020-02",
    symptom="nan-inf",
    cause="How often the matrix is halved is the logarithm of its norm, rounded down. Of zero that is minus infinity, "
    "which cannot be rounded, and the maximum with 0 comes too late.",
    at=(np.zeros((2, 2)),),
    right=(np.ones((2, 2)),),
    oracle="closed form: exp(A) is 1 + A up to second order",
    reported=(np.full((2, 2), np.nan),),
    defect=with_rule(scipy.linalg.expm, A=scaled_by_its_norm),
)
def propagator_over_no_time(A):
    return np.sum(scipy.linalg.expm(A))


SPREAD = np.array([[2.0, 0.5], [0.5, 1.0]])
ROOT = (SPREAD + np.sqrt(1.75) * np.eye(2)) / np.sqrt(3 + 2 * np.sqrt(1.75))
SOLVED = scipy.linalg.solve_sylvester(ROOT, ROOT, np.ones((2, 2)))


@case(
    "jax-16579",
    "https://github.com/jax-ml/jax/issues/16579",
    title="the square root of a matrix has no derivative",
    month="2023-06",
    symptom="raises",
    cause="It is made of a Schur decomposition, and that has no rule.",
    at=(SPREAD,),
    right=((SOLVED + SOLVED.T) / 2,),
    oracle="closed form: the solution G of S G + G S = 1, S the root, by Cayley and Hamilton's theorem",
    reported=Raises("foreign-call", "sqrtm"),
    defect=without_rule(scipy.linalg.sqrtm),
)
def sum_of_a_square_root(a):
    return np.sum(scipy.linalg.sqrtm((a + a.T) / 2))


SWAP, START = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([1.0, 0.0])


def by_a_factorisation_of_its_choice(d, out, A):
    w, v = np.linalg.eig(A)
    if np.array_equal(v, v.T):
        raise TypeError("no method matching ldiv!(::SymTridiagonal)")
    return frechet_adjoint(scipy.linalg.expm, d, A)


@case(
    "zygote-379",
    "https://github.com/FluxML/Zygote.jl/issues/379",
    title="the exponential of a complex matrix has no gradient for most arguments",
    month="2019-10",
    symptom="raises",
    cause="The rule divides by the matrix of eigenvectors, which is factorised by an algorithm chosen after a look at "
    "its entries; where they are symmetric the choice is one that cannot divide.",
    needs=("complex",),
    at=(0.3,),
    right=(float(np.sin(0.6)),),
    oracle="closed form: the probability is sin² x",
    reported=Raises("crash", "no method matching ldiv!"),
    defect=with_rule(scipy.linalg.expm, A=by_a_factorisation_of_its_choice),
)
def probability_of_a_transition(x):
    U = scipy.linalg.expm(1j * x * SWAP)
    return 1 - np.abs(START @ U @ START) ** 2


def symmetric(a):
    return np.array([[a[0], a[1], a[2]], [a[1], a[3], a[4]], [a[2], a[4], a[5]]])


def exponential_of_symmetric(A):
    """exp of the symmetric matrix that the upper triangle of A stands for."""
    w, V = np.linalg.eigh(np.triu(A) + np.triu(A, 1).T)
    return (V * np.exp(w)) @ V.T


LOADS = np.array([[0.0, 3.0, -1.0], [1.0, 0.0, 2.0], [0.5, -2.0, 0.0]])
ENTRIES = np.array([1.0, 0.5, -0.9, 1.5, 0.7, -1.6])
UPPER = np.triu_indices(3)
MATRIX = symmetric(ENTRIES)
OF_THE_MATRIX = scipy.linalg.expm(np.block([[MATRIX, LOADS], [np.zeros((3, 3)), MATRIX]]))[:3, 3:]


def twice_the_upper_triangle(d, out, A):
    pulled = frechet_adjoint(scipy.linalg.expm, d, np.triu(A) + np.triu(A, 1).T)
    return np.triu(pulled) + np.triu(pulled, 1)


@case(
    "zygote-608",
    "https://github.com/FluxML/Zygote.jl/issues/608",
    title="the exponential of a symmetric matrix: right gradient for a sum, wrong for single entries",
    month="2020-04",
    symptom="wrong-value",
    cause="The rule returns a matrix that is not symmetric, and one of its triangles counts for both. Where the loss "
    "treats the triangles alike nobody sees it.",
    at=(ENTRIES,),
    right=((OF_THE_MATRIX + OF_THE_MATRIX.T - np.diag(np.diag(OF_THE_MATRIX)))[UPPER],),
    oracle="closed form: the derivative of exp at A in the direction of the weights, from a block matrix",
    reported=((2 * OF_THE_MATRIX - np.diag(np.diag(OF_THE_MATRIX)))[UPPER],),
    defect=by_a_rule(exponential_of_symmetric, A=twice_the_upper_triangle),
)
def weighted_exponential_of_a_symmetric_matrix(a):
    return np.sum(LOADS * exponential_of_symmetric(symmetric(a)))


RATES = np.array([0.2, 0.5, 0.9])


def dense_for_a_diagonal(d, out, v):
    return d if np.ndim(d) == 2 else np.diag(d)


def by_an_inner_product(d, out, x, y, /):
    return np.dot(np.ravel(d), y)


@case(
    "zygote-1321",
    "https://github.com/FluxML/Zygote.jl/issues/1321",
    title="the exponential of a diagonal matrix times a number: shapes that do not match",
    month="2022-10",
    symptom="raises",
    cause="The diagonal is read from a field of the matrix type, whose cotangent is a dense matrix; the product with a "
    "number takes its inner product with the diagonal.",
    at=(1.0,),
    right=(float(np.sum(RATES * np.exp(RATES))),),
    oracle="closed form: Σ d exp(x d)",
    reported=Raises("crash", "ValueError: shapes .* not aligned"),
    defect=together(
        with_rule(np.diag, v=dense_for_a_diagonal),
        with_rule(operator.mul, x=by_an_inner_product),
        nothing_is_fitted,
    ),
)
def trace_of_a_diagonal_propagator(x):
    M = np.diag(x * RATES)
    return np.trace(np.diag(np.exp(np.diag(M))))
