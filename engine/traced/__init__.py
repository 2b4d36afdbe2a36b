"""The dynamic tier: any Python program, recorded operation by operation, with state followed by identity.

The files, from a program to its gradient:

    rewrite, statements, expressions,
    match, scope, nodes               a function -> the same function, every operation a call of the runtime
    runtime, operators, items         what those calls do: operators, indexing, iteration, displays
    calls, construct, attributes      what is called, made or read, as Python resolves it
    builtins, containers, sorting,
    library, writes, elements, draws, procedures: built-ins, methods of containers, the standard library; NumPy's
    structured                        writes, elements one by one, random draws; rules for functions of objects
    foreign, reach                    code that is not Python's, and what it could reach
    primitives, arrays, storage       recording: calls with a rule, writes to arrays, edits of lists, objects, cells
    levels, tape                      the levels of nested derivatives; the sweep back
    structure, run, checkpoint        arguments and results in and out; one run and its pullback; recomputing
    ties                              where a tie falls when its derivative is differentiated again
"""

from . import runtime, ties  # noqa: F401 (with them the rules of the library enter the table, and the tape knows ties)
from .checkpoint import Checkpointed
from .rewrite import rewritten_source
from .run import Pullback, pullback, scalar_seed

__all__ = ["Checkpointed", "Pullback", "pullback", "rewritten_source", "scalar_seed"]
