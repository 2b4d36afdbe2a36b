"""One case on one engine, as an exit status: what a bisection asks of each commit.

    git bisect run python -m regressions check flux-2497-params_collected_inside_gradient

0: good. 1: bad, the reported symptom is here (with `--any`: the case does not hold, however). 125: cannot tell.

The engine may be of any age, and today's case files name parts of today's engine, to put defects back. Here no defect
is put back, and a part that the engine does not have yet is replaced by one that does nothing.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

from .search import Judgement

__all__ = ["EXIT", "checked"]

EXIT = {Judgement.GOOD: 0, Judgement.BAD: 1, Judgement.UNKNOWN: 125}


class Absent(ModuleType):
    """Stands for what an older engine does not have: whatever is asked of it is absent too."""

    def __init__(self, name: str, present: Any = None) -> None:
        super().__init__(name)
        self.__dict__["_present"] = present

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._present, name, None) or Absent(f"{self.__name__}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self


@contextmanager
def absent_parts_tolerated() -> Iterator[None]:
    """Let case files import what the engine at hand does not have."""
    original = builtins.__import__

    def tolerant(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        importer = (globals or {}).get("__name__", "")
        ours = importer.startswith("regressions.cases.") and (name.startswith("engine") or level == 2)
        if ours and level == 2 and name.startswith("defects"):
            return Absent(name)
        try:
            module = original(name, globals, locals, fromlist, level)
        except ImportError:
            if not (ours and level == 0):
                raise
            return Absent(name)
        return Absent(name, module) if ours and level == 0 and fromlist else module

    builtins.__import__ = tolerant
    try:
        yield
    finally:
        builtins.__import__ = original


def checked(name: str, any_failure: bool = False) -> tuple[Judgement, str]:
    """The judgement on the engine that `import engine` finds, and what it answered, in words.

    Raises:
        UnknownCase: no case is called that.
    """
    try:
        import engine  # noqa: F401

        adapter = import_module("regressions.adapters").adapters_of("reference")[0]
    except Exception as error:  # an engine that does not import is not bad: it cannot be asked
        return Judgement.UNKNOWN, f"the engine does not import: {type(error).__name__}: {error}"
    with absent_parts_tolerated():
        from . import corpus, report
        from .verdicts import Verdict, run

        case = corpus.find_alone(name)
    found = run(case, adapter)
    text = report.described(found.outcome)
    match found.verdict:
        case Verdict.RIGHT:
            return Judgement.GOOD, text
        case Verdict.NOT_ASKED:
            return Judgement.UNKNOWN, text
        case Verdict.REPORTED:
            return Judgement.BAD, text
    return (Judgement.BAD if any_failure else Judgement.UNKNOWN), f"{found.verdict.value}: {text}"


def main(name: str, any_failure: bool) -> int:
    """Print the judgement and return its exit status."""
    judgement, text = checked(name, any_failure)
    print(f"{judgement.value}: {text}")
    return EXIT[judgement]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--any" in sys.argv[2:]))
