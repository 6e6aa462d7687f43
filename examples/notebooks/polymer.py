# %% [markdown]
# # A polymer's property from its recipe, and from what XRD and DSC show of it
#
# Recipe and annealing are known of every candidate. Crystallinity (XRD) and melting temperature (DSC) are known
# only of samples that were made, and the stiffness depends on both. Two questions: which samples to make so
# that the stiffness of all becomes known best, and is it worth making the XRD and DSC measurements at all?
#
# **The data are simulated**, by formulas stated below: crystallinity falls with the comonomer and rises with
# annealing (Avrami's shape) and with a history of the melt that nobody recorded; the melting temperature
# follows Flory's depression by the comonomer; stiffness follows Halpin-Tsai's logarithmic mixing of crystalline
# and amorphous parts.

# %%
import itertools

import numpy as np
import pandas as pd

from zairyo.campaign import Campaign, model, worth
from zairyo.learn import fit_descriptors

noise = np.random.default_rng(0)
GRID = itertools.product(np.arange(0, 0.21, 0.02).round(2), range(60, 141, 10), (5, 20, 80))
candidates = pd.DataFrame(GRID, columns=["comonomer", "annealing (degC)", "minutes"])
SETTINGS = list(candidates.columns)
DESCRIPTORS = ["crystallinity", "melting point (degC)"]


def make(rows: pd.DataFrame) -> pd.DataFrame:
    """Stands in for synthesis, XRD, DSC and the tensile test."""
    x, T, t = (rows[name].to_numpy(float) for name in SETTINGS)
    rate = np.exp(-(((T - 105) / 30) ** 2))
    hidden = 0.05 * noise.standard_normal(len(rows))
    crystallinity = 0.75 * np.exp(-6 * x) * (1 - 0.6 * np.exp(-((rate * t / 15) ** 1.2))) + hidden
    melting = 1 / (1 / 415 + 8.314 / 8000 * x) - 273.15
    stiffness = np.exp(crystallinity * np.log(4.0) + (1 - crystallinity) * np.log(0.3)) * (
        1 + 0.002 * (melting - 120)
    )
    told = {
        "crystallinity": crystallinity,
        "melting point (degC)": melting + 0.4 * noise.standard_normal(len(rows)),
    }
    return rows.assign(**told, stiffness=stiffness * (1 + 0.01 * noise.standard_normal(len(rows))))


# %% [markdown]
# ## Choosing samples that teach
# The aim follows from the objective: `model` wants to know it, everywhere. Expected improvement is refused for that.

# %%
campaign = Campaign(
    candidates, [model("stiffness", unit="GPa")], descriptors=DESCRIPTORS, seed=0, file="polymer.jsonl"
)
for _ in range(4):
    picks = campaign.ask(7)
    campaign.tell(make(picks[SETTINGS].reset_index()))
print(campaign.status())

# %% [markdown]
# ## Predicting samples that were not made
# Their descriptors are not known: they are predicted too, and what is not known of them widens the prediction.

# %%
made = campaign.experiments()
predictor = fit_descriptors(
    made[SETTINGS].to_numpy(float), made[DESCRIPTORS].to_numpy(), made["stiffness"].to_numpy()
)
others = make(candidates.drop(index=made["candidate"]).sample(60, random_state=1))
known, _ = predictor.predict(others[SETTINGS].to_numpy(float), others[DESCRIPTORS].to_numpy())
unknown, _ = predictor.predict(others[SETTINGS].to_numpy(float))
for name, mean in (("from the recipe alone", unknown), ("with XRD and DSC of the sample", known)):
    error = np.sqrt(np.mean((mean - others["stiffness"]) ** 2))
    print(
        f"error of the stiffness {name}: {error:.3f} GPa, of a spread of {others['stiffness'].std():.3f} GPa"
    )

# %% [markdown]
# ## Is the measurement worth making?

# %%
found = worth(
    made[SETTINGS].to_numpy(float),
    made[DESCRIPTORS].to_numpy(),
    made["stiffness"].to_numpy(),
    descriptor_names=DESCRIPTORS,
    target="stiffness",
    repeats=1,
)
print(found)
