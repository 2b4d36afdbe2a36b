"""Singular values and vectors, and QR: complements of thin factors, equal and tiny values, wide matrices."""

from __future__ import annotations

import mpmath
import numpy as np

from engine.rules.decompositions import qr_pullback, svd_pullback

from ..case import Raises, case
from ..defects import with_rule

TALL = np.array([[2.0, 0.3], [0.1, 1.0], [0.5, -0.4], [-0.2, 0.7]])
WEIGHTS = np.arange(16.0).reshape(4, 4) / 10


def slope_of_the_leading_projector():
    """Of Σ W P by A, where P is on the leading eigenvector of A Aᵀ: what couples it to each of the others."""
    w, v = np.linalg.eigh(TALL @ TALL.T)
    lead, pulled = v[:, -1], np.zeros((4, 4))
    for value, other in zip(w[:-1], v[:, :-1].T, strict=True):
        coupling = other @ (WEIGHTS + WEIGHTS.T) @ lead / (w[-1] - value)
        pulled += coupling * (np.outer(other, lead) + np.outer(lead, other)) / 2
    return 2 * pulled @ TALL


def onto_the_range(x):
    return TALL @ np.linalg.solve(TALL.T @ TALL, TALL.T @ x)


def inside_the_range(d, out, a, full_matrices=True):
    u = out[0]
    return u @ (u.T @ svd_pullback(d, out, a, full_matrices, True, False))


@case(
    "autograd-137",
    "https://github.com/HIPS/autograd/pull/137",
    title="singular vectors of a matrix that is not square have wrong gradients",
    month="2016-08",
    symptom="wrong-value",
    cause="The textbook rule is that of square matrices. How the vectors leave the space that they span is missing, a "
    "term that vanishes where they span everything.",
    at=(TALL,),
    right=(slope_of_the_leading_projector(),),
    oracle="closed form: perturbation of an eigenvector of A Aᵀ",
    reported=(onto_the_range(slope_of_the_leading_projector()),),
    defect=with_rule(np.linalg.svd, a=inside_the_range),
)
def projector_on_the_leading_direction(A):
    u, s, vt = np.linalg.svd(A, full_matrices=False)
    return np.sum(np.outer(u[:, 0], u[:, 0]) * WEIGHTS)


COMPLEX = np.array([[1.0 + 1.0j, 2.0], [0.5j, 1.0 - 2.0j]])
SHARES = np.array([1.0, 2.0])
LEFT, _, RIGHT = np.linalg.svd(COMPLEX)


@case(
    "autograd-538",
    "https://github.com/HIPS/autograd/pull/538",
    title="the gradient of complex singular values is conjugated",
    month="2019-09",
    symptom="wrong-value",
    cause="The formula for real matrices has transposes where complex ones need the adjoint.",
    needs=("complex",),
    at=(COMPLEX,),
    right=((LEFT * SHARES) @ RIGHT,),
    oracle="closed form: U diag(weights) Vᴴ",
    reported=(((LEFT * SHARES) @ RIGHT).conj(),),
    defect=with_rule(
        np.linalg.svd,
        a=lambda d, out, a, full_matrices=True: (np.conj(out[0]) * d[1]) @ np.conj(out[2]),
    ),
)
def weighted_complex_singular_values(A):
    return np.sum(np.linalg.svd(A, full_matrices=False)[1] * SHARES)


def by_differences_of_squares(d, out, a, full_matrices=True, compute_uv=True):
    """The rule of square matrices, with 1 / (s_j² - s_i²), for all results at once."""
    if not compute_uv:
        out, d = np.linalg.svd(a), (None, d, None)
    u, s, vt = out
    u_bar, s_bar, vt_bar = [np.zeros_like(o) if part is None else part for part, o in zip(d, out, strict=True)]
    gaps = 1 / (s**2 - s[:, np.newaxis] ** 2)
    np.fill_diagonal(gaps, 0)
    seen_u, seen_v = u.T @ u_bar, vt @ vt_bar.T
    middle = gaps * (seen_u - seen_u.T) / 2 * s + s[:, np.newaxis] * gaps * (seen_v - seen_v.T) / 2
    return u @ (middle + np.diag(s_bar)) @ vt


all_gaps_at_once = with_rule(np.linalg.svd, a=by_differences_of_squares)


@case(
    "chainrules-664",
    "https://github.com/JuliaDiff/ChainRules.jl/issues/664",
    title="the orthogonal factor of the identity has a NaN gradient",
    month="2022-08",
    symptom="nan-inf",
    cause="The rules of both factors divide by the difference of the squared singular values, which is zero; their "
    "product, which is unique and smooth, does not need it.",
    at=(np.eye(2),),
    right=(np.zeros((2, 2)),),
    oracle="closed form: the factor of 1 + E is 1 + ½ (E - Eᵀ), whose trace is constant",
    reported=(np.full((2, 2), np.nan),),
    defect=all_gaps_at_once,
)
def trace_of_the_nearest_rotation(A):
    U, s, Vt = np.linalg.svd(A)
    return np.trace(U @ Vt)


@case(
    "jax-2311",
    "https://github.com/jax-ml/jax/issues/2311",
    title="the leading singular vectors have a NaN gradient where two other singular values are equal",
    month="2020-02",
    symptom="nan-inf",
    cause="The zero cotangent of the two other pairs of vectors is divided by the gap between their singular values.",
    at=(np.diag([3.0, 1.0, 1.0]),),
    right=(np.diag([1.0, 0.0, 0.0]),),
    oracle="closed form: near by, the product is the entry in the corner, up to second order",
    reported=(np.full((3, 3), np.nan),),
    defect=all_gaps_at_once,
)
def corner_of_the_leading_term(a):
    u, s, vt = np.linalg.svd(a)
    return s[0] * np.abs(u[0, 0] * vt[0, 0])


@case(
    "pytorch-194705",
    "https://github.com/pytorch/pytorch/issues/194705",
    title="singular values of a matrix of tiny numbers have NaN gradients",
    month="2026-08",
    symptom="nan-inf",
    cause="The squares of the singular values underflow, so that their gap is zero; singular values alone do not need "
    "it, and the difference times the sum would not underflow.",
    at=(np.diag([1e-200, 2e-200]),),
    right=(np.eye(2),),
    oracle="closed form: U Vᵀ",
    no_differences="their steps are much larger than the entries",
    reported=(np.full((2, 2), np.nan),),
    defect=all_gaps_at_once,
)
def nuclear_norm_of_tiny_numbers(A):
    return np.sum(np.linalg.svd(A, compute_uv=False))


def of_tall_matrices(d, out, a):
    if a.shape[0] < a.shape[1]:
        raise NotImplementedError("unimplemented case of QR decomposition derivative")
    return qr_pullback(d, out, a, "reduced")


def cubes_by_gram_schmidt(a):
    length = mpmath.sqrt(a[0, 0] ** 2 + a[1, 0] ** 2)
    along = [a[0, 0] * a[0, j] + a[1, 0] * a[1, j] for j in range(3)]
    across = [a[0, 0] * a[1, j] - a[1, 0] * a[0, j] for j in range(3)]
    return sum(abs(x / length) ** 3 for x in along + across)


@case(
    "jax-11894",
    "https://github.com/jax-ml/jax/issues/11894",
    title="QR of a wide matrix has no derivative",
    month="2022-08",
    symptom="raises",
    cause="The rule was derived for matrices with at least as many rows as columns, and for the thin factors.",
    at=(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]]),),
    right=(
        np.array(
            [
                [65.5828079228869, 22.25621029745173, 45.411229087685165],
                [36.173894745903446, 82.47637931382593, 163.4547444730157],
            ]
        ),
    ),
    oracle="mpmath: Gram and Schmidt's process written out; |R| does not depend on signs",
    reported=Raises("crash", "NotImplementedError: unimplemented case of QR"),
    exact=cubes_by_gram_schmidt,
    defect=with_rule(np.linalg.qr, a=of_tall_matrices),
)
def cubes_of_a_triangular_factor(a):
    q, r = np.linalg.qr(a)
    return np.sum(np.abs(r) ** 3)
