"""How many of the pinned bugs are not right?

`python -m benchmarks.history.verdicts {}` prints which, as a line of JSON: what is asked when the number has changed.
"""

from __future__ import annotations

import warnings
from typing import Any

CODES = {"right": 0, "the reported bug": 1, "wrong in another way": 2, "error in another way": 3, "cannot be asked": 4}


class Verdicts:
    """Cases whose verdict is not "right".

    Expected: 0. Commits older than a case may have its bug; a number that rises is a case that broke.
    """

    timeout = 300

    def setup(self) -> None:
        import engine

        if not hasattr(engine, "gradient"):
            raise NotImplementedError("there is no gradient in this commit")

    def track_cases_not_right(self) -> int:
        return sum(code != 0 for code in codes().values())

    track_cases_not_right.unit = "cases"  # type: ignore[attr-defined]


def codes() -> dict[str, int]:
    """Of each case the code of its verdict on the engine at hand."""
    from regressions.adapters import adapters_of
    from regressions.bisect.check import absent_parts_tolerated
    from regressions.verdicts import run

    with absent_parts_tolerated():
        from regressions.corpus import all_cases

        cases = all_cases()
    adapter = adapters_of("reference")[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an engine that only warns has not said no
        return {case.id: CODES[run(case, adapter).verdict.value] for case in cases}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The cases that are not right, and how."""
    return {"not right": {name: code for name, code in codes().items() if code}}


if __name__ == "__main__":
    from regressions.bisect.check import serve

    serve(answer)
