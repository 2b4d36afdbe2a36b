"""Names: what a program calls its variables and modules does not matter to the code that is made of it."""

from __future__ import annotations

import ast
from types import CellType

import numpy as nump  # the name that everybody expects is not defined here

from engine.traced import storage
from engine.traced.attributes import get_attribute as _get_attribute
from engine.typed import emit

from ..case import Raises, case
from ..defects import patched
from ..defects.state import in_runtime, traced

_constant = emit.Names.constant


def under_its_usual_name(names, value):
    return ast.Name("np", ast.Load()) if value is nump.tanh else _constant(names, value)


X = nump.array([0.3, -0.4])


@case(
    "tangent-23",
    "https://github.com/google/tangent/issues/23",
    title="with NumPy imported under another name the generated code raises a NameError",
    month="2017-11",
    symptom="raises",
    cause="The templates that code is generated from name NumPy as people usually do, and run in the namespace of the "
    "user's module.",
    at=(X,),
    right=(2 * X * (1 - nump.tanh(X @ X) ** 2),),
    oracle="closed form: 2x (1 - tanh² |x|²)",
    reported=Raises("crash", "NameError: name 'np' is not defined"),
    defect=patched(emit.Names, "constant", under_its_usual_name),
)
def numpy_under_another_name(x):
    h = nump.tanh(nump.dot(x, x))
    return nump.sum(h, axis=None)


_fresh = emit.Names.fresh


def not_made_fresh(names, hint):
    return hint if hint.endswith("_bar") else _fresh(names, hint)


@case(
    "warp-154",
    "https://github.com/NVIDIA/warp/issues/154",
    title="a variable called as the generated code calls an adjoint is mixed up with it",
    month="2023-10",
    symptom="wrong-value",
    cause="The names of generated variables were not kept apart from those of the program.",
    at=(-1.5, 0.5),
    right=(2.0, -9.0),
    oracle="closed form: of a (k² + k), with k twice the scale",
    reported=(-3.0, -6.0),
    defect=patched(emit.Names, "fresh", not_made_fresh),
)
def variable_called_like_an_adjoint(a, scale):
    a_bar = scale * 2.0
    total = 0.0
    for _ in range(2):
        total = (total + a) * a_bar
    return total


def no_attributes(value, label):
    if isinstance(value, nump.ndarray) or label == "shape":
        raise ValueError(f"cannot resolve x.{label}")
    return _get_attribute(value, label)


@case(
    "tangent-31",
    "https://github.com/google/tangent/issues/31",
    title="asking an array for its shape makes the transformation raise",
    month="2017-11",
    symptom="raises",
    cause="A name with a dot was looked up before the program runs, which finds functions of modules and no attribute "
    "of an array.",
    at=(nump.arange(1.0, 10.0).reshape(3, 3),),
    right=(nump.array([[2.0, 0.0, 0.0], [8.0, 20.0, 0.0], [14.0, 32.0, 54.0]]),),
    oracle="closed form: twice the lower triangle, times the number of the column",
    reported=Raises("crash", "ValueError: cannot resolve"),
    defect=in_runtime("get_attribute", no_attributes),
)
def lower_triangle_by_its_shape(x):
    sum = 0.0
    rows, columns = x.shape
    for r in range(rows):
        for c in range(min(r + 1, columns)):
            sum = sum + x[r, c] ** 2 * (c + 1)
    return sum


_store = storage.Store.reverse


def two_kinds_of_cotangent(entry, sweep):
    if isinstance(entry.storage, CellType) and sweep.mirrors.get(id(entry.storage)) and entry.target is not None:
        raise TypeError("no method to accumulate a record and a reference")
    _store(entry, sweep)


@case(
    "zygote-1290",
    "https://github.com/FluxML/Zygote.jl/issues/1290",
    title="a name that an inner function captures cannot be bound to what that returns",
    month="2022-08",
    symptom="raises",
    cause="A captured name that is bound twice lives in a cell; its cotangent was a reference where the cell is "
    "written and a record where the inner function reads it, and the two do not add up.",
    at=(1.0,),
    right=(8.0,),
    oracle="closed form: 8p",
    reported=Raises("crash", "TypeError"),
    defect=traced(storage.Store, "reverse", two_kinds_of_cotangent),
)
def captured_name_bound_again(p):
    prediction = 2 * p

    def power(i):
        return prediction**i

    prediction = power(2)
    return prediction
