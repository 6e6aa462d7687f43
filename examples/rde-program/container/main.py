"""How RDE itself starts the program; Zairyo calls the function below."""

import rdetoolkit.workflows
from modules.datasets_process import dataset

rdetoolkit.workflows.run(custom_dataset_function=dataset)
