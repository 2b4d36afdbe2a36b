"""What a step captures that somebody else calls: right-hand sides, segments that are recomputed, bodies of loops."""

from __future__ import annotations

from types import FunctionType

import numpy as np

import engine
from engine.traced import checkpoint, storage, tape
from engine.traced.levels import live, plain

from ..case import Raises, case
from ..defects import patched
from ..defects.flow import captured_values_are
from ..defects.state import in_runtime, traced


@case(
    "chainer-5179",
    "https://github.com/chainer/chainer/pull/5179",
    title="recomputing a segment drops the gradient of what it captures",
    month="2018-08",
    symptom="missing-gradient",
    cause="The segment is run again for the way back, and only its explicit arguments were asked for their gradients.",
    needs=("nested",),
    at=(np.ones((3, 2)), np.array([[1.0, 2.0], [3.0, 4.0]])),
    right=(np.array([[3.0, 7.0]] * 3), np.full((2, 2), 3.0)),
    oracle="closed form: the sums of the rows of W, and of the columns of x",
    reported=(np.array([[3.0, 7.0]] * 3), None),
    defect=traced(checkpoint, "_escapes", lambda segment, known, out, level: False),
)
def recomputed_segment_with_captured_weights(x, W, *, ad):
    segment = ad.checkpoint(lambda v: v @ W)
    return np.sum(segment(x))


_jvp, ANGLES = engine.jvp, np.array([1.0, 0.5])


OUTER = np.sin(np.cos(1.0 + ANGLES[0]) + ANGLES[1])


ALONG = np.sin(1.0 + ANGLES[0]) * OUTER, -OUTER


def first_direction_is_kept(f, primals, tangents):
    """What the captured array has for its tangent stays, and is added in the next time."""
    value, tangent = _jvp(f, primals, tangents)
    _, first = _jvp(f, primals, (np.array([1.0, 0.0]),))
    return value, tangent + first


@case(
    "enzymejl-701",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/701",
    title="a loop that starts from a captured array has wrong derivatives in forward mode",
    month="2023-04",
    symptom="wrong-value",
    cause="The captured array had no tangent of its own, and what the loop wrote for it was found there by the other "
    "direction.",
    needs=("nested", "forward"),
    at=(ANGLES,),
    right=(np.array(ALONG),),
    oracle="closed form: the chain rule over two cosines",
    reported=(np.array([2 * ALONG[0], ALONG[0] + ALONG[1]]),),
    asks="value",
    defect=patched(engine, "jvp", first_direction_is_kept),
)
def cosines_of_a_captured_array(p, *, ad):
    x = np.array([1.0])

    def turned(p):
        y = x
        for i in range(len(p)):
            y = np.cos(y + p[i])
        return np.sum(y)

    return np.array([ad.jvp(turned, (p,), (along,))[1] for along in np.eye(2)])


def without_keywords(recomputation, function, args, kwargs, targets, nodes):
    _recomputation(recomputation, function, args, {}, targets, nodes)


_recomputation = checkpoint.Recomputation.__init__


@case(
    "jax-2030",
    "https://github.com/jax-ml/jax/issues/2030",
    title="a checkpointed step with keyword constants, called in a loop, crashes",
    month="2020-01",
    symptom="raises",
    cause="What the recomputed call has besides its positional arguments was not handed on to it through the loop.",
    needs=("nested",),
    at=(2.0,),
    right=(float(3 / np.sqrt(2)),),
    oracle="closed form: three steps, each of which adds x over the root of 2",
    reported=Raises("crash", "TypeError"),
    defect=traced(checkpoint.Recomputation, "__init__", without_keywords),
)
def checkpointed_step_with_keywords(x, *, ad):
    def step(state, *, dt, c):
        u, v = state
        return u, v + c**2 * u * dt

    step = ad.checkpoint(step)
    state = (x, 0.0)
    for _ in range(3):
        state = step(state, dt=1 / np.sqrt(2), c=1)
    return state[1]


def scaled_slot(a, p):
    return 0.0 * p


_apply = tape.Sweep.apply


def all_arguments_have_rules(sweep, operation, d):
    for position, target in enumerate(operation.targets):
        if target is not None and not operation.rule.covers(position):
            raise TypeError(f"unexpected tracer in argument {position}")
    _apply(sweep, operation, d)


@case(
    "jax-2912",
    "https://github.com/jax-ml/jax/issues/2912",
    title="the argument that a rule takes for a constant leaks when it carries a derivative",
    month="2020-05",
    symptom="raises",
    cause="An argument marked as not to be differentiated was captured by the rule in place of being handed to it; "
    "that it may be traced itself was not thought of.",
    needs=("rules",),
    at=(0.2, 0.1),
    rules=[(scaled_slot, {"p": lambda d, out, a, p: a * d})],
    right=(None, 1.2),
    oracle="definition: 1, and a by the rule",
    no_differences="the rule is not the derivative of the function",
    reported=Raises("crash", "TypeError: unexpected tracer"),
    defect=traced(tape.Sweep, "apply", all_arguments_have_rules),
)
def rule_with_an_argument_it_leaves_out(a, p):
    return scaled_slot(a, p) + p


def arguments_only(cell, name):
    value = storage.load_cell(cell, name)
    assert plain(value) is value, "the adjoint sees its arguments only"
    return value


@case(
    "jax-2718",
    "https://github.com/jax-ml/jax/issues/2718",
    title="the right-hand side of a differential equation may not capture what is differentiated for",
    month="2020-04",
    symptom="raises",
    cause="The solver had an adjoint written by hand, and that knows the arguments of the right-hand side; captured "
    "values are none.",
    at=(0.3,),
    right=(-(0.997**99),),
    oracle="closed form: of (1 - x/100) to the power 100",
    reported=Raises("crash", "AssertionError"),
    defect=in_runtime("load_cell", arguments_only),
)
def decay_by_a_captured_rate(x):
    def slope(y):
        return -x * y

    y = 1.0
    for _ in range(100):
        y = y + 0.01 * slope(y)
    return y


def all_are_differentiated(value):
    if isinstance(value, np.ndarray) and value.dtype.kind == "i":
        raise TypeError("an input of dtype int64 has no derivative")
    return value


@case(
    "jax-3584",
    "https://github.com/jax-ml/jax/issues/3584",
    title="indices that a right-hand side captures are taken for parameters to differentiate for",
    month="2020-06",
    symptom="raises",
    cause="To make captured values visible to the adjoint all of them were turned into arguments, integers too, which "
    "have no derivative.",
    at=(np.ones(2),),
    right=(np.full(2, 1.1**10),),
    oracle="closed form: each step multiplies by 1.1",
    reported=Raises("crash", "TypeError: .*int64"),
    defect=captured_values_are(all_are_differentiated),
)
def growth_by_captured_indices(z):
    order = np.array([0, 1])

    def slope(y):
        return np.stack([y[order[0]], y[order[1]]])

    y = z
    for _ in range(10):
        y = y + 0.1 * slope(y)
    return np.sum(y)


def nothing_but_a_captured_variable(cell, name):
    value = storage.load_cell(cell, name)
    if type(value) is not FunctionType and len(live.levels[-1].tape) < 3:
        raise IndexError("list index out of range")
    return value


@case(
    "theano-1647",
    "https://github.com/Theano/Theano/issues/1647",
    title="a loop that only returns a captured variable ends in an IndexError",
    month="2013-12",
    symptom="raises",
    cause="A loop without a sequence and without a state of its own has no inputs but the captured ones, and its "
    "gradient looked at the first of the others.",
    needs=("containers",),
    at=(0.5,),
    right=(3.0,),
    oracle="closed form: 3",
    reported=Raises("crash", "IndexError"),
    defect=in_runtime("load_cell", nothing_but_a_captured_variable),
)
def loop_that_returns_a_captured_variable(w):
    out = [(lambda: w)() for _ in range(2)]
    return out[-1] * 3.0
