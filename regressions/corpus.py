"""The cases: found in `cases/`, in the order they are written, and chosen by topic, tracker, symptom or id."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pathlib import Path

from . import cases
from .case import Case

__all__ = ["TOPICS", "UnknownCase", "all_cases", "find", "find_alone", "program_file", "select"]

FILES = [path for path in sorted(Path(cases.__file__).parent.glob("*.py")) if path.stem != "__init__"]

TOPICS = {path.stem.replace("_", "-"): (ast.get_docstring(ast.parse(path.read_text())) or "") for path in FILES}
"""Topic -> what it is about: each is a file of cases, and says it in its first line."""


class UnknownCase(LookupError):
    """No case is of that name, or has those properties; the message says what there is."""


@cache
def all_cases() -> tuple[Case, ...]:
    """Every case of every topic."""
    modules = [import_module(f"{cases.__name__}.{path.stem}") for path in FILES]
    return tuple(entry for module in modules for entry in vars(module).values() if isinstance(entry, Case))


def select(
    among: Iterable[Case], topic: str | None = None, tracker: str | None = None, symptom: str | None = None
) -> list[Case]:
    """The cases that have each of the properties asked for; a case belongs to every tracker it was reported to.

    Raises:
        UnknownCase: there are none.
    """
    chosen = [
        c
        for c in among
        if topic in (None, c.topic) and (tracker is None or tracker in c.trackers) and symptom in (None, c.symptom)
    ]
    if not chosen:
        asked = {"topic": topic, "tracker": tracker, "symptom": symptom}
        raise UnknownCase("no case has " + " and ".join(f"{name} {word}" for name, word in asked.items() if word))
    return chosen


def find(text: str) -> list[Case]:
    """The cases called `text`: an id, or a thread as tracker and number, which may have several cases.

    Raises:
        UnknownCase: there is none; the message names the nearest.
    """
    found = [c for c in all_cases() if c.id == text or text in c.thread_ids]
    if not found:
        names = [name for c in all_cases() for name in (*c.thread_ids, c.id)]
        raise UnknownCase(
            f"no case is called {text!r}; the nearest is {difflib.get_close_matches(text, names, 1, 0)[0]}"
        )
    return found


def find_alone(text: str) -> Case:
    """The first case called `text`; given an id, only the file it is written in is imported.

    Raises:
        UnknownCase: there is none; the message names the nearest.
    """
    program = f"\ndef {text.rsplit('-', 1)[-1]}("
    for path in FILES:
        if program in path.read_text():
            module = import_module(f"{cases.__name__}.{path.stem}")
            for entry in vars(module).values():
                if isinstance(entry, Case) and entry.id == text:
                    return entry
    return find(text)[0]


def program_file(case: Case) -> Path:
    """The file a case is written in."""
    return FILES[0].with_name(case.topic.replace("-", "_") + ".py")
