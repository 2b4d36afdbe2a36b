"""A Python function and the places of its arguments -> the core, by abstract interpretation of its statements.

The store maps (frame or object, name) to abstract values; a branch or a loop body is interpreted on a copy of it, and
the copies are merged leaf by leaf: a leaf that differs becomes an `out` of the If, a carried value of the Loop.
Callees are inlined, conditions that are known prune. `break`, `continue` and `return` set flags that the rest of the
block is conditioned on; where one branch of an `if` always leaves, the rest simply moves into the other.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable
from typing import Any

from . import exits
from .access import Access
from .branches import Branches
from .calls import Calls
from .core import UNDEFINED, Block, Const, Let, Var, operands
from .expressions import Expressions
from .loops import Loops
from .lower_frames import Frame
from .places import Places
from .recursion import Recursions
from .runtime import give_up, same, throw, unpacked
from .sizes import Sizes
from .stores import Stores
from .types import NONE, Array, NotTyped, Plain, Seq, erased, is_active_type
from .values import ABSENT, ListOf, Maybe, Ref

EXIT, BREAK, RETURN = "$exit", "$break", "$return"
LEAVING = (ast.Return, ast.Break, ast.Continue)


class Lowerer(Branches, Loops, Expressions, Access, Calls, Recursions, Stores, Sizes):
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
        self.models: dict[Var, Var] = {}  # the same, an argument of the function that returned the array
        self.symbols: dict[tuple, str] = {}
        self.lengths = itertools.count()  # no name of a length is used again, also where an attempt was given up
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
        out = Var(self.named(type), hint)
        self.makers[out] = made = Let(out, fn, args, kw, self.line, must)
        self.block.stmts.append(made)
        return out

    def named(self, type: Any) -> Any:
        """`type` with a name for each length that has none; items of a list of the program's may differ in theirs."""
        if isinstance(type, Array) and "?" in type.mask:
            return Array(type.dtype, tuple([self.new_length() if m == "?" else m for m in type.mask]))
        return erased(type) if isinstance(type, Seq) else type

    def new_length(self) -> str:
        return f"?{next(self.lengths)}"

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
