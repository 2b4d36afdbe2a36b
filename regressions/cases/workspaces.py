"""Buffers that outlive the call: workspaces kept in globals, objects and arguments, and constants that must stay so."""

from __future__ import annotations

import numpy as np

from ..case import case
from ..defects.state import copies_are_stored_for_cotangents, written_values_get_zero

DESIGN, TARGET = np.array([[1.0, 2.0], [1.0, -1.0], [1.0, 0.5]]), np.array([1.0, 2.0, 3.0])
RESIDUAL = np.zeros(3)
SLOPES = np.array([0.3, -0.2])


@case(
    "enzymejl-1340",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/1340",
    title="least squares computed in a preallocated residual have a gradient of zeros",
    month="2024-03",
    symptom="missing-gradient",
    cause="The workspace is captured and was marked as constant, so what the sweep should have kept for it was dropped "
    "without a word.",
    needs=("mutation",),
    at=(SLOPES,),
    right=(-DESIGN.T @ (TARGET - DESIGN @ SLOPES),),
    oracle="closed form: -Xᵀ (y - Xβ)",
    reported=(np.zeros(2),),
    defect=written_values_get_zero,
)
def residual_in_a_preallocated_workspace(beta):
    np.matmul(DESIGN, beta, out=RESIDUAL)
    RESIDUAL[:] = TARGET - RESIDUAL
    return 0.5 * np.dot(RESIDUAL, RESIDUAL)


class Squares:
    def __init__(self, n):
        self.buffer = np.zeros(n)

    def __call__(self, x):
        self.buffer[:] = x**2
        return np.sum(self.buffer)


SQUARES = Squares(3)


@case(
    "enzymejl-639",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/639",
    title="a callable object that computes in a buffer of its own has a gradient of zeros",
    month="2023-02",
    symptom="missing-gradient",
    cause="The object that is called counted as a constant, and with it the buffer that it writes its result to.",
    needs=("mutation", "objects"),
    at=(np.array([1.0, 2.0, 3.0]),),
    right=(np.array([2.0, 4.0, 6.0]),),
    oracle="closed form: 2x",
    reported=(np.zeros(3),),
    defect=written_values_get_zero,
)
def object_with_a_buffer_of_its_own(x):
    return SQUARES(x)


@case(
    "enzymejl-2354",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/2354",
    title="an argument that the function writes its result to swallows the derivatives of the others",
    month="2025-04",
    symptom="missing-gradient",
    cause="An argument that is not being differentiated had no store for derivatives, though the function passes them "
    "on by writing to it.",
    needs=("mutation",),
    at=(np.zeros(3), np.array([1.0, 2.0, 3.0]), 0.5),
    right=(np.zeros(3), np.full(3, 0.5), 6.0),
    oracle="closed form: nothing of y is left; θ for each x, the sum of x for θ",
    reported=(np.zeros(3), np.zeros(3), 0.0),
    defect=written_values_get_zero,
)
def result_written_to_an_argument(y, x, theta):
    y[:] = x * theta
    return np.sum(y)


@case(
    "enzymejl-3136",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/3136",
    title="asking for a gradient overwrites the initial state that the function starts from",
    month="2026-05",
    symptom="wrong-value",
    cause="The state is captured and copied before it is advanced; the reverse pass kept the cotangent of the copy in "
    "the captured array itself, and what is left of it in the end is not the state.",
    needs=("mutation", "nested"),
    at=(np.array([-0.5, -0.25]),),
    right=(np.array([2.0, 1.0]),),
    oracle="definition: a gradient leaves what the function only reads as it was",
    reported=(np.zeros(2),),
    asks="value",
    defect=copies_are_stored_for_cotangents,
)
def initial_state_after_a_gradient(rates, *, ad):
    start = np.array([2.0, 1.0])

    def energy(rates):
        state = start.copy()
        for _ in range(2):
            state += rates * state
        return np.sum(state**2)

    ad.gradient(energy, rates)
    return start


@case(
    "enzymejl-2868",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/2868",
    title="asking for a gradient changes a constant matrix that is only copied into a workspace",
    month="2025-12",
    symptom="wrong-value",
    cause="The source of the copy was taken for the place where the cotangent of the workspace is kept.",
    needs=("mutation", "nested"),
    at=(np.array([0.5, 2.0]),),
    right=(np.array([[0.75, 0.25], [0.25, 1.0]]),),
    oracle="definition: a gradient leaves what the function only reads as it was",
    reported=(np.zeros((2, 2)),),
    asks="value",
    defect=copies_are_stored_for_cotangents,
)
def constant_matrix_after_a_gradient(scales, *, ad):
    constant, workspace = np.array([[0.75, 0.25], [0.25, 1.0]]), np.zeros((2, 2))

    def total(scales):
        workspace[:, :] = constant
        workspace[:, :] = workspace * scales
        return np.sum(workspace)

    ad.gradient(total, scales)
    return constant


MOMENTS = np.zeros(2)


@case(
    "reversediff-101",
    "https://github.com/JuliaDiff/ReverseDiff.jl/issues/101",
    title="values that pass through a captured buffer of floats lose their gradient silently",
    month="2018-02",
    symptom="missing-gradient",
    cause="Storing a tracked number into a buffer of floats converted it to a float, which was allowed and took the "
    "tracking off.",
    needs=("mutation",),
    at=(np.array([1.0, 0.5]),),
    right=(np.array([-0.5 * np.log(2 * np.pi) - 0.125, -0.5]),),
    oracle="closed form: of a (-log(2π)/2 - b²/2)",
    reported=(np.zeros(2),),
    defect=written_values_get_zero,
)
def values_through_a_captured_buffer(theta):
    MOMENTS[0] = theta[0]
    MOMENTS[1] = theta[1]
    return MOMENTS[0] * (-0.5 * np.log(2 * np.pi) - 0.5 * MOMENTS[1] ** 2)


class Holder:
    def __init__(self, values):
        self.values = values


CAPTURED = Holder(np.zeros(3))


@case(
    "enzymejl-3124",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/3124",
    title="a captured buffer that is written to through another object has a gradient of zeros",
    month="2026-05",
    symptom="missing-gradient",
    cause="Captured state had no place for derivatives; the new object shares the array with it, so that what is "
    "written under one name and read under the other was dropped.",
    needs=("mutation", "objects"),
    at=(np.array([1.0, 2.0, 3.0]),),
    right=(np.array([2.0, 4.0, 6.0]),),
    oracle="closed form: 2t",
    reported=(np.zeros(3),),
    defect=written_values_get_zero,
)
def captured_buffer_written_through_a_new_object(t):
    holder = Holder(CAPTURED.values)
    holder.values[:] = t**2
    return np.sum(CAPTURED.values)
