"""The dynamic tier: any Python program, recorded operation by operation, with state followed by identity.

rewrite, scope, match     a function -> the same function, every operation a call of the runtime
runtime, operations,
builtins, containers,
library                   what those calls do: operators, indexing, iteration, built-ins, the standard library
calls, attributes, reach  what is called or read, as Python resolves it; what foreign code could reach
primitives, arrays,
storage                   recording: calls with a rule, writes to arrays, edits of lists, dicts, objects, cells
tape, levels              the sweep back; the levels of nested derivatives
structure, run            arguments and results in and out; one run and its pullback
"""

from . import runtime  # noqa: F401 (with it the rules of built-ins, containers and the library enter the table)
from .checkpoint import Checkpointed
from .rewrite import rewritten_source
from .run import Pullback, pullback, scalar_seed

__all__ = ["Checkpointed", "Pullback", "pullback", "rewritten_source", "scalar_seed"]
