"""``python -m zairyo``."""

from zairyo.cli import main

main()
