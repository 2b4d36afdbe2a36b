"""Eigenvalues and eigenvectors: repeated values, symmetric and general matrices, and what no phase may change."""

from __future__ import annotations

import mpmath
import numpy as np

from engine.rules import eigen
from engine.rules.eigen import eig_pullback, eigh_pullback

from ..case import Raises, case
from ..defects import patched, with_rule


def by_all_gaps(d, out, a):
    """The rule for both results, whether or not there is a cotangent for the eigenvectors."""
    w, v = out
    w_bar = np.zeros_like(w) if d[0] is None else d[0]
    v_bar = np.zeros_like(v) if d[1] is None else d[1]
    gaps = 1 / (w - w[:, np.newaxis])
    np.fill_diagonal(gaps, 0)
    return v @ (np.diag(w_bar) + gaps * (v.T @ v_bar)) @ v.T


@case(
    "autograd-527",
    "https://github.com/HIPS/autograd/pull/527",
    title="the sum of the squared eigenvalues has a NaN gradient where two of them are equal",
    month="2019-07",
    symptom="nan-inf",
    cause="The term of the eigenvectors is computed although nothing depends on them: a zero cotangent divided by the "
    "gap between the eigenvalues, which is zero too.",
    at=(2.0 * np.eye(2),),
    right=(4.0 * np.eye(2),),
    oracle="closed form: 2 A, since the sum is that of the squared entries",
    reported=(np.full((2, 2), np.nan),),
    defect=with_rule(np.linalg.eigh, a=by_all_gaps),
)
def squared_eigenvalues(A):
    w, v = np.linalg.eigh((A + A.T) / 2)
    return np.sum(w**2)


SYMMETRIC = np.array([[1.0, 2.0], [2.0, 3.0]])
PROJECTORS = np.stack([np.outer(v, v) for v in np.linalg.eigh(SYMMETRIC)[1].T])


def by_the_symmetry_of_the_values(d, out, a):
    if not np.array_equal(a, a.T):
        return eig_pullback((d, None), np.linalg.eig(a), a)
    v = np.linalg.eigh(a)[1]
    a_bar = v @ np.diag(d[np.argsort(np.real(out))]) @ v.T
    return 2 * np.triu(a_bar) - np.diag(np.diag(a_bar))


@case(
    "zygote-1369",
    "https://github.com/FluxML/Zygote.jl/issues/1369",
    "https://github.com/JuliaDiff/ChainRules.jl/pull/841",
    title="eigenvalues of a general matrix that happens to be symmetric do not depend on its lower triangle",
    month="2023-02",
    symptom="wrong-value",
    cause="A matrix that equals its transpose is handed to the algorithm for symmetric ones, whose rule answers for "
    "one triangle, counted twice; the entries of the argument are independent all the same.",
    needs=("nested",),
    at=(SYMMETRIC,),
    right=(PROJECTORS,),
    oracle="closed form: v vᵀ for each eigenvalue",
    reported=(2 * np.triu(PROJECTORS) - PROJECTORS * np.eye(2),),
    asks="value",
    defect=with_rule(np.linalg.eigvals, a=by_the_symmetry_of_the_values),
)
def jacobian_of_eigenvalues(A, *, ad):
    return ad.jacobian(lambda A: np.sort(np.real(np.linalg.eigvals(A))))(A)


def with_ones_on_the_diagonal(d, out, a):
    w, v = out
    gaps = 1 / (np.eye(len(w)) + w - w[:, np.newaxis]) - np.eye(len(w))
    return v @ (gaps * (v.T @ d[1])) @ v.T


STIFF = np.array([[1.0, 0.1], [0.1, 2.0]])


def share_of_the_first_axis(a):
    """Of the lower eigenvector of [[p, q], [q, r]]: ½ + (r - p) / 2 √((r - p)² + 4 q²)."""
    apart, across = a[1, 1] - a[0, 0], a[0, 1] + a[1, 0]
    return (1 + apart / mpmath.sqrt(apart**2 + across**2)) / 2


@case(
    "jax-40257",
    "https://github.com/jax-ml/jax/pull/40257",
    title="the gradient of an eigenvector is NaN where the eigenvalues are above 2⁵³",
    month="2026-08",
    symptom="nan-inf",
    cause="To avoid a division by zero the gaps on the diagonal get 1 added to them, as (1 + w) - w; for a large w "
    "that is zero again.",
    at=(1e17 * STIFF,),
    right=(np.array([[-0.02, -0.1], [-0.1, 0.02]]) / 1.04**1.5 / 1e17,),
    oracle="mpmath: by the formula for two rows; no eigenvector changes with the scale of the matrix",
    reported=(np.full((2, 2), np.nan),),
    exact=share_of_the_first_axis,
    defect=with_rule(np.linalg.eigh, a=with_ones_on_the_diagonal),
)
def softest_direction_of_a_stiff_spring(a):
    w, v = np.linalg.eigh((a + a.T) / 2)
    return v[0, 0] ** 2


def for_eigenvalues_only(d, out, a):
    if d[1] is not None:
        raise NotImplementedError("the derivatives of the eigenvectors of a general matrix are not implemented")
    return eig_pullback(d, out, a)


@case(
    "jax-24308",
    "https://github.com/jax-ml/jax/issues/24308",
    title="the second derivative of eigenvalues of a general matrix raises",
    month="2024-10",
    symptom="raises",
    cause="The first derivative of the eigenvalues is made of the eigenvectors, and those have no rule.",
    needs=("nested",),
    at=(1.0,),
    right=(14.0,),
    oracle="closed form: the sum of the squares is the trace of a², 12 + x² + x⁴",
    reported=Raises("crash", "NotImplementedError: .*eigenvectors"),
    asks="value",
    defect=with_rule(np.linalg.eig, a=for_eigenvalues_only),
)
def curvature_of_squared_eigenvalues(x, *, ad):
    def squared(x):
        return np.sum(np.real(np.linalg.eigvals(np.array([[x, 2.0], [3.0, x * x]]))) ** 2)

    return ad.grad(ad.grad(squared))(x)


MIRROR = np.eye(3) - 2 * np.outer([1.0, 2.0, 2.0], [1.0, 2.0, 2.0]) / 9
TWOFOLD = MIRROR @ np.diag([1.0, 1.0, 3.0]) @ MIRROR.T
FORM = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [1.0, 0.0, 2.0]])


def slope_of_the_trace_over_a_space():
    """Of tr(F P), P on the first two columns v of MIRROR, u the third: Σ vᵀ (F + Fᵀ) u / (1 - 3) sym(u vᵀ)."""
    u = MIRROR[:, 2]
    return sum(v @ (FORM + FORM.T) @ u / (1 - 3) * (np.outer(u, v) + np.outer(v, u)) / 2 for v in MIRROR[:, :2].T)


@case(
    "pytorch-47599",
    "https://github.com/pytorch/pytorch/issues/47599",
    title="a loss that depends on the space of a twofold eigenvalue alone has a gradient of NaN",
    month="2020-11",
    symptom="nan-inf",
    cause="Zero up to rounding is divided by the gap between two equal eigenvalues, zero up to rounding too. What "
    "comes out is garbage or NaN; the loss does not see how the two vectors turn.",
    at=(TWOFOLD,),
    right=(slope_of_the_trace_over_a_space(),),
    oracle="closed form: perturbation of the space, which only what couples it to the third vector changes",
    reported=(np.full((3, 3), np.nan),),
    defect=patched(eigen, "indifferent", lambda w, seen, w_bar: np.zeros(seen.shape, bool)),
)
def trace_over_a_twofold_space(A):
    w, V = np.linalg.eigh((A + A.T) / 2)
    U = V[:, 0:2]
    return np.sum((FORM @ U) * U)


HERMITIAN = np.array([[1.0, 0.3 - 0.2j], [0.3 + 0.2j, 2.0]])


def in_the_phase_that_came_out():
    w, v = np.linalg.eigh(HERMITIAN)
    seen = v.conj().T @ np.ones((2, 2))
    turning = np.array([[0.0, 1.0], [-1.0, 0.0]]) / (w[1] - w[0]) * (seen - seen.conj().T) / 2
    return v @ turning @ v.conj().T


@case(
    "pytorch-55676",
    "https://github.com/pytorch/pytorch/issues/55676",
    title="a loss that depends on the phase of eigenvectors has a gradient, and a wrong one",
    month="2021-04",
    symptom="no-error",
    cause="Eigenvectors of a Hermitian matrix are defined up to a phase. The rule keeps it, the factorisation makes it "
    "jump, and the differences of such a loss have nothing to do with its gradient.",
    needs=("complex",),
    at=(HERMITIAN,),
    right=Raises("crash", r"phase of complex vectors|e\^\{i phi\}"),
    oracle="definition: another phase is as good and gives another loss",
    reported=(in_the_phase_that_came_out(),),
    defect=patched(eigen, "check_phase", lambda seen, v_bar, name: None),
)
def sum_of_the_real_parts_of_eigenvectors(H):
    w, V = np.linalg.eigh((H + np.conj(H).T) / 2)
    return np.sum(np.real(V))


COUPLED = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 1.0]])
LEVELS = np.array([1.0, 2.0, 5.0])


@case(
    "tensorflow-11821",
    "https://github.com/tensorflow/tensorflow/issues/11821",
    title="eigenvalues alone have no gradient, eigenvalues with eigenvectors do",
    month="2017-07",
    symptom="raises",
    cause="The rule takes the eigenvectors from the result of the call, which was told not to compute them.",
    at=(COUPLED,),
    right=(sum(level * np.outer(v, v) for level, v in zip(LEVELS, np.linalg.eigh(COUPLED)[1].T, strict=True)),),
    oracle="closed form: Σ weight v vᵀ",
    reported=Raises("crash", "ValueError: too many values to unpack"),
    defect=with_rule(np.linalg.eigvalsh, a=lambda d, out, a: eigh_pullback((d, None), out)),
)
def weighted_energy_levels(A):
    return np.sum(LEVELS * np.linalg.eigvalsh((A + A.T) / 2))
