# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Train on your log
#
# From a log of answers to a router, and what training says about it. The sample log is synthetic; to
# use yours, change the next cell. A log has one row per request and model: a prompt, a model, a score
# between 0 and 1, and what the answer cost.
#
# Run it from this folder, with `farthing` on the PATH, or its absolute path in the environment variable
# FARTHING.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from support import BLUE, GREY, cost_axis, farthing, style

LOG = Path("../data/sample.parquet").resolve()
CONTEXT = "feature"  # columns that are also known when a request arrives
LABEL = "task"  # columns that only the log has

work = tempfile.TemporaryDirectory(prefix="farthing-")
style()

# %% [markdown]
# ## Train
#
# `--force` writes the router even where the gate refuses it, so that there is something to look at.
# Leave it out when you train for production: then a router that does not earn its place is not written.

# %%
manifest = farthing(
    *("train", LOG, "--output", "router", "--context", CONTEXT, "--label", LABEL),
    *("--force", "--json"),
    cwd=work.name,
)
manifest["digest"]

# %% [markdown]
# ## What was it trained on?
#
# Requests are shared out once: most to fit, some to certify, some sealed. Nothing but the gate and
# `farthing eval` looks at the sealed ones. **Look for** at least 200 sealed requests: with fewer the
# gate cannot decide, and you need more log, not more tuning.

# %%
shares = ["requests", "fit", "certificate", "sealed", "outcomes"]
pd.Series(manifest["data"])[shares].to_frame("number")

# %% [markdown]
# ## Who are the candidates?
#
# **Look for** cheap models close to the best one: that is where a saving comes from. A dear model below
# a cheaper one is hardly ever chosen; ask whether you need it. Few outcomes make a guess of a mean.

# %%
candidates = pd.json_normalize(manifest["candidates"])
candidates["usd_per_1000"] = 1000 * candidates["cost.mean_cost_usd"]
candidates = candidates.sort_values("usd_per_1000")
candidates[["model", "outcomes", "mean_score", "usd_per_1000"]].round(3)

# %%
figure, axes = plt.subplots()
axes.scatter(candidates["usd_per_1000"], candidates["mean_score"], s=60, color=BLUE)
for model, cost, score in candidates[["model", "usd_per_1000", "mean_score"]].to_numpy():
    place = {"xytext": (0, 9), "textcoords": "offset points", "ha": "center"}
    axes.annotate(model, (cost, score), **place)
cost_axis(axes)
axes.set_title("Candidates in the log")
plt.show()

# %% [markdown]
# ## What did it learn from?
#
# The router adds up what these learners say of each candidate. The weights are chosen on held-out
# folds. A learner that is missing earned nothing, or would have made decisions too slow.

# %%
learners = pd.DataFrame(manifest["learners"])[["learner", "weight", "settings"]]
learners

# %%
time = manifest["decision_time"]
print(f"a decision takes about {time['estimate_us']:.0f} us; the limit is {time['limit_us']:.0f} us")

# %% [markdown]
# ## Does it earn its place?
#
# Three questions on the sealed requests. **Decide:** ship only if none is refused. A refusal with an
# interval around zero means that there is nothing to gain yet, or too little log to see it.

# %%
pd.DataFrame(manifest["gate"]["checks"])

# %% [markdown]
# Earned share is what learning added: 0 is mixing the single models by their averages, 100 is knowing
# every score beforehand. The bar is the 95 % interval. **Look at** its lower end: that is what you can
# count on.

# %%
earned = manifest["gate"]["earned_share"]
assert earned, "no earned share can be said; the checks above say why"
low, high = earned["interval_pct"]
figure, axes = plt.subplots(figsize=(8, 1.9))
axes.plot([low, high], [0, 0], color=BLUE, linewidth=9, alpha=0.35, solid_capstyle="butt")
axes.plot(earned["pct"], 0, "o", color=BLUE, markersize=11)
axes.annotate(
    f"{earned['pct']:.0f} %", (earned["pct"], 0), (0, 12), textcoords="offset points", ha="center"
)
axes.axvline(0, color=GREY)
axes.set(xlim=(min(-5, low - 5), 100), ylim=(-1, 1), yticks=[], xlabel="earned share, %")
axes.set_title(f"What learning earned, on {earned['requests']} sealed requests")
plt.show()

# %% [markdown]
# ## What does it promise?
#
# *Downgraded* means sent to a cheaper model than the reference. What holds with 95 % confidence is `alpha`:
# no larger share of downgraded requests misses the bar where the reference would have met it. The bounds
# beside it are of the threshold that was chosen, and a little rosy for that. **Decide** whether you can live
# with `alpha` (`farthing train --alpha`). No row means that nothing could be certified, and the reference
# answers everything.

# %%
promises = pd.json_normalize([bar for bar in manifest["bars"] if bar["certificate"]])
columns = ["alpha", "requests", "downgraded", "excess_misses", "excess_bound", "miss_bound"]
promises.rename(columns=lambda name: name.removeprefix("certificate.")).reindex(
    columns=["bar", "threshold", *columns]
)

# %% [markdown]
# The same by slice, largest first. "Too few" says that the slice has too few certificate requests for
# any bound to be worth something: then only the counts of misses speak. **Look for** a slice with many
# misses among few downgraded requests; there you may want a column that tells it apart (`--context`).

# %%
slices = pd.json_normalize(
    [row for bar in manifest["bars"] if bar["certificate"] for row in bar["certificate"]["slices"]]
)
slices = slices.rename(columns=lambda name: name.removeprefix("bounds."))
columns = ["column", "value", "requests", "downgraded", "excess_misses", "excess_bound"]
slices.reindex(columns=columns).head(12).round(3).astype(object).fillna("too few")

# %% [markdown]
# ## What next?
#
# - The gate passed and the bound is good enough: read the frontier (`read_the_frontier.ipynb`), then
#   `farthing serve`.
# - The gate refused: log more answers of the models close to the best one, or give columns that say
#   what kind of request it is (`--context` if known at request time, else `--label`).
# - The bound is too high: lower `--alpha`, or name a bar that fits your scores with `--bar`.
