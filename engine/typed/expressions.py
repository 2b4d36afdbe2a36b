"""Expressions of the language -> atoms and structures, with the statements they need appended to the current block."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from types import UnionType
from typing import Any

import numpy as np

from .core import UNDEFINED, Block, Const, Let, Pack, Var
from .results import getitem_type, is_elementwise, result_type
from .runtime import bound, fresh_list, power, same, truth_and, truth_or
from .types import BOOL, Array, NotTyped, Plain, Scalar, Seq, Several, join, never_raises, type_of
from .values import ABSENT, Closure, DictOf, Fields, Func, Grown, ListOf, Maybe, Outside, Poison, Ref, Tup, is_leaf

BINARY: dict[type, Callable] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow, ast.MatMult: operator.matmul,
    ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor,
    ast.LShift: operator.lshift, ast.RShift: operator.rshift,
}  # fmt: skip
UNARY = {ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_, ast.Invert: operator.invert}
COMPARE = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne, ast.Is: operator.is_, ast.IsNot: operator.is_not,
}  # fmt: skip
NUMPY_OPERATORS = {
    np.add: operator.add, np.subtract: operator.sub, np.multiply: operator.mul, np.divide: operator.truediv,
    np.matmul: operator.matmul, np.power: operator.pow,
}  # fmt: skip
SAME_SHAPE = {np.copy, np.zeros_like, np.ones_like, np.empty_like, np.full_like, same}
FOLDABLE = (bool, int, float, complex, str, type(None))


class Expressions:
    """The part of the lowerer that evaluates expressions."""

    def expr(self, node: ast.expr) -> Any:
        handler = getattr(self, f"_{type(node).__name__}", None)
        if handler is None:
            raise NotTyped(f"an expression {type(node).__name__}, line {node.lineno}")
        self.at(node)
        return handler(node)

    def _Constant(self, node: ast.Constant) -> Any:
        if type(node.value) not in (*FOLDABLE, type(Ellipsis)):
            raise NotTyped(f"a constant {node.value!r}")
        return Const(node.value)

    def _Name(self, node: ast.Name) -> Any:
        return self.read(node.id)

    def read(self, name: str) -> Any:
        """The value of a name, where Python would find it."""
        frame = self.frame
        while frame is not None:
            if name in frame.locals or name.startswith("$"):
                return self.defined((frame.number, name), name)
            if name in frame.cells:
                return self.cell(frame.cells[name], name)
            if frame.parent is None:
                return self.global_name(frame.globals, name)
            frame = frame.parent
        raise NotTyped(f"the name {name} is not defined")

    def defined(self, key: tuple, name: str) -> Any:
        value = self.store.get(key, ABSENT)
        if self.building:
            self.reads.setdefault(key, value)
        if type(value) is Maybe:
            value = value.value
            if type(value) is not Var:
                raise NotTyped(f"{name} may be unbound")
            value = self.emit(bound, (value, Const(name)), value.type, hint=name, must=True)
            self.store[key] = value
        if type(value) is Poison:
            raise NotTyped(value.reason)
        return value

    # ---- operators

    def let(self, fn: Callable, args: tuple, kw: tuple = (), hint: str = "t") -> Any:
        """The result of a primitive: folded, or the name of a new statement."""
        if not kw and all(type(a) is Const and type(a.value) in FOLDABLE for a in args):
            try:
                folded = fn(*[a.value for a in args])
                if self.in_rule or not isinstance(folded, np.ndarray):  # a user's array may be written to
                    return Const(folded)
            except Exception as error:  # the program's own error, raised again where it runs
                if self.in_rule or isinstance(error, TypeError):
                    raise NotTyped(f"{getattr(fn, '__name__', fn)} of constants raises {error!r}") from error
        args = tuple([self.argument(a) for a in args])
        fn, args = self.canonical(fn, args)
        kw = tuple([(name, self.argument(a)) for name, a in kw])
        if self.in_rule:
            simpler = self.simpler(fn, args)
            if simpler is not None:
                return simpler
        type_ = getitem_type(*args, self.length_of(args[0])) if fn is operator.getitem else result_type(fn, args, kw)
        must = (
            not self.in_rule and not (never_raises(fn) and not self.may_mismatch(args)) and not self.is_safe(fn, args)
        )
        out = self.emit(fn, args, type_, kw, hint, must)
        if isinstance(type_, Array) and (fn in SAME_SHAPE or (is_elementwise(fn) and "?" not in type_.mask)):
            alike = (a for a in args if isinstance(type_of(a), Array) and type_of(a).mask == type_.mask)
            self.models[out] = model = next(alike, out)
            self.roots[out] = self.root_of(model)
        if isinstance(type_, Several):
            return self.taken_out(out)
        return self.sized(out) if self.unrolling else out

    def taken_out(self, several: Var) -> Any:
        """The results of a function that has several, each under a name of its own."""
        of = several.type
        items = [self.emit(operator.getitem, (several, Const(i)), type_) for i, type_ in enumerate(of.items)]
        return self.new_object(ListOf(tuple(items))) if of.cls is list else Tup(tuple(items), of.cls)

    def root_of(self, x: Any) -> Any:
        """The name that stands for all arrays of the shape of `x`, as far as that is known."""
        return self.roots.get(x, x)

    def length_of(self, x: Any) -> Callable:
        """Names for the lengths of slices of `x`: two slices of the same name are equally long."""
        root = self.root_of(x)
        root = self.places.alike(root) if type(root) is Var and isinstance(root.type, Array) else root

        def name(axis: int, part: Pack) -> str:
            bounds = tuple([p.value if type(p) is Const else p for p in part.items])
            start, stop, step = bounds
            what: Any = bounds
            if all(type(b) in (int, type(None)) for b in bounds[:2]) and step in (None, 1):
                start, stop = start or 0, stop or 0
                if start >= 0 and stop <= 0 and not (type(bounds[1]) is int and stop == 0):
                    what = start - stop  # which is what is missing
            if (root, axis, what) not in self.symbols:
                self.symbols[root, axis, what] = self.new_length()
            return self.symbols[root, axis, what]

        return name

    def canonical(self, fn: Callable, args: tuple) -> tuple:
        """The operator for the NumPy function that is the same for arrays; a transposition for two swapped axes."""
        types = [type_of(a) for a in args]
        if fn in NUMPY_OPERATORS and len(args) == 2 and any(isinstance(t, Array) for t in types):
            return NUMPY_OPERATORS[fn], args
        if (
            fn is np.swapaxes
            and isinstance(types[0], Array)
            and len(types[0].mask) == 2
            and all(type(a) is Const for a in args[1:])
        ):
            if (args[1].value - args[2].value) % 2:
                return np.transpose, args[:1]
        if fn is np.dot and all(isinstance(t, Array) and len(t.mask) in (1, 2) for t in types):
            return operator.matmul, args
        return fn, args

    def may_mismatch(self, args: tuple) -> bool:
        return len({self.root_of(a) for a in args if isinstance(type_of(a), Array)}) > 1

    def is_safe(self, fn: Callable, args: tuple) -> bool:
        """Division by a literal, a whole power of a number."""
        if fn in (operator.truediv, operator.floordiv, operator.mod):
            arrays = any(isinstance(type_of(a), Array) for a in args)
            return (type(args[1]) is Const and args[1].value != 0) or (arrays and not self.may_mismatch(args))
        return fn is operator.pow and type(args[1]) is Const and isinstance(type_of(args[0]), Array)

    def simpler(self, fn: Callable, args: tuple) -> Any:
        """What algebra makes of the engine's own expressions; the user's are left as they are written."""
        if len(args) != 2:
            return None
        x, y = args
        if fn in (operator.mul, operator.add, operator.sub, operator.truediv):
            plain = self.plain_scalar(x, y), self.plain_scalar(y, x)
            if plain != args:
                return self.let(fn, plain)
        if fn is operator.mul:
            for one, other in ((x, y), (y, x)):
                if type(one) is Const and type(one.value) in (int, float):
                    if one.value == 1:
                        return other
                    if one.value == -1:
                        return self.let(operator.neg, (other,))
            return self.scalars_first(x, y)
        if fn is operator.pow and type(y) is Const and y.value == 1:
            return x
        if fn is operator.truediv and type(y) is Const and y.value == 1:
            return x
        if fn is operator.add or fn is operator.sub:
            if type(y) is Const and type(y.value) in (int, float) and y.value == 0:
                return x
            if fn is operator.add and type(x) is Const and type(x.value) in (int, float) and x.value == 0:
                return y
        return None

    def plain_scalar(self, x: Any, other: Any) -> Any:
        """A number that was made an array to be broadcast is itself, beside an array of as many dimensions."""
        made = self.makers.get(x) if type(x) is Var else None
        if made is None or made.fn is not np.expand_dims or not isinstance(type_of(made.args[0]), Scalar):
            return x
        of = type_of(other)
        return made.args[0] if isinstance(of, Array) and len(of.mask) >= len(x.type.mask) else x

    def scalars_first(self, x: Any, y: Any) -> Any:
        """s * (c * A) is (s * c) * A: one product of arrays, not two, where nothing else wants c * A."""
        for s, t in ((x, y), (y, x)):
            if isinstance(type_of(s), Scalar) and type(t) is Var and isinstance(t.type, Array) and self.block.stmts:
                made = self.block.stmts[-1]
                if type(made) is Let and made.out is t and made.fn is operator.mul:
                    for c, a in (made.args, made.args[::-1]):
                        if isinstance(type_of(c), Scalar) and isinstance(type_of(a), Array):
                            return self.let(operator.mul, (self.let(operator.mul, (s, c)), a))
        return None

    def argument(self, value: Any) -> Any:
        """A value as an argument of a primitive: an atom, or a Pack of a structure."""
        if type(value) in (Var, Const, Pack):
            return value
        if type(value) is Tup and value.cls is tuple:
            return Pack(tuple, tuple([self.argument(item) for item in value.items]))
        if type(value) in (Ref, Outside):
            contents = self.contents_of(value)
            if type(contents) is ListOf:
                return Pack(list, tuple([self.argument(item) for item in contents.items]))
            if type(contents) is Grown:
                return contents.atom
        raise NotTyped(f"a {type(value).__name__} given to a primitive")

    def pack_list(self, items: tuple) -> Var:
        """A fresh list of numbers or arrays, as one name."""
        item = None
        for value in items:
            if not is_leaf(value):
                raise NotTyped("a growing list of structures")
            item = join(item, type_of(value))
        return self.emit(fresh_list, (Pack(list, tuple(items)),), Seq(item), hint="items")

    def _BinOp(self, node: ast.BinOp) -> Any:
        left, right = self.expr(node.left), self.expr(node.right)
        self.at(node)
        return self.binary(BINARY[type(node.op)], left, right)

    def binary(self, fn: Callable, left: Any, right: Any) -> Any:
        if fn is operator.add and type(left) is Tup and type(right) is Tup:
            return Tup(left.items + right.items)
        if type(left) in (Ref, Outside) or type(right) in (Ref, Outside):
            return self.structural_operator(fn, left, right)
        if type(left) is Tup and fn is operator.mul and type(right) is Const and type(right.value) is int:
            return Tup(left.items * right.value)
        if fn is operator.or_ and all(
            type(v) is Const and isinstance(v.value, type | UnionType) for v in (left, right)
        ):
            return Const(left.value | right.value)
        if Tup in (type(left), type(right)):
            raise NotTyped("a tuple beside an array")
        if fn is operator.pow and self.is_uncertain_power(left, right):
            fn = power
        return self.let(fn, (left, right))

    def is_uncertain_power(self, x: Any, y: Any) -> bool:
        """May x ** y be complex for floats, or a float for ints?"""
        kinds = [t.kinds for t in (type_of(x), type_of(y)) if isinstance(t, Scalar)]
        if len(kinds) < 2 or not any(k & {"int", "float", "bool"} for k in kinds):
            return False
        whole = (
            type(y) is Const and float(abs(y.value)).is_integer()
            if type(y) is Const and type(y.value) in (int, float)
            else False
        )
        if whole and (y.value >= 0 or "int" not in kinds[0]):
            return False
        return not (type(x) is Const and type(x.value) is float and x.value > 0) and not (
            kinds[0] <= {"float", "float64"} and kinds[1] <= {"int"}
        )

    def structural_operator(self, fn: Callable, left: Any, right: Any) -> Any:
        """Operators of lists, and those that a user's class defines."""
        method = self.special_method(left, f"__{fn.__name__.strip('_')}__")
        if method is not None:
            return self.call(method, [right], {})
        contents = [self.contents_of(v) if type(v) in (Ref, Outside) else None for v in (left, right)]
        if fn is operator.add and all(type(c) is ListOf for c in contents):
            return self.new_object(ListOf(contents[0].items + contents[1].items))
        if fn is operator.mul and type(contents[0]) is ListOf and type(right) is Const and type(right.value) is int:
            return self.new_object(ListOf(contents[0].items * right.value))
        if fn is operator.mul and type(contents[0]) is ListOf and len(contents[0].items) == 1 and type(right) is Var:
            (item,) = contents[0].items
            if is_leaf(item):
                from .runtime import repeated

                return self.new_object(Grown(self.emit(repeated, (item, right), Seq(type_of(item)), hint="items")))
        raise NotTyped(f"{fn.__name__} of structures")

    def _UnaryOp(self, node: ast.UnaryOp) -> Any:
        operand = self.expr(node.operand) if not isinstance(node.op, ast.Not) else self.condition(node.operand)
        return self.let(UNARY[type(node.op)], (operand,))

    def _Compare(self, node: ast.Compare) -> Any:
        left = self.expr(node.left)
        return self.comparison(left, list(zip(node.ops, node.comparators, strict=True)))

    def comparison(self, left: Any, rest: list) -> Any:
        (op, node), *rest = rest
        right = self.expr(node)
        first = self.compare(op, left, right)
        if not rest:
            return first
        return self.short_circuit(first, lambda: self.comparison(right, rest), both=True)

    def compare(self, op: ast.cmpop, left: Any, right: Any) -> Any:
        if isinstance(op, ast.In | ast.NotIn):
            found = self.contains(right, left)
            return self.let(operator.not_, (found,)) if isinstance(op, ast.NotIn) else found
        if isinstance(op, ast.Is | ast.IsNot):
            same = self.is_same(left, right)
            return Const(same if isinstance(op, ast.Is) else not same)
        if type(left) is Const and type(right) is Const and isinstance(op, ast.Eq | ast.NotEq):
            if isinstance(left.value, FOLDABLE) and isinstance(right.value, FOLDABLE) or isinstance(left.value, type):
                return Const((left.value == right.value) == isinstance(op, ast.Eq))
        return self.let(COMPARE[type(op)], (left, right))

    def is_same(self, left: Any, right: Any) -> bool:
        """`left is right`, where that is known."""
        for a, b in ((left, right), (right, left)):
            if type(a) is Const and (a.value is None or isinstance(a.value, bool | type)):
                if type(b) is Const:
                    return a.value is b.value
                if type(b) is Var and isinstance(b.type, Scalar | Array | Seq) and not isinstance(a.value, bool):
                    return False
                if type(b) in (Tup, Ref, Outside, Func, Closure):
                    return False
        if type(left) in (Ref, Outside) and type(right) is type(left):
            return left is right or getattr(left, "place", left) is getattr(right, "place", right)
        raise NotTyped("an identity test of values")

    def contains(self, container: Any, item: Any) -> Any:
        contents = self.contents_of(container) if type(container) in (Ref, Outside) else container
        if type(item) is Const and type(contents) is DictOf:
            return Const(item.value in contents.items)
        items = contents.items if type(contents) in (Tup, ListOf) else ()
        if type(item) is Const and items and all(type(i) is Const for i in items):
            return Const(item.value in [i.value for i in items])
        raise NotTyped("a membership test")

    # ---- truth

    def condition(self, node: ast.expr) -> Any:
        """The truth of an expression: a Const bool, or an atom that Python can test."""
        return self.truth(self.expr(node))

    def truth(self, value: Any) -> Any:
        if type(value) is Const:
            return Const(bool(value.value))
        if type(value) is Var:
            if isinstance(value.type, Scalar):
                return value
            if isinstance(value.type, Seq):
                return self.let(operator.gt, (self.let(len, (value,)), Const(0)))
            raise NotTyped("the truth value of an array")
        if type(value) is Tup:
            return Const(len(value.items) > 0)
        if type(value) in (Ref, Outside):
            contents = self.contents_of(value)
            if type(contents) in (ListOf, DictOf):
                return Const(len(contents.items) > 0)
            if type(contents) is Grown:
                return self.truth(contents.atom)
            if (
                type(contents) is Fields
                and not hasattr(contents.cls, "__bool__")
                and not hasattr(contents.cls, "__len__")
            ):
                return Const(True)
        if type(value) in (Func, Closure):
            return Const(True)
        raise NotTyped("the truth value of a structure")

    def _BoolOp(self, node: ast.BoolOp) -> Any:
        return self.bool_op(node.values, isinstance(node.op, ast.And))

    def bool_op(self, nodes: list, both: bool) -> Any:
        first = self.expr(nodes[0])
        if len(nodes) == 1:
            return first
        return self.short_circuit(first, lambda: self.bool_op(nodes[1:], both), both)

    def short_circuit(self, first: Any, rest: Callable, both: bool) -> Any:
        """`first and rest()` (or `or`): an If, unless what would be skipped is bools that cannot fail."""
        cond = self.truth(first)
        if type(cond) is Const:
            return rest() if cond.value == both else first
        if type(first) is Var and first.type == BOOL:
            here, before, self.block = self.block, self.store, Block()
            self.store = dict(before)
            second = rest()
            stmts, changed, self.block = self.block.stmts, self.store != before, here
            harmless = all(type(s) is Let and not s.must for s in stmts) and len(stmts) <= 4
            if harmless and not changed and type(second) is Var and second.type == BOOL:
                here.stmts.extend(stmts)
                return self.emit(truth_and if both else truth_or, (first, second), BOOL)
            self.store = before
        if both:
            return self.branch(cond, rest, lambda: first)
        return self.branch(cond, lambda: first, rest)

    def _IfExp(self, node: ast.IfExp) -> Any:
        merged = self.branch(self.condition(node.test), lambda: self.expr(node.body), lambda: self.expr(node.orelse))
        return self.certain(merged)

    def certain(self, value: Any) -> Any:
        if type(value) is Poison:
            raise NotTyped(value.reason)
        if value is UNDEFINED or type(value) is Maybe:
            raise NotTyped("a value that may be missing")
        return value

    # ---- displays

    def _Tuple(self, node: ast.Tuple) -> Any:
        return Tup(tuple(self.display(node.elts)))

    def _List(self, node: ast.List) -> Any:
        return self.new_object(ListOf(tuple(self.display(node.elts))))

    def display(self, nodes: list) -> list:
        items = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                items.extend(self.items_of(self.expr(node.value)))
            else:
                items.append(self.expr(node))
        return items

    def _Dict(self, node: ast.Dict) -> Any:
        items: dict = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                raise NotTyped("a ** in a dict display")
            name = self.expr(key)
            if type(name) is not Const or type(name.value) not in (str, int):
                raise NotTyped("a dict with computed keys")
            items[name.value] = self.expr(value)
        return self.new_object(DictOf(items))

    def _NamedExpr(self, node: ast.NamedExpr) -> Any:
        value = self.expr(node.value)
        self.assign(node.target, value)
        return value

    def _Lambda(self, node: ast.Lambda) -> Any:
        return self.closure(node, "<lambda>")

    def _ListComp(self, node: ast.ListComp) -> Any:
        return self.comprehension(node)

    def _GeneratorExp(self, node: ast.GeneratorExp) -> Any:
        return self.comprehension(node)  # only ever consumed at once, by sum, tuple, all ...

    def _JoinedStr(self, node: ast.JoinedStr) -> Any:
        raise NotTyped("an f-string")

    def _Slice(self, node: ast.Slice) -> Any:
        parts = [Const(None) if n is None else self.expr(n) for n in (node.lower, node.upper, node.step)]
        return Pack(slice, tuple([self.argument(p) for p in parts]))


def plain(value: Any) -> bool:
    return type(value) is Const and isinstance(type_of(value), Plain) and not isinstance(value.value, np.ndarray)
