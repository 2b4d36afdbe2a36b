"""Second arguments that were forgotten: the target of a loss, the divisor of a remainder."""

from __future__ import annotations

import numpy as np

from ..case import Raises, case
from ..defects import with_rule
from ..defects.shapes import fail
from ..defects.state import by_a_rule, together


def squared_error(x, t):
    return np.mean((x - t) ** 2)


ESTIMATE, WANTED = np.array([1.0, 2.0]), np.array([0.5, 4.0])


@case(
    "pytorch-3876",
    "https://github.com/pytorch/pytorch/pull/3876",
    title="the target of a squared error has a gradient of zeros, silently",
    month="2017-11",
    symptom="missing-gradient",
    cause="The loss was one operation with a rule for the estimate, which for the target returned zeros in the place "
    "of an error.",
    at=(ESTIMATE, WANTED),
    right=(ESTIMATE - WANTED, WANTED - ESTIMATE),
    oracle="closed form: 2 (x - t) / n, and minus that",
    reported=(ESTIMATE - WANTED, np.zeros(2)),
    defect=by_a_rule(
        squared_error,
        x=lambda d, out, x, t: d * 2 * (x - t) / x.size,
        t=lambda d, out, x, t: np.zeros_like(t),
    ),
)
def squared_error_of_a_target(x, t):
    return squared_error(x, t)


def smooth_error(x, t):
    distance = np.abs(x - t)
    return np.mean(np.where(distance < 1, 0.5 * distance**2, distance - 0.5))


@case(
    "pytorch-44486",
    "https://github.com/pytorch/pytorch/pull/44486",
    "https://github.com/pytorch/pytorch/pull/44471",
    "https://github.com/pytorch/pytorch/issues/43228",
    "https://github.com/pytorch/pytorch/issues/12933",
    title="a loss of means becomes one of sums when its target is differentiated",
    month="2018-10",
    symptom="wrong-value",
    cause="A target with a derivative went another way through the code, and there the reduction, called by its older "
    "name, was taken for the sum.",
    at=(np.array([1.0, 2.0, -3.0]), np.array([0.5, 4.0, 0.0])),
    right=(np.array([0.5, -1.0, -1.0]) / 3, np.array([-0.5, 1.0, 1.0]) / 3),
    oracle="closed form: the error over n where it is below 1, else its sign over n",
    reported=(np.array([0.5, -1.0, -1.0]), np.array([-0.5, 1.0, 1.0])),
    defect=with_rule(np.mean, a=lambda d, out, a, axis=None: d * np.ones(np.shape(a))),
)
def smooth_error_of_a_target(x, t):
    return smooth_error(x, t)


def cross_entropy(x, t):
    return -np.mean(t * np.log(x) + (1 - t) * np.log(1 - x))


SHARES = np.array([0.5, 0.25])


@case(
    "pytorch-56683",
    "https://github.com/pytorch/pytorch/issues/56683",
    title="the cross-entropy refuses a target that carries a derivative",
    month="2021-04",
    symptom="raises",
    cause="The loss was one operation with a rule for the estimate, and said so as soon as it met a target with a "
    "derivative, whether that was asked for or not.",
    at=(SHARES, np.array([0.5, 0.5])),
    right=((SHARES - 0.5) / (2 * SHARES * (1 - SHARES)), np.log((1 - SHARES) / SHARES) / 2),
    oracle="closed form: (x - t) / (n x (1 - x)), and the log of the odds against, over n",
    reported=Raises("crash", "NotImplementedError: the derivative for 'target'"),
    defect=by_a_rule(
        cross_entropy,
        x=lambda d, out, x, t: d * (x - t) / (x.size * x * (1 - x)),
        t=lambda d, out, x, t: fail(NotImplementedError("the derivative for 'target' is not implemented")),
    ),
)
def cross_entropy_of_a_target(x, t):
    return cross_entropy(x, t)


@case(
    "pytorch-69908",
    "https://github.com/pytorch/pytorch/pull/69908",
    title="remainders have no derivative by the divisor",
    month="2021-12",
    symptom="missing-gradient",
    cause="The rules had the derivative by the dividend alone.",
    at=(np.array([5.0, -7.0]), np.array([3.0, 2.5])),
    right=(np.array([3.0, 3.0]), np.array([-3.0, 8.0])),
    oracle="closed form: 1 and twice 1; minus the quotient, rounded to zero and twice rounded down",
    reported=(np.array([3.0, 3.0]), None),
    defect=together(with_rule(np.fmod, x=lambda d, out, x, y: d), with_rule(np.remainder, x=lambda d, out, x, y: d)),
)
def remainders_of_both_kinds(x, y):
    return np.sum(np.fmod(x, y) + 2 * np.remainder(x, y))
