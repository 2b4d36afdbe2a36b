"""Rules that are asked more than once: in loops, by a pullback that is called twice, and at the next level."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np

from engine.traced import calls, run, tape
from engine.traced.levels import live, plain

from ..case import Raises, case
from ..defects.state import traced


def passed_on(x):
    return x * 1.0


pull = run.Pullback.__call__


def once(pullback, d):
    if hasattr(pullback, "spent"):
        raise RuntimeError("the store of this pullback is empty")
    pullback.spent = True
    return pull(pullback, d)


@case(
    "jax-14728",
    "https://github.com/jax-ml/jax/pull/14728",
    title="the pullback of a function with a rule of its own can be called once only",
    month="2023-03",
    symptom="raises",
    cause="What the rule had saved was handed over in a place that the first call empties.",
    needs=("nested", "rules"),
    at=(np.array([3.0]),),
    rules=[(passed_on, {"x": lambda d, out, x: d})],
    right=((np.array([3.0]), np.array([3.0])),),
    oracle="definition: a pullback is a function of its cotangent",
    reported=Raises("crash", "store"),
    asks="value",
    defect=traced(run.Pullback, "__call__", once),
)
def pullback_called_twice(x, *, ad):
    _, back = ad.vjp(passed_on, x)
    return back(np.array([3.0]))[0], back(np.array([3.0]))[0]


ASKED = []


def followed(x):
    return x * 1.0


def noted(d, out, x):
    ASKED.append(x)
    return d


pulled = tape.Sweep.pulled


def searched(sweep, operation, pullback, d):
    pulled(sweep, operation, pullback, d)
    return pulled(sweep, operation, pullback, d)


@case(
    "jax-16614",
    "https://github.com/jax-ml/jax/issues/16614",
    title="a rule is run more often than the function it belongs to is called",
    month="2023-07",
    symptom="slow",
    cause="A loop was traced again and again until the types of what it carries settled, and the user's rules with it.",
    needs=("nested", "rules"),
    at=(1.0,),
    rules=[(followed, {"x": noted})],
    right=(4,),
    oracle="definition: once for each call of the function",
    reported=(8,),
    asks="value",
    no_differences="they do not ask the rule",
    defect=traced(tape.Sweep, "pulled", searched),
)
def rule_in_a_loop_is_asked_once_a_round(x, *, ad):
    def doubled(x):
        for _ in range(4):
            x = followed(x) * 2.0
        return x

    ASKED.clear()
    ad.grad(doubled)(x)
    return len(ASKED)


CALLED = []


def counted(x):
    CALLED.append(x)
    return x * 1.0


apply_once = calls.apply


def staged(function, rule, args, kwargs, depth=None):
    if function is counted:
        function(*map(plain, args))
    return apply_once(function, rule, args, kwargs, depth)


@case(
    "jax-12775",
    "https://github.com/jax-ml/jax/issues/12775",
    title="a function with a rule is run once more for nothing when it is differentiated",
    month="2022-10",
    symptom="slow",
    cause="The function was traced before its rule was looked up, although only what the rule says was needed; each "
    "level of nesting doubled the work.",
    needs=("nested", "rules"),
    at=(1.0,),
    rules=[(counted, {"x": lambda d, out, x: d})],
    right=(1,),
    oracle="definition: value and pullback need one run",
    reported=(2,),
    asks="value",
    no_differences="they call the function many times",
    defect=traced(calls, "apply", staged),
)
def function_with_a_rule_is_run_once(x, *, ad):
    CALLED.clear()
    ad.value_and_grad(lambda x: counted(x) * 2.0)(x)
    return len(CALLED)


def square(x):
    return x * x


forward = tape.Pushforward.__init__


def with_saved_values(entry, operation, args, target, nodes):
    forward(entry, operation, tuple(map(plain, args)), target, nodes)


@case(
    "pytorch-197867",
    "https://github.com/pytorch/pytorch/issues/197867",
    title="higher derivatives through a rule for forward mode are zero",
    month="2026-09",
    symptom="wrong-value",
    cause="The values that a rule saves are cut off from the outer level of forward mode, so that the slope it gives "
    "does not move.",
    needs=("nested", "forward", "rules"),
    at=(3.0,),
    rules=[
        (square, {"x": lambda d, out, x: d * 2 * x, "jvp": lambda tangents, out, x: 2 * x * tangents[0]}),
    ],
    right=((108.0, 108.0, 72.0),),
    oracle="closed form: 4x³, 12x² and 24x",
    reported=((108.0, 0.0, 0.0),),
    asks="value",
    defect=traced(tape.Pushforward, "__init__", with_saved_values),
)
def three_forward_derivatives_through_a_rule(x, *, ad):
    def derivative(f):
        return lambda x: ad.jvp(f, (x,), (1.0,))[1]

    first = derivative(lambda x: square(square(x)))
    second = derivative(first)
    return first(x), second(x), derivative(second)(x)


def product_of_all(x):
    return np.prod(x)


@contextmanager
def output_unlinked_by_its_first_use():
    used = []

    def pulled_once(sweep, operation, pullback, d):
        if operation.rule.primal is product_of_all and live.levels:
            if used:
                operation = operation.at(operation.args)
                operation.out = plain(operation.out)
            used.append(operation)
        return pulled(sweep, operation, pullback, d)

    with traced(tape.Sweep, "pulled", pulled_once)():
        yield


@case(
    "pytorch-18619",
    "https://github.com/pytorch/pytorch/issues/18619",
    title="a second derivative through a rule is another one when it is evaluated again",
    month="2019-03",
    symptom="wrong-value",
    cause="The rule divides its saved output by the input; after the first differentiation the saved output had lost "
    "its own connection with the input, it seems.",
    needs=("nested", "rules"),
    at=(np.ones((2, 2)),),
    rules=[(product_of_all, {"x": lambda d, out, x: d * out / x})],
    right=((1.0, 1.0),),
    oracle="closed form: the product of the two other entries",
    reported=((1.0, 0.0),),
    asks="value",
    defect=output_unlinked_by_its_first_use,
)
def mixed_derivative_evaluated_twice(x, *, ad):
    hessian = ad.hessian(product_of_all)
    return float(hessian(x)[0, 0, 0, 1]), float(hessian(x)[0, 0, 0, 1])
