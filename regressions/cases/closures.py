"""Captured variables: read, rebound and shared by inner functions, globals, partial functions and defaults."""

from __future__ import annotations

from contextlib import contextmanager
from types import FunctionType

import numpy as np

import engine
from engine.traced import checkpoint, storage, tape
from engine.traced.calls import call
from engine.traced.levels import live, plain
from engine.traced.runtime import store_global

from ..case import Growth, Raises, case
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
