"""Random programs, composed from the features of the language, and the search for the smallest one that goes wrong.

One number decides everything: the text (see grammar.py), the arguments, the parts of the engine that are switched off.
A program that jumps near its arguments (a branch taken on one side only) is recognised by differences that do not
agree, and left out.

    python -m regressions.conformance.programs 42            one program: its text and its verdict
    python -m regressions.conformance.programs 42 --reduce   and the smallest program that fails in the same way
    python -m regressions.conformance.programs 0 5000        a range of programs: the verdicts counted, failures reduced
"""

from __future__ import annotations

import argparse
import linecache
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from engine import DifferentiationError, switches, value_and_gradient

from .grammar import Writer
from .oracle import (
    FIRST_ORDER,
    SECOND_ORDER,
    STEP,
    Program,
    assert_components,
    assert_same,
    check_second_order,
    direction_of,
    directional_differences,
    first_differences,
)


@dataclass(frozen=True)
class RandomProgram:
    """The program of one number: text, arguments, what is switched off."""

    seed: int
    text: str = field(repr=False, compare=False, default="")

    @cached_property
    def source(self) -> str:
        return self.text or Writer(random.Random(self.seed)).program()

    @cached_property
    def switched_off(self) -> tuple[str, ...]:
        """Nothing, the whole typed tier, or some of the switches there are."""
        rng = random.Random(self.seed + 1)
        names = sorted(switches.NAMES)
        return rng.choice([(), ("typed",), tuple(name for name in names if rng.random() < 0.3)])

    @cached_property
    def program(self) -> Program:
        rng = np.random.default_rng(self.seed)
        name = f"<random program {self.seed}>" if not self.text else f"<reduced program {hash(self.text)}>"
        linecache.cache[name] = (len(self.source), None, self.source.splitlines(True), name)
        namespace: dict = {"__name__": "random_program"}
        exec(compile(self.source, name, "exec"), namespace)
        x, y, *a = rng.uniform(-0.9, 0.9, 5)
        items, p, q = rng.uniform(-0.9, 0.9, 3).tolist(), *rng.uniform(-0.9, 0.9, 2).tolist()
        return Program(namespace["loss"], (float(x), float(y), np.array(a), items, {"p": p, "q": q}))


@dataclass(frozen=True)
class Verdict:
    """What became of one program: right, refused, uneven (no derivative to compare with), or a failure."""

    kind: str
    detail: str = ""

    @property
    def is_failure(self) -> bool:
        return self.kind not in ("right", "refused", "uneven")


def is_even(program: Program, order: int) -> bool:
    """Is the program smooth around its arguments: do the differences agree, at smaller steps, as the engine must?"""
    pairs = [([first_differences(program, step) for step in (STEP, STEP / 8)], FIRST_ORDER)]
    if order == 2:
        direction = direction_of(program)
        pairs.append(([directional_differences(program, direction, step) for step in (STEP, STEP / 2)], SECOND_ORDER))
    return all(np.allclose([*a.values()], [*b.values()], **tolerance) for (a, b), tolerance in pairs)


def judge(candidate: RandomProgram, order: int = 1) -> Verdict:
    """Run the engine on one program and compare with the oracle, to first or second order."""
    program = candidate.program
    plain = program.fresh()
    try:
        expected_value = program(*plain)
    except Exception as error:
        return _judge_raising(candidate, error, plain)
    if not is_even(program, order):
        return Verdict("uneven")
    args = program.fresh()
    try:
        with switches.off(*candidate.switched_off):
            value, gradients = value_and_gradient(program.function, *args)
            assert_same(value, expected_value, "value")
            assert_same(args, plain, "arguments after the run")
            assert_components(gradients, first_differences(program), **FIRST_ORDER)
            if order == 2:
                check_second_order(program)
    except DifferentiationError as error:
        return Verdict("refused", f"{type(error).__name__}: {str(error).splitlines()[0]}")
    except AssertionError as error:
        return Verdict("wrong", str(error))
    except Exception as error:  # whatever the engine raises here, plain Python did not
        return Verdict("error", f"{type(error).__name__}: {error}")
    return Verdict("right")


def _judge_raising(candidate: RandomProgram, expected: Exception, plain: tuple) -> Verdict:
    """A program that raises must raise the same under the engine, and leave its arguments alike."""
    args = candidate.program.fresh()
    try:
        with switches.off(*candidate.switched_off):
            value_and_gradient(candidate.program.function, *args)
    except DifferentiationError as error:
        return Verdict("refused", f"{type(error).__name__}: {str(error).splitlines()[0]}")
    except Exception as error:
        if (type(error), str(error)) != (type(expected), str(expected)):
            return Verdict("error", f"{type(error).__name__}: {error}, where Python raises {expected!r}")
    else:
        return Verdict("wrong", f"no exception, where Python raises {expected!r}")
    try:
        assert_same(args, plain, "arguments after the exception")
    except AssertionError as error:
        return Verdict("wrong", str(error))
    return Verdict("right", "raises")


# -- reduction ---------------------------------------------------------------------------------------------------------


def without(lines: list[str], start: int) -> Iterator[list[str]]:
    """The program without the statement that begins at `start`, and without its header only (its body moves out)."""
    indent = len(lines[start]) - len(lines[start].lstrip())
    end = start + 1
    while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) > indent):
        end += 1
    yield lines[:start] + lines[end:]
    if end > start + 1:
        yield lines[:start] + [line[4:] for line in lines[start + 1 : end]] + lines[end:]


def same_failure(candidate: RandomProgram, failure: Verdict, order: int) -> bool:
    """Does the candidate fail as the original does: in the same way, and an exception by the same name?"""
    try:
        verdict = judge(candidate, order)
    except Exception:  # the text no longer is a program
        return False
    return verdict.kind == failure.kind and verdict.detail.split(":")[0] == failure.detail.split(":")[0]


def reduced(candidate: RandomProgram, order: int = 1) -> RandomProgram:
    """The smallest program, by deleting statements and unwrapping blocks, that fails in the same way."""
    failure = judge(candidate, order)
    lines = candidate.source.splitlines()
    shrunk = True
    while shrunk:
        shrunk = False
        for start in reversed(range(lines.index("def loss(x, y, a, items, named):") + 1, len(lines))):
            if start >= len(lines):
                continue
            for shorter in without(lines, start):
                smaller = RandomProgram(candidate.seed, "\n".join(shorter) + "\n")
                if same_failure(smaller, failure, order):
                    lines, shrunk = shorter, True
                    break
    return RandomProgram(candidate.seed, "\n".join(lines) + "\n")


def report(candidate: RandomProgram, order: int = 1) -> str:
    """The failing program, reduced, with its arguments, what was switched off and what went wrong."""
    smallest = reduced(candidate, order)
    verdict = judge(smallest, order)
    body = smallest.source[smallest.source.index("def loss") :]
    off = ", ".join(candidate.switched_off) or "nothing"
    head = f"seed {candidate.seed}, order {order}, off: {off}"
    return f"{head}\n{body}\nargs = {smallest.program.args}\n{verdict.kind}: {verdict.detail}"


def main(arguments: list[str]) -> int:
    """The command line: 0 when no program failed."""
    parser = argparse.ArgumentParser(prog="python -m regressions.conformance.programs", description=__doc__)
    parser.add_argument("seed", type=int, help="the program's number, or the first of a range")
    parser.add_argument("end", type=int, nargs="?", help="one past the last number of the range")
    parser.add_argument("--order", type=int, choices=(1, 2), default=1, help="compare to this order")
    parser.add_argument("--reduce", action="store_true", help="print the smallest program that fails in the same way")
    options = parser.parse_args(arguments)
    if options.end is None:
        candidate = RandomProgram(options.seed)
        verdict = judge(candidate, options.order)
        print(report(candidate, options.order) if options.reduce else candidate.source)
        print(f"{verdict.kind}: {verdict.detail}")
        return int(verdict.is_failure)
    counts: Counter[str] = Counter()
    for seed in range(options.seed, options.end):
        verdict = judge(RandomProgram(seed), options.order)
        counts[verdict.kind] += 1
        if verdict.is_failure:
            print(report(RandomProgram(seed), options.order), end="\n\n", flush=True)
    print(", ".join(f"{count} {kind}" for kind, count in counts.most_common()))
    return int(any(Verdict(kind).is_failure for kind in counts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
