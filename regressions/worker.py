"""One engine asked in a process of its own: ids come in on the standard input, results go out, a line of JSON each.

It is run by the interpreter of an environment in which the engine is installed, and imports nothing that is not in it.
The first line says which engine it is, or why it cannot be asked. Before a case is asked its id goes out, so that
whoever listens knows what a process that died was doing.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from typing import Any

from . import report
from .adapters import Adapter, adapters_of
from .case import Case
from .corpus import all_cases
from .verdicts import run

__all__ = ["answered", "main"]


def main(engine: str) -> None:
    """Answer the standard input."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever engines print belongs elsewhere

    def say(message: dict[str, Any]) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    try:
        adapter = adapters_of(engine)[0]
    except Exception as error:
        say({"unusable": f"does not import: {type(error).__name__}: {error}".splitlines()[0]})
        return
    say({"engine": adapter.name, "version": adapter.version})
    cases = {case.id: case for case in all_cases()}
    for line in sys.stdin:
        case = cases[line.strip()]
        say({"begin": case.id})
        say({"case": case.id, **answered(case, adapter)})


def answered(case: Case, adapter: Adapter) -> dict[str, Any]:
    """The verdict on one case, its answer and difference as text, and how long it took."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an engine that only warns has not said no
        result = run(case, adapter)
    return {
        "verdict": result.verdict.value,
        "expected": report.described(case.right),
        "got": report.described(result.outcome),
        "difference": str(result.difference or ""),
        "seconds": round(time.perf_counter() - start, 4),
    }


if __name__ == "__main__":
    main(sys.argv[1])
