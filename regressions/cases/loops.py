"""Loops: variables that change from one iteration to the next, and which of their values the way back needs."""

from __future__ import annotations

import operator

import numpy as np

from ..case import Raises, case
from ..defects import on_traced_tier, with_rule
from ..defects.flow import (
    assigned_one_after_the_other,
    cotangents_of_iterations_are_kept,
    known_after_one_round,
    loops_keep_their_initial_values,
    operands_of_the_last_iteration,
    reverse_of_a_loop_fails,
)


@case(
    "warp-174",
    "https://github.com/NVIDIA/warp/issues/174",
    title="a variable squared again and again has the derivative of its later values",
    month="2024-01",
    symptom="wrong-value",
    cause="The reverse loop read the variable as it was after each assignment; nothing had kept the value that the "
    "product was made from.",
    at=(1.5,),
    right=(8 * 1.5**7,),
    oracle="closed form: of x to the power 8",
    reported=(8 * 1.5**14,),
    defect=on_traced_tier(with_rule(operator.mul, a=lambda d, out, a, b: d * out, b=lambda d, out, a, b: d * out)),
)
def squared_three_times(x):
    y = x
    for _ in range(3):
        y = y * y
    return y


def rates(x):
    tanhs, exps = [x], [x]
    for _ in range(3):
        tanhs.append(np.tanh(tanhs[-1]))
        exps.append(np.exp(-exps[-1]))
    return np.array(tanhs[1:]), np.array(exps[1:])


TANHS, EXPS = rates(0.7)


@case(
    "quadrants-501",
    "https://github.com/Genesis-Embodied-AI/quadrants/pull/501",
    title="tanh repeated in a loop has the slope of its last iteration in all of them",
    month="2026-04",
    symptom="wrong-value",
    cause="The derivatives of tanh and exp were written with their results, and only operands were kept for each "
    "iteration: of the results there was the last.",
    at=(np.float64(0.7),),
    right=(np.prod(1 - TANHS**2) - np.prod(EXPS),),
    oracle="closed form: the product of 1 - tanh² less that of the exponentials",
    reported=((1 - TANHS[-1] ** 2) ** 3 - EXPS[-1] ** 3,),
    defect=operands_of_the_last_iteration,
)
def tanh_and_exp_repeated(x):
    squashed = decayed = x
    for _ in range(3):
        squashed = np.tanh(squashed)
        decayed = np.exp(-decayed)
    return squashed + decayed


def of_power_14(x, kept):
    """By hand; `kept`: each iteration adds what it finds to the cotangent that it started with."""
    starts = [1.0]
    for _ in range(3):
        starts.append((starts[-1] * x) ** 2)
    d = dx = 0.0
    d = 1.0
    for start in reversed(starts[:3]):
        through = d * 2 * start * x
        dx += through * start
        d = kept * d + through * x
    return dx


@case(
    "swift-78264",
    "https://github.com/swiftlang/swift/issues/78264",
    title="a loop with its condition at the end multiplies the gradient up",
    month="2024-12",
    symptom="wrong-value",
    cause="Where body and condition are one block, the cotangent of the accumulated value was not cleared at the end "
    "of an iteration, and the next one added to it.",
    at=(1.1,),
    right=(14 * 1.1**13,),
    oracle="closed form: of x to the power 14",
    reported=(of_power_14(1.1, kept=1),),
    defect=cotangents_of_iterations_are_kept,
)
def loop_with_its_condition_at_the_end(x):
    result, i = 1.0, 0
    while True:
        result = result * x
        result = result * result
        i += 1
        if not i < 3:
            break
    return result


@case(
    "warp-140",
    "https://github.com/NVIDIA/warp/issues/140",
    title="a factor applied after a loop has no gradient, since the loop's sum is taken to be zero",
    month="2023-08",
    symptom="missing-gradient",
    cause="The reverse pass does not run the loop again, and finds the sum with the value that it had before.",
    at=(1.0,),
    right=(5.5,),
    oracle="closed form: the sum of the weighted inputs",
    reported=(0.0,),
    defect=loops_keep_their_initial_values,
)
def weighted_sum_times_a_factor(c):
    total = 0.0
    for j in range(2):
        total = total + (2.0 + j) * (0.5 + j)
    return total * c


@case(
    "warp-1694",
    "https://github.com/NVIDIA/warp/issues/1694",
    title="a variable made before a loop and used after it loses its part of the gradient",
    month="2026-07",
    symptom="wrong-value",
    cause="The product after the loop is differentiated with the sum as it was before the loop: zero, which is then "
    "the slope for the other factor.",
    at=(2.0,),
    right=(36.0,),
    oracle="closed form: of 9x²",
    reported=(18.0,),
    defect=loops_keep_their_initial_values,
)
def sum_times_what_was_there_before(x):
    b = x * 3.0
    total = 0.0
    for _ in range(3):
        total = total + x
    return total * b


@case(
    "warp-1740",
    "https://github.com/NVIDIA/warp/issues/1740",
    title="the reciprocal of a sum made in a loop has the derivative -inf",
    month="2026-08",
    symptom="nan-inf",
    cause="The division is differentiated with the sum as it was before the loop: zero.",
    at=(np.array([2.0]),),
    right=(np.array([-1 / 12]),),
    oracle="closed form: -1 / (3x²)",
    reported=(np.array([-np.inf]),),
    defect=loops_keep_their_initial_values,
)
def reciprocal_of_a_sum(x):
    total = np.zeros_like(x)
    for _ in range(3):
        total = total + x
    return np.sum(1.0 / total)


GAINS = [2.0, 0.0, -3.0]


@case(
    "warp-1552",
    "https://github.com/NVIDIA/warp/issues/1552",
    title="a running maximum in a loop with `continue` has the gradient of its last iteration",
    month="2026-06",
    symptom="wrong-value",
    cause="The reverse loop decides the comparison once more, with the variables as the loop has left them, and finds "
    "the last iteration in the place of the one that won.",
    at=(np.array([1.0, -2.0]),),
    right=(np.array([2.0, -3.0]),),
    oracle="closed form: the gain that wins for each",
    reported=(np.array([-3.0, -3.0]),),
    defect=operands_of_the_last_iteration,
)
def best_gain_for_each_input(x):
    out = 0.0
    for t in range(2):
        best = -1e20
        for gain in GAINS:
            if gain == 0.0:
                continue
            v = x[t] * gain
            if v > best:
                best = v
        out = out + best
    return out


@case(
    "jax-9567",
    "https://github.com/jax-ml/jax/issues/9567",
    title="a loop variable that begins as a constant is taken for one, and the gradient is zero",
    month="2022-02",
    symptom="missing-gradient",
    cause="Whether an input carries a derivative was asked when the loop's body had been looked at once; from the "
    "second iteration on the answer is another one.",
    at=(2.0,),
    right=(12.0,),
    oracle="closed form: 3x²",
    reported=(None,),
    defect=known_after_one_round,
)
def power_begun_at_one(x):
    y = 1.0
    for _ in range(3):
        z = y * x
        y = z
    return y


@case(
    "zygote-796",
    "https://github.com/FluxML/Zygote.jl/issues/796",
    title="a loop that assigns two variables at once has a wrong derivative, silently",
    month="2020-09",
    symptom="wrong-value",
    cause="The cotangents of two variables that trade places in each iteration were copied one after the other, so "
    "that the second copy read what the first had written.",
    at=(1024.0,),
    right=(sum((-0.5) ** k for k in range(31)),),
    oracle="closed form: in each of the 30 iterations the derivative moves back by half its last step, from 1 on",
    reported=(1.0,),
    defect=assigned_one_after_the_other,
)
def means_of_the_last_two(z):
    x, y = 1.0, 1.0 + z
    while abs(x - y) > 1e-6:
        y, x = (x + y) / 2, y
    return y


@case(
    "zygote-1198",
    "https://github.com/FluxML/Zygote.jl/issues/1198",
    title="a loop that only swaps its variables has no gradient",
    month="2022-04",
    symptom="missing-gradient",
    cause="On the way back a swap was carried out as two copies; the first overwrites the seed.",
    at=(1.0,),
    right=(2.0,),
    oracle="closed form: three swaps leave 2x in the first place",
    reported=(0.0,),
    defect=assigned_one_after_the_other,
)
def swapped_three_times(x):
    a, b = x, 2 * x
    for _ in range(3):
        a, b = b, a
    return a


@case(
    "drjit-536",
    "https://github.com/mitsuba-renderer/drjit/issues/536",
    title="a loop variable that the body hands on unchanged makes the reverse pass raise",
    month="2026-08",
    symptom="raises",
    cause="The cotangent of a variable that the loop does not touch was never made to match it.",
    at=(2.0,),
    right=(4.0,),
    oracle="closed form: 2x",
    reported=Raises("crash", "RuntimeError"),
    defect=reverse_of_a_loop_fails(
        RuntimeError("the variable is not permitted in this schedule"),
        lambda loop: any(c.next is c.param for c in loop.carried),
    ),
)
def variable_handed_on(x):
    i, v, w = 0, 1.0, 2.0
    while i < 2:
        i, v, w = i + 1, v * x, w
    return v
