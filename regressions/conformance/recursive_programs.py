"""Random programs of one or two functions that call themselves and each other, as text.

Every function takes two numbers and what is left of the depth, and returns a pair; the depth falls at every call, so
that all end, but some end earlier by the numbers.
"""

from __future__ import annotations

import random


class Writer:
    """The program of one seed: `program(x, y, n=3)`."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.functions = ["f", "g"] if self.random.random() < 0.5 else ["f"]
        self.depth = self.calls = 0

    def program(self) -> str:
        lines = ["import math", "import numpy as np", "def program(x, y, n=3):"]
        for name in self.functions:
            lines += self.function(name)
        return "\n".join([*lines, "    a, b = f(x, y, n)", "    return a * b + math.sin(a)", ""])

    def function(self, name: str) -> list[str]:
        early = self.random.choice([" or p > 2.0", ""])
        self.calls = 2  # none where it ends
        lines = [f"    def {name}(p, q, n):", f"        if n <= 0{early}:", f"            return {self.pair()}"]
        self.calls = 0
        lines += ["        w = np.zeros(2)", *self.block(" " * 8, self.random.randrange(2, 5))]
        if not self.calls:
            lines.append(f"        p, q = {self.call()}")
        return [*lines, f"        return {self.pair()}"]

    def pair(self) -> str:
        return f"{self.number()}, {self.number()}"

    def call(self) -> str:
        self.calls += 1
        return f"{self.random.choice(self.functions)}({self.pair()}, n - {self.random.choice([1, 2])})"

    def number(self, depth: int = 0) -> str:
        kind = self.random.randrange(9) if depth < 2 else self.random.randrange(3)
        if kind < 2:
            return self.random.choice("pq")
        if kind == 2:
            return self.random.choice(["0.5", "1.5", "x", "y"])
        if kind == 7 and self.calls < 2:
            return f"{self.call()}[{self.random.choice('01')}]"
        left, right = self.number(depth + 1), self.number(depth + 1)
        if kind < 5:
            return f"({left} {self.random.choice('+-*')} {right})"
        if kind == 5:
            return f"math.{self.random.choice(['sin', 'cos', 'tanh'])}({left})"
        if kind == 6:
            return f"({left} / (2.0 + {right} * {right}))"
        return f"({left} if {self.test()} else {right})"

    def test(self) -> str:
        return f"{self.random.choice('pq')} {self.random.choice('<>')} {self.random.choice(['p', 'q', '0.3', '1.1'])}"

    def block(self, indent: str, size: int) -> list[str]:
        return [line for _ in range(size) for line in self.statement(indent)]

    def statement(self, indent: str) -> list[str]:
        kind = self.random.randrange(6)
        if kind < 2:
            return [f"{indent}{self.random.choice('pq')} = {self.number()}"]
        if kind == 2 and self.depth < 2:
            return self.branch(indent)
        if kind == 3 and self.depth < 2:
            return self.loop(indent)
        if kind == 4 and self.calls < 2:
            return [f"{indent}p, q = {self.call()}"]
        if self.random.random() < 0.5:
            return [f"{indent}w[{self.random.choice(['0', '1', 'n % 2'])}] = {self.number()}"]
        return [f"{indent}q = q + w[{self.random.choice('01')}] * {self.number()}"]

    def branch(self, indent: str) -> list[str]:
        self.depth += 1
        lines = [f"{indent}if {self.test()}:", *self.block(indent + "    ", 1)]
        if self.random.random() < 0.5:
            lines += [f"{indent}else:", *self.block(indent + "    ", 1)]
        if self.random.random() < 0.3:
            lines.append(f"{indent}    return {self.pair()}")
        self.depth -= 1
        return lines

    def loop(self, indent: str) -> list[str]:
        self.depth += 1
        lines = [f"{indent}for _ in range({self.random.choice(['2', 'n', '3'])}):", *self.block(indent + "    ", 1)]
        if self.random.random() < 0.3:
            lines.append(f"{indent}    if {self.test()}: break")
        if self.random.random() < 0.2:
            lines.append(f"{indent}    if {self.test()}: return {self.pair()}")
        self.depth -= 1
        return lines
