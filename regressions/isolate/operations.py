"""Which operation of a program is wrong: each one that the engine records, held against its own differences.

The program runs on the traced tier, where every operation is recorded and pulled back by itself. As the reverse sweep
comes to one, with the values and the cotangent of its own time, its pullback is asked again, alone, and compared with
the differences of the one primitive along random directions. So is a rule of forward mode, and, on the way forward,
what is declared constant and what is differentiated as a composition of others.

An engine may err where no single operation does: in how values travel through lists, objects and written arrays.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from engine import errors, traced
from engine.traced import calls, tape
from engine.traced.levels import Node, live, plain
from engine.traced.primitives import is_active
from engine.traced.useful import Careful, Useful

from .culprits import COMPOSED, CONSTANT, FORM, FORWARD, KINK, LOST, NAN, NOWHERE, RAISES, WRONG, Culprit, Kind, named
from .slopes import Slope, inner, is_number, leaves, moved_along, random_direction, slope

__all__ = ["DIGITS", "Watch", "watching"]

DIGITS = {"e": 3e-2, "f": 2e-3, "F": 2e-3}  # of what is computed in half and in single precision
INACTIVE: Any = object()  # the cotangent of a constant in a structure: nobody asks for it
SYMMETRIC = {"cholesky", "cho_factor", "eigh", "eigvalsh"}  # of a matrix they read one half, and mean both
ELEMENTS = 32  # an array of so many is asked element by element once it is known to be wrong


class Watch:
    """What was seen of a run: how many operations were asked, how many could not be judged, the first that is wrong."""

    def __init__(self) -> None:
        self.asked = self.unsettled = 0
        self.found: list[tuple[Any, Culprit]] = []
        self.generator = np.random.default_rng(0)
        self.raised: Culprit | None = None
        self.busy = False

    @property
    def culprit(self) -> Culprit | None:
        """The first on the way back; what was only seen on the way forward comes behind."""
        wrong = [culprit for _, culprit in self.found if culprit.kind is not KINK]
        return self.raised or min(wrong, key=lambda culprit: culprit.kind.rank, default=None)

    @property
    def kink(self) -> Culprit | None:
        """The first on the way back that has several slopes to choose from."""
        return next((culprit for _, culprit in self.found if culprit.kind is KINK), None)

    def forget(self, level: Any) -> None:
        """A sweep is done again, with care: what was seen of the first does not count."""
        self.found = [(of, culprit) for of, culprit in self.found if of is not level]

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Whatever runs here is the watch's own, and no level records it."""
        outside, live.levels, self.busy = live.levels, [], True
        try:
            with np.errstate(all="ignore"):
                yield
        finally:
            live.levels, self.busy = outside, False

    def ask(self, level: Any, ask: Callable[[], Culprit | None]) -> None:
        """Judge an operation; one whose primitive cannot be called again is counted as not judged."""
        if self.busy or any(of is level and culprit.kind.rank == 1 for of, culprit in self.found):
            return
        self.asked += 1
        with self.alone():
            try:
                culprit = ask()
            except Exception:
                self.unsettled += 1
                return
        if culprit is not None:
            self.found.append((level, culprit))


@contextmanager
def watching() -> Iterator[Watch]:
    """Watch everything that the traced tier does while the context lasts."""
    watch = Watch()
    apply, run, forward = tape.Sweep.apply, tape.Sweep.run, tape.Pushforward.reverse
    constant, composition = calls._constant, calls._by_composition

    def watched_apply(sweep: Any, operation: Any, d: Any) -> None:
        if not watch.busy and not isinstance(sweep, Useful):
            watch.ask(sweep.level, lambda: _pulled_back(watch, sweep, operation, plain(d)))
        try:
            apply(sweep, operation, d)
        except Exception as error:
            if watch.raised is None:
                text = f"{type(error).__name__}: {error}".splitlines()[0]
                watch.raised = Culprit(named(operation.rule.primal), RAISES, operation.place, got=text)
            raise

    def watched_run(sweep: Any) -> None:
        if isinstance(sweep, Careful):
            watch.forget(sweep.level)
        run(sweep)

    def watched_forward(entry: Any, sweep: Any) -> None:
        tangents = [None if node is None else plain(sweep.bars.get(node)) for node in entry.nodes]
        watch.ask(sweep.level, lambda: _pushed_forward(watch, entry, tangents))
        forward(entry, sweep)

    def watched_constant(function: Callable, args: tuple, kwargs: dict) -> Any:
        if live.levels and any(is_active(a) or _holds_numbers(a) for a in args):
            place = _place()
            watch.ask(None, lambda: _constant(watch, function, args, kwargs, place))
        return constant(function, args, kwargs)

    def watched_composition(function: Callable, composed: Any, args: tuple, kwargs: dict) -> Any:
        if live.levels and any(is_active(a) for a in args):
            place = _place()
            watch.ask(None, lambda: _composed(watch, function, composed, args, kwargs, place))
        return composition(function, composed, args, kwargs)

    replaced: list[tuple[Any, str, Any, Any]] = [
        (tape.Sweep, "apply", apply, watched_apply),
        (tape.Sweep, "run", run, watched_run),
        (tape.Pushforward, "reverse", forward, watched_forward),
        (calls, "_constant", constant, watched_constant),
        (calls, "_by_composition", composition, watched_composition),
    ]
    for owner, name, _, ours in replaced:
        setattr(owner, name, ours)
    try:
        yield watch
    finally:
        for owner, name, original, _ in replaced:
            setattr(owner, name, original)


def _holds_numbers(x: Any) -> bool:
    """Is it a list, a dictionary or an object with numbers in it? Whether they are active only its own history says."""
    return not isinstance(plain(x), tuple) and not is_number(plain(x)) and any(True for _ in leaves(plain(x)))


def _place() -> tuple[str, int]:
    chain = errors.call_chain()
    return (chain[0][1], chain[0][2]) if chain else NOWHERE


def _pulled_back(watch: Watch, sweep: Any, operation: Any, d: Any) -> Culprit | None:
    """What is wrong with the pullback of one operation at this cotangent."""
    parameters = operation.rule.parameters
    if operation.rule.primal is tape.moving_as or parameters[:1] == ("out",):  # two things at once, on purpose
        return None
    args, out = plain(operation.args), plain(operation.out)
    nodes = [_fresh(target) for target in operation.targets]
    bare = tape.Operation(operation.rule, args, operation.kwargs, out, tuple(nodes), None, operation.place)
    careful = isinstance(sweep, Careful)
    again = Careful(sweep.level, {bare: sweep.masks.get(operation)}) if careful else tape.Sweep(sweep.level)
    again.apply(bare, d)
    name, kink = named(operation.rule.primal), None
    for position, node in enumerate(nodes):
        if node is None:
            continue
        called = _called(operation.rule.primal, args, operation.kwargs, out)
        argument = _named(operation.rule, position)
        if complaint := _complaint(watch, operation.rule.primal, called, args, position, d, _collected(again, node)):
            culprit = Culprit(name, complaint[0], operation.place, argument, *complaint[1:])
            if culprit.kind is not KINK:
                return culprit
            kink = kink or culprit
    return kink


def _fresh(target: Any) -> Any:
    return tuple(map(_fresh, target)) if isinstance(target, tuple) else None if target is None else Node()


def _collected(sweep: Any, node: Any) -> Any:
    if isinstance(node, tuple):
        return tuple([_collected(sweep, n) for n in node])
    return INACTIVE if node is None else sweep.bars.get(node)


def _named(rule: Any, position: int) -> str:
    return f"argument {rule.parameters[position] if position < len(rule.parameters) else position}"


class Unrepeatable(Exception):
    """A primitive that answers something else each time, such as a draw, has no differences."""


def _called(function: Callable, args: tuple, kwargs: dict, out: Any) -> Callable[[tuple], Any]:
    """The primitive as a function of the tuple of its arguments.

    Raises:
        Unrepeatable: called with the same ones it does not answer the same.
    """

    def called(moved: tuple) -> Any:
        result = function(*copy.deepcopy(moved), **copy.deepcopy(kwargs))
        return tuple(result) if isinstance(result, list) else result

    again = called(args)
    for (_, then), (_, now) in zip(leaves(out), leaves(again), strict=True):
        if not np.allclose(then, now, rtol=1e-3, equal_nan=True):
            raise Unrepeatable
    return called


def _complaint(
    watch: Watch, primal: Callable, called: Callable[[tuple], Any], args: tuple, position: int, d: Any, bar: Any
) -> tuple[Kind, str, str] | None:
    """What is wrong with the cotangent of one argument, or that it has been chosen: how, expected and got."""
    kink = None
    digits = max([DIGITS.get(np.asarray(leaf).dtype.char, 0.0) for _, leaf in leaves((args, d))], default=0.0)
    for path, leaf in leaves(args[position]):
        part = bar
        for key in path:
            part = part if part is None or part is INACTIVE else part[key]
        if part is INACTIVE:
            continue
        direction = random_direction(leaf, watch.generator)
        if primal.__name__ in SYMMETRIC and np.ndim(leaf) > 1:
            direction = direction + np.conj(np.swapaxes(direction, -1, -2))
        known = _slope_along(called, args, (position, *path), leaf, direction, d)
        if part is not None and (np.shape(part), np.asarray(part).dtype) != (np.shape(leaf), np.asarray(leaf).dtype):
            return FORM, _form(leaf), _form(part)
        if part is not None and np.isnan(part).any() and not _any_nan((args, d)):
            return NAN, "" if known is None else known.along(direction), _shown(part)
        if known is None:
            watch.unsettled += 1
            continue
        terms = 0.0 if part is None else np.abs(np.conj(part) * direction)
        got = 0.0 if part is None else float(inner(part, direction))
        if known.allows(got, float(np.sum(terms)), digits):
            if known.is_kink and kink is None:
                kink = KINK, known.along(direction), f"{got:.9g}"
            continue
        wanted = _elementwise(called, args, (position, *path), leaf, d)
        lost = part is None or not np.any(part)
        expected = known.along(direction) if wanted is None else _shown(wanted)
        shown = "nothing" if part is None else f"{got:.9g}" if wanted is None and not lost else _shown(part)
        return (LOST if lost else WRONG), expected, shown
    return kink


def _slope_along(
    called: Callable[[tuple], Any], args: tuple, path: tuple, leaf: Any, direction: Any, d: Any
) -> Slope | None:
    def along(step: complex) -> Any:
        return inner(d, called(moved_along(args, path, direction, step)))

    size = float(np.max(np.abs(leaf), initial=0.0))
    real = not np.iscomplexobj(leaf) and not any(np.iscomplexobj(part) for _, part in leaves((args, d)))
    alone = np.size(leaf) == 1 and all(np.size(part) == 1 for _, part in leaves((d,)))
    return slope(along, size, (lambda step: np.imag(along(step))) if real else None, alone)


def _elementwise(called: Callable[[tuple], Any], args: tuple, path: tuple, leaf: Any, d: Any) -> Any:
    """The cotangent of a small real argument by differences; None where it is not small, real and smooth."""
    if np.size(leaf) > ELEMENTS or np.iscomplexobj(leaf):
        return None
    found = np.zeros(np.shape(leaf))
    for index in np.ndindex(np.shape(leaf)):
        unit = np.zeros(np.shape(leaf))
        unit[index] = 1.0
        known = _slope_along(called, args, path, leaf, unit if isinstance(leaf, np.ndarray) else unit[()], d)
        if known is None:
            return None
        found[index] = known.middle
    return found if isinstance(leaf, np.ndarray) else found[()]


def _any_nan(x: Any) -> bool:
    return any(np.isnan(leaf).any() for _, leaf in leaves(x))


def _shown(x: Any) -> str:
    with np.printoptions(precision=9, threshold=20, linewidth=100):
        text = str(x) if isinstance(x, np.ndarray) else f"{x:.9g}"
    return text.replace("\n", "\n            ")


def _form(x: Any) -> str:
    return f"shape {np.shape(x)}, {np.asarray(x).dtype}"


def _pushed_forward(watch: Watch, entry: Any, tangents: list) -> Culprit | None:
    """What is wrong with the rule's own forward mode at these tangents."""
    operation = entry.operation
    rule, args, out = operation.rule, plain(entry.args), plain(operation.out)
    if all(t is None for t in tangents):
        return None
    given = [np.zeros_like(a) if t is None and is_number(a) else t for t, a in zip(tangents, args, strict=False)]
    got = rule.pushforward(tuple(given), out, *args, **operation.kwargs)
    called = _called(rule.primal, args, operation.kwargs, out)
    weights = _map(lambda leaf: random_direction(leaf, watch.generator), out)

    def along(step: float) -> Any:
        moved = tuple([a if t is None else a + step * t for a, t in zip(args, given, strict=False)])
        return inner(weights, called((*moved, *args[len(moved) :])))

    known = slope(along, max([float(np.max(np.abs(a), initial=0.0)) for _, a in leaves(args)], default=1.0))
    if known is None:
        watch.unsettled += 1
        return None
    found = float(np.real(inner(weights, got)))
    if known.allows(found):
        return None
    words = f"{known.middle:.9g} along a random direction", f"{found:.9g}"
    return Culprit(named(rule.primal), FORWARD, operation.place, "", *words)


def _constant(watch: Watch, function: Callable, args: tuple, kwargs: dict, place: tuple[str, int]) -> Culprit | None:
    """Does the result of a function that is declared constant depend on what carries a derivative?"""
    args, kwargs = tuple(map(plain, args)), {key: plain(value) for key, value in kwargs.items() if key != "out"}
    out = function(*copy.deepcopy(args), **kwargs)
    if not any(True for _ in leaves(out)):
        return None
    weights = _map(lambda leaf: random_direction(leaf, watch.generator), out)
    called = _called(function, args, kwargs, out)
    for position in range(len(args)):
        complaint = _complaint(watch, function, called, args, position, weights, None)
        if complaint and complaint[0] is not KINK:
            return Culprit(named(function), CONSTANT, place, f"argument {position}", *complaint[1:])
    return None


def _composed(
    watch: Watch, function: Callable, composed: Any, args: tuple, kwargs: dict, place: tuple[str, int]
) -> Culprit | None:
    """Is the derivative of the composition that stands for a function that of the function?"""
    args, kwargs = tuple(map(plain, args)), {key: plain(value) for key, value in kwargs.items() if key != "out"}
    out = function(*copy.deepcopy(args), **kwargs)
    weights = _map(lambda leaf: random_direction(leaf, watch.generator), out)
    active = [i for i, a in enumerate(args) if any(True for _ in leaves(a))]
    _, back = traced.pullback(composed, copy.deepcopy(args), kwargs, wrt=active)
    called = _called(function, args, kwargs, out)
    for position, bar in zip(active, back(weights), strict=True):
        complaint = _complaint(watch, function, called, args, position, weights, bar)
        if complaint and complaint[0] is not KINK:
            return Culprit(named(function), COMPOSED, place, f"argument {position}", *complaint[1:])
    return None


def _map(each: Callable[[Any], Any], x: Any) -> Any:
    if isinstance(x, tuple | list):
        return tuple([_map(each, part) for part in x])
    return each(x) if is_number(x) else None
