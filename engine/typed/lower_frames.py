"""One activation of a function, while it is being inlined."""

from __future__ import annotations

from typing import Any


class Frame:
    """Where the names of an activation (or of a comprehension) live, and where its free names are looked up.

    locals: the names assigned in it; cells: free variables of a real function, name -> how to read it; parent: the
    frame that a local function captured; captured: whether one has captured this frame.
    """

    __slots__ = (
        "captured",
        "cells",
        "class_name",
        "filename",
        "globals",
        "locals",
        "loops",
        "number",
        "parent",
        "place",
    )

    def __init__(self, number: int, module_globals: dict, filename: str) -> None:
        self.number, self.globals, self.filename = number, module_globals, filename
        self.locals: set = set()
        self.cells: dict = {}
        self.parent: Frame | None = None
        self.class_name: str | None = None
        self.place: Any = None
        self.loops = 0
        self.captured = False
