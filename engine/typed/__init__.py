"""The typed tier: gradients as straight Python code, for programs whose types are known throughout.

    function + concrete arguments -> core (lower) -> its adjoint (adjoint) -> smaller core (optimise) -> Python (emit)

Whatever this tier is not sure of raises NotTyped and is left to the traced tier: before anything of the program ran, or
after it where the answer is in doubt (a NaN, a floating-point warning that is an error). What is typed is pure.
"""

from __future__ import annotations

from .instances import LEFT, MISS, derived, forget, gradient, known, table_of
from .pairs import pullback
from .source import source
from .types import Doubtful, NotTyped

__all__ = [
    "LEFT",
    "MISS",
    "Doubtful",
    "NotTyped",
    "derived",
    "forget",
    "gradient",
    "known",
    "pullback",
    "source",
    "table_of",
]
