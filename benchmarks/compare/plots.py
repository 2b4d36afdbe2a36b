"""The ratios of a comparison, drawn: each row a dot in the range over thirds of the rounds, on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.compare.contest import Row

__all__ = ["draw", "lack"]

TITLES = {
    "gradient": "time of the derivative over that of ...",
    "engines": "time of ... over that of this project's engine",
}
LABELS = {"reference/hand": "the derivative by hand", "reference/primal": "the program itself"}


def lack() -> str:
    """What is missing for drawing; nothing where all is there."""
    return "" if find_spec("matplotlib") else "plots need matplotlib: python -m pip install 'gradpin[plots]'"


def draw(rows: list[Row], directory: Path) -> Iterator[Path]:
    """Files of each figure that has something to show, as SVG and PNG."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    directory.mkdir(parents=True, exist_ok=True)
    others = [key for row in rows for key in row.ratios if key.endswith("/reference")]
    for name, ratios in (("gradient", list(LABELS)), ("engines", list(dict.fromkeys(others)))):
        shown = [row for row in rows if any(key in row.ratios for key in ratios)]
        if not shown:
            continue
        figure, axes = plt.subplots(figsize=(8, 1.5 + 0.25 * len(shown)), layout="constrained")
        for i, key in enumerate(ratios):
            points = [(y, row.ratios[key]) for y, row in enumerate(shown) if key in row.ratios]
            if not points:
                continue
            places = [y + 0.2 * (i - (len(ratios) - 1) / 2) for y, _ in points]
            medians = [r.value for _, r in points]
            whiskers = [[max(0, r.value - r.low) for _, r in points], [max(0, r.high - r.value) for _, r in points]]
            label = LABELS.get(key, key.partition("/")[0])
            axes.errorbar(medians, places, xerr=whiskers, fmt="o", markersize=4, capsize=2, label=label)
        axes.axvline(1.0, color="grey", linewidth=0.8)
        axes.set(xscale="log", title=TITLES[name], yticks=range(len(shown)), ylim=(len(shown) - 0.5, -0.5))
        axes.set_yticklabels([f"{row.workload}, {row.size}" for row in shown], fontsize=8)
        axes.grid(axis="x", linewidth=0.4)
        figure.legend(loc="outside lower center", ncols=4, fontsize=8)
        for suffix in ("svg", "png"):
            file = directory / f"{name}.{suffix}"
            figure.savefig(file)
            yield file
        plt.close(figure)
