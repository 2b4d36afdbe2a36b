"""The same operation under another name or spelling: operators, methods of results, conversions, options by name."""

from __future__ import annotations

import numpy as np

from engine.traced import calls, operators, tape
from engine.traced.levels import Traced

from ..case import Raises, case
from ..defects import with_rule, without_rule
from ..defects.state import in_runtime, traced


def older_division(a, b):
    if Traced in (type(a), type(b)):
        raise TypeError("unsupported operand type(s) for /: 'float' and 'FloatNode'")
    return operators.BINARY["truediv"](a, b)


@case(
    "autograd-15",
    "https://github.com/HIPS/autograd/issues/15",
    title="dividing by a value that carries a derivative raises a TypeError",
    month="2015-04",
    symptom="raises",
    cause="The class of such values had the methods that division had in Python 2, and not those of Python 3.",
    at=(2.0,),
    right=(-1 / 4 + 1 / 3,),
    oracle="closed form: -1 / x² + 1 / 3",
    reported=Raises("crash", "TypeError: unsupported operand"),
    defect=in_runtime("truediv", older_division),
)
def quotients_both_ways(x):
    return 1.0 / x + x / 3.0


def by_order(d, x, ord):
    return d * np.abs(x) ** (ord - 1) * np.sign(x)


@case(
    "autograd-521",
    "https://github.com/HIPS/autograd/pull/521",
    title="the norm called 'fro' raises when that name is not written where it is called",
    month="2019-06",
    symptom="raises",
    cause="The name was compared by identity (`is`), which equal texts need not have; the formula for norms of any "
    "order was then used.",
    at=(np.array([[3.0, 0.0], [0.0, 4.0]]),),
    right=(np.array([[0.6, 0.0], [0.0, 0.8]]),),
    oracle="closed form: the matrix over its norm, 5",
    reported=Raises("crash", "TypeError: unsupported operand type.* for -: 'str' and 'int'"),
    defect=with_rule(np.linalg.norm, x=lambda d, out, x, ord=None: by_order(d, x, ord)),
)
def norm_by_a_name_put_together(x):
    kind = "".join(["f", "ro"])
    return np.linalg.norm(x, kind)


@case(
    "autograd-571",
    "https://github.com/HIPS/autograd/issues/571",
    title="asarray of what is an array already has no gradient",
    month="2022-01",
    symptom="raises",
    cause="A conversion that changes nothing had no rule.",
    at=(np.array([0.5, -1.0]),),
    right=(1 - 2 * np.array([0.5, -1.0]) * np.exp(-1.25),),
    oracle="closed form: 1 - 2x exp(-|x|²)",
    reported=Raises("foreign-call", "asarray"),
    defect=without_rule(np.asarray),
)
def arrays_made_arrays(x):
    kernel = np.expand_dims(np.asarray(np.exp(-np.sum(x**2))), axis=0)
    return np.sum(np.concatenate([kernel, np.asarray(x)]))


def of_modules_only(receiver, name, /, *args, **kwargs):
    if type(receiver) is Traced:
        raise AttributeError(f"'NoneType' object has no attribute '{name}'")
    return calls.call_method(receiver, name, *args, **kwargs)


@case(
    "tangent-73",
    "https://github.com/google/tangent/issues/73",
    title="a method called on the result of a call cannot be transformed",
    month="2018-05",
    symptom="raises",
    cause="What an attribute belongs to is looked up before the program runs, which can be done for modules; a result "
    "is not there yet.",
    at=(np.array([0.0, 1.0]),),
    right=(np.exp([0.0, 1.0]) + np.array([0.0, 1.0]),),
    oracle="closed form: exp x + 2x / n",
    reported=Raises("crash", "AttributeError: 'NoneType' object has no attribute 'sum'"),
    defect=in_runtime("call_method", of_modules_only),
)
def methods_of_results(x):
    return np.exp(x).sum() + 1.0 + (x * x).mean()


def without_an_order(sweep):
    """Each value hands its cotangent on as often as it is reached."""
    made = {entry.nodes: entry for entry in sweep.level.tape if type(entry) is tape.Operation}

    def visit(node):
        if node in made:
            sweep.apply(made[node], sweep.bars[node])
            for target in dict.fromkeys(made[node].targets):
                visit(target)

    for node in list(sweep.bars):
        visit(node)


@case(
    "micrograd-64",
    "https://github.com/karpathy/micrograd/pull/64",
    title="a value that is used again has its gradient counted again for each way to it",
    month="2024-03",
    symptom="wrong-value",
    cause="A shorter reverse pass was proposed in which each value calls those it was made of; it needs an order in "
    "which a value comes after all its uses, and once.",
    at=(1.0,),
    right=(16.0,),
    oracle="closed form: of 8a²",
    reported=(32.0,),
    defect=traced(tape.Sweep, "run", without_an_order),
)
def sums_of_sums_multiplied(a):
    b = a + a
    c = b + b
    return c * b
