"""Borders and windows: padding, convolution, pooling, differences of neighbours."""

from __future__ import annotations

import operator

import numpy as np

from ..case import Raises, case
from ..defects import with_rule, without_rule
from ..defects.shapes import handed_on_as_they_are, parts_overwrite
from ..defects.state import by_a_rule, together, with_procedure

SQUARE = np.array([[1.0, 2.0], [3.0, -1.0]])


@case(
    "autograd-429",
    "https://github.com/HIPS/autograd/issues/429",
    title="pad has no gradient",
    month="2018-09",
    symptom="raises",
    cause="There was no rule; the first one that was written cut the borders off by slice(before, -after), which "
    "leaves nothing where there is no border after.",
    at=(SQUARE,),
    right=(2 * SQUARE + 1,),
    oracle="closed form: 2x + 1",
    reported=Raises("foreign-call", "pad"),
    defect=without_rule(np.pad),
)
def borders_of_zeros(x):
    return np.sum(np.pad(x, ((1, 0), (2, 3)), "constant") ** 2) + np.sum(np.pad(x, 1, "constant"))


FACTORS = np.arange(27.0).reshape(3, 3, 3)
SHIFTED = np.pad(FACTORS[:, :2], ((0, 0), (1, 0), (0, 0)))


@case(
    "mxnet-19043",
    "https://github.com/apache/mxnet/issues/19043",
    title="the gradient of pad is one, whatever comes after it",
    month="2020-08",
    symptom="wrong-value",
    cause="The rule wrote ones where it should have copied the inner part of the cotangent.",
    at=(np.ones((3, 3, 3)),),
    right=(SHIFTED,),
    oracle="closed form: the factors, moved by the one row that is cut off",
    reported=(np.pad(np.ones((3, 2, 3)), ((0, 0), (1, 0), (0, 0))),),
    defect=with_rule(np.pad, array=lambda d, out, array, pad_width, mode: np.ones(np.shape(array))),
)
def shifted_by_a_row(a):
    return np.sum(np.pad(a[:, 1:], ((0, 0), (0, 1), (0, 0)), "constant") * FACTORS)


def cut(d, array, pad_width):
    low, high = zip(*[(pad_width, pad_width) for _ in np.shape(array)], strict=True)
    return d[tuple(slice(a, -b or None) for a, b in zip(low, high, strict=True))]


@case(
    "jax-10930",
    "https://github.com/jax-ml/jax/pull/10930",
    title="padding an array without axes: the gradient raises",
    month="2022-06",
    symptom="raises",
    cause="The pairs of widths are transposed into a list of first and a list of second ones, and from no pairs there "
    "come no lists.",
    at=(np.array(3.0),),
    right=(np.array(2.0),),
    oracle="closed form: there is nothing to pad",
    reported=Raises("crash", "ValueError: not enough values to unpack"),
    defect=with_rule(np.pad, array=lambda d, out, array, pad_width, mode: cut(d, array, pad_width)),
)
def array_without_axes_padded(x):
    return 2.0 * np.pad(x, 0, "constant")


def correlated(d, a):
    low, high = zip(*[(n - 1, n - 1) for n in np.shape(a)[2:]], strict=True)
    return np.swapaxes(np.pad(a, (low, high)), -1, -2) @ d


POINTS = np.arange(6.0).reshape(2, 3)


@case(
    "jax-7240",
    "https://github.com/jax-ml/jax/pull/7240",
    title="a convolution without spatial axes, which is a product of matrices, has no gradient",
    month="2021-07",
    symptom="raises",
    cause="The pullback works out how to pad from the spatial axes, as pairs for each, and could not take a list of "
    "pairs apart that is empty.",
    at=(np.ones((3, 2)),),
    right=(np.array([[72.0, 72.0], [102.0, 102.0], [132.0, 132.0]]),),
    oracle="closed form: 2 Xᵀ X w",
    reported=Raises("crash", "ValueError: not enough values to unpack"),
    defect=with_rule(operator.matmul, a=lambda d, out, a, b, /: d @ b.T, b=lambda d, out, a, b, /: correlated(d, a)),
)
def convolution_without_spatial_axes(w):
    return np.sum((POINTS @ w) ** 2)


def full_or_valid(a, v, mode="full"):
    if mode == "same":
        raise NotImplementedError("the gradient of convolve with mode 'same'")
    return np.convolve(a, v, mode)


KERNEL, SEEN = np.array([1.0, 2.0, 4.0]), np.array([1.0, -1.0, 2.0, 0.5])


@case(
    "autograd-721",
    "https://github.com/HIPS/autograd/pull/721",
    title="convolve with mode 'same' cannot be differentiated",
    month="2025-07",
    symptom="raises",
    cause="The rule had been worked out for the full and the valid part of a convolution; where the middle begins "
    "depends on whether the kernel is of even length.",
    at=(np.array([1.0, 2.0, 3.0, 4.0]),),
    right=(np.convolve(SEEN, KERNEL[::-1], "same"),),
    oracle="closed form: the weights, convolved with the reversed kernel",
    reported=Raises("crash", "NotImplementedError: the gradient of convolve"),
    defect=with_procedure(np.convolve, full_or_valid),
)
def middle_of_a_convolution(x):
    return np.sum(np.convolve(x, KERNEL, mode="same") * SEEN)


def convolution(x, w, stride):
    places = range((len(x) - len(w)) // stride + 1)
    return np.stack([np.dot(x[stride * i : stride * i + len(w)], w) for i in places])


def by_stride_one(d, x, w):
    bar = np.zeros(len(x))
    for i in range(len(x) - len(w) + 1):
        bar[i : i + len(w)] += d[i] * w
    return bar


SIGNAL, FILTER = np.array([1.0, -2.0, 0.3, 0.5, 4.0, 2.0, 1.0]), np.array([0.5, -1.0, 2.0])
TWICE = 2 * np.array([np.dot(SIGNAL[i : i + 3], FILTER) for i in (0, 2, 4)])


@case(
    "flux-188",
    "https://github.com/FluxML/Flux.jl/issues/188",
    title="the gradient of a convolution with a stride is out of bounds",
    month="2018-02",
    symptom="raises",
    cause="The stride was not handed on to the pullback, which then asks for one entry of the cotangent a place, more "
    "than there are.",
    at=(SIGNAL, FILTER),
    right=(
        sum(np.pad(d * FILTER, (i, 4 - i)) for d, i in zip(TWICE, (0, 2, 4), strict=True)),
        sum(d * SIGNAL[i : i + 3] for d, i in zip(TWICE, (0, 2, 4), strict=True)),
    ),
    oracle="closed form: each result puts the kernel, and the window, where it took them",
    reported=Raises("crash", "IndexError: index 3 is out of bounds"),
    defect=by_a_rule(convolution, x=lambda d, out, x, w, stride: by_stride_one(d, x, w)),
)
def convolution_with_a_stride(x, w):
    return np.sum(convolution(x, w, stride=2) ** 2)


@case(
    "flux-1197",
    "https://github.com/FluxML/Flux.jl/issues/1197",
    "https://github.com/FluxML/NNlib.jl/issues/205",
    title="an entry that is the maximum of several windows gets the gradient of one of them",
    month="2020-05",
    symptom="wrong-value",
    cause="The pullback of pooling set the cotangent at the maximum of each window, where it has to add it: windows "
    "overlap.",
    at=(np.array([[1.0, 9.0, 2.0], [3.0, 4.0, 8.0], [7.0, 5.0, 6.0]]),),
    right=(np.array([[0.0, 2.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]),),
    oracle="closed form: the number of windows that an entry wins",
    reported=(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]),),
    defect=parts_overwrite,
)
def maxima_of_overlapping_windows(x):
    total = 0.0
    for i in range(2):
        for j in range(2):
            total = total + x[i : i + 2, j : j + 2].max()
    return total


@case(
    "nnlib-133",
    "https://github.com/FluxML/NNlib.jl/issues/133",
    title="the gradient of pooling with a border lands in other cells",
    month="2019-09",
    symptom="wrong-value",
    cause="The pullback counted the places of the winners from the corner of the border, and put the cotangents there "
    "in the array without it; what falls outside is lost.",
    at=(np.arange(1.0, 10.0).reshape(3, 3).T,),
    right=(np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]]),),
    oracle="closed form: 1 for the largest entry in each window",
    reported=(np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]),),
    defect=with_rule(np.pad, array=lambda d, out, array, pad_width, mode, *, constant_values: d[:3, :3]),
)
def maxima_of_windows_over_the_border(x):
    padded = np.pad(x, 1, "constant", constant_values=-np.inf)
    total = 0.0
    for i in (0, 2):
        for j in (0, 2):
            total = total + padded[i : i + 2, j : j + 2].max()
    return total


def neighbours(d, out, a, n=1, axis=-1):
    d = np.broadcast_to(d, np.shape(out))
    return np.concatenate([-d[:1], -np.diff(d), d[-1:]])


@case(
    "autograd-78",
    "https://github.com/HIPS/autograd/issues/78",
    title="the gradient of the differences of a vector of one element is empty",
    month="2015-12",
    symptom="wrong-shape",
    cause="The rule joins the first cotangent, their differences and the last one; of no differences at all there is "
    "neither a first nor a last.",
    at=(np.array([0.0667]),),
    right=(np.array([0.0]),),
    oracle="closed form: a sum of nothing",
    reported=(np.zeros(0),),
    defect=together(with_rule(np.diff, a=neighbours), handed_on_as_they_are),
)
def differences_of_one_element(x):
    return np.sum(np.diff(x))


def first_row_alone(d, out, a, n=1, axis=-1):
    return np.stack([np.concatenate([-row[:1], -np.diff(row), row[-1:]]) for row in d]) * np.array([[1.0], [0.0]])


@case(
    "enzymejl-1119",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/1119",
    title="differences along the rows of a small matrix that is written out: 1 for 3",
    month="2023-10",
    symptom="wrong-value",
    cause="Of the two entries of the matrix that depend on the number, one had no part in the derivative; a later "
    "version of the compiler no longer showed it.",
    at=(2.0,),
    right=(3.0,),
    oracle="closed form: of x + (2x - 1)",
    reported=(1.0,),
    defect=with_rule(np.diff, a=first_row_alone),
)
def differences_along_rows(x):
    return np.sum(np.diff(np.array([[0.0, x], [1.0, 2 * x]]), axis=1))
