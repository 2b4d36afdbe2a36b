"""Lists filled, read, edited and stacked inside the loss, and lists whose gradient is asked for."""

from __future__ import annotations

import numpy as np

from engine.traced import items, operators, structure
from engine.traced.checkpoint import Checkpointed
from engine.traced.levels import live, plain

from ..case import Raises, case
from ..defects.state import (
    appended_values_get,
    cotangents_of_lists_are_concatenated,
    entries_cannot_hold_arrays,
    entries_start_undefined,
    traced,
    with_procedure,
)


def ones(d, value):
    return np.ones_like(value)


@case(
    "zygote-1025",
    "https://github.com/FluxML/Zygote.jl/pull/1025",
    title="the rule of append gives every appended value a gradient of ones",
    month="2021-07",
    symptom="wrong-value",
    cause="The rule was there to silence an error, and returned ones for the value whatever its own cotangent was, "
    "also for a value that is taken off again.",
    needs=("containers",),
    at=(np.array([1.0, 2.0]),),
    right=(np.array([3.0, 3.0]),),
    oracle="closed form: of 3x; the square has the weight 0",
    reported=(np.array([5.0, 7.0]),),
    defect=appended_values_get(ones),
)
def value_appended_and_taken_off_again(x):
    out = []
    out.append(3.0 * x)
    out.append(x**2)
    last = out.pop()
    return np.sum(out[0]) + 0.0 * np.sum(last)


@case(
    "tensorflow-13355",
    "https://github.com/tensorflow/tensorflow/issues/13355",
    title="a list that is filled and stacked passes ones on instead of the cotangent it is given",
    month="2017-09",
    symptom="wrong-value",
    cause="The place where a list keeps its cotangents is found by the name of the operation behind it, and the "
    "cotangent given for the stack did not get there.",
    needs=("containers",),
    at=(np.array([[1.42]]),),
    right=(np.array([[2.42]]),),
    oracle="closed form: the weight",
    reported=(np.array([[1.0]]),),
    defect=appended_values_get(ones),
)
def rows_appended_and_stacked(x):
    rows = []
    for t in range(x.shape[0]):
        rows.append(x[t])
    return np.sum(2.42 * np.stack(rows))


def zeros(d, value):
    return 0 * d


@case(
    "enzymejl-2209",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/2209",
    title="a value that is appended to an empty list and read back has the derivative zero",
    month="2024-12",
    symptom="missing-gradient",
    cause="The list grows by asking for new memory, and nothing was kept of the derivatives of what that memory holds.",
    needs=("containers",),
    at=(10.0,),
    right=(1.0,),
    oracle="closed form: of x",
    reported=(0.0,),
    defect=appended_values_get(zeros),
)
def value_appended_and_read_back(x):
    stack = []
    stack.append(x)
    return stack[0]


def unresolved(sequence, value):
    raise AttributeError('Failed to resolve name "parts" used by "list_built_by_append"')


@case(
    "tangent-57",
    "https://github.com/google/tangent/issues/57",
    title="building a list with append fails: the name of the list cannot be resolved",
    month="2018-02",
    symptom="raises",
    cause="A call of a method was resolved as functions are, among the globals, where a local list is not.",
    needs=("containers",),
    at=(0.5,),
    right=(26.0,),
    oracle="closed form: 10 + 32t",
    reported=Raises("crash", "Failed to resolve name"),
    defect=with_procedure(list.append, unresolved),
)
def list_built_by_append(t):
    parts = []
    for i in range(5):
        parts.append(i * t)
    return sum(parts) + parts[-1] ** 2


FEATURE = np.ones((3, 1))


@case(
    "zygote-1134",
    "https://github.com/FluxML/Zygote.jl/pull/1134",
    title="arrays that are appended to a list and stacked raise in the reverse pass",
    month="2021-12",
    symptom="raises",
    cause="The store for the cotangents of a list was an array of numbers, and an array does not fit into one of its "
    "places.",
    needs=("containers",),
    at=(np.ones((3, 3)), np.ones((3, 3))),
    right=(np.ones((3, 3)), np.ones((3, 3))),
    oracle="closed form: a column of ones for each row of weights",
    reported=Raises("crash", "ValueError"),
    defect=entries_cannot_hold_arrays,
)
def arrays_appended_and_stacked(first, second):
    products = []
    products.append(first @ FEATURE)
    products.append(second @ FEATURE)
    return np.sum(np.vstack(products))


OFFSETS = np.arange(6.0).reshape(2, 3)


@case(
    "zygote-148",
    "https://github.com/FluxML/Zygote.jl/issues/148",
    title="filling the slots of a list by index and stacking them raises about an undefined reference",
    month="2019-04",
    symptom="raises",
    cause="The store for the cotangents of the list was allocated and not initialised, and the first cotangent for a "
    "slot was added to what was not there.",
    needs=("containers",),
    at=(np.ones((2, 3)),),
    right=(np.ones((2, 3)),),
    oracle="closed form: a sum of the entries",
    reported=Raises("crash", "undefined reference"),
    defect=entries_start_undefined,
)
def slots_filled_by_index(w):
    columns = [None] * 3
    for i in range(3):
        columns[i] = w[:, i] + OFFSETS[:, i]
    return np.sum(np.stack(columns, axis=1))


@case(
    "autograd-50",
    "https://github.com/HIPS/autograd/pull/50",
    title="an inner list that is used twice has a gradient of double length",
    month="2015-10",
    symptom="wrong-structure",
    cause="Gradients of the elements of a container were added with +, which puts one list behind the other instead of "
    "adding what they hold.",
    needs=("containers",),
    at=([[2.0, 3.0], 5.0],),
    right=([[4.0, 7.0], 3.0],),
    oracle="closed form: of w b + b c + w",
    reported=([[3.0, 2.0, 5.0, 1.0], 3.0],),
    defect=cotangents_of_lists_are_concatenated,
)
def inner_list_used_twice(p):
    first = p[0]
    again = p[0]
    return first[0] * again[1] + first[1] * p[1] + again[0]


once = Checkpointed.__call__


def list_of_constants(checkpointed, *args, **kwargs):
    out = once(checkpointed, *args, **kwargs)
    return [plain(v) for v in out] if isinstance(out, list) else out


def both(x):
    return [x**2, 3.0 * x]


@case(
    "autograd-495",
    "https://github.com/HIPS/autograd/issues/495",
    title="a checkpointed function that returns a list has no gradient, silently",
    month="2019-04",
    symptom="missing-gradient",
    cause="A checkpointed call is a primitive, and only arrays that primitives return are followed: the list it "
    "returned was taken for a constant.",
    needs=("containers", "nested"),
    at=(2.0,),
    right=(7.0,),
    oracle="closed form: 2x + 3",
    reported=(None,),
    defect=traced(Checkpointed, "__call__", list_of_constants),
)
def checkpointed_function_that_returns_a_list(x, *, ad):
    square, triple = ad.checkpoint(both)(x)
    return square + triple


MATRIX, OFFSET, Y = np.array([1.0, 2.0, -1.0]), 0.5, np.array([0.5, -1.0, 0.25])
SHRINK = 1 - 0.2 * Y @ Y


def energy(y, p):
    return np.dot(p[0], y) ** 2 + p[1] * y[0]


def without_a_record(made, parts):
    if live.levels:
        raise TypeError("cannot differentiate a plain list of traced values")
    return fill(made, parts)


fill = structure._fill


@case(
    "autograd-198",
    "https://github.com/HIPS/autograd/issues/198",
    title="gradient steps on a list of parameters cannot be differentiated",
    month="2017-03",
    symptom="raises",
    cause="The gradient for a list was a plain list of traced values, which the outer derivative had no way to look "
    "into.",
    needs=("containers", "nested"),
    at=(Y,),
    right=(
        2 * (MATRIX @ Y) * MATRIX * SHRINK**4
        - 1.6 * (MATRIX @ Y) ** 2 * SHRINK**3 * Y
        + np.array([OFFSET - 0.4 * Y[0], 0.0, 0.0]),
    ),
    oracle="closed form: of (w·y)² (1 - 0.2 |y|²)⁴ + (b - 0.2 y0) y0",
    reported=Raises("crash", "TypeError"),
    defect=traced(structure, "_fill", without_a_record),
)
def loss_after_two_gradient_steps(y, *, ad):
    p = [MATRIX, OFFSET]
    for _ in range(2):
        (slopes,) = ad.gradient(lambda q: energy(y, q), p)
        for j in range(2):
            p[j] = p[j] - 0.1 * slopes[j]
    return energy(y, p)


def sequence_refused(object, dtype=None):
    raise ValueError("setting an array element with a sequence.")


@case(
    "autograd-304",
    "https://github.com/HIPS/autograd/issues/304",
    title="np.array of nested lists with a dtype raises a ValueError",
    month="2017-09",
    symptom="raises",
    cause="The wrapper of np.array that looks for traced values in a list was written for one argument; with a dtype "
    "the call went to NumPy.",
    needs=("containers",),
    at=(np.array([1.0, 2.0, 3.0, 4.0]),),
    right=(np.array([1.0, 30.0, 120.0, 8000.0]),),
    oracle="closed form: of a + 10 b c + 100 c + 1000 d²",
    reported=Raises("crash", "setting an array element with a sequence"),
    defect=with_procedure(np.array, sequence_refused),
)
def array_of_nested_lists_with_a_dtype(x):
    table = np.array([[x[0], x[1] * x[2]], [x[2], x[3] ** 2]], np.float64)
    return np.sum(table * np.array([[1.0, 10.0], [100.0, 1000.0]]))


def arrays_only(value):
    if isinstance(value, list):
        raise TypeError("no product of an array and a list")
    return value


@case(
    "reversediff-140",
    "https://github.com/JuliaDiff/ReverseDiff.jl/issues/140",
    title="a differentiated array times a list of differentiated numbers raises a type error",
    month="2020-07",
    symptom="raises",
    cause="The rule for products of arrays was taken for any sequence, also for one that is no array of numbers but "
    "holds values of its own.",
    needs=("containers",),
    at=(np.array([2.0, 3.0, 5.0]),),
    right=(np.array([13.0, 2.0, 4.0]),),
    oracle="closed form: of x0 (x1 + 2 x2)",
    reported=Raises("crash", "TypeError"),
    defect=traced(operators, "array_like", arrays_only),
)
def array_times_ragged_lists(x):
    ragged = [[x[1], x[2]], [x[2]]]
    return sum(np.sum(x[:1] * row) for row in ragged)


def state_of_the_walk(array):
    raise TypeError("no zero of a tuple: the state of an iteration has no cotangent")


@case(
    "flux-1210",
    "https://github.com/FluxML/Flux.jl/issues/1210",
    title="unpacking an array into two names raises in the reverse pass",
    month="2020-06",
    symptom="raises",
    cause="Unpacking walks over the array, and the state of that walk, a tuple with an integer, was asked for a "
    "cotangent.",
    at=(np.array([2.0, 5.0]),),
    right=(np.array([-3.75, 1.5]),),
    oracle="closed form: -3k / m² and 9 / m, with m = 6 and k = 45",
    reported=Raises("crash", "zero of a tuple"),
    defect=traced(items, "_rows", state_of_the_walk),
)
def array_unpacked_into_two_names(w):
    mass, stiffness = np.array([w[0] * 3.0, w[1] * 9.0])
    return stiffness / mass


class Checked(list):
    def __init__(self, items):
        super().__init__(items)
        assert all(item is not None for item in self)


def rebuilt_with_nothing(shape):
    return type(shape.value)([None] * len(shape.items)) if shape.kind == structure.LIST else empty(shape)


empty = structure._empty


@case(
    "jax-7546",
    "https://github.com/jax-ml/jax/issues/7546",
    title="a list class that checks what it is made of is asked to hold None",
    month="2021-08",
    symptom="raises",
    cause="The structure of the argument was found out by rebuilding it with placeholders, through the constructor of "
    "the user's class.",
    needs=("containers",),
    at=(Checked([2.0, 5.0]),),
    right=([5.0, 2.0],),
    oracle="closed form: the other factor",
    no_differences="theirs are a list of the same class, the engine's a plain list",
    reported=Raises("crash", "AssertionError"),
    defect=traced(structure, "_empty", rebuilt_with_nothing),
)
def list_class_that_checks_its_items(node):
    return node[0] * node[1]
