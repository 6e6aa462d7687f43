"""``python -m zairyo`` is ``zairyo``."""

from zairyo.cli import main

if __name__ == "__main__":
    main()
