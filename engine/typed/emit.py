"""Core -> Python, as a syntax tree with the user's line numbers: straight, nested, readable code.

A result used once, in its own block, becomes part of the expression that uses it (NumPy reuses such temporaries); a
Loop becomes `for` or `while`, what it saves a list, what it consumes `reversed(list)`. Names are unique, except that a
carried value keeps one name through its loop; values that change together at the end of an iteration are assigned in
an order, or at once, that reads each before it is overwritten. What `inplace` allows is written into its buffer.
"""

from __future__ import annotations

import ast
import keyword
import operator
from typing import Any

import numpy as np

from . import runtime
from .core import UNDEFINED, Block, Const, If, Let, Loop, Pack, Program, Var, blocks_of, operands, vars_of, walk
from .forms import FORMS, attribute, call, name, store, subscript
from .inplace import Ownership
from .types import Array, type_of

BINARY = {
    operator.add: ast.Add, operator.sub: ast.Sub, operator.mul: ast.Mult, operator.truediv: ast.Div,
    operator.floordiv: ast.FloorDiv, operator.mod: ast.Mod, operator.pow: ast.Pow, operator.matmul: ast.MatMult,
    operator.and_: ast.BitAnd, operator.or_: ast.BitOr, operator.xor: ast.BitXor, operator.lshift: ast.LShift,
    operator.rshift: ast.RShift,
}  # fmt: skip
UNARY = {operator.neg: ast.USub, operator.pos: ast.UAdd, operator.not_: ast.Not, operator.invert: ast.Invert}
COMPARE = {
    operator.lt: ast.Lt, operator.le: ast.LtE, operator.gt: ast.Gt, operator.ge: ast.GtE, operator.eq: ast.Eq,
    operator.ne: ast.NotEq, operator.is_: ast.Is, operator.is_not: ast.IsNot,
}  # fmt: skip
BOOLEAN = {runtime.truth_and: ast.And, runtime.truth_or: ast.Or}
DEPTH = 8  # of nested expressions


class Names:
    """Names for variables and for constants that the printed function refers to, all different."""

    def __init__(self) -> None:
        self.taken: set[str] = set(keyword.kwlist)
        self.constants: dict[Any, str] = {}
        self.values: dict[str, Any] = {}

    def fresh(self, hint: str) -> str:
        base = "".join([c if c.isalnum() or c == "_" else "_" for c in hint.strip("$")]) or "t"
        base = f"_{base}" if base[0].isdigit() else base
        chosen, i = base, 1
        while chosen in self.taken:
            i += 1
            chosen = f"{base}_{i}"
        self.taken.add(chosen)
        return chosen

    def constant(self, value: Any) -> ast.expr:
        """A reference to an object that is known now."""
        owner = getattr(value, "__self__", None)
        method_of_ufunc = isinstance(owner, np.ufunc)  # made anew whenever it is asked for
        key = (id(owner), value.__name__) if method_of_ufunc else id(value)
        if key not in self.constants:
            hint = getattr(value, "__name__", None) or (str(value) if type(value) is float else type(value).__name__)
            hint = f"{owner.__name__}_{hint}" if method_of_ufunc else hint
            self.constants[key] = chosen = self.fresh(hint.strip("<>").split(".")[-1])
            self.values[chosen] = value
        return name(self.constants[key])


class Emitter:
    """Prints one program; `names` is shared with the entry that checks and loads."""

    def __init__(self, program: Program, names: Names) -> None:
        self.program, self.names = program, names
        self.uses: dict[Var, int] = {}
        self.named: dict[Var, str] = {}
        self.trees: dict[Var, tuple[ast.expr, int, frozenset]] = {}
        self.ownership = Ownership(program)
        self.consumed = {stmt.args[0] for stmt in self.ownership.inplace}
        self.line = 1

    def body(self) -> list[ast.stmt]:
        self.count_uses(self.program.body, [self.program.results])
        for v in self.program.params:
            self.name_of(v)
        return self.block(self.program.body, vars_of([self.program.results]))

    def count_uses(self, block: Block, handed: list) -> None:
        for stmt in walk(block):
            for v in operands(stmt):
                self.uses[v] = self.uses.get(v, 0) + 1
            for _, values in blocks_of(stmt):
                for v in vars_of(values):
                    self.uses[v] = self.uses.get(v, 0) + 1
        for v in vars_of(handed):
            self.uses[v] = self.uses.get(v, 0) + 1

    def name_of(self, v: Var) -> str:
        if v not in self.named:
            self.named[v] = self.names.fresh(v.hint)
        return self.named[v]

    # ---- expressions

    def at(self, node: Any) -> Any:
        for child in ast.walk(node):
            if isinstance(child, ast.expr | ast.stmt) and not hasattr(child, "lineno"):
                child.lineno = child.end_lineno = self.line
                child.col_offset = child.end_col_offset = 0
        return node

    def arg(self, arg: Any) -> ast.expr:
        if type(arg) is Var:
            tree = self.trees.pop(arg, None)
            return tree[0] if tree is not None else name(self.name_of(arg))
        if type(arg) is Pack:
            return self.pack(arg)
        if arg is UNDEFINED:
            return ast.Constant(None)
        return self.constant(arg.value)

    def constant(self, value: Any) -> ast.expr:
        cls = type(value)
        if value is None or cls in (bool, str) or value is Ellipsis:
            return ast.Constant(value)
        if cls in (int, float, complex) and value == value and abs(value) != float("inf"):
            if cls is not complex and (value < 0 or str(value).startswith("-")):
                return ast.UnaryOp(ast.USub(), ast.Constant(-value))
            if cls is not complex:
                return ast.Constant(value)
        if cls is tuple:
            return ast.Tuple([self.constant(v) for v in value], ast.Load())
        return self.names.constant(value)

    def pack(self, pack: Pack) -> ast.expr:
        if pack.kind is slice:
            return self.slice_call(pack)
        if pack.kind is list:
            return ast.List([self.arg(item) for item in pack.items], ast.Load())
        return ast.Tuple([self.arg(item) for item in pack.items], ast.Load())

    def depth_of(self, args: Any) -> tuple[int, frozenset]:
        """How deep the expressions in the place of these arguments are, and the names they mention."""
        depth, mentioned = 0, frozenset()
        for v in vars_of(args):
            if v in self.trees:
                depth = max(depth, self.trees[v][1])
                mentioned |= self.trees[v][2]
            else:
                mentioned |= {self.name_of(v)}
        return depth, mentioned

    def expression(self, stmt: Let) -> ast.expr:
        self.line = stmt.line or self.line
        fn, args = stmt.fn, stmt.args
        if fn in BINARY:
            left = self.arg(args[0])
            return self.at(ast.BinOp(left, BINARY[fn](), self.arg(args[1])))
        if fn in UNARY:
            return self.at(
                negated(self.arg(args[0])) if fn is operator.not_ else ast.UnaryOp(UNARY[fn](), self.arg(args[0]))
            )
        if fn in COMPARE:
            left = self.arg(args[0])
            return self.at(ast.Compare(left, [COMPARE[fn]()], [self.arg(args[1])]))
        if fn in BOOLEAN:
            left = self.arg(args[0])
            return self.at(ast.BoolOp(BOOLEAN[fn](), [left, self.arg(args[1])]))
        if fn is operator.getitem:
            of = self.arg(args[0])
            return self.at(subscript(of, self.index(args[1])))
        form = FORMS.get(fn)
        if form is not None:
            made = form(self, stmt)
            if made is not None:
                return self.at(made)
        positional = [self.arg(a) for a in args]
        return self.at(call(self.names.constant(fn), *positional, **{k: self.arg(a) for k, a in stmt.kw}))

    def index(self, arg: Any) -> ast.expr:
        """What stands between the brackets of a subscript."""
        if type(arg) is Pack and arg.kind is slice:
            return ast.Slice(*[None if type(p) is Const and p.value is None else self.arg(p) for p in arg.items])
        if type(arg) is Pack and arg.kind is tuple:
            return ast.Tuple([self.index(item) for item in arg.items], ast.Load())
        return self.arg(arg)

    def slice_call(self, pack: Pack) -> ast.expr:
        return call(self.names.constant(slice), *[self.arg(p) for p in pack.items])

    # ---- statements

    def block(self, block: Block, handed: Any) -> list[ast.stmt]:
        """The statements of a block; trees of handed values stay pending for whoever hands them out."""
        out: list[ast.stmt] = []
        local = self.single_uses(block, list(handed))
        for stmt in block.stmts:
            self.line = stmt.line or self.line
            if type(stmt) is Let:
                self.let(stmt, local, out)
            elif type(stmt) is If:
                self.if_(stmt, out)
            else:
                self.loop(stmt, out)
        return out

    def single_uses(self, block: Block, handed: list) -> set:
        """Names of this block that are used once, by a statement of this block or by who receives what it hands out."""
        direct = [v for stmt in block.stmts for v in operands(stmt)] + handed
        return {v for v in direct if self.uses.get(v) == 1}

    def let(self, stmt: Let, local: set, out: list) -> None:
        v = stmt.out
        if stmt in self.ownership.inplace:
            out.append(self.at(self.write(stmt)))
            return
        depth, mentioned = self.depth_of([*stmt.args, *[a for _, a in stmt.kw]])
        nests = v in local and depth < DEPTH and v not in self.consumed and stmt not in self.ownership.readers
        expression = self.expression(stmt)
        if nests:
            self.trees[v] = (expression, depth + 1, mentioned)
        elif self.uses.get(v, 0) == 0:
            out.append(self.at(ast.Expr(expression)))
        else:
            out.append(self.at(ast.Assign([store(self.name_of(v))], expression)))

    def write(self, stmt: Let) -> ast.stmt:
        """A statement that writes its result into the buffer of its first argument, and takes over its name."""
        buffer = stmt.args[0]
        self.named[stmt.out] = target = self.name_of(buffer)
        if stmt.fn is runtime.addat:
            d = self.arg(stmt.args[2])
            if _may_repeat(stmt.args[1]) and not self.is_of_places(stmt.args[1]):
                return ast.Expr(
                    call(self.names.constant(runtime.addat_inplace), name(target), self.arg(stmt.args[1]), d)
                )
            is_negated = isinstance(d, ast.UnaryOp) and isinstance(d.op, ast.USub)
            op, d = (ast.Sub(), d.operand) if is_negated else (ast.Add(), d)
            return ast.AugAssign(ast.Subscript(name(target), self.index(stmt.args[1]), ast.Store()), op, d)
        if stmt.fn in (operator.add, operator.sub):
            return ast.AugAssign(store(target), BINARY[stmt.fn](), self.arg(stmt.args[1]))
        if stmt.fn is runtime.append:
            return ast.Expr(call(attribute(name(target), "append"), self.arg(stmt.args[1])))
        if stmt.fn is runtime.pop_last:
            return ast.Expr(call(attribute(name(target), "pop")))
        item = self.arg(stmt.args[2])
        return ast.Assign([ast.Subscript(name(target), self.index(stmt.args[1]), ast.Store())], item)

    def is_of_places(self, index: Any) -> bool:
        """Is it what `places_of` has found, each place once?"""
        made = self.ownership.makers.get(index) if type(index) is Var else None
        return type(made) is Let and made.fn is runtime.places_of

    def assign(self, targets: list[str], values: list) -> list[ast.stmt]:
        """Assign atoms to names as if at once: in an order that overwrites nothing still needed, or as a tuple."""
        pending = []
        for target, value in zip(targets, values, strict=True):
            mentioned = self.depth_of([value])[1] if type(value) is Var else frozenset()
            plain = type(value) is Var and value not in self.trees and self.name_of(value) == target
            if not plain:
                pending.append((target, value, mentioned))
        out: list[ast.stmt] = []
        while pending:
            free = next((p for p in pending if not any(p[0] in q[2] for q in pending if q is not p)), None)
            if free is None:
                targets_ = ast.Tuple([store(t) for t, _, _ in pending], ast.Store())
                out.append(self.at(ast.Assign([targets_], ast.Tuple([self.arg(v) for _, v, _ in pending], ast.Load()))))
                break
            pending.remove(free)
            out.append(self.at(ast.Assign([store(free[0])], self.arg(free[1]))))
        return out

    def if_(self, stmt: If, out: list) -> None:
        cond = self.arg(stmt.cond)
        line = self.line
        names = [self.name_of(o) for o in stmt.outs]
        bodies = []
        for block, values in blocks_of(stmt):
            body = self.block(block, vars_of(values))
            self.line = line
            bodies.append(body + self.assign(names, values))
        then, orelse = bodies
        if one_value(then, orelse) and not isinstance(then[0].value, ast.IfExp):
            out.append(self.at(ast.Assign(then[0].targets, ast.IfExp(cond, then[0].value, orelse[0].value))))
        elif then:
            out.append(self.at(ast.If(cond, then, orelse)))
        elif orelse:
            out.append(self.at(ast.If(self.at(negated(cond)), orelse, [])))

    def loop(self, loop: Loop, out: list) -> None:
        go = loop.go
        carried = [c for c in loop.carried if c is not go]
        for c in carried:
            self.named[c.param] = self.named[c.out] = self.named.get(c.param) or self.names.fresh(c.param.hint)
        line = self.line
        out.extend(self.assign([self.named[c.param] for c in carried], [c.init for c in carried]))
        for y in loop.ys:
            out.append(self.at(ast.Assign([store(self.name_of(y.out))], ast.List([], ast.Load()))))
        always = go is not None and type(go.init) is Const
        if go is not None:
            self.named[go.param] = self.named[go.out] = self.names.fresh("go")
            if not always:
                out.extend(self.assign([self.named[go.param]], [go.init]))
        sources = [self.source(x) for x in loop.xs]
        targets = [store(self.name_of(x.elem) if self.uses.get(x.elem) else "_") for x in loop.xs]
        handed = [*[c.next for c in loop.carried], *[y.value for y in loop.ys]]
        body = self.block(loop.body, vars_of(handed))
        self.line = line
        for y in loop.ys:
            body.append(self.at(ast.Expr(call(attribute(name(self.name_of(y.out)), "append"), self.arg(y.value)))))
        leave = self.leaving(go, carried, always, body) if go is not None else []
        body += self.assign([self.named[c.param] for c in carried], [c.next for c in carried]) + leave
        body = body or [self.at(ast.Pass())]
        if loop.xs:
            target = targets[0] if len(targets) == 1 else ast.Tuple(targets, ast.Store())
            source = sources[0] if len(sources) == 1 else call(self.names.constant(zip), *sources)
            out.append(self.at(ast.For(target, source, body, [])))
        else:
            test = ast.Constant(True) if always else name(self.named[go.param])
            out.append(self.at(ast.While(test, body, [])))

    def leaving(self, go: Any, carried: list, always: bool, body: list) -> list:
        """The end of an iteration that may be the last; what it tests is read before it is overwritten."""
        mine = {self.named[c.param] for c in carried}
        in_name = self.named[go.param]
        if always and not (self.depth_of([go.next])[1] & mine):
            return [self.at(ast.If(self.at(negated(self.arg(go.next))), [ast.Break()], []))]
        body.extend(self.assign([in_name], [go.next]))
        return [self.at(ast.If(self.at(negated(name(in_name))), [ast.Break()], []))] if always else []

    def source(self, x: Any) -> ast.expr:
        """What a loop runs over."""
        of = self.arg(x.seq)
        if not x.backwards:
            return of
        return call(self.names.constant(reversed), of)


def negated(test: ast.expr) -> ast.expr:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    return ast.UnaryOp(ast.Not(), test)


def one_value(then: list, orelse: list) -> bool:
    """Do both branches only assign to the same name?"""
    return (
        len(then) == len(orelse) == 1
        and all(isinstance(b[0], ast.Assign) and isinstance(b[0].targets[0], ast.Name) for b in (then, orelse))
        and then[0].targets[0].id == orelse[0].targets[0].id
    )


def _may_repeat(index: Any) -> bool:
    """May the index name an element more than once: is there a list or an array in it?"""
    if type(index) is Pack:
        return index.kind is list or any(map(_may_repeat, index.items))
    return isinstance(type_of(index), Array) or (type(index) is Const and isinstance(index.value, np.ndarray | list))
