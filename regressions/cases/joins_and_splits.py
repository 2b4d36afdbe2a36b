"""Arrays put together and taken apart: joined, stacked, flattened, repeated, split. Each part has its own cotangent."""

from __future__ import annotations

import numpy as np

from engine.rules import shape

from ..case import Growth, Raises, case
from ..defects import patched, with_rule, without_rule
from ..defects.shapes import fail, followed_as, handed_on_as_they_are, pullback_fails
from ..defects.state import together, with_procedure

SQUARE = np.array([[1.0, 2.0], [3.0, -1.0]])


@case(
    "autograd-91",
    "https://github.com/HIPS/autograd/issues/91",
    title="hstack has no gradient, though vstack and concatenate have one",
    month="2016-03",
    symptom="raises",
    cause="Of the functions that join arrays this one had been forgotten, and ran on the values that carry "
    "derivatives as if they were objects.",
    at=(SQUARE,),
    right=(14 * SQUARE + 2,),
    oracle="closed form: 14x + 2",
    reported=Raises("foreign-call", "hstack"),
    defect=without_rule(np.hstack),
)
def blocks_joined_both_ways(x):
    return np.sum(np.hstack([np.vstack([x, x + 1]), np.vstack([x * 2, x])]) ** 2)


def element_by_element(tup):
    rows = [list(row) for row in zip(*tup, strict=True)]
    return np.array(rows)


def weights_of_columns(n):
    x = np.linspace(0.0, 1.0, n)
    return (np.cos(x) - 2 * np.sin(x),)


@case(
    "autograd-255",
    "https://github.com/HIPS/autograd/issues/255",
    title="column_stack of long vectors does not finish",
    month="2017-07",
    symptom="slow",
    cause="The stack made an array of each vector once more, and an array made of what carries derivatives was built "
    "element by element.",
    at=lambda n: (np.linspace(0.0, 1.0, n),),
    right=Growth("calls", 0, answer=weights_of_columns),
    oracle="closed form: cos x - 2 sin x",
    reported=Growth("calls", 1),
    defect=followed_as(np.column_stack, element_by_element),
)
def two_long_columns(x):
    return np.sum(np.column_stack((np.sin(x), np.cos(x))) * np.array([1.0, 2.0]))


@case(
    "autograd-331",
    "https://github.com/HIPS/autograd/issues/331",
    title="append has no gradient, and to a list it raises even with one",
    month="2017-11",
    symptom="raises",
    cause="There was no rule, and the one for the join below it asked lists for their shape.",
    at=(np.array([1.0, 2.0, 3.0]),),
    right=(np.array([6.0, 5.0, 8.0]),),
    oracle="closed form: 2x, the weights 0, 1, 2, and 4 for the element that is appended again",
    reported=Raises("foreign-call", "append"),
    defect=without_rule(np.append),
)
def number_and_list_appended(x):
    return np.sum(np.append(x, 1.0) ** 2) + np.sum(np.append(x, [2.0, x[0]]) * np.arange(5.0))


@case(
    "autograd-18",
    "https://github.com/HIPS/autograd/issues/18",
    title="atleast_1d, atleast_2d and atleast_3d have no gradients",
    month="2015-04",
    symptom="raises",
    cause="There was no rule for functions that add axes in front when an array has too few.",
    at=(np.array([1.0, 2.0]),),
    right=(np.array([4.0, 5.0]),),
    oracle="closed form: 2x + 1, and 1 more for the first",
    reported=Raises("foreign-call", "atleast_"),
    defect=without_rule(np.atleast_1d, np.atleast_2d, np.atleast_3d),
)
def axes_added_in_front(x):
    return np.sum(np.atleast_2d(x) ** 2) + np.sum(np.atleast_3d(x)) + np.atleast_1d(x[0])[0]


def all_of_them(d, out):
    return [fail(TypeError("a disconnected cotangent has no shape")) if c is None else c for c in d]


@case(
    "theano-1589",
    "https://github.com/Theano/Theano/issues/1589",
    title="a split of which one part is used has no gradient",
    month="2013-11",
    symptom="raises",
    cause="The rule joins the cotangents of the parts, and the parts that nothing uses have none.",
    at=(np.array([1.0, 2.0, 3.0, 4.0]),),
    right=(np.array([0.0, 4.0, 6.0, 0.0]),),
    oracle="closed form: twice the part in the middle",
    reported=Raises("crash", "TypeError: a disconnected cotangent"),
    defect=patched(shape, "filled", all_of_them),
)
def middle_part_of_a_split(x):
    _, middle, _ = np.split(x, [1, 3])
    return np.sum(middle**2)


def those_that_are_used(d, out):
    used = [c for c in d if c is not None]
    assert len(used) == len(out), "the derivative has another number of parts than the split"
    return used


@case(
    "casadi-1025",
    "https://github.com/casadi/casadi/issues/1025",
    title="one element taken from a split into ten fails an assertion when differentiated",
    month="2014-03",
    symptom="raises",
    cause="A simplification had taken the unused results away from the split, and its derivative expected them all.",
    at=(np.arange(1.0, 11.0),),
    right=(np.array([2.0, *[0.0] * 9]),),
    oracle="closed form: 2x for the first element",
    reported=Raises("crash", "AssertionError: the derivative has another number of parts"),
    defect=patched(shape, "filled", those_that_are_used),
)
def first_of_ten_parts(m):
    parts = np.split(m, 10)
    return parts[0][0] ** 2


@case(
    "enzymejl-2524",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/2524",
    title="a matrix and a vector beside it, joined, cannot be differentiated",
    month="2025-08",
    symptom="raises",
    cause="The join of a matrix and a vector goes through code of its own, which the engine could not follow.",
    needs=("mutation", "nested", "forward"),
    at=(np.array([1.0, 2.0, 4.0]),),
    right=((28.0, 4.0),),
    oracle="closed form: each number stands in three columns and in the one that is added",
    reported=Raises("foreign-call", "column_stack"),
    asks="value",
    defect=without_rule(np.column_stack),
)
def matrix_and_a_column(x, *, ad):
    def total(x):
        columns = np.zeros((3, 3))
        for i in range(3):
            columns[:, i] = x
        return np.sum(np.column_stack([columns, x]))

    value, slope = ad.jvp(total, (x,), (np.array([1.0, 0.0, 0.0]),))
    return float(value), float(slope)


FLAT = np.array([1.0, 10.0, 100.0, 1000.0, 7.0, 8.0])


@case(
    "optimisers-59",
    "https://github.com/FluxML/Optimisers.jl/pull/59",
    title="the gradient of a flattened model has a vector for its matrix",
    month="2022-03",
    symptom="wrong-shape",
    cause="The pieces of the flat cotangent were handed to the parameters as they were cut, and a matrix needs its "
    "piece folded.",
    needs=("containers",),
    at=({"W": np.array([[1.0, 2.0], [3.0, 4.0]]), "b": np.array([5.0, 6.0])},),
    right=({"W": np.array([[1.0, 10.0], [100.0, 1000.0]]), "b": np.array([7.0, 8.0])},),
    oracle="closed form: the weights",
    reported=({"W": np.array([1.0, 10.0, 100.0, 1000.0]), "b": np.array([7.0, 8.0])},),
    defect=together(with_rule(np.ravel, a=lambda d, out, a, order="C": d), handed_on_as_they_are),
)
def model_flattened(model):
    return np.dot(FLAT, np.concatenate([model["W"].ravel(), model["b"]]))


@case(
    "zygote-440",
    "https://github.com/FluxML/Zygote.jl/issues/440",
    title="joining vectors and numbers raises in the pullback",
    month="2020-01",
    symptom="raises",
    cause="The rule cuts the cotangent by the lengths of what was joined, and a number has no length.",
    at=(np.array([0.1, 0.2]), 0.5),
    right=(np.array([5.0, 2.0]), 3.0),
    oracle="closed form: the places at which each stands, counted from 1",
    reported=Raises("crash", "TypeError: object of type 'float' has no len"),
    defect=with_rule(
        np.hstack,
        tup=lambda d, out, tup: list(np.split(d, np.cumsum([len(part) for part in tup])[:-1])),
    ),
)
def vectors_and_numbers_joined(x, s):
    return np.sum(np.hstack([x, s, x[0:1], 2.0]) * np.arange(1.0, 6.0))


@case(
    "zygote-331",
    "https://github.com/FluxML/Zygote.jl/issues/331",
    title="a number times a row that is written out, complex entries among them, raises",
    month="2019-09",
    symptom="raises",
    cause="There was no rule for a row made of numbers.",
    needs=("complex",),
    at=(1.23,),
    right=(np.sqrt(2.0).item(),),
    oracle="closed form: the length of the row (i, 1)",
    reported=Raises("foreign-call", "array"),
    defect=without_rule(np.array),
)
def length_of_a_row_written_out(x):
    row = np.array([[1j * x, x]])
    return np.sqrt(np.sum(np.abs(row) ** 2))


def by_assignment(object, dtype=None):
    array = np.empty(len(object), dtype)
    raise TypeError(f"float() argument must be a real number, not a value with a derivative, at {array.shape}")


@case(
    "zygote-513",
    "https://github.com/FluxML/Zygote.jl/issues/513",
    title="an array written out with its element type, a variable among the elements, raises",
    month="2020-02",
    symptom="raises",
    cause="An array with an element type is made empty and then filled by assignment, which cannot be differentiated.",
    at=(4.0,),
    right=(3.0,),
    oracle="closed form: of 1 + x + 2x",
    reported=Raises("crash", r"TypeError: float\(\) argument"),
    defect=with_procedure(np.array, by_assignment),
)
def array_written_out_with_a_type(x):
    return np.sum(np.array([1.0, x], dtype=float) + x)


@case(
    "zygote-640",
    "https://github.com/FluxML/Zygote.jl/pull/640",
    title="joining with an empty array raises in the pullback",
    month="2020-05",
    symptom="raises",
    cause="The rule cuts the cotangent from the first to the last place of each part, and an empty part has no last "
    "place.",
    at=(np.array([1.0, 2.0]),),
    right=(np.array([2.0, 4.0]),),
    oracle="closed form: 2x",
    reported=Raises("crash", "IndexError: an empty part"),
    defect=pullback_fails(
        IndexError("an empty part has no last place"),
        lambda made: made.rule.primal is np.concatenate and any(np.size(part) == 0 for part in made.args[0]),
    ),
)
def joined_with_nothing(x):
    return np.sum(np.concatenate([x, np.zeros(0), x[:0]]) ** 2)


def misnamed(d, out, a, repeats, axis=None):
    return np.sum(d, axis=scale)  # noqa: F821


@case(
    "nnlib-269",
    "https://github.com/FluxML/NNlib.jl/pull/269",
    title="the pullback of upsampling refers to a variable that does not exist",
    month="2021-01",
    symptom="raises",
    cause="The pullback had never run: a name in it had been left behind when the argument was renamed.",
    at=(np.array([[1.0, 2.0], [3.0, 4.0]]),),
    right=(np.array([[24.0, 42.0], [96.0, 114.0]]),),
    oracle="closed form: the sum of the weights in each block of 2 by 3",
    reported=Raises("crash", "NameError: name 'scale' is not defined"),
    defect=with_rule(np.repeat, a=misnamed),
)
def entries_repeated_both_ways(x):
    return np.sum(np.repeat(np.repeat(x, 2, axis=0), 3, axis=1) * np.arange(24.0).reshape(4, 6))


def summed_over_tiles(d, out, A, reps):
    return np.sum(np.broadcast_to(d, np.shape(out)), axis=(0, 1), keepdims=True)


@case(
    "pytorch-2095",
    "https://github.com/pytorch/pytorch/issues/2095",
    title="the gradient through tiles with more axes than the array keeps these axes",
    month="2017-07",
    symptom="wrong-shape",
    cause="The new axes in front were summed, but kept with length one.",
    at=(np.arange(24.0).reshape(2, 3, 4),),
    right=(np.full((2, 3, 4), 6.0),),
    oracle="closed form: the number of tiles",
    reported=(np.full((1, 1, 2, 3, 4), 6.0),),
    defect=together(with_rule(np.tile, A=summed_over_tiles), handed_on_as_they_are),
)
def tiled_along_new_axes(x):
    return np.sum(np.tile(x, (3, 2, 1, 1, 1)))
