"""One engine asked in a process of its own: ids come in on the standard input, results go out, a line of JSON each.

It is run by the interpreter of an environment in which the engine is installed, and imports nothing that is not in it.
The first line says which engine it is, or why it cannot be asked. Before a case is asked its id goes out, so that
whoever listens knows what a process that died was doing.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import Any

from .adapters import adapters_of
from .corpus import all_cases
from .records import recorded

__all__ = ["main"]


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
    say({"importing": adapter.name, "version": adapter.version})
    cases = {case.id: case for case in all_cases()}
    for line in sys.stdin:
        case = cases[line.strip()]
        say({"begin": case.id})
        say(asdict(recorded(case, adapter)))


if __name__ == "__main__":
    main(sys.argv[1])
