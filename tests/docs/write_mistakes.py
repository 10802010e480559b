"""Write docs/reference/mistakes.md from tests/support/mistakes.py.

Run ``python tests/docs/write_mistakes.py`` in the repository.

The test of that page fails where a message has changed; read the new one, and write the page again.  Code in it is
written as ruff formats it, which formats the page, too.
"""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import jax  # noqa: E402

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_num_cpu_devices", 2)

from mistakes import MISTAKES, outcome, section  # noqa: E402

HEADER = """# Mistakes and what they say

Tried with wrong arguments, a function says in one sentence what it got, what is allowed and what to do. Here is what
the most frequent mistakes say. In these examples `model` is a `ThermalCGM()`, `halos` are eight halos of
`monte_carlo_trees`, `population` its galaxies in them at z = 0 and 2, and `target` the posterior of the `intercept` and
the `slope` of a straight line through five points, with its mode `best`. Long lists of names are cut short here.

At the command line the same sentences are printed without a traceback, and the exit code is 2.
"""


def write_page(path):
    """All sections in order; a mistake that does not raise what it should stops the writing."""
    parts = [HEADER]
    for group, mistakes in MISTAKES.items():
        parts.append(f"## {group}\n")
        for mistake in mistakes:
            with tempfile.TemporaryDirectory() as empty:
                os.chdir(empty)
                kind, message = outcome(mistake)
                os.chdir(ROOT)
            if kind is not mistake.error:
                raise SystemExit(f"{mistake.title}: expected {mistake.error.__name__}, got {kind}: {message}")
            parts.append(section(mistake, message))
    path.write_text("\n".join(parts))


if __name__ == "__main__":
    write_page(ROOT / "docs" / "reference" / "mistakes.md")
