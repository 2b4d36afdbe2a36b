"""The derivatives: one file a family of primitives, and the conventions they cite by number."""

from .registry import (
    Rule,
    constant,
    elementwise,
    generation,
    is_constant,
    lookup,
    removed,
    replaced,
    rule,
    vjp_of,
)

__all__ = [
    "Rule",
    "constant",
    "elementwise",
    "generation",
    "is_constant",
    "lookup",
    "removed",
    "replaced",
    "rule",
    "vjp_of",
]
