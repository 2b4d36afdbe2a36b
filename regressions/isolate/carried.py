"""Where a dependence is lost that no operation loses: between the operations, in lists, objects and written arrays.

The program runs again and again, and each time the result of one of its operations is moved a little before anything
else sees it. How fast the loss changes is what the cotangent of that result has to be. The last operation for which
they differ is named: whatever comes after it is right, so what becomes of its result on the way there is not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from engine.traced import primitives, tape
from engine.traced.levels import live, plain

from .culprits import CARRIED, Culprit, named
from .operations import DIGITS
from .slopes import inner, is_number, leaves, random_direction, slope

__all__ = ["carrier", "uses"]

SECONDS = 20.0


class Rerun:
    """One run: the operations that the outermost level recorded, each with its number and the cotangent it was given.

    moved: the number of the call whose result is moved. by: what is added to it.
    """

    def __init__(self, moved: int = -1, by: Any = 0.0) -> None:
        self.moved, self.by = moved, by
        self.calls = -1
        self.numbers: dict[tape.Operation, int] = {}
        self.level: Any = None
        self.begun = 0  # how many calls there had been when the level began to sweep; what comes later is run again
        self.cotangents: dict[tape.Operation, Any] = {}

    @contextmanager
    def watching(self) -> Iterator[Rerun]:
        """Number the calls, move the result of one, and keep the cotangents."""
        apply, operation, reverse = primitives.apply, primitives.Operation, tape.Operation.reverse

        def computed(
            function: Callable, rule: Any, args: tuple, kwargs: dict, depth: Any = None, side: Any = None
        ) -> Any:
            out = apply(function, rule, args, kwargs, depth, side)
            self.calls += depth == 0
            return out + self.by if depth == 0 and self.calls == self.moved else out

        def recorded(*args: Any) -> tape.Operation:
            made = operation(*args)
            self.numbers[made] = self.calls
            return made

        def walked(entry: tape.Operation, sweep: tape.Sweep) -> None:
            if self.level is None and not live.levels:
                self.level, self.begun = sweep.level, self.calls
            d = sweep.collect(entry.nodes, entry.out)
            if sweep.level is self.level:
                self.cotangents[entry] = plain(d)
            if d is not None:
                sweep.apply(entry, d)

        replaced: list[tuple[Any, str, Any, Any]] = [
            (primitives, "apply", apply, computed),
            (primitives, "Operation", operation, recorded),
            (tape.Operation, "reverse", reverse, walked),
        ]
        for owner, name, _, ours in replaced:
            setattr(owner, name, ours)
        try:
            yield self
        finally:
            for owner, name, original, _ in replaced:
                setattr(owner, name, original)


def carrier(loss: Callable[[], Any]) -> Culprit | None:
    """The last operation whose result has another cotangent than differences of the loss say; `loss` is traced.

    None where there is none, or none is found in some seconds.
    """
    with Rerun().watching() as first:
        value = loss()
    if np.ndim(value) or not np.allclose(loss(), value, rtol=1e-12):
        return None  # it is no number, or it draws
    generator, end = np.random.default_rng(0), time.monotonic() + SECONDS
    for operation in sorted(first.cotangents, key=lambda made: -first.numbers.get(made, -1)):
        number, out, d = first.numbers.get(operation, -1), plain(operation.out), first.cotangents[operation]
        if not 0 <= number <= first.begun or not is_number(out) or _is_a_view(out, operation) or time.monotonic() > end:
            continue
        direction = random_direction(out, generator)

        def along(step: Any, number: int = number, direction: Any = direction) -> float:
            with Rerun(number, step * direction).watching():
                return float(np.real(loss()))

        known = slope(along, float(np.max(np.abs(out), initial=0.0)))
        got = 0.0 if d is None else float(inner(d, direction))
        size = 0.0 if d is None else float(np.sum(np.abs(np.conj(d) * direction)))
        if known is not None and not known.allows(got, size, DIGITS.get(np.asarray(out).dtype.char, 1e-5)):
            shown = "nothing" if d is None else f"{got:.9g}"
            return Culprit(named(operation.rule.primal), CARRIED, operation.place, "", known.along(direction), shown)
    return None


def uses(run: Callable[[], Any], moved: Callable[[], Any]) -> list[tuple[str, tuple[str, int]]]:
    """The operations that take the arguments themselves, and no other's result: by name, each with its place.

    `moved` is the same run with all the numbers of the arguments moved: what has changed comes from them.
    """
    with Rerun().watching() as one:
        run()
    with Rerun().watching() as other:
        moved()
    found: dict[tuple[str, tuple[str, int]], None] = {}
    results: set[int] = set()
    for here, there in zip(one.numbers, other.numbers, strict=False):
        if here.rule is not there.rule:  # it went another way
            break
        pairs = zip(leaves(plain(here.args)), leaves(plain(there.args)), strict=False)
        if any(id(a) not in results and not np.array_equal(a, b) for (_, a), (_, b) in pairs):
            found[named(here.rule.primal), here.place] = None
        results |= {id(leaf) for _, leaf in leaves(plain(here.out))}
    return list(found)


def _is_a_view(out: Any, operation: tape.Operation) -> bool:
    """Is it memory of an argument's? Moved, it would be memory of its own, and no write through it would arrive."""
    return isinstance(out, np.ndarray) and any(
        isinstance(a, np.ndarray) and np.may_share_memory(a, out) for a in map(plain, operation.args)
    )
