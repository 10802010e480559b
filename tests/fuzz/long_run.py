"""The long fuzz run: ``make fuzz MINUTES=30``, or ``python tests/fuzz/long_run.py 30 [FIRST_SEED] [PYTEST ARGUMENTS]``.

The tests of this folder are run again and again, each time with new examples, until the time is over.  Every round
prints its seed; a failure prints the smallest example that fails, and ``FIRST_SEED`` repeats the round that had it.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

_HERE = Path(__file__).parent


def main(minutes: float, seed: int, arguments: list[str]) -> int:
    """Rounds until the time is over; the number of rounds with a failure, at most 1 to a seed."""
    end, failures, rounds = time.monotonic() + 60.0 * minutes, 0, 0
    while time.monotonic() < end:
        print(f"round with seed {seed}", flush=True)
        command = [sys.executable, "-m", "pytest", str(_HERE), "-p", "no:cacheprovider", "--tb=short"]
        environment = {**os.environ, "FUZZ_EXAMPLES": os.environ.get("FUZZ_EXAMPLES", "60")}
        ended = subprocess.run([*command, f"--hypothesis-seed={seed}", *arguments], env=environment)
        failures += ended.returncode != 0
        seed, rounds = seed + 1, rounds + 1
    print(f"{rounds} rounds, {failures} of them with a failure")
    return failures


if __name__ == "__main__":
    first_seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    sys.exit(min(main(float(sys.argv[1]), first_seed, sys.argv[3:]), 1))
