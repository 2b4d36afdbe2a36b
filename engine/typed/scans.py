"""A loop body lowered under a guess of what it carries: which cells of the store change, and with which types.

A cell that changes enters the body as fresh names for its leaves, of the types guessed so far, and leaves it as values
whose types are joined with the guess; where the join is wider the guess was wrong, and the body is lowered again.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from .core import UNDEFINED, Block, Carried, Const, Loop, Var
from .types import BOOL, NONE, Array, NotTyped, Scalar, erased, join, type_of
from .values import ABSENT, Grown, ListOf, Maybe, Poison, Tup, flatten, is_leaf, refill

EXIT, BREAK = "$exit", "$break"
FALSE = Const(False)


class Guess:
    """What is believed of one cell: the types of its leaves; that they keep their shapes; whether it is a list that
    grows; the type it gets where the loop may be the first to bind it, and not in each iteration; that it is hopeless.
    """

    def __init__(self) -> None:
        self.keeps_shape = True
        self.types: list | None = None
        self.late: Any = None
        self.grows = self.unknown = False


def is_false(value: Any) -> bool:
    return type(value) is Const and value.value is False


class Attempt:
    """One loop being lowered."""

    def __init__(self, lowerer: Any, guesses: dict, xs: list, first: Any, flags: set) -> None:
        self.lowerer, self.guesses, self.xs, self.first, self.flags = lowerer, guesses, xs, first, flags
        self.before, self.outer, self.limit = lowerer.store, lowerer.block, lowerer.numbers
        self.length = len(self.outer.stmts)
        self.declared: dict[tuple, list] = {}
        self.number = lowerer.frame.number

    def holds(self, begin: Callable, stmts: list, again: Callable | None) -> bool:
        """Lower the body; append the Loop if the guess held, else widen the guess."""
        lowerer, number = self.lowerer, self.number
        del self.outer.stmts[self.length :]
        lowerer.numbers = self.limit
        lowerer.store, lowerer.block = dict(self.before), Block()
        entries = {}
        for key, guess in self.guesses.items():
            if key in self.before:
                entries[key] = self.enter(key, self.before[key], guess)
                lowerer.store[key] = FALSE if key in self.flags else entries[key][0]
            elif guess.late is not None:
                lowerer.store[key], _ = entries[key] = self.enter_late(key, guess)
        lowerer.store[number, EXIT] = lowerer.store[number, BREAK] = FALSE
        begin()
        lowerer.statements(stmts)
        broke = lowerer.store.pop((number, BREAK))
        lowerer.store[number, EXIT] = FALSE
        go = self.going_on(broke, again)
        body, after = lowerer.block, lowerer.store
        lowerer.store, lowerer.block = self.before, self.outer
        changed = [key for key, value in after.items() if self.is_changed(key, value) and key not in entries]
        unforeseen = [key for key in changed if key in self.before]
        self.guesses.update((key, Guess()) for key in unforeseen)
        if unforeseen:
            return False
        loop = Loop(self.xs, [], [], body, None, lowerer.line)
        results = {
            key: self.leave(key, *entries.get(key, (ABSENT, [])), after[key], loop) for key in [*entries, *changed]
        }
        if None in results.values():
            return False
        if go is not None:
            type_ = join(type_of(self.first), type_of(go))
            loop.go = Carried(Var(type_, "go"), self.first, go, Var(type_, "go"))
            loop.carried.append(loop.go)
        if not is_false(broke):
            out = Var(BOOL, "broke")
            loop.carried.append(Carried(Var(BOOL, "broke"), FALSE, broke, out))
            broke = out
        self.outer.stmts.append(loop)
        lowerer.store = {**self.before, **results, (number, BREAK): broke, (number, EXIT): FALSE}
        return True

    def going_on(self, broke: Any, again: Callable | None) -> Any:
        """The atom that says, at the end of an iteration, whether another may follow; None where nothing stops it."""
        if again is not None:
            return again() if is_false(broke) else self.lowerer.branch(broke, lambda: FALSE, again)
        return None if is_false(broke) else self.lowerer.let(operator.not_, (broke,))

    def is_changed(self, key: tuple, value: Any) -> bool:
        return key[0] <= self.limit and key[1] not in (EXIT, BREAK) and value is not self.before.get(key)

    def enter(self, key: tuple, value: Any, guess: Guess) -> tuple[Any, list]:
        """The abstract value that a changing cell has at the start of the body, and the atoms it starts from."""
        if guess.unknown:
            return Poison(f"{key[1]} changes its structure in a loop"), []
        if guess.grows and type(value) is ListOf:
            value = self.lowerer.grown(value, self.outer)
        _, leaves = flatten(value)
        params = []
        known = guess.types or [None] * len(leaves)
        self.declared[key] = [join(type_of(leaf), of) for leaf, of in zip(leaves, known, strict=True)]
        for leaf, type_ in zip(leaves, self.declared[key], strict=True):
            params.append(UNDEFINED if type_ is None else Var(self.lowerer.named(type_), name_of(key)))
            if guess.keeps_shape and isinstance(type_, Array):
                self.lowerer.roots[params[-1]] = self.lowerer.root_of(leaf)
        return refill(value, list(params)), leaves

    def enter_late(self, key: tuple, guess: Guess) -> tuple[Any, list]:
        """The same for a name that some iterations bind first, and others find as it was."""
        if guess.unknown:
            return Poison(f"{key[1]} is bound in some iterations of a loop"), []
        self.declared[key] = guess.types or [erased(guess.late)]
        return Maybe(Var(self.lowerer.named(self.declared[key][0]), name_of(key))), [UNDEFINED]

    def leave(self, key: tuple, entry: Any, inits: list, value: Any, loop: Loop) -> Any:
        """The value of a cell behind the loop, its leaves now carried; None where the guess has to be widened."""
        guess = self.guesses.setdefault(key, Guess())
        if type(entry) is Poison:
            return entry
        skeleton, nexts = flatten(value)
        at_start, params = flatten(entry)
        if entry is ABSENT:
            if value is not ABSENT and type(value) is Maybe and not key[1].startswith("$"):  # or keeps its value
                guess.late = type_of_leaf(value.value) or NONE
                guess.unknown = not isinstance(guess.late, Scalar)
                return None
            if value is ABSENT or not (is_leaf(value) or type(value) in (Tup, Maybe)):
                return ABSENT if value is ABSENT else Poison(f"{key[1]} is bound in a loop")
            params = inits = [UNDEFINED] * len(nexts)
        elif skeleton != at_start:
            lists = type(value) in (ListOf, Grown) and type(entry) is ListOf
            guess.grows, guess.unknown = lists and not guess.grows, not lists or guess.grows
            return None
        outs = []
        declared = self.declared.get(key, [])
        for i, (param, init, next_) in enumerate(zip(params, inits, nexts, strict=True)):
            try:
                type_ = erased(type_of(next_)) if param is UNDEFINED else join(declared[i], type_of(next_))
            except NotTyped:
                guess.unknown = True
                return None
            if param is not UNDEFINED and type_ != declared[i]:
                guess.types = list(declared)
                guess.types[i] = type_
                return None
            roots = self.lowerer.roots
            if param in roots and roots[param] is not self.lowerer.root_of(next_):
                guess.keeps_shape = False
                return None
            param = Var(self.lowerer.named(type_), name_of(key)) if param is UNDEFINED else param
            out = Var(self.lowerer.named(type_), name_of(key))
            if param in roots:
                roots[out] = roots[param]
            loop.carried.append(Carried(param, init, next_, out))
            outs.append(out)
        rebuilt = refill(value, outs)
        return Maybe(rebuilt) if type(entry) is Maybe and type(rebuilt) is not Maybe else rebuilt


def type_of_leaf(value: Any) -> Any:
    """The type of a number or array, None for what has a structure."""
    return type_of(value) if type(value) in (Var, Const) else None


def name_of(key: tuple) -> str:
    """The hint for the names of a cell."""
    return "returns" if key[1].startswith("$") else key[1]
