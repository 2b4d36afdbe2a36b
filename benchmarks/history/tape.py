"""How large does a process become in which a tape grows?"""

from __future__ import annotations

import engine
from benchmarks.workloads import WORKLOADS


class Tape:
    """Peak size of a process that takes the gradient of a chain of 10^5 operations, and of one twice as long.

    Expected: in step with the length above what the process takes by itself, some fifty megabytes.
    """

    params = ([33_334, 66_668],)
    param_names = ("steps",)

    def setup(self, steps: int) -> None:
        if not hasattr(engine, "gradient"):
            raise NotImplementedError("there is no gradient in this commit")

    def peakmem_deep_chain(self, steps: int) -> None:
        chain = WORKLOADS["deep_chain"]
        (x, a), _ = chain.sizes[0].arguments()
        chain.asked(x, a, steps=steps)
