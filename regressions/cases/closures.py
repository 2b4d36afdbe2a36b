"""Captured variables: read, rebound and shared by inner functions, globals, partial functions and defaults."""

from __future__ import annotations

from contextlib import contextmanager
from types import FunctionType

import numpy as np

import engine
from engine.traced import storage
from engine.traced.calls import call
from engine.traced.levels import plain
from engine.traced.runtime import store_global

from ..case import Growth, Raises, case
from ..defects import patched
from ..defects.flow import captured_values_are
from ..defects.state import in_runtime


def tuples_are_constants(cell, value):
    storage.store_cell(cell, plain(value) if isinstance(value, tuple) else value)


WEIGHTS = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])


@case(
    "enzymejl-3407",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/3407",
    title="a tuple that an inner function assigns to an outer variable loses its gradient",
    month="2026-07",
    symptom="missing-gradient",
    cause="A captured variable that is assigned lives in a box; the shadow of the box was updated when an array was "
    "put into it, and not for a tuple of arrays.",
    at=(np.ones((3, 2)), np.ones(4)),
    right=(np.array([[16.0, 16.0], [19.0, 19.0], [22.0, 22.0]]), np.full(4, 2.0)),
    oracle="closed form: the sum of the column of W and the four entries of e; 2",
    reported=(None, None),
    defect=in_runtime("store_cell", tuples_are_constants),
)
def tuple_assigned_from_an_inner_function(x, e):
    y = None

    def run():
        nonlocal y
        y = (WEIGHTS @ x, e * 2 + np.sum(x))

    run()
    return np.sum(y[0]) + np.sum(y[1])


_gradient = engine.gradient


@contextmanager
def perturbed_still():
    """A variable that an inner function has assigned keeps its perturbation, and the next derivative sees both."""
    seen = {}

    def gradient(f, *args):
        found = _gradient(f, *args)
        before = seen.get(f.__code__, (0.0,) * len(found))
        seen[f.__code__] = tuple(a + b for a, b in zip(before, found, strict=True))
        return seen[f.__code__]

    with patched(engine, "gradient", gradient)():
        yield


@case(
    "forwarddiff-443",
    "https://github.com/JuliaDiff/ForwardDiff.jl/issues/443",
    title="a second derivative of a function that reassigns what it captures counts the first one again",
    month="2020-01",
    symptom="wrong-value",
    cause="The captured variable was left holding a number with the perturbation of the first differentiation, and "
    "the second marks its own in the same way.",
    needs=("nested",),
    at=(1.0,),
    right=(1.0,),
    oracle="closed form: the slope is x each time, and x stays 1",
    no_differences="each evaluation changes what is captured",
    reported=(2.0,),
    asks="value",
    defect=perturbed_still,
)
def differentiated_twice_while_reassigning(x, *, ad):
    def inner(y):
        nonlocal x
        x = x * y
        return x

    ad.gradient(inner, 1.0)
    return ad.gradient(inner, 1.0)[0]


def not_itself(cell, name):
    value = storage.load_cell(cell, name)
    if isinstance(value, FunctionType) and cell in (value.__closure__ or ()):
        raise ValueError("the graph is not valid: it has a cycle")
    return value


@case(
    "myia-360",
    "https://github.com/mila-iqia/myia/pull/360",
    title="an inner function that captures itself makes an invalid graph",
    month="2020-05",
    symptom="raises",
    cause="The gradients of captured variables were packed together for each function; for one that captures itself "
    "the package contains itself.",
    at=(1.5,),
    right=(24.5,),
    oracle="closed form: 4x³ + 6x + 2",
    reported=Raises("crash", "ValueError: .*cycle"),
    defect=in_runtime("load_cell", not_itself),
)
def polynomial_by_recursion(x):
    def loop(k, total):
        if k == 0:
            return total
        return loop(k - 1, total * x + k)

    return loop(3, x)


@case(
    "zygote-717",
    "https://github.com/FluxML/Zygote.jl/issues/717",
    title="a dictionary that an inner function captures has no gradient",
    month="2020-06",
    symptom="missing-gradient",
    cause="Gradients of mutable containers are kept in a table on the side; the gradient of a closure was made of its "
    "captured values and did not look there.",
    needs=("containers",),
    at=({"y": 0.4},),
    right=({"y": 2.0},),
    oracle="closed form: 2",
    reported=(None,),
    defect=captured_values_are(lambda value: dict(value) if isinstance(value, dict) else value),
)
def dictionary_captured(d):
    return (lambda: d["y"] * 2.0)()


class Cell:
    def __init__(self, v):
        self.v = v


def put(cell, x):
    cell.v = x


@case(
    "zygote-347",
    "https://github.com/FluxML/Zygote.jl/issues/347",
    title="an object changed by a function that is called with *args loses the gradient",
    month="2019-09",
    symptom="missing-gradient",
    cause="The rule for such calls took their functions for pure: without a cotangent for the result, which is None "
    "here, their pullback was left out.",
    needs=("containers", "objects"),
    at=((1.0,),),
    right=((1.0,),),
    oracle="closed form: 1",
    reported=(None,),
    defect=in_runtime("iterate", plain),
)
def object_changed_by_a_call_with_args(args):
    cell = Cell(0.0)
    put(cell, *args)
    return cell.v


product = 1.0


@case(
    "zygote-1591",
    "https://github.com/FluxML/Zygote.jl/issues/1591",
    title="a loop that multiplies into a global variable has no gradient",
    month="2025-10",
    symptom="missing-gradient",
    cause="A new version of the host language writes assignments to globals in another way, and the hook that follows "
    "mutable globals no longer recognised them.",
    at=(2.0,),
    right=(12.0,),
    oracle="closed form: 3x²",
    reported=(None,),
    defect=in_runtime("store_global", lambda names, name, value: store_global(names, name, plain(value))),
)
def power_in_a_global(x):
    global product
    product = 1.0
    n = 3
    while n > 0:
        product = product * x
        n -= 1
    return product


COLUMNS = tuple(np.array([float(i)]) for i in range(1, 257))


SLOPES = np.array([[0.5], [1.0], [-2.0]])


def each_gets_a_gradient(value):
    return tuple(call(np.copy, part) for part in value) if isinstance(value, tuple) else value


@case(
    "zygote-1436",
    "https://github.com/FluxML/Zygote.jl/issues/1436",
    title="one item of a captured tuple costs as much as all of them",
    month="2023-06",
    symptom="slow",
    cause="The captured tuple got a gradient of its own, with an entry for each item, though only one item is read "
    "and nobody asks for any.",
    needs=("nested",),
    at=lambda n: (n,),
    right=Growth("calls", 0, answer=lambda n: (8.0 * SLOPES / np.sqrt(np.sum(SLOPES**2)),)),
    oracle="closed form: the item times A over its length",
    reported=Growth("calls", 1),
    asks="value",
    defect=captured_values_are(each_gets_a_gradient),
)
def one_item_of_a_captured_tuple(n, *, ad):
    data = COLUMNS[:n]

    def length(A):
        return np.sqrt(np.sum((A @ data[7]) ** 2))

    return ad.gradient(length, SLOPES)[0]
