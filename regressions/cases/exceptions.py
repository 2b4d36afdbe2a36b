"""Exceptions: what is raised and caught decides which statements ran, and those have the derivative."""

from __future__ import annotations

import ast

import numpy as np

from engine.traced import items, statements
from engine.traced.levels import plain

from ..case import Raises, case
from ..defects.flow import rewritten_with
from ..defects.state import traced

_rows = items._rows


def numbers_are_sequences(array):
    return iter((array,)) if np.ndim(plain(array)) == 0 else _rows(array)


@case(
    "mygrad-210",
    "https://github.com/rsokl/MyGrad/issues/210",
    title="a number can be iterated over, so that the handler of the TypeError does not run",
    month="2020-03",
    symptom="wrong-value",
    cause="Its elements could be asked for by index, and Python takes whatever has that for a sequence; an array "
    "without dimensions refuses.",
    at=(3.0,),
    right=(6.0,),
    oracle="closed form: 2x, in the handler",
    reported=(1.0,),
    defect=traced(items, "_rows", numbers_are_sequences),
)
def sum_of_a_number(x):
    try:
        total = sum(np.asarray(x))
    except TypeError:
        total = x**2
    return total


_on_if = statements.Rewriter.on_if


def assigned_before_the_condition(rewriter, node):
    """What a branch assigns is a value, whichever way the condition goes."""
    yield from rewriter.body([s for s in node.body if isinstance(s, ast.Assign)])
    yield from _on_if(rewriter, node)


@case(
    "zygote-1663",
    "https://github.com/FluxML/Zygote.jl/pull/1663",
    title="a variable that only the other branch assigns counts as assigned",
    month="2026-07",
    symptom="wrong-value",
    cause="In the transformed code variables are values, and a value is always there; the question whether the "
    "variable has one was answered by looking at it.",
    at=(-1.0,),
    right=(42.0,),
    oracle="closed form: 42, in the handler",
    reported=(6.0,),
    defect=rewritten_with(on_if=assigned_before_the_condition),
)
def variable_of_the_other_branch(x):
    if x > 0:
        y = 3 * x
    try:
        return y * 2
    except UnboundLocalError:
        return 42 * x


def unreachable(rewriter, node):
    raise RuntimeError("unreachable")


@case(
    "zygote-1546",
    "https://github.com/FluxML/Zygote.jl/issues/1546",
    title="a handler that runs ends in an internal error",
    month="2024-12",
    symptom="raises",
    cause="The place where a handler begins was known by a pattern of instructions, which a new version of the host "
    "language no longer makes; the message that handlers are not supported was lost with it.",
    at=(1.0, True),
    right=(12.0, None),
    oracle="closed form: doubled in the body and in the handler, three times that in the end",
    reported=Raises("crash", "RuntimeError: unreachable"),
    defect=rewritten_with(on_try=unreachable),
)
def handler_and_final_block(x, fails):
    try:
        x = 2 * x
        if fails:
            raise ValueError
    except ValueError:
        x = 2 * x
    finally:
        x = 3 * x
    return x
