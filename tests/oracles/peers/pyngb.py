"""pyngb on NETZSCH's files: the sample's run, and of a file with its correction, that too."""

import pyngb

COLUMNS = {
    "sample_temperature": "temperature",
    "purge_flow_1": "purge_gas_flow",
    "purge_flow_2": "purge_gas_2_flow",
    "protective_flow": "protective_gas_flow",
    "mass": "mass_change",
    "h_foil_temperature": "hfoiltemp",
    "environmental_pressure": "air_pressure",
    "environmental_acceleration_x": "acc_x",
    "environmental_acceleration_y": "acc_y",
    "environmental_acceleration_z": "acc_z",
    "82": "length_change_2",
}
UNITS = {"°C": "degC", "µV": "uV", "µm": "um", "%": "percent"}


def read(path):
    table = pyngb.read_ngb(path)
    found = {}
    for name in table.column_names:
        unit = (table.schema.field(name).metadata or {}).get(b"units", b"unknown").decode()
        unit = None if unit == "unknown" else UNITS.get(unit, unit)
        found[f"0/{COLUMNS.get(name, name)}"] = (table[name].to_numpy(), unit)
    return found
