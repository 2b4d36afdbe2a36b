"""The typed tier: gradients as straight Python code, for programs whose types are known throughout.

    function + concrete arguments -> core (lower) -> its adjoint (adjoint) -> smaller core (optimise) -> Python (emit)

Whatever this tier is not sure of raises NotTyped, before anything of the program ran, and is left to the traced tier.
"""

from __future__ import annotations

from .instances import forget, gradient
from .source import source
from .types import NotTyped

__all__ = ["NotTyped", "forget", "gradient", "source"]
