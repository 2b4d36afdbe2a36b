"""Constant sparse matrices in products: no derivative is wanted for them, and none should be made."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy import sparse

from engine.rules.scipy.sparse import applied

from ..case import Raises, case
from ..costs import cost
from ..defects import with_rule

INCIDENCE = sparse.csr_array(np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]]))
WEIGHT = np.array([[1.0, -1.0], [0.5, 2.0]])


def without_an_element_type(d, out, matrix, other):
    raise TypeError("no zero of the element type Any")


@case(
    "flux-965",
    "https://github.com/FluxML/Flux.jl/issues/965",
    title="a layer with a constant sparse input has no gradient",
    month="2019-12",
    symptom="raises",
    cause="The rule makes a cotangent of the sparse operand too, in a container whose element type is not known, and "
    "there is no zero of that.",
    needs="plain-values",
    at=(WEIGHT,),
    right=(2 * (INCIDENCE.toarray() @ WEIGHT.T).T @ INCIDENCE.toarray(),),
    oracle="closed form: 2 (X Wᵀ)ᵀ X",
    reported=Raises("crash", "no zero of the element type"),
    defect=with_rule(applied, other=without_an_element_type),
)
def dense_layer_on_a_sparse_batch(W):
    return np.sum((INCIDENCE @ W.T) ** 2)


def tridiagonal(n):
    return sparse.csr_array(sparse.diags([np.full(n - 1, -2.0), np.full(n, 10.0), np.full(n - 1, -1.0)], [-1, 0, 1]))


CHAIN = tridiagonal(512)


@case(
    "zygote-931",
    "https://github.com/FluxML/Zygote.jl/issues/931",
    title="the gradient of a quadratic form with a constant sparse matrix fills a dense one",
    month="2021-03",
    symptom="memory",
    cause="The cotangent of the constant matrix, an outer product, is computed although nobody wants it.",
    needs=("nested", "counted-bytes", "plain-values"),
    at=(np.linspace(0.0, 1.0, 512),),
    right=(True,),
    oracle="definition: the gradient, (A + Aᵀ) x, takes no room for 512 times 512 numbers",
    reported=(False,),
    asks="value",
    defect=with_rule(applied, other=lambda d, out, matrix, other: (np.outer(d, other), matrix.T @ d)[1]),
)
def quadratic_form_of_a_sparse_matrix(x, *, ad):
    gradient = partial(ad.gradient, lambda x: x @ (CHAIN @ x), x)
    gradient()  # what is compiled is compiled now
    return cost(gradient, "peak") < x.nbytes * len(x)
