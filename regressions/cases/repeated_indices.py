"""Look-ups and scatters by arrays of indices: what is named twice gets both, what is out of range nothing new."""

from __future__ import annotations

import operator

import numpy as np

from engine.rules import indexing, shape
from engine.traced import arrays, tape

from ..case import Raises, case
from ..defects import with_rule, without_rule
from ..defects.orders import with_new_rule
from ..defects.shapes import fails_on_the_way_back, parts_overwrite
from ..defects.state import by_a_rule, traced, with_procedure


@case(
    "autograd-39",
    "https://github.com/HIPS/autograd/issues/39",
    "https://github.com/FluxML/Tracker.jl/pull/2",
    "https://github.com/pytorch/pytorch/issues/1631",
    "https://github.com/pytorch/pytorch/issues/1528",
    "https://github.com/invenia/Nabla.jl/issues/139",
    title="an entry that is looked up twice gets the gradient of one look-up",
    month="2015-08",
    symptom="wrong-value",
    cause="The pullback adds by x[index] += d, or sets x[index] = d; both write an entry once, however often the "
    "index names it.",
    at=(np.array([1.0, 2.0, 3.0]),),
    right=(np.array([4.0, 0.0, 6.0]),),
    oracle="closed form: 2x for each time an entry is looked up",
    reported=(np.array([2.0, 0.0, 6.0]),),
    defect=parts_overwrite,
)
def entry_looked_up_twice(x):
    return np.sum(x[np.array([0, 0, 2])] ** 2)


TABLE, PLACES = np.arange(12.0).reshape(4, 3), np.array([[0, 2], [2, 1]])


def assigned(d, a, index):
    bar = np.zeros_like(a)
    bar[PLACES.ravel()] = d
    return bar


@case(
    "zygote-256",
    "https://github.com/FluxML/Zygote.jl/pull/256",
    title="looking rows up by a matrix of indices raises in the pullback",
    month="2019-12",
    symptom="raises",
    cause="The pullback set the rows of a matrix to a cotangent with one axis more, that of the second axis of the "
    "indices, which was not flattened.",
    at=(TABLE,),
    right=(2 * TABLE * np.array([[1.0], [1.0], [2.0], [0.0]]),),
    oracle="closed form: 2x for each time a row is looked up",
    reported=Raises("crash", "ValueError: shape mismatch"),
    defect=traced(tape.Sweep, "add_at", lambda sweep, node, like, index, d: assigned(d, like, index)),
)
def rows_looked_up_by_a_matrix(x):
    return np.sum(x[PLACES, :] ** 2)


_reverse = arrays.ArrayStore.reverse


def unless_all_are_zero(store, sweep):
    buffer = sweep.shadows[id(store.array)]
    if not np.any(buffer[store.index]):
        raise TypeError("'Zero' object is not subscriptable")
    _reverse(store, sweep)


@case(
    "jax-776",
    "https://github.com/jax-ml/jax/issues/776",
    title="adding into an array at indices that are not read again: the pullback raises",
    month="2019-05",
    symptom="raises",
    cause="A result that nothing reads has a symbolic zero for its cotangent, and the rule looked entries up in it as "
    "in an array.",
    needs=("mutation",),
    at=(np.ones(3),),
    right=(np.zeros(3),),
    oracle="closed form: the entry that is read is none of those",
    reported=Raises("crash", "TypeError: 'Zero' object is not subscriptable"),
    defect=traced(arrays.ArrayStore, "reverse", unless_all_are_zero),
)
def entries_added_and_not_read(u):
    y = np.ones(10)
    np.add.at(y, [2, 4, 5], u)
    return 7.0 + 0.0 * y[0]


ROWS = np.repeat(np.arange(3), 10).reshape(30, 1)


@case(
    "jax-1521",
    "https://github.com/jax-ml/jax/issues/1521",
    title="take_along_axis over an axis that is stretched loses most of the gradient",
    month="2019-10",
    symptom="wrong-value",
    cause="The look-up used the numbers of all rows on the axis of length one; forwards they were clamped to it, and "
    "on the way back those out of range were dropped.",
    at=(1.0,),
    right=(30.0,),
    oracle="closed form: ten times 0 + 1 + 2",
    reported=(0.0,),
    defect=with_rule(np.broadcast_to, array=lambda d, out, array, shape: d[:1]),
)
def looked_up_along_rows_of_one_row(x):
    y = x * np.arange(3.0).reshape(1, 3)
    return np.sum(np.take_along_axis(np.broadcast_to(y, (30, 3)), ROWS, axis=-1))


def dropped(d, out, a, indices, axis=None, *, mode="raise"):
    inside = indices < len(a)
    return indexing.scatter(d[inside], a, indices[inside])


@case(
    "jax-25878",
    "https://github.com/jax-ml/jax/issues/25878",
    title="a look-up out of range, clamped to the last entry, has a row of zeros in the Jacobian",
    month="2025-01",
    symptom="missing-gradient",
    cause="Vectorised, the look-up clamps the index on the way forward, and its transpose drops what is out of range.",
    needs=("nested",),
    at=(np.array([1.0]),),
    right=(np.array([[1.0], [1.0]]),),
    oracle="closed form: both look-ups read the only entry",
    reported=(np.array([[0.0], [1.0]]),),
    asks="value",
    defect=with_rule(np.take, a=dropped),
)
def jacobian_of_clamped_look_ups(x, *, ad):
    return ad.jacobian(lambda x: np.take(x, np.array([1, 0]), mode="clip"))(x)


@case(
    "jax-34228",
    "https://github.com/jax-ml/jax/issues/34228",
    title="the gradient of an entry whose index is clamped into range is 0",
    month="2026-01",
    symptom="missing-gradient",
    cause="A batch of slices became one look-up with indices, in a mode that discards those out of range in the "
    "pullback; the slices themselves clamp.",
    at=(np.array([[1.0], [2.0]]),),
    right=(np.array([[1.0], [1.0]]),),
    oracle="closed form: every row has one entry, and that is read",
    reported=(np.array([[0.0], [0.0]]),),
    defect=with_rule(np.take, a=lambda d, out, a, indices, axis=None, *, mode="raise": 0 * a if indices > 0 else d),
)
def clamped_entry_of_each_row(x):
    return np.sum(np.take(x, 1, axis=1, mode="clip"))


SEGMENTS, FACTORS = np.array([0, 1, 5, 1]), np.array([1.0, 10.0])


def sums_by_segment(d, segments, count):
    out = np.zeros(count)
    for k, segment in enumerate(segments):
        if segment < count:
            out[segment] += d[k]
    return out


@case(
    "jax-8634",
    "https://github.com/jax-ml/jax/issues/8634",
    title="an entry of no segment gets the gradient of the last one",
    month="2021-11",
    symptom="wrong-value",
    cause="Forwards, an entry whose segment is out of range is dropped; the pullback looks its cotangent up with the "
    "index clamped.",
    needs=("mutation",),
    at=(np.array([1.0, 2.0, 3.0, 4.0]),),
    right=(np.array([1.0, 10.0, 0.0, 10.0]),),
    oracle="closed form: the factor of the segment that an entry is counted in",
    reported=(np.array([1.0, 10.0, 10.0, 10.0]),),
    defect=with_new_rule(sums_by_segment, d=lambda bar, out, d, segments, count: np.take(bar, segments, mode="clip")),
)
def weighted_sums_of_segments(d):
    return np.sum(sums_by_segment(d, SEGMENTS, 2) * FACTORS)


def raised_to(y, updates, index):
    y = y.copy()
    for k, i in enumerate(index):
        j = min(i, len(y) - 1)
        y[j] = np.maximum(y[j], updates[k])
    return y


def share_of_updates(d, out, updates, index):
    inside = [i for i in index if i < len(out)]
    with np.errstate(divide="ignore"):
        counts = np.array([float(inside.count(i)) for i in index])
        return np.take(d, index, mode="clip") * (np.take(out, index, mode="clip") == updates) / counts


@case(
    "jax-40648",
    "https://github.com/jax-ml/jax/pull/40648",
    title="the maximum with updates at clamped indices has an infinite gradient",
    month="2026-09",
    symptom="nan-inf",
    cause="The rule counts how many updates share an entry by a look-up of its own, without clamping; it finds none, "
    "and divides by that.",
    needs=("mutation",),
    at=(np.array([1.0, 5.0, 2.0]), np.array([3.0, 4.0])),
    right=(np.array([1.0, 10.0, 0.0]), np.array([0.0, 100.0])),
    oracle="closed form: the factor, for the larger of the entry and its update",
    reported=(np.array([1.0, 10.0, 0.0]), np.array([0.0, np.inf])),
    defect=with_new_rule(
        raised_to,
        y=lambda d, out, y, updates, index: d * (out == y),
        updates=lambda d, out, y, updates, index: share_of_updates(d, out, updates, index),
    ),
)
def larger_of_entries_and_clamped_updates(y, updates):
    return np.sum(raised_to(y, updates, [1, 7]) * np.array([1.0, 10.0, 100.0]))


BINS = np.array([2, 0, 1, 1])


def combined(values, combine):
    """Bins that start at 1, each combined with the values that belong to it."""
    bins = [1.0, 1.0, 1.0]
    for i, value in zip(BINS, values, strict=True):
        bins[i] = combine(bins[i], value)
    return np.array(bins)


def places_taken_apart(d, out, values, combine):
    return np.array([d[i] * out[i] / value for (i,), value in zip(BINS, values, strict=True)])


@case(
    "nnlib-703",
    "https://github.com/FluxML/NNlib.jl/issues/703",
    title="multiplying or dividing bins by the entries that belong to them: the gradient raises",
    month="2026-06",
    symptom="raises",
    cause="The rule takes each index apart into one number an axis, and for bins along one axis an index is a number.",
    needs=("containers",),
    at=(np.array([10.0, 100.0, 1000.0, 1.0]), np.array([2.0, 4.0, 5.0, 10.0])),
    right=(np.array([1.0, 1.0, 1.0, 1000.0]), np.array([-0.25, -0.0625, -0.004, -0.002])),
    oracle="closed form: the product of the others in the bin; minus the bin over the divisor",
    reported=Raises("crash", "TypeError: cannot unpack non-iterable numpy.int64 object"),
    defect=by_a_rule(combined, values=places_taken_apart),
)
def bins_multiplied_and_divided(factors, divisors):
    return np.sum(combined(factors, operator.mul)) + np.sum(combined(divisors, operator.truediv))


@case(
    "jax-1104",
    "https://github.com/jax-ml/jax/issues/1104",
    title="storing at indices that are computed from the argument raises",
    month="2019-08",
    symptom="raises",
    cause="Turning floats into whole numbers did not end the derivative: the indices still carried one, and the store "
    "has no rule for the derivative by its indices.",
    needs=("mutation",),
    at=(np.array([1.5, 2.5, 3.5]),),
    right=(np.ones(3),),
    oracle="closed form: every entry is stored once",
    reported=Raises("crash", "NotImplementedError: the derivative of a store by its indices"),
    defect=with_procedure(
        shape.astype,
        fails_on_the_way_back(
            lambda x, dtype: x.astype(dtype), NotImplementedError("the derivative of a store by its indices")
        ),
    ),
)
def stored_at_computed_places(x):
    y = np.zeros(3)
    y[(x - 1).astype(np.int32)] = x
    return np.sum(y)


@case(
    "autograd-71",
    "https://github.com/HIPS/autograd/issues/71",
    "https://github.com/google/tangent/issues/32",
    title="indices made by np.int64 or np.int32 from what carries a derivative raise",
    month="2015-11",
    symptom="raises",
    cause="The types of whole numbers were not among the functions that have no derivative, and were called with what "
    "carries one, or had no rule.",
    at=(np.arange(10.0).reshape(5, 2) / 10 + np.array([0.0, 1.0]),),
    right=(np.array([[0.0, 0.0], [2.0, 14.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]),),
    oracle="closed form: 10 times the row that all five look-ups read, and 1 for the entry in the last column",
    reported=Raises("foreign-call", "int64"),
    defect=without_rule(np.int64, np.int32),
)
def rows_looked_up_by_their_last_entry(W):
    with_ones = np.concatenate((W, np.ones((5, 1))), axis=1)
    rows = with_ones[:, :-1][np.int64(with_ones[:, -1])]
    return np.sum(rows**2) + W[np.int32(W[0, 1])][1]
