"""npTDMS on LabVIEW's files: a group with channels is an entry."""

import re

import nptdms
import numpy as np


def read(path):
    found = {}
    groups = [group for group in nptdms.TdmsFile.read(path).groups() if any(len(c) for c in group.channels())]
    for number, group in enumerate(groups):
        for channel in group.channels():
            name = re.sub(r"\W+", "_", channel.name).strip("_").lower()
            found[f"{number}/{name}"] = channel[:]
            found[f"{number}/time"] = (np.arange(len(channel)) * channel.properties["wf_increment"], "s")
    return found
