# %% [markdown]
# # Electrolyte mixtures, some of which fail
#
# Four solvents that sum to one, at most three at a time, and a salt. Wanted is conductivity. Some mixtures
# cannot be measured at all: with much ethylene carbonate (EC) they freeze, with much salt in thin solvents it
# does not dissolve. Such failures must neither stop the search nor be taken for values.
#
# **The data are simulated**, by a formula stated below: conductivity as number of ions times their mobility,
# where the ions that dissociate follow a saturating function of permittivity, and viscosity rises exponentially
# with the salt (after Casteel and Amis); it freezes above 55 % EC and does not dissolve where salt > 0.9 + 2 ×
# EC + PC.

# %%
import numpy as np
import pandas as pd

from zairyo.campaign import Campaign, Continuous, Mixture, SearchSpace, maximise

SOLVENTS = ["EC", "DMC", "EMC", "PC"]
PERMITTIVITY = np.array([90.0, 3.1, 3.0, 65.0])
VISCOSITY = np.array([1.9, 0.59, 0.65, 2.5])  # mPa s

space = SearchSpace(
    [
        Mixture("solvent", SOLVENTS, at_most=3, bounds={"PC": (0.0, 0.4)}),
        Continuous("salt", 0.4, 2.0, "mol/L"),
    ]
)


def measure(rows: pd.DataFrame) -> pd.DataFrame:
    """Stands in for the glove box and the conductivity cell."""
    shares, salt = rows[SOLVENTS].to_numpy(), rows["salt"].to_numpy()
    permittivity, thickness = shares @ PERMITTIVITY, np.exp(shares @ np.log(VISCOSITY))
    dissociated = permittivity / (permittivity + 15.0)
    conductivity = 22.0 * salt * dissociated / (thickness * np.exp(0.9 * salt))
    told = rows.assign(conductivity=conductivity.round(2), state="made", reason="")
    frozen, undissolved = rows["EC"] > 0.55, rows["salt"] > 0.9 + 2 * rows["EC"] + rows["PC"]
    told.loc[undissolved, ["state", "reason"]] = ["failed", "salt did not dissolve"]
    told.loc[frozen, ["state", "reason"]] = ["failed", "frozen"]
    told["conductivity"] = told["conductivity"].where(told["state"] == "made")
    return told


# %% [markdown]
# ## Eight mixtures to begin with
# They are spread evenly over what the bounds leave (Sobol).

# %%
campaign = Campaign(
    space,
    [maximise("conductivity", unit="mS/cm")],
    start="sobol",
    start_size=8,
    control=0.2,
    seed=1,
    file="electrolyte.jsonl",
)
first = campaign.ask(8)
told = campaign.tell(measure(first[[*SOLVENTS, "salt"]].reset_index()))
print(told[[*SOLVENTS, "salt", "conductivity", "state", "reason"]].round(3).to_string())

# %% [markdown]
# ## Five rounds of two, every fifth pick at random
# Failures teach where not to go; the random ones tell whether the strategy is worth anything.

# %%
for _ in range(5):
    picks = campaign.ask(2)
    campaign.tell(measure(picks[[*SOLVENTS, "salt"]].reset_index()))
print(campaign.status())
print(campaign.control_report())

# %% [markdown]
# ## What is proposed next, and why

# %%
print(campaign.explain(campaign.ask(1)))
made = campaign.experiments()
early, late = (made["state"].iloc[:8] == "failed").mean(), (made["state"].iloc[8:] == "failed").mean()
print(f"failed: {early:.0%} of the first eight, {late:.0%} of those after them")
