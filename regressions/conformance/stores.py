"""Random programs that write to arrays: element by element, by slices, whole, in loops and branches, under two names.

Every operation is smooth and keeps the numbers small. A program is the text of `loss(x, y)`, of two arrays of length 5.
"""

from __future__ import annotations

import random

INDICES = ("0", "-1", "2", "i", "(i + 1) % 5", "1:4", "1:-1", ":-2", "2:", "::2", "...", "x > 0.1")
LENGTHS = {"1:4": 3, "1:-1": 3, ":-2": 3, "2:": 3, "::2": 3, "...": 5}


class Writer:
    """Writes one program, statement by statement."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.arrays, self.scalars, self.views = ["x", "y"], ["0.5"], []
        self.written: list[str] = []
        self.lines: list[str] = []

    def program(self) -> str:
        for name in ("a", "b"):
            self.add(1, f"{name} = {self.rng.choice(['x.copy()', 'np.zeros(5)', 'x * y', 'np.sin(y)', 'np.array(x)'])}")
            self.arrays.append(name)
            self.written.append(name)
        self.block(1, self.rng.randint(3, 7))
        total = " + ".join(f"np.sum({v} * {self.rng.choice(['x', 'y', 'a', 'b'])})" for v in ("a", "b"))
        rest = " + ".join([v for v in self.scalars if not v[0].isdigit()] or ["0.0"])
        self.add(1, f"return {total} + {rest}")
        return "def loss(x, y):\n    s = 0.0\n    i = 1\n" + "\n".join(self.lines) + "\n"

    def add(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def block(self, depth: int, count: int) -> None:
        for _ in range(count):
            kinds = ["store"] * 5 + ["add"] * 3 + ["whole", "scalar", "rebind", "view", "read"]
            if depth < 3:
                kinds += ["for", "for", "if"]
            getattr(self, f"write_{self.rng.choice(kinds)}")(depth)

    def index(self) -> str:
        return self.rng.choice(INDICES[:-1] if self.rng.random() < 0.9 else INDICES)

    def value(self, index: str) -> str:
        """An expression that may be stored at `index`."""
        n, r = LENGTHS.get(index), self.rng
        scalar = f"np.tanh({r.choice(self.arrays)}[{r.choice(INDICES[:5])}] * {r.choice(self.scalars)})"
        if n is None or r.random() < 0.3:
            return scalar
        of = [k for k, m in LENGTHS.items() if m == n]
        left, right = (f"{r.choice(self.arrays)}[{r.choice(of)}]" for _ in range(2))
        return r.choice([f"0.5 * {left} * {right}", f"np.sin({left}) - {scalar}", left, f"{left} + 0.3 * {right}"])

    def write_store(self, depth: int) -> None:
        index = self.index()
        self.add(depth, f"{self.rng.choice(self.written)}[{index}] = {self.value(index)}")

    def write_add(self, depth: int) -> None:
        target, index = self.rng.choice(self.written), self.index()
        self.add(depth, f"{target}[{index}] {self.rng.choice(['+=', '-=', '*='])} {self.value(index)}")

    def write_whole(self, depth: int) -> None:
        op = self.rng.choice(["+=", "-=", "*="])
        self.add(depth, f"{self.rng.choice(self.written)} {op} 0.5 * np.cos({self.rng.choice(self.arrays)})")

    def write_scalar(self, depth: int) -> None:
        self.mention()
        self.add(depth, f"s = 0.5 * s + {self.value('0')}")

    def write_rebind(self, depth: int) -> None:
        target = self.rng.choice(self.written)
        self.add(depth, f"{target} = 0.7 * {self.rng.choice(self.arrays)} + 0.1 * {self.rng.choice(self.arrays)}")

    def write_view(self, depth: int) -> None:
        """Another name for the memory of an array: this tier may refuse what follows, and may not be wrong."""
        name = f"v{len(self.views)}"
        self.views.append(name)
        target = self.rng.choice(self.written)
        self.add(depth, f"{name} = {target}[{self.rng.choice(['1:', '...', '::-1'])}]")
        if self.rng.random() < 0.5:
            self.write_store(depth)
        if self.rng.random() < 0.3:
            self.add(depth, f"{name}[0] = {self.value('0')}")
        self.mention()
        self.add(depth, f"s = s + np.sum({name} * {name})")

    def mention(self) -> None:
        if "s" not in self.scalars:
            self.scalars.append("s")

    def write_read(self, depth: int) -> None:
        self.mention()
        self.add(depth, f"s = s + np.sum({self.rng.choice(self.written)} ** 2) * 0.1")

    def write_for(self, depth: int) -> None:
        self.add(depth, f"for i in range({self.rng.randint(1, 4)}):")
        self.block(depth + 1, self.rng.randint(1, 4))

    def write_if(self, depth: int) -> None:
        self.add(depth, f"if {self.rng.choice('xy')}[{self.rng.choice(INDICES[:5])}] > 0.1:")
        self.block(depth + 1, self.rng.randint(1, 3))
        if self.rng.random() < 0.6:
            self.add(depth, "else:")
            self.block(depth + 1, self.rng.randint(1, 3))
