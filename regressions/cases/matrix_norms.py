"""Norms, traces and diagonals of matrices: axes, orders, complex entries, and shapes that are not square."""

from __future__ import annotations

import numpy as np

from ..case import Raises, case
from ..defects import with_rule

PAIRS = np.array([[3.0, 4.0], [6.0, 8.0]])


@case(
    "autograd-42",
    "https://github.com/HIPS/autograd/issues/42",
    title="the norms of rows have no gradient",
    month="2015-08",
    symptom="raises",
    cause="The rule was written for the norm of a whole array and takes no axis.",
    at=(PAIRS,),
    right=(np.array([[0.6, 0.8], [1.2, 1.6]]),),
    oracle="closed form: each row over its norm, times its weight",
    reported=Raises("foreign-call", "norm"),
    defect=with_rule(np.linalg.norm, x=lambda d, out, x: d * x / out),
)
def weighted_lengths_of_rows(x):
    return np.sum(np.linalg.norm(x, axis=1) * np.array([1.0, 2.0]))


AMPLITUDES = np.array([3.0 + 4.0j, 1.0 - 2.0j])


@case(
    "autograd-666",
    "https://github.com/HIPS/autograd/issues/666",
    title="the gradient of the norm of a complex vector is conjugated",
    month="2024-12",
    symptom="wrong-value",
    cause="The rule of the norm follows another convention for complex gradients than the rules of everything else, so "
    "that the same norm written with abs and sum has the conjugate of its gradient.",
    needs=("complex",),
    at=(AMPLITUDES,),
    right=(AMPLITUDES / np.sqrt(30.0),),
    oracle="closed form: z / |z|",
    reported=(AMPLITUDES.conj() / np.sqrt(30.0),),
    defect=with_rule(np.linalg.norm, x=lambda d, out, x: d * np.conj(x) / out),
)
def length_of_a_complex_vector(z):
    return np.linalg.norm(z)


COLUMN, TARGET = np.array([[1.0], [2.0], [-1.0]]), np.array([[0.5], [1.0], [0.3]])


def by_all_singular_vectors(d, out, x, ord):
    u, s, vh = np.linalg.svd(x)
    if u.shape[1] != len(s):
        raise NotImplementedError("the derivative of svd with full_matrices=True is not implemented")
    return d * np.outer(u[:, 0], vh[0])


@case(
    "jax-2011",
    "https://github.com/jax-ml/jax/issues/2011",
    title="the spectral norm of a matrix that is not square has no derivative",
    month="2020-01",
    symptom="raises",
    cause="The norm asks for all singular vectors, for which no derivative is known, although it uses none of them.",
    at=(1.7,),
    right=(float(np.sum(COLUMN * (1.7 * COLUMN - TARGET)) / np.sqrt(np.sum((1.7 * COLUMN - TARGET) ** 2))),),
    oracle="closed form: of one column the norm is its length",
    reported=Raises("crash", "NotImplementedError: .*full_matrices"),
    defect=with_rule(np.linalg.norm, x=by_all_singular_vectors),
)
def misfit_in_the_spectral_norm(w):
    return np.linalg.norm(COLUMN * w - TARGET, ord=2)


def at_every_third_place(d, out, a):
    """The places of the diagonal in the flat array, to its very end."""
    flat = np.zeros(a.size)
    flat[:: a.shape[1] + 1] = d
    return flat.reshape(a.shape)


@case(
    "pytorch-171704",
    "https://github.com/pytorch/pytorch/issues/171704",
    title="the trace of a tall matrix has a gradient below its diagonal",
    month="2026-01",
    symptom="wrong-value",
    cause="The diagonal is found by its distance in memory and followed to the end of the array, past its own end "
    "where there are more rows than columns.",
    at=(np.zeros((4, 2)),),
    right=(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]),),
    oracle="closed form: one on the diagonal",
    reported=(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]),),
    defect=with_rule(np.trace, a=at_every_third_place),
)
def trace_of_a_tall_matrix(x):
    return np.trace(x)


FLOWS = np.array([[0.2, 0.7], [0.4, 0.9]])


def without_the_offset(d, out, v):
    if np.ndim(v) == 1:
        raise AttributeError("NamedTuple has no field first")
    return np.diag(d)


@case(
    "zygote-771",
    "https://github.com/FluxML/Zygote.jl/issues/771",
    title="a diagonal matrix made of the diagonal of another has no gradient",
    month="2020-08",
    symptom="raises",
    cause="The constructor takes a pair, of the offset and the diagonal. The pair got a cotangent with one field, "
    "since the offset has none, and the other was looked for.",
    at=(1.0,),
    right=(1.1,),
    oracle="closed form: the trace of M",
    reported=Raises("crash", "has no field first"),
    defect=with_rule(np.diag, v=without_the_offset),
)
def sum_of_the_diagonal_by_a_matrix(a):
    D = np.diag(np.diag(FLOWS * a))
    return np.ones(2) @ D @ np.ones(2)
