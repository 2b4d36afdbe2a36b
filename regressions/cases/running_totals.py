"""Running sums, running maxima, and folds that carry a value along."""

from __future__ import annotations

from functools import reduce

import numpy as np

from engine.errors import ForeignCallError
from engine.traced.calls import call
from engine.traced.levels import plain

from ..case import Raises, case
from ..defects import on_traced_tier, raising, with_rule, without_rule
from ..defects.state import together, with_procedure

GRID = np.arange(6.0).reshape(2, 3)


@case(
    "autograd-244",
    "https://github.com/HIPS/autograd/issues/244",
    title="a running sum along the rows of a matrix has a wrong gradient",
    month="2017-06",
    symptom="wrong-value",
    cause="A parenthesis in the wrong place gave the axis to the reversal twice and to the running sum not at all, "
    "which then goes through the whole matrix.",
    at=(np.ones((2, 3)),),
    right=(np.array([[3.0, 3.0, 2.0], [12.0, 9.0, 5.0]]),),
    oracle="closed form: for each entry the weights from it to the end of its row",
    reported=(np.array([[3.0, 3.0, 2.0], [15.0, 12.0, 8.0]]),),
    defect=with_rule(
        np.cumsum, a=lambda d, out, a, axis: np.flip(np.reshape(np.cumsum(np.flip(d, axis)), np.shape(a)), axis)
    ),
)
def weighted_running_sums(x):
    return np.sum(np.cumsum(x, axis=1) * GRID)


@case(
    "zygote-15",
    "https://github.com/FluxML/Zygote.jl/issues/15",
    title="a running sum cannot be differentiated",
    month="2018-09",
    symptom="raises",
    cause="There was no rule, and what was followed instead, an algorithm that works in place, ended the process.",
    at=(np.array([0.5, -1.0, 2.0]),),
    right=(np.array([3.0, 2.0, 1.0]),),
    oracle="closed form: how many running sums an entry is part of",
    reported=Raises("foreign-call", "cumsum"),
    defect=without_rule(np.cumsum),
)
def sum_of_running_sums(x):
    return np.sum(np.cumsum(x))


@case(
    "pytorch-26637",
    "https://github.com/pytorch/pytorch/pull/26637",
    title="a running maximum counts each record once, however long it stands",
    month="2019-09",
    symptom="wrong-value",
    cause="The rule that was proposed sent the cotangent on where an entry equals the running maximum, and dropped "
    "that of the places after it.",
    at=(np.array([3.0, 1.0, 2.0, 5.0, 4.0, 6.0]),),
    right=(np.array([3.0, 0.0, 0.0, 2.0, 0.0, 1.0]),),
    oracle="closed form: the number of places that a record stands for",
    reported=(np.array([1.0, 0.0, 0.0, 1.0, 0.0, 1.0]),),
    defect=with_rule(np.maximum.accumulate, array=lambda d, out, array, axis=0: d * (array == out)),
)
def sum_of_running_maxima(x):
    return np.sum(np.maximum.accumulate(x))


@case(
    "mlx-3599",
    "https://github.com/ml-explore/mlx/pull/3599",
    title="a running maximum cannot be differentiated",
    month="2026-05",
    symptom="raises",
    cause="Nobody had written the rule; whoever does has to say who holds a record that is equalled.",
    at=(np.array([1.0, 3.0, 3.0, 2.0]),),
    right=(np.array([1.0, 5.5, 3.5, 0.0]),),
    admissible=((np.array([1.0, 2.0, 7.0, 0.0]),), (np.array([1.0, 9.0, 0.0, 0.0]),)),
    oracle="definition: those that hold a record share it, by convention 2: 2 + 3/2 + 4/2 and 3/2 + 4/2",
    reported=Raises("foreign-call", "np.maximum.accumulate has no rule"),
    defect=raising(np.maximum.accumulate, ForeignCallError, "np.maximum.accumulate has no rule"),
)
def weighted_running_maxima(x):
    return np.sum(np.maximum.accumulate(x) * np.array([1.0, 2.0, 3.0, 4.0]))


# -- folds -------------------------------------------------------------------------------------------------------------


def from_a_constant(function, items, start):
    total = plain(start)
    for item in items:
        total = call(function, total, item)
    return total


TURNS = (np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([[0.5, 0.0], [1.0, -1.0]]))


@case(
    "chainrules-567",
    "https://github.com/JuliaDiff/ChainRules.jl/issues/567",
    "https://github.com/FluxML/Zygote.jl/issues/1279",
    title="a fold has no gradient for the value that it starts with",
    month="2022-01",
    symptom="missing-gradient",
    cause="The rule for folds has no cotangent for the start, which is given by keyword.",
    at=(np.array([1.0, 1.0]),),
    right=(np.array([3.0, 6.0]),),
    oracle="closed form: u · Aᵀ Bᵀ 1",
    reported=(None,),
    defect=with_procedure(reduce, from_a_constant),
)
def turned_by_each_matrix(p):
    return np.sum(reduce(lambda v, matrix: matrix @ v, TURNS, p * np.array([2.0, 3.0])))


POINTS = (1.0, 2.0, 3.0)


@case(
    "chainrules-534",
    "https://github.com/JuliaDiff/ChainRules.jl/pull/534",
    title="a sum of vectors, one for each element of a list, fails in its pullback",
    month="2021-09",
    symptom="raises",
    cause="The cotangent, a vector, was laid over the list, as if each term were a number and got one entry of it; "
    "each gets the whole.",
    at=(np.array([0.5, -1.0]),),
    right=(np.array([152.0, 60.0]),),
    oracle="closed form: c · (Σx, Σx²) + c0 Σx, and c1 Σx",
    reported=Raises("crash", "broadcast"),
    defect=with_rule(np.sum, a=lambda d, out, a, axis=None: np.broadcast_to(d, np.shape(a)[:1])),
)
def sum_of_vectors_over_a_list(w):
    terms = [w * x + np.array([x, x**2]) * w[0] for x in POINTS]
    return np.dot(np.array([1.0, 10.0]), np.sum(terms, axis=0))


def in_place(d, out, a, v, mode):
    d *= 1.0
    return np.convolve(d, v[::-1], mode="full")


def dense(d, out, a, v, mode):
    return np.convolve(a[::-1], d, mode="valid")


@case(
    "flux-1055",
    "https://github.com/FluxML/Flux.jl/issues/1055",
    title="the sum of a convolution: the cotangent of a sum has no memory of its own",
    month="2020-03",
    symptom="raises",
    cause="A sum pulls back to one number spread out without being copied, and the next rule, a kernel, wants an array "
    "that it can write to.",
    at=(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.5, -1.0, 2.0])),
    right=(np.array([2.0, 1.0, -0.5, 0.5]), np.array([7.0, 5.0, 3.0])),
    oracle="closed form: the sums of the weights that an entry meets, and of the entries that a weight meets",
    reported=Raises("crash", "read-only"),
    defect=on_traced_tier(
        together(
            with_rule(np.sum, a=lambda d, out, a: np.broadcast_to(d, np.shape(a))),
            with_rule(np.convolve, a=in_place, v=dense),
        )
    ),
)
def sum_of_a_convolution(x, w):
    return np.sum(np.convolve(x, w, mode="valid"))
