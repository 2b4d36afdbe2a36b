"""The URL of a thread -> the text of a case about it, to be filled in; a `...` that is left standing is refused."""

from __future__ import annotations

import ast
from textwrap import fill

from .case import KINDS, NEEDS, ORACLES, SYMPTOMS, thread_id

__all__ = ["PROGRAM", "QUESTION", "scaffold"]

PROGRAM, QUESTION = "# -- the program", "# -- the question"  # between these `isolate` writes the program

INDENT: dict = {"initial_indent": "    # ", "subsequent_indent": "    #   "}

TEXT = """\
{helpers}@case(
    "{name}",
    "{url}",
    title=...,  # what happened, in one line, without a full stop
    month=...,  # of the report: "2024-10"
{symptoms}
    symptom=...,
    cause=...,  # what was wrong and why, in a sentence or two
{needs}
    needs=(),
{asked}
    right=...,  # a tuple: one cotangent an argument
{oracles}
    oracle=...,  # and the particulars; never an engine
{kinds}
    reported=...,  # a tuple, or Raises(kind, pattern)
    defect=...,  # how to put the bug back; or no_defect="why there is none"
)
{program}
"""
HINTS = {"at": "  # the arguments: the smallest that show it", "rules": "", "wrt": ""}
EXAMPLE = """\
def what_is_true_in_a_few_words(x):
    return np.sum(x)
at = (np.array([1.0, 2.0]),)
"""


def scaffold(url: str, isolated: str = "") -> str:
    """The text of a case for the thread, about the program that `isolate` has written, if any.

    Raises:
        ValueError: it is the thread of no tracker that is known, or no program of `isolate`.

    >>> print(scaffold("https://github.com/FluxML/Flux.jl/issues/7").splitlines()[1].strip())
    "flux-7",
    """
    words = {"symptoms": SYMPTOMS, "needs": NEEDS, "oracles": ORACLES, "kinds": KINDS}
    hints = {name: fill(f"{name}: {', '.join(listed)}", 110, **INDENT) for name, listed in words.items()}
    helpers, program, asked = _program(isolated or f"{PROGRAM}\n{EXAMPLE}\n{QUESTION}")
    return TEXT.format(name=thread_id(url), url=url, helpers=helpers, program=program, asked=asked, **hints)


def _program(isolated: str) -> tuple[str, str, str]:
    """What stands before the function, itself, and what it is asked with, in a text that `isolate` has written."""
    _, _, rest = isolated.partition(PROGRAM)
    text, _, question = rest.partition(QUESTION)
    if not question and not rest.rstrip().endswith(QUESTION):
        raise ValueError("this is no program that isolate has written: it marks where the program begins and ends")
    try:
        body, asked = ast.parse(text).body, {}
    except SyntaxError as error:
        raise ValueError(f"the program that isolate has written does not parse any more: {error}") from None
    while body and isinstance(last := body[-1], ast.Assign) and (name := ast.unparse(last.targets[0])) in HINTS:
        asked[name] = f"    {name}={ast.unparse(last.value)},{HINTS[name]}"
        body.pop()
    if "at" not in asked or not body or not isinstance(body[-1], ast.FunctionDef):
        raise ValueError("the program that isolate has written ends in a function and `at = (...)`")
    if "wrt" in asked:
        del asked["at"]  # it has no arguments
    *helpers, program = map(ast.unparse, body)
    return "".join(f"{helper}\n\n\n" for helper in helpers), program, "\n".join(asked.values())
