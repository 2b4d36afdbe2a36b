"""The URL of a thread -> the text of a case about it, to be filled in; a `...` that is left standing is refused."""

from __future__ import annotations

from textwrap import fill

from .case import KINDS, NEEDS, ORACLES, SYMPTOMS, thread_id

__all__ = ["scaffold"]

INDENT: dict = {"initial_indent": "    # ", "subsequent_indent": "    #   "}

TEXT = """\
@case(
    "{name}",
    "{url}",
    title=...,  # what happened, in one line, without a full stop
    month=...,  # of the report: "2024-10"
{symptoms}
    symptom=...,
    cause=...,  # what was wrong and why, in a sentence or two
{needs}
    needs=(),
    at=(np.array([1.0, 2.0]),),  # the arguments: the smallest that show it
    right=...,  # a tuple: one cotangent an argument
{oracles}
    oracle=...,  # and the particulars; never an engine
{kinds}
    reported=...,  # a tuple, or Raises(kind, pattern)
    defect=...,  # how to put the bug back; or no_defect="why there is none"
)
def what_is_true_in_a_few_words(x):
    return np.sum(x)
"""


def scaffold(url: str) -> str:
    """The text of a case for the thread.

    Raises:
        ValueError: it is the thread of no tracker that is known.

    >>> print(scaffold("https://github.com/FluxML/Flux.jl/issues/7").splitlines()[1].strip())
    "flux-7",
    """
    words = {"symptoms": SYMPTOMS, "needs": NEEDS, "oracles": ORACLES, "kinds": KINDS}
    hints = {name: fill(f"{name}: {', '.join(listed)}", 110, **INDENT) for name, listed in words.items()}
    return TEXT.format(name=thread_id(url), url=url, **hints)
