"""The grammar of random programs: every number stays within [-1, 1], every operation is smooth.

A program is the text of `loss(x, y, a, items, named)`: two floats, an array of three numbers, a list, a dict with the
keys "p" and "q". A `Writer` composes it from a random generator, statement by statement, and knows at each place which
names are bound and of which kind they are; whatever it writes runs, unless a program changes a dict while it loops
over it or the like.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PRELUDE = """\
import math
import numpy as np


class Stop(Exception):
    pass


class Box:
    def __init__(self, v, held):
        self.v = v
        self.held = held

    def scale(self, s):
        self.v = self.v * s
        self.held[0] = math.sin(self.held[0] + self.v)
        return self

    @property
    def total(self):
        return math.tanh(self.v + sum(self.held))


def helper(u, v=0.5, *more, k=0.25):
    w = u * v
    for m in more:
        w = math.sin(w + m * k)
    return w
"""


class Writer:
    """Writes one random program, statement by statement, keeping account of what is in scope and of which kind."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.lines: list[str] = []
        self.depth = 1
        self.counter = 0
        self.scope: dict[str, list[str]] = {
            "float": ["x", "y"], "array": ["a"], "list": ["items"], "dict": ["named"],
            "view": [], "box": [], "call": [],
        }  # fmt: skip
        self.outer: list[dict[str, list[str]]] = []  # scopes of the enclosing functions
        self.rebound: list[set[str]] = []  # names of theirs that the function being written assigns

    # -- text ----------------------------------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """An indented block; names bound in it are forgotten after it."""
        self.line(header)
        kept = {kind: list(names) for kind, names in self.scope.items()}
        self.depth += 1
        start = len(self.lines)
        yield
        if len(self.lines) == start:
            self.line("pass")
        self.depth -= 1
        self.scope = kept

    def fresh(self, kind: str) -> str:
        """A new name of this kind, or now and then one in scope that is bound again."""
        if self.scope[kind] and self.rng.random() < 0.5:
            return self.bind(self.pick(kind))
        self.counter += 1
        name = f"{kind[0]}{self.counter}"
        self.scope[kind].append(name)
        return name

    def bind(self, name: str) -> str:
        """`name` is assigned here: a variable of an enclosing function becomes nonlocal."""
        if self.outer and any(name in names for names in self.outer[-1].values()):
            self.rebound[-1].add(name)
        return name

    def pick(self, kind: str) -> str:
        return self.rng.choice(self.scope[kind])

    # -- expressions ---------------------------------------------------------------------------------------------------

    def number(self) -> str:
        return f"{self.rng.choice([-1, 1]) * self.rng.uniform(0.1, 0.95):.3f}"

    def atom(self) -> str:
        """Something within [-1, 1]."""
        choices = [lambda: self.pick("float")] * 6 + [self.number]
        choices += [lambda: f"{self.pick('array')}[{self.rng.randrange(-3, 3)}]"] * 2
        choices += [self.element] * 2
        choices += [lambda: f"{self.pick('dict')}[{self.rng.choice(['p', 'q'])!r}]"]
        if self.scope["view"]:
            choices += [lambda: f"{self.pick('view')}[{self.rng.randrange(-2, 2)}]"]
        if self.scope["box"]:
            choices += [lambda: f"{self.pick('box')}.v", lambda: f"{self.pick('box')}.total"]
        if self.scope["call"]:
            choices += [lambda: f"{self.pick('call')}({self.pick('float')})"] * 2
        return self.rng.choice(choices)()

    def element(self) -> str:
        name = self.pick("list")
        return self.rng.choice([f"{name}[0]", f"{name}[-1]", f"{name}[{self.rng.randrange(4)} % len({name})]"])

    def unit(self) -> str:
        """An expression within [-1, 1], made of atoms."""
        a, b, c = self.atom(), self.atom(), self.atom()
        return self.rng.choice(
            [
                f"math.sin({a} + {b})",
                f"math.cos({a} * {b} - {c})",
                f"math.tanh({a} - {b} * {c})",
                f"np.sin({a} * {b})",
                f"{a} * {b}",
                f"{a} * {b} * {c}",
                f"0.5 * ({a} + {b})",
                f"({a} - {b}) / (2.0 + {c} ** 2)",
                f"-{a}",
                f"({a} if {self.condition()} else {b})",
                f"math.exp({a} - 1.0) * {b}",
                f"helper({a}, {b})",
                f"helper({a}, {b}, {c}, k={b})",
                f"(lambda u: u * {a})({b})",
                f"max({a}, {b})",
                f"min([{a}, {b}, {c}])",
                f"math.tanh(sum([{a}, {b}, {c}]))",
                f"{self.array()}.sum() / 3",
                f"({self.array()} @ {self.array()}) / 3",
                f"math.tanh(sum({self.listing()}))",
            ]
        )

    def condition(self) -> str:
        a, b = self.atom(), self.atom()
        return self.rng.choice(
            [
                f"{a} > {self.number()}",
                f"{a} < {b}",
                f"-0.5 < {a} < 0.6",
                f"{a} > 0 and {b} > 0",
                f"{a} > 0.2 or not {b} < 0.1",
                f"len({self.pick('list')}) > 3",
            ]
        )

    def array(self) -> str:
        """An array of three numbers within [-1, 1]."""
        a, b = self.pick("array"), self.pick("array")
        return self.rng.choice(
            [
                a,
                f"np.sin({a} + {b})",
                f"({a} * {b})",
                f"({a} * {self.atom()})",
                f"np.array([{self.atom()}, {self.atom()}, {self.atom()}])",
                f"{a}[::-1]",
                f"np.where({a} > 0.1, {a}, {b} * 0.5)",
                f"np.tanh({a} - {self.atom()})",
                f"np.concatenate([{a}[1:], {b}[:1]])",
                f"{a}.copy()",
                f"{a}[[2, 0, 0]]",
            ]
        )

    def listing(self) -> str:
        """A list of numbers within [-1, 1], at least one and, in the end, not many."""
        name = self.pick("list")
        return self.rng.choice(
            [
                f"[{self.atom()}, {self.atom()}]",
                f"[e * {self.atom()} for e in {name}]",
                f"[math.sin(e + {self.atom()}) for e in {name}[:4] if e != 7.0]",
                f"{name}[:3]",
                f"list(reversed({name}[-3:]))",
                f"sorted({name}[:4])",
                f"[u * v for u, v in zip({name}, {self.pick('array')})]",
                f"[*{name}[:2], {self.atom()}]",
                f"list(map(lambda e: e * {self.atom()}, {name}[:3]))",
                f"[e * {self.pick('dict')}[k] for e in {name}[:1] for k in ('p', 'q')]",
                f"{self.pick('array')}.tolist()",
            ]
        )

    # -- statements ----------------------------------------------------------------------------------------------------

    def statements(self, count: int) -> None:
        simple = [
            self.assign, self.assign, self.assign, self.augment, self.swap, self.make_array, self.make_list,
            self.store_array, self.store_array, self.store_list, self.store_list, self.store_dict, self.make_view,
            self.make_box, self.use_box, self.alias,
        ]  # fmt: skip
        compound = [
            self.branch,
            self.for_loop,
            self.while_loop,
            self.function,
            self.attempt,
            self.generator,
            self.scope_,
        ]
        for _ in range(count):
            if self.depth < 4 and self.rng.random() < 0.35:
                self.rng.choice(compound)()
            else:
                self.rng.choice(simple)()

    def body(self) -> None:
        self.statements(self.rng.randint(1, 3))

    def assign(self) -> None:
        self.define("float", self.unit())

    def define(self, kind: str, value: str) -> None:
        """`name = value`; the name is chosen last, for the value must not mention it before it is bound."""
        self.line(f"{self.fresh(kind)} = {value}")

    def augment(self) -> None:
        value, name = self.unit(), self.bind(self.pick("float"))
        self.line(f"{name} {self.rng.choice(['+=', '-=', '*='])} {value}")
        self.line(f"{name} = math.sin({name})")

    def swap(self) -> None:
        a, b = self.pick("float"), self.pick("float")
        if a != b:
            self.line(f"{self.bind(a)}, {self.bind(b)} = {b}, {self.rng.choice([a, f'{a} * {b}', self.unit()])}")

    def make_array(self) -> None:
        self.define("array", self.array())

    def make_list(self) -> None:
        self.define("list", self.listing())

    def alias(self) -> None:
        kind = self.rng.choice(["array", "list", "dict"])
        self.define(kind, self.pick(kind))

    def make_view(self) -> None:
        part = self.rng.choice(["[1:]", "[:2]", "[::2]", "[::-1][:2]", ".reshape(3, 1)[1:, 0]"])
        self.define("view", self.pick("array") + part)

    def store_array(self) -> None:
        name = self.rng.choice(self.scope["array"] + self.scope["view"])
        i = self.rng.randrange(2)
        texts = [
            f"{name}[{i}] = {self.unit()}",
            f"{name}[{i - 2}] *= {self.atom()}",
            f"{self.bind(name)} *= {self.atom()}",
            f"{name}[:] = {self.unit()}",
            f"{name}[{i}:] *= {self.atom()}",
            f"{name}[{name} > 0.15] *= {self.atom()}",
            f"{name}[[0, 1, 0]] = [{self.atom()}, {self.atom()}, {self.atom()}]",
            f"{name}[0], {name}[1] = {name}[1], {name}[0]",
            f"{name}[1:] = {name}[:-1]",
            f"np.sin({name}, out={name})",
            f"{name}.fill({self.atom()})",
            f"{name}[...] = {name}[::-1]",
        ]
        if name in self.scope["array"]:
            texts += [f"np.multiply({name}, {self.pick('array')}, out={name})", f"{name}[:] = {self.array()}"]
        self.line(self.rng.choice(texts))

    def store_list(self) -> None:
        name = self.pick("list")
        i = f"{self.rng.randrange(5)} % len({name})"
        text = self.rng.choice(
            [
                f"{name}[{i}] = {self.unit()}",
                f"{name}[{i}] *= {self.atom()}",
                f"{name}.insert({self.rng.randrange(-5, 5)}, {self.unit()})",
                f"{name}.append({self.unit()})",
                f"{name}.extend({self.listing()}[:2])",
                f"{name}.reverse()",
                f"{name}.sort()",
                f"{name}.sort(key=lambda e: -e)",
                f"{name}[1:2] = {self.listing()}[:2]",
                f"{name}[0] = {self.number()}",
            ]
        )
        self.line(text)
        if self.rng.random() < 0.5:
            with self.block(f"if len({name}) > {self.rng.randint(2, 4)}:"):
                if self.rng.random() < 0.7:
                    self.define("float", f"{name}.pop({self.rng.randrange(-2, 2)})")
                else:
                    self.line(f"del {name}[1:]")

    def store_dict(self) -> None:
        name = self.pick("dict")
        kind, text = self.rng.choice(
            [
                ("", f"{name}['p'] = {self.unit()}"),
                ("", f"{name}['q'] *= {self.atom()}"),
                ("", f"{name}.update(p={self.atom()}, r={self.unit()})"),
                ("", f"{name}['q'], {name}['p'] = {name}['p'], {self.unit()}"),
                ("float", f"{name}.pop('r', {self.atom()})"),
                ("float", f"math.tanh(sum({name}.values()))"),
                ("float", f"{name}.setdefault('r', {self.unit()})"),
                ("dict", f"{{k: v * {self.atom()} for k, v in {name}.items()}}"),
                ("dict", f"{{**{name}, 'p': {self.unit()}}}"),
            ]
        )
        self.define(kind, text) if kind else self.line(text)

    def make_box(self) -> None:
        held = self.rng.choice([self.pick("list"), f"[{self.atom()}, {self.atom()}]"])
        self.define("box", f"Box({self.unit()}, {held})")

    def use_box(self) -> None:
        if not self.scope["box"]:
            return self.make_box()
        box = self.pick("box")
        kind, text = self.rng.choice(
            [
                ("", f"{box}.v = {self.unit()}"),
                ("", f"{box}.v *= {self.atom()}"),
                ("", f"{box}.scale({self.atom()})"),
                ("", f"{box}.held = {self.pick('list')}"),
                ("", f"{box}.held[0] = {self.unit()}"),
                ("", f"{box}.__dict__['v'] = {self.unit()}"),
                ("", f"setattr({box}, 'v', {self.unit()})"),
                ("float", f"{box}.scale({self.atom()}).v"),
            ]
        )
        self.define(kind, text) if kind else self.line(text)

    def branch(self) -> None:
        with self.block(f"if {self.condition()}:"):
            self.body()
        for keyword in self.rng.choice([[], ["else:"], ["elif"], ["elif", "else:"]]):
            with self.block(f"elif {self.condition()}:" if keyword == "elif" else keyword):
                self.body()

    def loop_body(self) -> None:
        self.body()
        if self.rng.random() < 0.4:
            with self.block(f"if {self.condition()}:"):
                if self.rng.random() < 0.5:
                    self.assign()
                self.line(self.rng.choice(["break", "continue"]))
            self.body()

    def for_loop(self) -> None:
        self.counter += 1
        i, e = f"i{self.counter}", f"e{self.counter}"
        header, bound = self.rng.choice(
            [
                (f"for {i} in range({self.rng.randint(1, 4)}):", None),
                (f"for {e} in {self.pick('list')}[:4]:", e),
                (f"for {e} in {self.pick('array')}:", e),
                (f"for {i}, {e} in enumerate({self.listing()}):", e),
                (f"for {e}, {i} in zip({self.pick('array')}, {self.listing()}):", e),
                (f"for {i}, {e} in list({self.pick('dict')}.items()):", e),
            ]
        )
        with self.block(header):
            if bound:
                self.scope["float"].append(bound)
            self.loop_body()
        if self.rng.random() < 0.2:
            with self.block("else:"):
                self.body()

    def while_loop(self) -> None:
        self.counter += 1
        n = f"n{self.counter}"
        self.line(f"{n} = 0")
        # The count stands in the condition, so that no deletion of a line makes the loop endless.
        with self.block(f"while ({n} := {n} + 1) < {self.rng.randint(2, 5)} and {self.atom()} > -0.9:"):
            self.loop_body()
        if self.rng.random() < 0.2:
            with self.block("else:"):
                self.body()

    def nested(self, header: str, write: Callable[[], None]) -> None:
        """A function written inside: what it assigns of the functions around it is declared nonlocal."""
        self.outer.append({kind: list(names) for kind, names in self.scope.items()})
        self.rebound.append(set())
        start = len(self.lines) + 1
        with self.block(header):
            write()
        rebound = self.rebound.pop()
        self.outer.pop()
        if rebound:
            self.lines.insert(start, "    " * (self.depth + 1) + f"nonlocal {', '.join(sorted(rebound))}")
            if self.outer:  # a variable of a function further out is one of the function in between, too
                for name in rebound:
                    self.bind(name)

    def function(self) -> None:
        self.counter += 1
        name, argument = f"f{self.counter}", f"u{self.counter}"

        def write() -> None:
            self.scope["float"].append(argument)
            self.body()
            if self.rng.random() < 0.3:
                with self.block(f"if {self.condition()}:"):
                    self.line(f"return {self.unit()}")
            self.line(f"return {argument} * {self.unit()}")

        default = self.rng.choice(["", f", s{self.counter}={self.atom()}"])
        self.nested(f"def {name}({argument}{default}):", write)
        self.scope["call"].append(name)
        self.define("float", f"{name}({self.atom()})")

    def generator(self) -> None:
        self.counter += 1
        name, e = f"g{self.counter}", f"e{self.counter}"

        def write() -> None:
            self.line(f"yield {self.unit()}")
            self.body()
            self.line(f"yield {self.unit()}")
            with self.block("for j in range(2):"):
                self.line(f"yield {self.unit()} * j")

        self.nested(f"def {name}():", write)
        with self.block(f"for {e} in {name}():"):
            self.scope["float"].append(e)
            self.loop_body()

    def attempt(self) -> None:
        with self.block("try:"):
            self.body()
            with self.block(f"if {self.condition()}:"):
                self.line(
                    self.rng.choice([f"raise Stop({self.unit()})", f"{self.pick('list')}[99] = {self.unit()}", "{}[0]"])
                )
            self.body()
        self.counter += 1
        error = f"error{self.counter}"
        with self.block(f"except Stop as {error}:"):
            self.define("float", f"{error}.args[0] * {self.atom()}")
        with self.block("except LookupError:"):
            self.body()
        if self.rng.random() < 0.3:
            with self.block("else:"):
                self.body()
        if self.rng.random() < 0.4:
            with self.block("finally:"):
                self.body()

    def scope_(self) -> None:
        """A comprehension over closures, a match, a walrus: what needs more than a line."""
        v = self.pick("float")
        self.counter += 1
        n = self.counter
        if self.rng.random() < 0.5:
            self.line(f"fs{n} = [lambda u, k=k: u * k * {v} for k in {self.listing()}[:3]]")
            self.define("float", f"math.sin(sum([f({self.atom()}) for f in fs{n}]))")
        else:
            with self.block(f"match [{self.atom()}, {self.atom()}]:"):
                with self.block(f"case [p{n}, q{n}] if (w{n} := p{n} * q{n}) > {self.number()}:"):
                    self.scope["float"] += [f"p{n}", f"q{n}", f"w{n}"]
                    self.body()
                with self.block("case _:"):
                    self.body()

    def program(self) -> str:
        self.statements(self.rng.randint(3, 9))
        terms = self.scope["float"] + [f"{name}[{i}]" for name in self.scope["array"] for i in range(3)]
        terms += [f"sum({name})" for name in self.scope["list"]] + [f"sum({n}.values())" for n in self.scope["dict"]]
        terms += [f"{name}.sum()" for name in self.scope["view"]] + [f"{name}.v" for name in self.scope["box"]]
        weighted = " + ".join(f"{0.3 + 0.1 * (i % 7):.1f} * {term}" for i, term in enumerate(terms))
        self.line(f"return {weighted}")
        return "\n".join([PRELUDE, "", "def loss(x, y, a, items, named):", *self.lines]) + "\n"
