"""Loops within loops: sums begun, read and added to at different depths."""

from __future__ import annotations

import numpy as np

from engine.traced import tape
from engine.typed.core import Loop, walk

from ..case import Raises, case
from ..defects.flow import (
    operands_of_the_last_iteration,
    read_elements_are_constants,
    reverse_of_a_loop_fails,
)
from ..defects.state import in_runtime, sums_are, traced


def pulled_through_two_rebuilds(x, visited):
    """The gradient of v0 + 2 v1, by hand, with the vector v as `visited` says it was in each iteration."""
    d0, d1, dx = 1.0, 2.0, 0.0
    for v0, v1 in reversed(visited):
        d0, d1, dx = d0 * v1 + d1 * x[0], d0 * v0 + d1, dx + d1 * v0
    return np.array([d0 + dx, d1])


@case(
    "quadrants-797",
    "https://github.com/Genesis-Embodied-AI/quadrants/issues/797",
    title="a vector rebuilt from its own components in a loop gets a wrong gradient",
    month="2026-07",
    symptom="wrong-value",
    cause="Each component is made from the previous ones of all, and the reverse loop did not find those of its own "
    "iteration; with two numbers instead of the vector it did.",
    at=(np.array([1.5, -0.5]),),
    right=(pulled_through_two_rebuilds((1.5, -0.5), [(1.5, -0.5), (-0.75, 1.75)]),),
    oracle="closed form: the chain rule over two rebuilds, by hand",
    reported=(pulled_through_two_rebuilds((1.5, -0.5), [(-0.75, 1.75), (-0.75, 1.75)]),),
    defect=operands_of_the_last_iteration,
)
def vector_rebuilt_from_its_components(x):
    v = np.array([x[0], x[1]])
    for _ in range(2):
        product = v[0] * v[1]
        total = v[1] + v[0] * x[0]
        v = np.array([product, total])
    return v[0] + 2.0 * v[1]


def the_later(a, b):
    return b


@case(
    "taichi-4412",
    "https://github.com/taichi-dev/taichi/issues/4412",
    title="what an inner loop adds up five times counts once",
    month="2022-03",
    symptom="wrong-value",
    cause="In the reverse code the additions to a local variable became one assignment, so that the cotangents of the "
    "iterations replaced each other.",
    at=(np.array([1.0, 2.0, 3.0]),),
    right=(np.array([5.0, 5.0, 5.0]),),
    oracle="closed form: each element is added five times",
    reported=(np.array([1.0, 1.0, 1.0]),),
    defect=sums_are(the_later),
)
def accumulator_of_an_inner_loop(a):
    total = 0.0
    for i in range(3):
        p = a[i]
        q = 0.0
        for _ in range(5):
            q += p
        total = total + q
    return total


def overwritten(sweep, node, like, index, d):
    if node not in sweep.bars:
        sweep.bars[node] = np.zeros_like(like)
    sweep.bars[node][index] = d


@case(
    "taichi-8356",
    "https://github.com/taichi-dev/taichi/issues/8356",
    title="an array added into all elements of another one counts for one of them",
    month="2023-09",
    symptom="wrong-value",
    cause="For an addition into an element of an array, the iterations of the outer loop wrote the cotangent of what "
    "is added instead of adding to it.",
    needs=("mutation",),
    at=(np.array([1.0, 2.0, 3.0]),),
    right=(np.array([5.0, 5.0, 5.0]),),
    oracle="closed form: each element is added to five others",
    reported=(np.array([1.0, 1.0, 1.0]),),
    defect=traced(tape.Sweep, "add_at", overwritten),
)
def elements_added_into_another_array(y):
    x = np.zeros(5)
    for i in range(5):
        for j in range(3):
            x[i] += y[j]
    return np.sum(x)


def has_loops_within(loop):
    return any(type(stmt) is Loop for stmt in walk(loop.body))


@case(
    "taichi-4038",
    "https://github.com/taichi-dev/taichi/issues/4038",
    title="a variable that is made inside an inner loop crashes the reverse code",
    month="2022-01",
    symptom="raises",
    cause="The cotangent of a variable was placed as if it belonged to the outermost loop; that of one made further "
    "inside stood in a scope that cannot see it.",
    at=(0.3,),
    right=(18 * float(np.cos(0.3)),),
    oracle="closed form: 18 cos x",
    reported=Raises("crash", "AssertionError: .*scope"),
    defect=reverse_of_a_loop_fails(AssertionError("adjoint of s placed outside of its scope"), has_loops_within),
)
def sum_begun_inside_two_loops(x):
    loss = 0.0
    for _ in range(2):
        for _ in range(3):
            s = 0.0
            for _ in range(3):
                s += np.sin(x)
            loss += s
    return loss


@case(
    "taichi-6666",
    "https://github.com/taichi-dev/taichi/issues/6666",
    title="an element read before an inner loop and used after it has no gradient",
    month="2022-11",
    symptom="missing-gradient",
    cause="The body of a loop was split into parts that are differentiated on their own; the reading that two of them "
    "share was in neither.",
    at=(np.array([1.0, 2.0, 3.0]),),
    right=(np.array([0.0, 1.0, 2.0]),),
    oracle="closed form: the number of each element",
    reported=(None,),
    defect=read_elements_are_constants,
)
def element_read_before_an_inner_loop(a):
    out = 0.0
    for i in range(3):
        value = a[i]
        count = 0.0
        for _ in range(2):
            count += i
        out += value * i + 0.0 * count
    return out


def name_error(container, index, new):
    raise NameError("name 'bi' is not defined")


@case(
    "tangent-69",
    "https://github.com/google/tangent/issues/69",
    title="adding to an element under a condition inside a loop raises a NameError",
    month="2018-03",
    symptom="raises",
    cause="When the addition in place was written out, the element to add got the name of an adjoint of the index, "
    "which exists nowhere.",
    needs=("mutation",),
    at=(np.array([1.0, 2.0, 0.5, -1.0]),),
    right=(np.array([0.0, 32.0, 0.0, 0.0]),),
    oracle="closed form: 4d³ for the one that is added",
    reported=Raises("crash", "NameError: name 'bi'"),
    defect=in_runtime("aug_item", name_error),
)
def element_added_to_under_a_condition(d):
    S = np.zeros((4, 4))
    for i in range(4):
        S[i, 0] = 2.0
        if i == 1:
            S[i, i] += d[i] ** 2
    return np.sum(S * S)
