"""Recomputing instead of storing: the tape of a call is dropped, and made again when the sweep comes to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .calls import call
from .levels import Level, live, plain, strip
from .primitives import apply  # noqa: F401 (the operations of the run are recorded through it)
from .run import pullback
from .storage import collect, with_nodes
from .structure import enter, leave
from .tape import Sweep

__all__ = ["Checkpointed"]


class Checkpointed:
    """A function that is run again in the reverse sweep.

    What it reads besides its arguments must be constant, and so must be what it writes: where a captured list, object
    or array is active, the tape is kept after all, which is right and costs memory.
    """

    _is_engine_callable = True

    def __init__(self, function: Callable) -> None:
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not live.levels:
            return self.function(*args, **kwargs)
        return call(self.function, *args, **kwargs)


_ = (Level, plain, strip, pullback, collect, with_nodes, enter, leave, Sweep)
