# %% [markdown]
# # A magnet's process: strong, and cheap in dysprosium
#
# A sintered Nd-Fe-B magnet is made at a temperature, annealed, and given dysprosium, which makes it hold its
# magnetisation against heat (coercivity) and costs money and remanence. Which process gives the most coercivity
# for the least dysprosium?
#
# **The data are simulated**, by a formula stated below, so that this notebook runs anywhere: coercivity rises
# as 0.9 T per % of dysprosium at first and less later, has its best sintering temperature where grains are
# dense and not yet coarse (a Gaussian in temperature), and its best annealing near 520 °C; every measurement
# errs by 0.02 T.

# %%
import itertools

import numpy as np
import pandas as pd

from zairyo.campaign import Campaign, maximise

noise = np.random.default_rng(2)
GRID = itertools.product(range(1020, 1101, 10), range(440, 601, 20), (0.0, 0.5, 1.0, 2.0, 3.0))
candidates = pd.DataFrame(GRID, columns=["sintering (degC)", "annealing (degC)", "dysprosium (%)"])


def make(rows: pd.DataFrame) -> pd.DataFrame:
    """Stands in for the furnace and the hysteresisgraph."""
    dense = np.exp(-(((rows["sintering (degC)"] - 1065) / 22) ** 2) / 2)
    phase = np.exp(-(((rows["annealing (degC)"] - 520) / 45) ** 2) / 2)
    coercivity = 0.4 + 0.7 * dense * phase + 0.9 * (1 - np.exp(-rows["dysprosium (%)"] / 2.0)) * dense
    remanence = 1.42 - 0.03 * rows["dysprosium (%)"] - 0.15 * (1 - dense)
    return rows.assign(
        coercivity=(coercivity + 0.02 * noise.standard_normal(len(rows))).round(3),
        remanence=(remanence + 0.005 * noise.standard_normal(len(rows))).round(3),
    )


# %% [markdown]
# ## Ten experiments of a start design
# A Latin hypercube, as one would make it by hand. Everything is recorded in `magnet.jsonl`.

# %%
campaign = Campaign(
    candidates,
    [maximise("coercivity", unit="T"), maximise("remanence", unit="T")],
    start="latin hypercube",
    start_size=10,
    seed=0,
    file="magnet.jsonl",
)
start = campaign.ask(10)
campaign.tell(make(start[list(campaign.candidates.names)].assign(experiment=start.index)))

# %% [markdown]
# ## Three furnace runs of four
# All samples of one run share the sintering temperature, so the furnace decides together what a batch may be.

# %%
runs = Campaign(
    candidates,
    [maximise("coercivity", unit="T"), maximise("remanence", unit="T")],
    shared=["sintering (degC)"],
    seed=0,
    file="runs.jsonl",
)
runs.tell(campaign.experiments()[[*candidates.columns, "coercivity", "remanence"]].reset_index(drop=True))
for _ in range(3):
    picks = runs.ask(4)
    assert picks["sintering (degC)"].nunique() == 1
    runs.tell(make(picks[list(candidates.columns)].assign(experiment=picks.index)))
print(runs.status())

# %% [markdown]
# ## Which one to make
# The front is the choice that is left: no magnet on it is beaten in both. What dysprosium costs picks the point.

# %%
front = runs.status().front
runs.plot("magnet.png")
print(front.sort_values("dysprosium (%)").to_string())

# %% [markdown]
# ## What is proposed next, and why

# %%
print(runs.explain(runs.ask(1)))
