"""Random programs over two floats, as text: assignments, swaps, branches, loops with exits, helpers, tuples, local
lists.

Every generated program is smooth where it is evaluated (comparisons are far from ties for the seeds in use, or the
finite difference across the tie is recognised as such by the caller), terminates, and returns a float.
"""

from __future__ import annotations

import random

HELPERS = """
import math
def helper(p, q):
    if p > q:
        return p * q + 1.0
    return math.sin(p) - q

def pair(p, q):
    return q * 0.5, math.cos(p)
"""


class Generator:
    """One random program of `size` statements or so."""

    def __init__(self, seed: int, size: int = 8) -> None:
        self.random = random.Random(seed)
        self.left = size
        self.names = ["x", "a"]
        self.depth = 0
        self.loops = 0
        self.counters = 0

    def program(self) -> str:
        body = self.block(1)
        return (
            f"{HELPERS}\ndef f(x, a):\n    y = x * 0.5\n    z = 1.25\n"
            + "\n".join(body)
            + f"\n    return {self.number()}\n"
        )

    def number(self, depth: int = 0) -> str:
        r = self.random
        kind = r.randrange(10) if depth < 2 else r.randrange(3)
        if kind < 2:
            return r.choice(["x", "a", "y", "z"])
        if kind == 2:
            return r.choice(["0.5", "1.5", "2.0", "0.25"])
        left, right = self.number(depth + 1), self.number(depth + 1)
        if kind < 6:
            return f"({left} {r.choice(['+', '-', '*'])} {right})"
        if kind == 6:
            return f"math.{r.choice(['sin', 'cos', 'tanh', 'atan'])}({left})"
        if kind == 7:
            return f"({left} / (2.0 + {right} * {right}))"
        if kind == 8:
            return f"helper({left}, {right})"
        return f"({left} if {self.test()} else {right})"

    def test(self) -> str:
        r = self.random
        bound = r.choice(["0.3171", "1.1717", "-0.4131", "a", "y"])
        first = f"{r.choice(['x', 'a', 'y', 'z'])} {r.choice(['<', '>'])} {bound}"
        if r.random() < 0.25:
            return f"{first} {r.choice(['and', 'or'])} {r.choice(['x', 'z'])} > {r.choice(['0.2113', '0.7717'])}"
        return first

    def block(self, depth: int) -> list[str]:
        lines: list[str] = []
        for _ in range(self.random.randrange(1, 4)):
            self.left -= 1
            lines += self.statement(depth)
            if self.left <= 0:
                break
        return lines

    def statement(self, depth: int) -> list[str]:
        r, pad = self.random, "    " * depth
        kind = r.randrange(14) if depth < 4 and self.left > 0 else r.randrange(4)
        name, other = r.sample(["x", "a", "y", "z"], 2)
        if kind < 3:
            return [f"{pad}{name} = {self.number()}"]
        if kind == 3:
            swap, helper = f"{name}, {other} = {other}, {name}", f"{name}, {other} = pair({other}, {name})"
            return [pad + r.choice([swap, helper, f"{name} += {self.number()}"])]
        if kind < 7:
            lines = [f"{pad}if {self.test()}:", *self.block(depth + 1)]
            if r.random() < 0.6:
                lines += [f"{pad}else:", *self.block(depth + 1)]
            return lines
        if kind < 10:
            self.counters += 1
            i = f"i{self.counters}"
            self.loops += 1
            lines = [f"{pad}for {i} in range({r.randrange(1, 5)}):", *self.block(depth + 1), *self.leave(depth + 1)]
            self.loops -= 1
            lines.append(f"{pad}    {name} = math.tanh({name}) + {i} * 0.125")
            if r.random() < 0.2:
                lines += [f"{pad}else:", f"{pad}    {other} = {self.number()}"]
            return lines
        if kind == 10:
            self.counters += 1
            n = f"n{self.counters}"
            self.loops += 1
            lines = [f"{pad}{n} = 0", f"{pad}while {n} < {r.randrange(1, 5)} and {name} < 3.0:", f"{pad}    {n} += 1"]
            lines += [*self.block(depth + 1), *self.leave(depth + 1), f"{pad}    {name} = {name} * 0.75 + 0.5"]
            self.loops -= 1
            return lines
        if kind == 11:
            return [f"{pad}if {self.test()}:", f"{pad}    return {self.number()}"]
        if kind == 12:
            self.counters += 1
            t = f"t{self.counters}"
            return [
                f"{pad}{t} = ({self.number()}, ({name}, {self.number()}))",
                f"{pad}{other} = {t}[0] * {t}[1][{r.randrange(2)}]",
            ]
        self.counters += 1
        k = f"l{self.counters}"
        lines = [
            f"{pad}{k} = []",
            f"{pad}for e in range({r.randrange(1, 4)}):",
            f"{pad}    {k}.append({self.number()} + e)",
        ]
        if r.random() < 0.5:
            lines.insert(2, f"{pad}    if {self.test()}:")
            lines[3] = "    " + lines[3]
        return [*lines, f"{pad}{name} = sum({k}) * 0.5"]

    def leave(self, depth: int) -> list[str]:
        r, pad = self.random, "    " * depth
        if r.random() < 0.5:
            return []
        word = r.choice(["break", "continue", f"return {self.number()}"])
        return [f"{pad}if {self.test()}:", f"{pad}    {word}"]
