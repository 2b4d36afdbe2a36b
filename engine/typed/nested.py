"""A derivative taken inside a differentiated function: the same transformation, into the same block."""

from __future__ import annotations

from typing import Any

from .types import NotTyped


def lower_derivative(lowerer: Any, function: Any, args: list, kwargs: dict) -> Any:
    """The value of engine.gradient(f, x) and its like on abstract arguments; None where `function` is none of them."""
    if getattr(function, "__module__", "").startswith("engine."):
        if function.__module__.startswith(("engine.rules", "engine.tangents", "engine.nn")):
            return None
        raise NotTyped(f"a call of {function.__qualname__} inside the function")
    return None
