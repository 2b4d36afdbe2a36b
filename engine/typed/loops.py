"""Loops: over items that are known, unrolled; otherwise one Loop of the core, whose body is lowered once per guess."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from . import exits
from .core import Const, Var
from .scans import Attempt, Guess
from .types import NotTyped

EXIT, BREAK = "$exit", "$break"
ATTEMPTS = 12
SHORT = 8  # a comprehension over a range of constants this long makes a list of known length
UNROLL = 64  # a range of constants this long is unrolled when its index must be known


class Loops:
    """The part of the lowerer that repeats."""

    def _While(self, stmt: ast.While) -> None:
        stmt, after = exits.without_returns(stmt)
        self.set_flags(stmt)
        first = self.condition(stmt.test)
        if type(first) is not Const or first.value:
            self.scan(stmt, [], first, lambda: None, lambda: self.condition(stmt.test))
        self.after_loop(stmt, after)

    def _For(self, stmt: ast.For) -> None:
        stmt, after = exits.without_returns(stmt)
        self.set_flags(stmt)
        iterable = self.expr(stmt.iter)
        items = self.known_items(iterable)
        if items is None and any(isinstance(n, exits.Append) for n in stmt.body):
            items = self.short_range(iterable)
        if items is None:
            items = self.scan_or_unroll(stmt, iterable)
        if items is not None:
            self.unroll(stmt, items)
        self.after_loop(stmt, after)

    def scan_or_unroll(self, stmt: ast.For, iterable: Any) -> list | None:
        """A Loop over `iterable`; or, where its index must be known and is, the indices to unroll it over."""

        def as_loop() -> None:
            self.iterated.append(iterable)
            xs, element = self.elements(iterable)
            self.scan(stmt, xs, Const(True), lambda: self.assign(stmt.target, element()), None)
            self.iterated.pop()

        def as_numbers(error: NotTyped) -> list:
            numbers = self.constant_range(iterable)
            if numbers is None or len(numbers) > UNROLL:
                raise error
            return [Const(n) for n in numbers]

        return self.either(as_loop, as_numbers)

    def short_range(self, value: Any) -> list | None:
        """The numbers that a comprehension runs over, where they are few and known: its list has a known length."""
        made = self.makers.get(value) if type(value) is Var else None
        if made is None or made.fn is not range or not all(type(a) is Const for a in made.args):
            return None
        numbers = range(*[a.value for a in made.args])
        return [Const(n) for n in numbers] if len(numbers) <= SHORT else None

    def set_flags(self, loop: ast.For | ast.While) -> None:
        for flag in getattr(loop, "flags", ()):
            self.store[self.frame.number, flag] = Const(False)

    def after_loop(self, stmt: ast.For | ast.While, after: list) -> None:
        """The else clause, where no break was met, then the returns that were moved behind the loop."""
        broke = self.store.pop((self.frame.number, BREAK), Const(False))
        self.store[self.frame.number, BREAK] = self.store[self.frame.number, EXIT] = Const(False)
        if stmt.orelse:
            self.branch(broke, lambda: None, lambda: self.statements(stmt.orelse))
        if after:
            self.statements(after)

    def unroll(self, stmt: ast.For, items: list) -> None:
        number = self.frame.number
        self.store[number, BREAK] = Const(False)

        def run(i: int) -> None:
            for k in range(i, len(items)):
                self.assign(stmt.target, items[k])
                self.store[number, EXIT] = Const(False)
                self.statements(stmt.body)
                broke = self.store[number, BREAK]
                self.store[number, EXIT] = Const(False)
                if type(broke) is not Const:
                    self.branch(broke, lambda: None, lambda k=k: go_on(k + 1))
                    return
                if broke.value:
                    return

        def go_on(i: int) -> None:
            self.store[number, BREAK] = Const(False)
            run(i)

        self.frame.loops += 1
        run(0)
        self.frame.loops -= 1

    def scan(self, node: Any, xs: list, first: Any, begin: Callable, again: Callable | None) -> None:
        """Lower a loop body once per guess of what it carries, until the guess holds, and append the Loop.

        The guesses are kept: when an outer loop tries again, this loop starts from what it has found before, so that
        the attempts do not multiply with the depth of nesting.
        """
        path = (*self.loop_path, id(node), len(self.callees), self.line)
        guesses = self.memo.setdefault(path, {})
        for name in exits.assigned(node):
            guesses.setdefault((self.frame.number, name), Guess())
        outer_path, self.loop_path = self.loop_path, path
        self.frame.loops += 1
        attempt = Attempt(self, guesses, xs, first, {(self.frame.number, flag) for flag in getattr(node, "flags", ())})

        def settled() -> None:
            if not any(attempt.holds(begin, node.body, again) for _ in range(ATTEMPTS)):
                raise NotTyped("a loop whose types do not settle")

        if self.guessing:
            self.unless_endless(settled)  # or as if it ran no iteration
        else:
            settled()
        self.frame.loops -= 1
        self.loop_path = outer_path
