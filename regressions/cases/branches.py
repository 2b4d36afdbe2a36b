"""Branches: conditions on values, early returns, and code that is never reached."""

from __future__ import annotations

import ast

import numpy as np

from engine.traced import nodes, operators, run
from engine.traced.levels import Traced, plain
from engine.typed.core import Const, If

from ..case import Raises, case
from ..defects import with_rule, without_rule
from ..defects.flow import derivatives_inside_are, reverse_of_a_branch_fails, rewritten_with
from ..defects.state import in_runtime, together, traced, with_procedure


@case(
    "autograd-43",
    "https://github.com/HIPS/autograd/issues/43",
    title="an assertion on the values makes the gradient raise",
    month="2015-08",
    symptom="raises",
    cause="A call without a derivative was refused when it was met, though its result, a truth value, is only tested "
    "and nothing flows from it into the answer.",
    at=(np.array([1.0, 2.0, 3.0]),),
    right=(np.array([2.0, 4.0, 6.0]),),
    oracle="closed form: 2x",
    reported=Raises("foreign-call", "allclose"),
    defect=without_rule(np.allclose),
)
def assertion_before_the_loss(x):
    assert np.allclose(x, (x * 3.0) / 3.0)
    return np.sum(x**2)


def any_object_is_true(value):
    return True if type(value) is Traced else operators.truth(value)


@case(
    "autograd-57",
    "https://github.com/HIPS/autograd/pull/57",
    title="a number that carries a derivative is true even when it is zero",
    month="2015-10",
    symptom="wrong-value",
    cause="The object around the number defined no truth value of its own, and every object is true: the wrong branch "
    "ran.",
    at=(2.0,),
    right=(3.0,),
    oracle="closed form: 3x, since there is no excess",
    reported=(4.0,),
    defect=in_runtime("truth", any_object_is_true),
)
def branch_on_the_excess(x):
    excess = np.maximum(x - 5.0, 0.0)
    if excess:
        return x**2
    return 3.0 * x


_leave = run.leave


def argument_returned(level, out):
    return _leave(level, out if level.tape else plain(out))


@case(
    "enzyme-101",
    "https://github.com/EnzymeAD/Enzyme/issues/101",
    title="a rectifier that returns its argument early has no derivative",
    month="2020-12",
    symptom="missing-gradient",
    cause="Whether the result carries a derivative was decided at one of the two returns, the constant; that the "
    "other one hands out the argument itself was not seen.",
    at=(2.0,),
    right=(1.0,),
    oracle="closed form: the identity above zero",
    reported=(None,),
    defect=traced(run, "leave", argument_returned),
)
def rectifier_by_an_early_return(x):
    if x >= 0:
        return x
    return 0.0


@case(
    "jax-2256",
    "https://github.com/jax-ml/jax/issues/2256",
    title="a conditional has no reverse mode",
    month="2020-02",
    symptom="raises",
    cause="The conditional was an operation of its own, without a rule for the way back, since its branches save "
    "different things for it.",
    at=(3.0,),
    right=(6.0,),
    oracle="closed form: 2x above zero",
    reported=Raises("crash", "AssertionError"),
    defect=reverse_of_a_branch_fails(AssertionError("no transpose rule for cond"), lambda branch: True),
)
def square_or_cube(x):
    if x > 0:
        return x**2
    else:
        return x**3


@case(
    "tangent-82",
    "https://github.com/google/tangent/issues/82",
    title="an `if` of whose branches only the second concerns the argument crashes the transformation",
    month="2018-08",
    symptom="raises",
    cause="For an `if` with nothing in its first branch the optimiser negates the condition and trades the branches, "
    "and built the negation wrongly; the mirrored program worked.",
    at=(1.5,),
    right=(7.0,),
    oracle="closed form: 1 + 4x",
    reported=Raises("crash", "TypeError"),
    defect=reverse_of_a_branch_fails(
        TypeError("type object 'UnaryOp' has no attribute '__getitem__'"),
        lambda branch: any(type(value) is Const for value in branch.then_values),
    ),
)
def only_the_second_branch_uses_it(x):
    if x <= 0:
        y = 2.0
    else:
        y = x + 2.0 * x**2
    return y


@case(
    "taichi-2312",
    "https://github.com/taichi-dev/taichi/issues/2312",
    title="a variable reassigned in nested branches and then multiplied by itself breaks the code",
    month="2021-05",
    symptom="raises",
    cause="While the adjoint was built, the variable got one name inside the inner branch and another one outside, "
    "and a statement that uses it twice was left with a name that is gone.",
    at=(3.0,),
    right=(6.0,),
    oracle="closed form: 2x, since only the outer condition holds",
    reported=Raises("crash", "RuntimeError: .*IR broken"),
    defect=reverse_of_a_branch_fails(
        RuntimeError("IR broken: a statement cannot have this operand"),
        lambda branch: any(type(stmt) is If for stmt in branch.then.stmts),
    ),
)
def squared_after_nested_branches(x):
    loss = 0.0
    if x > 1.0:
        m = x
        if x < -1.0:
            m = x * 3.0
        loss = m * m
    return loss


@case(
    "taichi-3802",
    "https://github.com/taichi-dev/taichi/issues/3802",
    title="with a rounding up in one branch, both have a gradient of zero",
    month="2021-12",
    symptom="missing-gradient",
    cause="Rounding down was known to have a derivative of zero, rounding up was not; the unknown operation ended the "
    "walk over the statement that it stands in.",
    at=(np.array([1.25, -0.4, 2.7]),),
    right=(np.array([0.5, -0.8, 1.4]),),
    oracle="closed form: twice the part after the point",
    reported=(None,),
    defect=in_runtime("sub", lambda a, b: plain(a) - plain(b)),
)
def part_after_the_point(x):
    total = 0.0
    for i in range(3):
        part = x[i] - np.floor(x[i]) if x[i] > 0.0 else x[i] - np.ceil(x[i])
        total = total + part**2
    return total


SHARE = np.exp(0.3) / (np.exp(0.3) + np.exp(1.1))


@case(
    "zygote-822",
    "https://github.com/FluxML/Zygote.jl/issues/822",
    title="log(exp a + exp b) with guards for infinities has the gradient 1/2, 1/2 everywhere",
    month="2020-11",
    symptom="wrong-value",
    cause="Conditions in a chain lead to one return by several ways; what was kept for the way back was not that of "
    "the branch taken, and the difference of a and b came out as zero.",
    at=(0.3, 1.1),
    right=(float(SHARE), float(1 - SHARE)),
    oracle="closed form: the shares of exp a and exp b in their sum",
    reported=(0.5, 0.5),
    defect=together(with_rule(np.exp, x=lambda d, out, x: d), with_rule(np.log, x=lambda d, out, x: d / 2)),
)
def logarithm_of_a_sum_with_guards(a, b):
    if a == -np.inf:
        return b
    if b == -np.inf:
        return a
    return b + np.log(1 + np.exp(a - b)) if b > a else a + np.log(1 + np.exp(b - a))


def dead_code_is_an_exit(rewriter, node):
    """What stands behind a return is taken for the end of the function."""
    value = rewriter.expr(node.value)
    behind = rewriter.node.body[-1] is not node and node in rewriter.node.body
    yield ast.Return(nodes.run("plain", value) if behind else value)


@case(
    "zygote-265",
    "https://github.com/FluxML/Zygote.jl/issues/265",
    title="a statement after the return takes the gradient away",
    month="2019-07",
    symptom="missing-gradient",
    cause="The block behind the return was kept, though nothing leads there, and the way back began in it.",
    at=(1.0,),
    right=(3.0,),
    oracle="closed form: 3, what is returned",
    reported=(None,),
    defect=rewritten_with(on_return=dead_code_is_an_exit),
)
def statement_after_the_return(x):
    return 3 * x
    x = 1.0


def dead_code_is_invalid(rewriter, node):
    if isinstance(rewriter.node.body[-2], ast.If) and rewriter.node.body[-1] is node:
        raise RuntimeError("invalid IR: block 4 has no predecessors")
    yield ast.Return(rewriter.expr(node.value))


@case(
    "zygote-1380",
    "https://github.com/FluxML/Zygote.jl/issues/1380",
    title="a return that cannot be reached, after two branches that return, ends in an internal error",
    month="2023-02",
    symptom="raises",
    cause="The last block has no predecessor, and the reversed program has none to go on with.",
    at=(1.0, False),
    right=(2.0, None),
    oracle="closed form: 2, in the second branch",
    reported=Raises("crash", "RuntimeError: invalid IR"),
    defect=rewritten_with(on_return=dead_code_is_invalid),
)
def return_after_two_branches_that_return(x, flag):
    if flag:
        return x
    else:
        return 2 * x
    return 0.0


def mismatch(*args, **kwargs):
    raise ValueError("DimensionMismatch: arrays could not be broadcast")


@case(
    "zygote-271",
    "https://github.com/FluxML/Zygote.jl/issues/271",
    title="a loss that asks whether any entry is negative raises about dimensions",
    month="2019-07",
    symptom="raises",
    cause="The predicate was followed as if it could carry a derivative, down to the reduction of truth values.",
    at=(np.ones(3),),
    right=(np.array([-4.0, -6.0, -10.0]),),
    oracle="closed form: -4x0, -6x1 and -10x2",
    reported=Raises("crash", "ValueError: DimensionMismatch"),
    defect=with_procedure(np.any, mismatch),
)
def infinite_outside_of_its_support(x):
    if np.any(x < 0):
        return -np.inf
    return -2 * x[0] ** 2 - 3 * x[1] ** 2 - 5 * x[2] ** 2


def returned_none(*args, **kwargs):
    raise AssertionError("the rule of logical_and returned None")


@case(
    "theano-1055",
    "https://github.com/Theano/Theano/issues/1055",
    title="a truth value inside an expression makes the gradient fail",
    month="2012-11",
    symptom="raises",
    cause="Comparisons and logical operations had no derivative, not even zero: their rules returned nothing, which "
    "the gradient of the product did not expect.",
    at=(np.array([13.0, 17.0, 1.0, 5.0]),),
    right=(np.array([1.0, 0.0, 1.0, 1.0]),),
    oracle="closed form: 1 where x is kept",
    reported=Raises("crash", "AssertionError: the rule"),
    defect=with_procedure(np.logical_and, returned_none),
)
def sum_of_what_is_kept(x):
    keep = np.logical_and(0.0 < x, x < 15.0)
    return np.sum(x * keep)


@case(
    "drjit-295",
    "https://github.com/mitsuba-renderer/drjit/issues/295",
    title="a derivative taken inside an `if` is zero",
    month="2024-10",
    symptom="wrong-value",
    cause="The transformed branch is a scope of its own for derivatives; what was recorded outside of it cannot be "
    "reached from there.",
    needs=("nested",),
    at=(0.5,),
    right=(1.0,),
    oracle="closed form: the slope of p is 1, and so is that of x times 1",
    reported=(0.0,),
    defect=derivatives_inside_are(lambda f, *args: tuple(0.0 for _ in args)),
)
def slope_taken_inside_a_branch(x, *, ad):
    total = 0.0
    if x < 10.0:
        total += x * ad.gradient(lambda p: 3.0 + p, x)[0]
    return total
