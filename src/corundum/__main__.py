"""``python -m corundum`` is the command ``corundum``."""

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
