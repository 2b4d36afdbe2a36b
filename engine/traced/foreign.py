"""Foreign calls: code that is not Python's is called with plain values, or refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ForeignCallError, call_chain, where
from ..rules.registry import refusal
from . import reach
from .levels import live, plain

__all__ = ["describe", "foreign"]


def foreign(
    function: Any, args: tuple, kwargs: dict, reachable: Any = None, because: str = "has no rule"
) -> Any:  # fmt: skip
    """Call code that is not Python's, with plain values, if nothing active is within its reach.

    Raises:
        ForeignCallError: an argument, or something reachable from one, carries a derivative, or is a Python function
            that the foreign code could call back.
    """
    bare = [plain(a) for a in args]
    named = {k: plain(v) for k, v in kwargs.items()}
    if not live.levels:
        return function(*bare, **named)
    everything = (function, args if reachable is None else reachable, kwargs)
    culprit = reach.is_active(everything)
    if culprit:
        raise _foreign_error(function, bare, f"{culprit} carries a derivative", because)
    callback = reach.callbacks((args, kwargs))
    if callback is not None:
        raise _foreign_error(function, bare, f"it may call back {callback}, which the engine would not see", because)
    return function(*bare, **named)


def _foreign_error(function: Any, args: list, reason: str, because: str) -> ForeignCallError:
    name = describe(function)
    shown = ", ".join(_short(a) for a in args)
    known = refusal(function)
    if known is not None:
        return ForeignCallError(
            f"Can't differentiate foreigncall expression {name}({shown}): {name} has no derivative rule because "
            f"{known.reason}, and {reason}.\n"
            f"  at {where(call_chain())}\n"
            f"  Ways out: {known.way_out}; or hide the argument, engine.stop_gradient(x)."
        )
    return ForeignCallError(
        f"Can't differentiate foreigncall expression {name}({shown}): it is implemented outside Python, {because}, "
        f"and {reason}.\n"
        f"  at {where(call_chain())}\n"
        f"  Ways out: give it a rule, engine.rule({name}, x=lambda d, out, x: ...); if its result has no derivative, "
        f"declare it, engine.constant({name}); or avoid it, or hide the argument, engine.stop_gradient(x)."
    )


def describe(function: Any) -> str:
    """The name a user would write for a callable."""
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    if name is None:
        return repr(function)
    module = getattr(function, "__module__", None)
    if getattr(np, name, None) is function:
        return f"numpy.{name}"  # ufuncs of NumPy 1 name no module
    if module in (None, "builtins", "__main__") or not isinstance(module, str):
        return name
    return f"{module}.{name}"


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}"
    text = repr(value) if isinstance(value, int | float | str | None) else type(value).__name__
    return text if len(text) < 30 else text[:27] + "..."
