"""A Python function and the places of its arguments -> the core, by abstract interpretation of its statements.

The store maps (frame or object, name) to abstract values; a branch or a loop body is interpreted on a copy of it, and
the copies are merged leaf by leaf: a leaf that differs becomes an `out` of the If, a carried value of the Loop.
Callees are inlined, conditions that are known prune. `break`, `continue` and `return` set flags that the rest of the
block is conditioned on; where one branch of an `if` always leaves, the rest simply moves into the other.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from . import exits
from .access import Access
from .calls import Calls
from .core import UNDEFINED, Block, Const, If, Let, Var, operands
from .expressions import Expressions
from .lower_frames import Frame
from .places import Places
from .recursion import ESCAPES, Endless, Recursions
from .runtime import give_up, same, throw, unpacked
from .scans import Attempt, Guess
from .sizes import Sizes
from .stores import Stores
from .types import BOOL, NONE, Array, NotTyped, Plain, is_active_type, join, type_of
from .values import ABSENT, Grown, ListOf, Maybe, Poison, Ref, Tup, id_of, is_leaf, parts_of, with_parts

EXIT, BREAK, RETURN = "$exit", "$break", "$return"
LEAVING = (ast.Return, ast.Break, ast.Continue)
ATTEMPTS = 12
COMPARISONS = {operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge}
SHORT = 8  # a comprehension over a range of constants this long makes a list of known length
UNROLL = 64  # a range of constants this long is unrolled when its index must be known


class Lowerer(Expressions, Access, Calls, Recursions, Stores, Sizes):
    """The state of one lowering; expressions, calls and accesses are in the modules of those names."""

    def __init__(self, places: Places, filename: str) -> None:
        self.places, self.filename = places, filename
        self.block = Block()
        self.store: dict[tuple, Any] = {}
        self.frame: Frame | None = None
        self.line = 0
        self.numbers = 0
        self.in_rule = 0
        self.handles = False  # is there an except clause?
        self.ties_are_checked = False
        self.may_be_unread: set = set()  # targets of a derivative that some way through the program does not come to
        self.callees: list = []  # the functions being inlined, and what is known of their arguments
        self.recursive: set = set()  # the functions that call themselves: those that are called
        self.unrolled: set = set()  # and those that are inlined in themselves
        self.procedures: dict = {}
        self.building: dict = {}
        self.guessing = False  # what the inner calls of a function return
        self.reads: dict = {}  # of the names of outside, by a function that is being built
        self.unrolling = self.repeats = self.undecided = 0
        self.iterated: list = []
        self.memo: dict = {}
        self.loop_path: tuple = ()
        self.writes: dict[Var, Var] = {}  # an array's new version and the one it takes the place of
        self.roots: dict[Var, Var] = {}  # names of arrays and those whose shape they have
        self.symbols: dict[tuple, str] = {}
        self.makers: dict[Var, Let] = {}
        self.dependent: dict[Var, bool] = {}

    def new_number(self) -> int:
        self.numbers += 1
        return self.numbers

    # ---- statements

    def statements(self, stmts: list) -> None:
        for i, stmt in enumerate(stmts):
            rest = stmts[i + 1 :]
            if type(stmt) is ast.If and rest:
                if exits.always(stmt.body):
                    self.if_statement(stmt, stmt.body, [*stmt.orelse, *rest])
                    return
                if stmt.orelse and exits.always(stmt.orelse):
                    self.if_statement(stmt, [*stmt.body, *rest], stmt.orelse)
                    return
            self.statement(stmt)
            left = self.store.get((self.frame.number, EXIT), Const(False))
            if type(left) is Const:
                if left.value:
                    return
                continue
            if rest:
                self.unless(left, lambda rest=rest: self.statements(rest))
            return

    def unless(self, left: Var, run: Callable) -> None:
        """Run the rest where `left` is false; where it is true, the program has left already."""

        def leave() -> None:
            key = (self.frame.number, EXIT)
            self.store[key] = Const(True)
            returned = (self.frame.number, RETURN)
            if type(self.store.get(returned)) is Maybe:
                self.store[returned] = self.store[returned].value

        def go_on() -> None:
            self.store[self.frame.number, EXIT] = self.store[self.frame.number, BREAK] = Const(False)
            run()

        self.branch(left, leave, go_on)

    def statement(self, stmt: ast.stmt) -> None:
        handler = getattr(self, f"_{type(stmt).__name__}", None)
        if handler is None:
            raise NotTyped(f"a statement {type(stmt).__name__}, line {stmt.lineno}")
        self.at(stmt)
        handler(stmt)

    def at(self, node: ast.AST) -> None:
        if self.in_rule == 0 and self.frame.filename == self.filename:
            self.line = node.lineno

    def _Pass(self, stmt: ast.Pass) -> None:
        pass

    def _Expr(self, stmt: ast.Expr) -> None:
        if not isinstance(stmt.value, ast.Constant):
            self.expr(stmt.value)

    def _Assign(self, stmt: ast.Assign) -> None:
        value = self.expr(stmt.value)
        for target in stmt.targets:
            self.assign(target, value)

    def _AnnAssign(self, stmt: ast.AnnAssign) -> None:
        if stmt.value is not None:
            self.assign(stmt.target, self.expr(stmt.value))

    def _AugAssign(self, stmt: ast.AugAssign) -> None:
        self.augmented(stmt)

    def _Return(self, stmt: ast.Return) -> None:
        if self.frame.loops:
            raise NotTyped("a return in the else clause of a loop in a loop")
        value = Const(None) if stmt.value is None else self.expr(stmt.value)
        self.store[self.frame.number, RETURN] = value
        self.store[self.frame.number, EXIT] = Const(True)

    def _Break(self, stmt: ast.Break) -> None:
        self.store[self.frame.number, BREAK] = Const(True)
        self.store[self.frame.number, EXIT] = Const(True)

    def _Continue(self, stmt: ast.Continue) -> None:
        self.store[self.frame.number, EXIT] = Const(True)

    def _Assert(self, stmt: ast.Assert) -> None:
        def fail() -> None:
            if stmt.msg is None or isinstance(stmt.msg, ast.Constant):
                self.throw(AssertionError, () if stmt.msg is None else (stmt.msg.value,))
            else:
                self.give_up("an assertion with a computed message")

        self.branch(self.condition(stmt.test), lambda: None, fail)

    def _Raise(self, stmt: ast.Raise) -> None:
        exc = stmt.exc
        call = exc if isinstance(exc, ast.Call) else None
        args = call.args if call else []
        simple = not (stmt.cause or (call and call.keywords)) and all(isinstance(a, ast.Constant) for a in args)
        cls = self.expr(call.func if call else exc) if exc is not None and simple else None
        if type(cls) is Const and isinstance(cls.value, type) and issubclass(cls.value, Exception):
            self.throw(cls.value, tuple([a.value for a in args]))
        else:
            self.give_up("a computed exception")

    def throw(self, cls: type, args: tuple) -> None:
        self.emit(throw, (Const(cls), Const(args)), Plain(type(None)), must=True)
        self.never_returns()

    def give_up(self, reason: str) -> None:
        """Where the program comes here, the other tier runs it again: it knows what happens then."""
        self.emit(give_up, (Const(reason),), Plain(type(None)), must=True)
        self.never_returns()

    def never_returns(self) -> None:
        self.store[self.frame.number, EXIT] = Const(True)
        self.store[self.frame.number, RETURN] = UNDEFINED

    def _Try(self, stmt: ast.Try) -> None:
        """As if nothing were raised; where something is, the other tier runs the program again."""
        if stmt.finalbody and any(isinstance(n, LEAVING) for n in ast.walk(stmt)):
            raise NotTyped("a finally around a statement that leaves")
        self.handles = self.handles or bool(stmt.handlers)
        self.statements([*stmt.body, *stmt.orelse, *stmt.finalbody])

    def _Delete(self, stmt: ast.Delete) -> None:
        for target in stmt.targets:
            if not isinstance(target, ast.Name) or target.id not in self.frame.locals:
                raise NotTyped("something else than a local variable is deleted")
            self.read(target.id)
            self.store[self.frame.number, target.id] = ABSENT

    def _FunctionDef(self, stmt: ast.FunctionDef) -> None:
        if stmt.decorator_list:
            raise NotTyped("a decorated local function")
        self.assign(ast.Name(stmt.name, ast.Store()), self.closure(stmt, stmt.name))

    def _If(self, stmt: ast.If) -> None:
        self.if_statement(stmt, stmt.body, stmt.orelse)

    def if_statement(self, stmt: ast.If, body: list, orelse: list) -> None:
        self.at(stmt)
        cond = self.condition(stmt.test)
        self.branch(cond, lambda: self.statements(body), lambda: self.statements(orelse))

    # ---- names and the store

    def emit(self, fn: Callable, args: tuple, type: Any, kw: tuple = (), hint: str = "t", must: bool = False) -> Var:
        out = Var(type, hint)
        self.makers[out] = made = Let(out, fn, args, kw, self.line, must)
        self.block.stmts.append(made)
        return out

    def depends(self, value: Any) -> bool:
        """May `value` depend on an argument that a derivative is taken by?"""
        if type(value) is not Var or not is_active_type(value.type):
            return False
        if value not in self.dependent:
            made = self.makers.get(value)
            place = next((p for p in self.places.read if p.var is value), None)
            if made is not None:
                self.dependent[value] = made.fn is same or any(self.depends(v) for v in operands(made))
            else:
                self.dependent[value] = place is None or place.root().how == "arg"
        return self.dependent[value]

    def assign(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            if type(value) is Var and value.hint == "t":
                value.hint = target.id
            frame = self.frame
            if target.id not in frame.locals and not target.id.startswith("$"):
                raise NotTyped(f"an assignment to {target.id}, which is not a local variable")
            self.store[frame.number, target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            self.unpack(target, value)
        else:
            self.assign_into(target, value)

    def unpack(self, target: ast.Tuple | ast.List, value: Any) -> None:
        items = self.rows_of(value, len(target.elts)) if self.is_array(value) else self.items_of(value)
        starred = [i for i, t in enumerate(target.elts) if isinstance(t, ast.Starred)]
        if starred and self.is_array(value):
            raise NotTyped("an array unpacked with a star")
        if starred:
            i, after = starred[0], len(target.elts) - starred[0] - 1
            if len(items) < i + after:
                raise NotTyped("too few values to unpack")
            middle = self.new_object(ListOf(tuple(items[i : len(items) - after])))
            items = [*items[:i], middle, *items[len(items) - after :]]
        if len(items) != len(target.elts):
            raise NotTyped("the wrong number of values to unpack")
        for one, item in zip(target.elts, items, strict=True):
            self.assign(one.value if isinstance(one, ast.Starred) else one, item)

    def is_array(self, value: Any) -> bool:
        return type(value) is Var and isinstance(value.type, Array)

    def rows_of(self, value: Var, n: int) -> list:
        """The rows of an array that is unpacked into `n` names."""
        if not value.type.mask:
            raise NotTyped("a 0-d array is unpacked")
        self.emit(unpacked, (value, Const(n)), NONE, must=True)
        return [self.element(value, Const(i), safe=True) for i in range(n)]

    def new_object(self, contents: Any) -> Any:
        ref = Ref(self.new_number())
        self.store[ref.number, "contents"] = contents
        return ref

    # ---- branches

    def branch(self, cond: Any, then: Callable, orelse: Callable) -> Any:
        """Interpret both branches and merge what they leave; returns the merged result of `then()` and `orelse()`."""
        if self.unrolling and type(cond) is Var:
            known = self.number_of(cond)
            cond = cond if known is None else Const(bool(known))
        if type(cond) is Const:
            return then() if cond.value else orelse()
        return self.either(lambda: self.both(cond, then, orelse), lambda error: self.one(cond, then, orelse, error))

    def one(self, cond: Var, then: Callable, orelse: Callable, error: NotTyped) -> Any:
        """The branch that loaded ints decide on, where both cannot be typed; the instance relies on these ints."""
        made = self.makers.get(cond)
        args = made.args if made is not None and made.fn in COMPARISONS else (None,)
        known = [self.places.fold(a) if type(a) is Var else a for a in args]
        if not all(type(a) is Const for a in known):
            raise error
        return self.branch(Const(bool(made.fn(*[a.value for a in known]))), then, orelse)

    def both(self, cond: Var, then: Callable, orelse: Callable) -> Any:
        before, outer, limit, line = self.store, self.block, self.numbers, self.line
        self.undecided += 1
        results, stores, blocks = [], [], []
        for run in (then, orelse):
            self.store, self.block = dict(before), Block()
            results.append(self.unless_endless(run) if self.guessing else run())
            stores.append(self.store)
            blocks.append(self.block)
        self.store, self.block = before, outer
        self.undecided -= 1
        if any(type(r) is Endless for r in results):
            return self.only_one(results, stores, blocks)
        stmt = If(cond, *blocks, [], [], [], line)
        result = None
        if results[0] is not None or results[1] is not None:
            result = self.merge(stmt, *results)
        merged = dict(before)
        for key in {**stores[0], **stores[1]}:  # in the order of the program, which no set keeps
            if key[0] <= limit:
                a, b = stores[0].get(key, ABSENT), stores[1].get(key, ABSENT)
                merged[key] = a if a is b else self.merge(stmt, a, b, key[1])
        self.store = merged
        if any(block.stmts for block in blocks) or stmt.outs:
            self.block.stmts.append(stmt)
        return result

    def unless_endless(self, run: Callable) -> Any:
        """`run()`, or the reason why it is not known yet what comes of it."""
        state = self.snapshot()
        try:
            return run()
        except Endless as error:
            self.rollback(state)
            return error

    def only_one(self, results: list, stores: list, blocks: list) -> Any:
        """The other branch is the one that tells what a function returns that calls itself in this one."""
        known = [i for i, result in enumerate(results) if type(result) is not Endless]
        if not known:
            raise results[0]
        self.store = stores[known[0]]
        self.block.stmts.extend(blocks[known[0]].stmts)
        return results[known[0]]

    def merge(self, stmt: If, a: Any, b: Any, hint: str = "t") -> Any:
        """The value that is `a` after the `then` branch and `b` after the other."""
        if a is b or (type(a) is type(b) and id_of(a) == id_of(b) and not is_leaf(a)):
            return a
        if Maybe in (type(a), type(b)):
            inner = self.merge(stmt, *[v.value if type(v) is Maybe else v for v in (a, b)], hint)
            return inner if type(inner) is Poison else Maybe(inner)
        if a is UNDEFINED or b is UNDEFINED:
            known = b if a is UNDEFINED else a
            parts = parts_of(known)
            if parts is not None and type(known) is Tup:
                return with_parts(
                    known,
                    [self.merge(stmt, *((UNDEFINED, p) if a is UNDEFINED else (p, UNDEFINED)), hint) for p in parts[1]],
                )
            if not is_leaf(known):
                return Poison(f"{hint} is bound on one path only")
        if is_leaf(a) and is_leaf(b):
            return self.phi(stmt, a, b, hint)
        if (
            type(a) in (ListOf, Grown)
            and type(b) in (ListOf, Grown)
            and (type(a), len(getattr(a, "items", ()))) != (type(b), len(getattr(b, "items", ())))
        ):
            a, b = (self.grown(value, block) for value, block in ((a, stmt.then), (b, stmt.orelse)))
        parts, others = parts_of(a), parts_of(b)
        if parts is not None and others is not None and parts[0] == others[0]:
            return with_parts(a, [self.merge(stmt, x, y, hint) for x, y in zip(parts[1], others[1], strict=True)])
        return Poison(f"{hint} has another structure on another path")

    def grown(self, contents: Any, block: Block) -> Grown:
        """A list of known length as one name, made at the end of `block`."""
        if type(contents) is Grown:
            return contents
        here, self.block = self.block, block
        made = Grown(self.pack_list(contents.items))
        self.block = here
        return made

    def phi(self, stmt: If, a: Any, b: Any, hint: str) -> Any:
        if type(a) is Const and type(b) is Const:
            if type(a.value) is type(b.value) and repr(a.value) == repr(b.value):
                return a
            if (
                (a.value, b.value) == (True, False)
                and type_of(stmt.cond) == BOOL
                and type(a.value) is type(b.value) is bool
            ):
                return stmt.cond
        try:
            type_ = join(type_of(a), type_of(b))
        except NotTyped as error:
            return Poison(str(error))
        for out, x, y in zip(stmt.outs, stmt.then_values, stmt.else_values, strict=True):
            if x is a and y is b and type(a) is type(b) is Var:
                return out
        out = Var(type_, "returns" if hint.startswith("$") else hint)
        stmt.outs.append(out), stmt.then_values.append(a), stmt.else_values.append(b)
        return out

    # ---- loops

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

    def either(self, run: Callable, otherwise: Callable) -> Any:
        """`run()`; where it is not typed, all is as it was before, and `otherwise(error)`."""
        state = self.snapshot()
        try:
            return run()
        except ESCAPES:
            raise
        except NotTyped as error:
            self.rollback(state)
            return otherwise(error)

    def snapshot(self) -> dict:
        state = self.__dict__ | self.written_in_place()
        return {**state, "length": len(self.block.stmts), "loops": self.frame.loops if self.frame is not None else 0}

    def written_in_place(self) -> dict:
        return {"store": dict(self.store), "callees": list(self.callees), "iterated": list(self.iterated)}

    def rollback(self, state: dict) -> None:
        """All is as it was at the snapshot, which may be gone back to again."""
        state = dict(state)
        length, loops = state.pop("length"), state.pop("loops")
        self.__dict__.update(state)
        self.__dict__.update(self.written_in_place())
        if self.frame is not None:
            self.frame.loops = loops
        del self.block.stmts[length:]

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
