"""Reading elements, rows and slices: each cotangent goes back to the place that was read, and to no other."""

from __future__ import annotations

import numpy as np

from engine.traced import arrays, items, run, tape
from engine.traced.levels import plain

from ..case import Raises, case
from ..defects.shapes import handed_on_as_they_are, lists_of_constants_fail, pullback_fails
from ..defects.state import in_runtime, together, traced

TALL = np.array([[2.0, -1.1, 0.5, 1.2, 1.3], [-0.7, 0.2, -0.6, 1.5, -1.8], [0.9, -0.9, -1.3, -0.6, -1.2]])
_add_at = tape.Sweep.add_at


def at_the_last_place(sweep, node, like, index, d):
    places = sweep.__dict__.setdefault("places", {})
    _add_at(sweep, node, like, places.setdefault(node, index), d)


@case(
    "enzymejl-356",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/356",
    title="the gradients of all rows that a loop views land in the last row",
    month="2022-06",
    symptom="wrong-value",
    cause="Where a view begins was not kept for each turn of the loop, and on the way back the offset of the last "
    "turn served for all.",
    needs=("mutation",),
    at=(TALL,),
    right=(np.eye(5)[[1, 4, 2]],),
    oracle="closed form: 1 at the smallest entry of each row",
    reported=(np.array([np.zeros(5), np.zeros(5), [0.0, 1.0, 1.0, 0.0, 1.0]]),),
    defect=traced(tape.Sweep, "add_at", at_the_last_place),
)
def smallest_entries_of_rows(A):
    smallest = np.zeros(3)
    for i in range(3):
        row = A[i, :]
        smallest[i] = np.min(row)
    return np.sum(smallest)


_add = arrays.View.add


def without_its_last_entry(view, sweep, d):
    if view.array is not view.base:
        d = np.append(np.broadcast_to(d, view.array.shape)[:-1], 0.0)
    _add(view, sweep, d)


@case(
    "enzymejl-388",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/388",
    title="the last entry of a slice of a column of a work array has no gradient",
    month="2022-07",
    symptom="wrong-value",
    cause="The reverse pass works out the places of a slice from its bounds, and for an array with two axes was off "
    "by one at the end.",
    needs=("mutation",),
    at=(np.ones(10),),
    right=(np.array([0.0, *[1.0] * 8, 0.0]),),
    oracle="closed form: 1 for all but the ends",
    reported=(np.array([0.0, *[1.0] * 7, 0.0, 0.0]),),
    defect=traced(arrays.View, "add", without_its_last_entry),
)
def inner_part_of_a_column(x):
    work = np.zeros((10, 2))
    work[:, 1] = x
    return np.sum(work[1:9, 1])


EVEN, ODD = np.array([[1.0, 2.0, 3.0]]), np.array([[100.0, 101.0, 102.0]])


def over_the_whole_span(sweep, node, like, index, d):
    _add_at(sweep, node, like, slice(index.start, index.stop), d)


@case(
    "mlx-4444",
    "https://github.com/ml-explore/mlx/issues/4444",
    title="the gradient of every second row, where that is one row, is smeared over the rows between",
    month="2026-09",
    symptom="wrong-value",
    cause="A slice with a step is written as bounds that no longer say how many rows it has, and the pullback "
    "broadcasts over all of them from its start.",
    at=(np.zeros((2, 3)),),
    right=(np.concatenate([EVEN, ODD]),),
    oracle="closed form: the weights",
    reported=(np.concatenate([EVEN, EVEN + ODD]),),
    defect=traced(tape.Sweep, "add_at", over_the_whole_span),
)
def rows_by_a_step(z):
    return np.sum(z[0::2] * EVEN) + np.sum(z[1::2] * ODD)


_apply = tape.Sweep.apply


def few_enough(sweep, operation, d):
    terms = sweep.__dict__.setdefault("terms", [0])
    terms[0] += 1
    if terms[0] > 40:
        raise RuntimeError("some of the variables have no gradient")
    _apply(sweep, operation, d)


@case(
    "mxnet-11599",
    "https://github.com/apache/mxnet/issues/11599",
    title="adding up the entries of a matrix one by one has no gradient",
    month="2018-07",
    symptom="raises",
    cause="The sum of many cotangents, each of one entry, was made as one operation with that many operands, and some "
    "of them were lost; it depends on the shape.",
    at=(np.ones((2, 8)),),
    right=(np.array([np.ones(8), 2 * np.ones(8)]),),
    oracle="closed form: the number of the row",
    reported=Raises("crash", "RuntimeError: some of the variables have no gradient"),
    defect=traced(tape.Sweep, "apply", few_enough),
)
def entries_picked_one_by_one(scores):
    total = 0.0
    for i in range(scores.shape[0]):
        for j in range(scores.shape[1]):
            total = total + scores[i, j] * (i + 1)
    return total


_getitem = items.getitem


def of_what_can_be_iterated(container, index):
    if isinstance(plain(container), np.ndarray) and plain(container).ndim == 0:
        raise TypeError("iteration over a 0-d tensor")
    return _getitem(container, index)


@case(
    "mygrad-272",
    "https://github.com/rsokl/MyGrad/issues/272",
    title="an array without axes cannot be indexed, not even by None, ... or ()",
    month="2020-08",
    symptom="raises",
    cause="What cannot be iterated over was taken for what cannot be indexed.",
    at=(np.array(3.0),),
    right=(np.array(10.0),),
    oracle="closed form: 3 + 2x + 1",
    reported=Raises("crash", "TypeError: iteration over a 0-d"),
    defect=in_runtime("getitem", of_what_can_be_iterated),
)
def array_without_axes_indexed(x):
    return np.sum(x[None] * np.array([1.0, 2.0])) + x[()] ** 2 + x[..., None][0]


BLOCK = np.arange(12.0).reshape(2, 3, 2) / 10


def single_indices_only(container, index):
    if isinstance(index, tuple) and any(isinstance(i, slice) for i in index):
        raise SyntaxError("can't assign to literal")
    return _getitem(container, index)


@case(
    "tangent-56",
    "https://github.com/google/tangent/issues/56",
    title="a slice along some axes with a loop variable along another cannot be transformed",
    month="2018-02",
    symptom="raises",
    cause="The transformation gives every part of an expression a name, and inside such an index it made an "
    "assignment to a literal.",
    at=(BLOCK,),
    right=(2 * BLOCK * np.array([0.0, 1.0]),),
    oracle="closed form: 2x in the last slice",
    reported=Raises("crash", "SyntaxError: can't assign to literal"),
    defect=in_runtime("getitem", single_indices_only),
)
def last_slice_of_a_loop(x):
    part = 0.0
    for k in range(np.shape(x)[2]):
        part = x[:, :, k]
    return np.sum(part**2)


_reverse = arrays.ArrayStore.reverse


def offset_of_the_source(sweep, node, like, index, d):
    _add_at(sweep, node, like, slice(0, index.stop - index.start), d)


@case(
    "warp-1533",
    "https://github.com/NVIDIA/warp/issues/1533",
    title="a copy from one offset to another ignores the offset it copies from",
    month="2026-06",
    symptom="wrong-value",
    cause="The strided copy, which also takes the cotangent back, went from the beginning of one array to the other, "
    "whatever offsets it was given.",
    needs=("mutation",),
    at=(np.array([1.0, 2.0, 3.0, 4.0]),),
    right=(np.array([0.0, 4.0, 5.0, 0.0]),),
    oracle="closed form: the weights of the places that are copied to",
    reported=(np.array([4.0, 5.0, 0.0, 0.0]),),
    defect=traced(tape.Sweep, "add_at", offset_of_the_source),
)
def copied_between_offsets(source):
    target = np.zeros(5)
    target[3:5] = source[1:3]
    return np.sum(target * np.array([1.0, 2.0, 3.0, 4.0, 5.0]))


def axes_kept(sweep, node, like, index, d):
    _add_at(sweep, node, like, index, np.reshape(d, (-1, 1)))


@case(
    "zygote-499",
    "https://github.com/FluxML/Zygote.jl/pull/499",
    title="a row, turned into a column, raises a DimensionMismatch in the pullback",
    month="2020-02",
    symptom="raises",
    cause="The cotangent of the row came back as a column, with one axis more than the slice that it was added to.",
    at=(np.ones((2, 2)),),
    right=(np.array([[-1.0, -1.0], [0.0, 0.0]]),),
    oracle="closed form: -1 / x² in the first row",
    reported=Raises("crash", "ValueError: non-broadcastable output operand"),
    defect=traced(tape.Sweep, "add_at", axes_kept),
)
def reciprocals_of_a_row_as_a_column(x):
    return np.sum(1.0 / x[0, :][None, :].T)


@case(
    "zygote-272",
    "https://github.com/FluxML/Zygote.jl/issues/272",
    title="an element of a view raises in the pullback",
    month="2019-07",
    symptom="raises",
    cause="There was no rule for views; the engine went through what a view is made of, an array and its offsets, and "
    "lost its way in them.",
    at=(np.ones(3),),
    right=(np.array([1.0, 0.0, 0.0]),),
    oracle="closed form: 1 for the element that is read",
    reported=Raises("crash", "TypeError: 'NoneType' object is not iterable"),
    defect=pullback_fails(
        TypeError("'NoneType' object is not iterable"),
        lambda made: isinstance(plain(made.out), np.ndarray) and plain(made.out).base is not None,
    ),
)
def element_of_a_view(x):
    part = x[0:2]
    return part[0]


def of_the_type_of_the_array(sweep, node, like, index, d):
    if not np.can_cast(np.result_type(d), like.dtype):
        raise TypeError("cannot convert a complex number to a float")
    _add_at(sweep, node, like, index, d)


@case(
    "zygote-376",
    "https://github.com/FluxML/Zygote.jl/issues/376",
    title="an element of a real array times i raises an InexactError",
    month="2019-10",
    symptom="raises",
    cause="The cotangent of the element is complex, and the buffer for the gradient had the element type of the "
    "array, which is real.",
    needs=("complex",),
    at=(np.array([0.4, -1.0]),),
    right=(np.array([1.0, 0.0]),),
    oracle="closed form: the imaginary part of ix is x",
    reported=Raises("crash", "TypeError: .*complex"),
    defect=together(handed_on_as_they_are, traced(tape.Sweep, "add_at", of_the_type_of_the_array)),
)
def element_times_i(x):
    return np.real(x[0] * 1j) + np.imag(x[0] * 1j)


def read_only(gradient, seen=None):
    def frozen(array):
        array = array.copy()
        array.flags.writeable = False
        return array

    if isinstance(gradient, list | tuple):
        return type(gradient)(map(read_only, gradient))
    return frozen(gradient) if isinstance(gradient, np.ndarray) else gradient


@case(
    "zygote-989",
    "https://github.com/FluxML/Zygote.jl/pull/989",
    title="the gradient of one entry cannot be written to, and a step of an optimiser fails",
    month="2021-06",
    symptom="raises",
    cause="Where one entry is read, its cotangent stays a lazy array that knows one place and one number; only a sum "
    "of two becomes an array.",
    needs=("nested", "mutation"),
    at=(np.array([0.1, 0.2, 0.3]),),
    right=(np.array([-0.9, 0.2, 0.3]),),
    oracle="closed form: the gradient is 1 for the first entry",
    reported=Raises("crash", "ValueError: .*read-only"),
    asks="value",
    defect=traced(run, "owned", read_only),
)
def step_of_an_optimiser(w, *, ad):
    (step,) = ad.gradient(lambda w: w[0], w)
    step *= -1.0
    return w + step


@case(
    "zygote-1557",
    "https://github.com/FluxML/Zygote.jl/issues/1557",
    title="the gradients of arrays in a list cannot be written to",
    month="2025-02",
    symptom="wrong-value",
    cause="The gradient of the array that one entry is read from is a lazy array of its own type, equal to what it "
    "should be but not assignable; that was judged acceptable.",
    needs=("nested", "containers"),
    at=(np.array([1.2]),),
    right=((np.array([1.0]), True),),
    oracle="closed form: 1 for the entry that is read; a gradient is an ordinary array",
    reported=((np.array([1.0]), False),),
    asks="value",
    defect=traced(run, "owned", read_only),
)
def gradient_in_a_list_is_an_ordinary_array(x, *, ad):
    (found,) = ad.gradient(lambda arrays: arrays[0][0], [x])
    return found[0], found[0].flags.writeable


@case(
    "zygote-766",
    "https://github.com/FluxML/Zygote.jl/issues/766",
    title="a list of indices made by a comprehension raises in the pullback",
    month="2020-08",
    symptom="raises",
    cause="The pullback of a comprehension went through the cotangent of its result, which for whole numbers is None.",
    needs=("containers",),
    at=(3.0,),
    right=(36.0,),
    oracle="closed form: 12x",
    reported=Raises("crash", "TypeError: 'NoneType' object is not iterable"),
    defect=lists_of_constants_fail(TypeError("'NoneType' object is not iterable")),
)
def looked_up_by_a_comprehension(x):
    multiples = np.array([i * x**2 for i in range(1, 4)])
    return np.sum(multiples[[2 - i for i in range(3)]])
