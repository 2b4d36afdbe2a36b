"""The cases: found in `cases/`, in the order they are written, and chosen by topic, tracker, symptom or id."""

from __future__ import annotations

import difflib
import pkgutil
from collections.abc import Iterable
from functools import cache
from importlib import import_module

from . import cases
from .case import Case

__all__ = ["UnknownCase", "all_cases", "find", "select"]


class UnknownCase(LookupError):
    """No case is of that name, or has those properties; the message says what there is."""


@cache
def all_cases() -> tuple[Case, ...]:
    """Every case of every topic."""
    modules = [import_module(f"{cases.__name__}.{m.name}") for m in pkgutil.iter_modules(cases.__path__)]
    return tuple(entry for module in modules for entry in vars(module).values() if isinstance(entry, Case))


def select(
    among: Iterable[Case], topic: str | None = None, tracker: str | None = None, symptom: str | None = None
) -> list[Case]:
    """The cases that have each of the properties asked for."""
    asked = {"topic": topic, "tracker": tracker, "symptom": symptom}
    return [c for c in among if all(word in (None, getattr(c, field)) for field, word in asked.items())]


def find(text: str) -> list[Case]:
    """The cases whose id is `text` or begins with it: the tracker and number alone name all cases of one thread.

    Raises:
        UnknownCase: there is none; the message names the nearest.
    """
    found = [c for c in all_cases() if c.id == text or c.id.startswith(f"{text}-")]
    if not found:
        names = [name for c in all_cases() for name in (c.tracker_id, c.id)]
        near = difflib.get_close_matches(text, names, n=1, cutoff=0.0)
        raise UnknownCase(f"no case is called {text!r}; the nearest is {near[0]}" if near else "there are no cases")
    return found
