# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Read the frontier
#
# What a router would have cost and achieved on requests that it was not trained on, how sure that is,
# and which setting to choose. To read a router of your own, name its folder and its log in the next cell
# and skip the cell that trains.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from support import BLUE, GREEN, GREY, ORANGE, cost_axis, farthing, style, whiskers, with_interval

LOG = Path("../data/sample.parquet").resolve()
work = tempfile.TemporaryDirectory(prefix="farthing-")
ROUTER = Path(work.name) / "router"
style()

# %%
columns = ["--context", "feature", "--label", "task"]
manifest = farthing("train", LOG, "--output", ROUTER, *columns, "--force", "--json", cwd=work.name)

# %% [markdown]
# ## Evaluate
#
# `farthing eval` skips what training saw. **Look at** `scored_requests`: everything below rests on
# them. The plane needs `complete_requests`, those that every model answered.

# %%
report = farthing("eval", ROUTER, LOG, "--json", "-", cwd=work.name)
counts = ["log_requests", "seen_requests", "scored_requests", "complete_requests"]
pd.Series(report["data"])[counts].to_frame("number")

# %% [markdown]
# ## The plane
#
# Up is better, left is cheaper. Grey points are single models, and the grey line is what tossing a coin
# between them gets. The blue line is the router's dial from thrifty to lavish, its best settings on these
# requests. The green star chooses the cheapest model that met the bar, knowing all the answers. The orange
# diamond is the policy as it serves; it keeps a promise that the dial does not make, so it may lie below.
#
# **Look at** the gap between blue and grey: that is the router's work. **Decide** where on the blue line
# you want to be: its top left corner, where it bends, is usually the bargain. A point of it is a `lambda`,
# which `farthing train --lambda` makes the policy `utility`.

# %%
frontier = report["frontier"]
assert frontier, report["frontier_withheld"]
singles = pd.json_normalize(frontier["singles"])
mix = pd.json_normalize(frontier["hindsight_zero_hull"])
dial = pd.DataFrame(frontier["router_hull"])
oracle = pd.json_normalize(frontier["oracle"])
policy = report["policy"]
grid = np.geomspace(singles["cost_usd.value"].min(), singles["cost_usd.value"].max(), 200)

figure, axes = plt.subplots(figsize=(8, 5.2))
coin = np.interp(grid, mix["cost_usd.value"], mix["quality.value"])
axes.plot(1000 * grid, coin, color=GREY, linestyle="--", label="mix of single models")
reached = grid[grid >= dial["cost_usd"].min()]
mixed = np.interp(reached, dial["cost_usd"], dial["quality"])
axes.plot(1000 * reached, mixed, color=BLUE, linewidth=2.5, label="router, turning the dial")
axes.plot(1000 * dial["cost_usd"], dial["quality"], "o", color=BLUE, markersize=4)
axes.errorbar(
    1000 * singles["cost_usd.value"],
    singles["quality.value"],
    yerr=whiskers([single["quality"] for single in frontier["singles"]]),
    fmt="o",
    color=GREY,
    ecolor="#C8C8C8",
    label="single models, 95 % interval",
)
for model, cost, quality in singles[["model", "cost_usd.value", "quality.value"]].to_numpy():
    axes.annotate(model, (1000 * cost, quality), (6, -12), textcoords="offset points", color=GREY)
if served := frontier["policy"]:
    axes.plot(
        *(1000 * served["cost_usd"]["value"], served["quality"]["value"], "D"),
        **{"color": ORANGE, "markersize": 9, "label": f"policy `{policy['policy']}`"},
    )
axes.plot(
    *(1000 * oracle["cost_usd.value"], oracle["quality.value"], "*"),
    **{"color": GREEN, "markersize": 16, "label": "oracle"},
)
cost_axis(axes)
axes.set_title(f"Cost and quality on {frontier['requests']} requests")
axes.legend(loc="lower right")
plt.show()

# %% [markdown]
# The same line in numbers, from thrifty to lavish.

# %%
dial.assign(usd_per_1000=1000 * dial["cost_usd"])[["lambda", "usd_per_1000", "quality"]].round(3)

# %% [markdown]
# ## Is it more than luck?
#
# The same learners fitted on shuffled labels (a router made by `add-model` has none) earn what knowing the
# cost of a request is worth; the same predictions given to the wrong requests must earn about nothing or
# less. **Decide:** if the router's interval reaches down to theirs, do not believe it yet.

# %%
shares = pd.DataFrame(
    [
        frontier["shuffled_control"]["earned_share_pct"],
        (frontier["null_control"] or frontier["shuffled_control"])["earned_share_pct"],
        frontier["earned_share_pct"],
    ],
    index=["predictions shuffled", "labels shuffled", "router"],
)
figure, axes = plt.subplots(figsize=(8, 2.8))
places = range(len(shares))
axes.hlines(places, shares["low"], shares["high"], color=[GREY, GREY, BLUE], linewidth=9, alpha=0.35)
axes.scatter(shares["value"], places, color=[GREY, GREY, BLUE], s=110, zorder=3)
for place, value in zip(places, shares["value"]):
    axes.annotate(f"{value:.0f} %", (value, place), (0, 11), textcoords="offset points", ha="center")
axes.axvline(0, color=GREY)
axes.set(yticks=places, yticklabels=shares.index, ylim=(-0.6, 2.7), xlabel="earned share, %")
axes.set_title("Earned share, 95 % interval")
plt.show()

# %% [markdown]
# ## What else could you do?
#
# Baselines on the same requests. One that chooses has a quality and a cost, and `router_gain` is how much
# better the router is for the same money; one with a dial has an earned share. **Look at** the known label
# and the neighbours: a router that earns less than they do has left something on the table.

# %%
baselines = pd.DataFrame(frontier["baselines"])
chosen = ["quality", "router_gain", "earned_share_pct", "saving_pct"]
formats = dict(zip(chosen, ["{:.3f}", "{:+.3f}", "{:.1f}", "{:.1f}"]))
for column, layout in formats.items():
    baselines[column] = [with_interval(figure, layout) for figure in baselines[column]]
baselines[["name", *chosen]]

# %% [markdown]
# ## What does a given quality cost?
#
# Each row is a quality, as a part of what the best single model reaches. **Look at** the share of that
# model's cost, and at what mixing single models would cost for the same quality.

# %%
targets = pd.DataFrame(frontier["cost_targets"])
best_cost = frontier["best_single"]["cost_usd"]["value"]
targets["router_usd_per_1000"] = [
    with_interval(cost and {end: value and 1000 * value for end, value in cost.items()}, "{:.2f}")
    for cost in targets["cost_usd"]
]
targets["of_best_single_pct"] = [
    with_interval(ratio and {end: value and 100 * value for end, value in ratio.items()})
    for ratio in targets["ratio_to_best_single"]
]
targets["mixing_pct"] = [
    100 * cost["value"] / best_cost if cost else None for cost in targets["fitted_zero_cost_usd"]
]
targets[["target", "quality", "router_usd_per_1000", "of_best_single_pct", "mixing_pct"]].round(3)

# %% [markdown]
# ## What would the policy have done?
#
# This is the router as it serves today: the orange diamond above. **Look for** one model that takes
# nearly everything: then a fixed choice does as well, and is simpler.

# %%
choices = pd.DataFrame(policy["choices"]).sort_values("share_pct")
figure, axes = plt.subplots(figsize=(8, 3.2))
bars = axes.barh(choices["model"], choices["share_pct"], color=BLUE)
axes.bar_label(bars, fmt="%.0f %%", padding=4)
axes.margins(x=0.1)
axes.set(xlabel="share of requests, %")
axes.grid(axis="y", visible=False)
axes.set_title(f"What policy `{policy['policy']}` chose")
plt.show()

# %% [markdown]
# **Decide** by these lines. A saving counts only if the quality difference is one that you can bear at
# the low end of its interval.

# %%
against = policy["against_best_single"] or policy["against_reference"]
pd.Series(
    {
        f"saving against {against['model']}, %": with_interval(against["saving_pct"]),
        "difference of mean score": with_interval(against["quality_difference"], "{:+.3f}"),
        "requests that meet the bar, %": with_interval(policy["attainment_pct"]),
        "downgraded requests, %": with_interval(policy["downgraded_pct"]),
        "of those, miss where the reference meets, %": with_interval(
            policy["downgraded_excess_miss_pct"]
        ),
    }
).to_frame("value [95 % interval]")

# %% [markdown]
# ## Are its probabilities to be believed?
#
# Each point gathers answers of about the same predicted probability of meeting the bar. On the line, the
# prediction is right. Below it the router promises too much, and the policy will miss the bar more often
# than it thinks. **Look at** the right end: that is where the policy decides.

# %%
calibration = report["calibration"]
bins = pd.DataFrame(calibration["bins"])
figure, axes = plt.subplots(figsize=(5.6, 5.2))
axes.plot([0, 1], [0, 1], color=GREY, linestyle="--")
axes.plot(bins["mean_predicted"], bins["share_met"], "o-", color=BLUE, markersize=7)
axes.set(xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")
axes.set(xlabel="predicted P(score >= bar)", ylabel="share that met the bar")
axes.set_title(f"{calibration['outcomes']} answers, calibration error {calibration['ece']:.3f}")
plt.show()

# %% [markdown]
# ## Does the choice depend on what it should?
#
# Some requests were changed and routed again. The blue changes leave the task alone; the orange ones try
# to talk the router round. **Look at** `quality_change` and `cost_change_usd` in the table: a flip that
# costs nothing is harmless. **Decide:** if steering makes it choose dearer models, callers can too.

# %%
robustness = report["robustness"]
kinds = pd.json_normalize(robustness["kinds"])
figure, axes = plt.subplots(figsize=(8, 3.6))
axes.barh(
    *(kinds["change"], kinds["flip_pct.value"]),
    **{"xerr": whiskers([kind["flip_pct"] for kind in robustness["kinds"]]), "ecolor": "black"},
    color=kinds["steering"].map({True: ORANGE, False: BLUE}),
)
axes.invert_yaxis()
axes.set(xlabel="choices that change, %")
axes.grid(axis="y", visible=False)
axes.set_title(f"{robustness['requests']} requests, changed in ten ways")
plt.show()

# %%
kinds[["change", "flips", "to_dearer", "to_cheaper", "quality_change.value", "cost_change_usd.value"]].round(4)

# %% [markdown]
# ## Which learner does the work?
#
# `farthing compare` fits each learner on the same five folds, here on 1,000 requests to be quick. Blue
# rows can serve, with the time that a decision takes; grey rows are yardsticks. Whiskers are standard
# errors, and rows below -20 % leave the picture.
#
# `blend` is what `train` fits. **Look at** it on shuffled labels: it should earn about what predicting
# costs alone does (`zero, costs predicted`), give or take the whiskers. **Decide:** a row `known label, X`
# is told the log's column X. Where it wins by far, send that column with the request (`--context`).

# %%
settings = Path(work.name) / "compare.toml"
settings.write_text('context = ["feature"]\nlabel = ["task"]\nmax_requests = 1000\n')
comparison = farthing("compare", settings, LOG, "--json", cwd=work.name)
rows = pd.DataFrame(comparison["rows"]).sort_values("earned_share_pct")

# %%
figure, axes = plt.subplots(figsize=(8, 5))
axes.barh(
    *(rows["name"], rows["earned_share_pct"]),
    **{"xerr": rows["standard_error_pct"], "ecolor": "black"},
    color=rows["decision_us"].map(lambda us: "#C8C8C8" if pd.isna(us) else BLUE),
)
axes.set(xlim=(-20, 105), xlabel="earned share, %")
axes.grid(axis="y", visible=False)
axes.set_title(f"Learners and yardsticks, five folds of {comparison['requests']} requests")
plt.show()

# %% [markdown]
# The same rows in numbers. `cost_ratio_at_95_pct_quality` is what 95 % of the best single model's quality
# costs, as a share of that model's cost; `decision_us` is empty where no router can serve the row.

# %%
shown = ["name", "earned_share_pct", "cost_ratio_at_95_pct_quality", "decision_us"]
rows[shown].iloc[::-1].round(2)
