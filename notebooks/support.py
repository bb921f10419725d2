"""What both notebooks need and nobody needs to read: running the binary, writing figures with
their intervals, and how pictures look."""

import json
import os
import subprocess
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.ticker import LogLocator, NullLocator

BLUE, GREEN, ORANGE, GREY = "#0072B2", "#009E73", "#D55E00", "#6E6E6E"


def farthing(*arguments, cwd):
    """Runs `farthing` (or what the environment variable FARTHING names) in a folder and returns the
    JSON that it prints."""
    command = [os.environ.get("FARTHING", "farthing"), *map(str, arguments)]
    done = subprocess.run(command, cwd=Path(cwd), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} exited {done.returncode}:\n{done.stderr.strip()}")
    return json.loads(done.stdout)


def with_interval(estimate, form="{:.1f}"):
    """`61.4 [48.2, 75.2]`; an end that is not known is a dash."""
    if estimate is None:
        return "-"
    value, low, high = (
        "-" if end is None else form.format(end)
        for end in (estimate["value"], estimate["low"], estimate["high"])
    )
    return f"{value} [{low}, {high}]"


def whiskers(estimates):
    """Distances from the values to the ends of their intervals, as matplotlib wants them."""
    frame = pd.DataFrame(estimates)
    return [frame["value"] - frame["low"], frame["high"] - frame["value"]]


def cost_axis(axes):
    """Costs differ by factors: a logarithmic axis that is marked in plain dollars."""
    axes.set(xscale="log", xlabel="mean cost of 1,000 requests, USD", ylabel="mean score")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:g}")
    axes.margins(x=0.13, y=0.1)


def style():
    """Wide, quiet pictures and whole table cells."""
    plt.rcParams.update(
        {
            "figure.figsize": (8, 4.2),
            "figure.dpi": 110,
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": GREY,
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.titlelocation": "left",
            "axes.titleweight": "bold",
            "grid.color": "#E4E4E4",
            "legend.frameon": False,
        }
    )
    pd.set_option("display.max_colwidth", None)
