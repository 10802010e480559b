"""Draw how far sources of the same relation are apart: python docs/images/survey_sources.py"""

from pathlib import Path

import corundum as co
from corundum import plots

if __name__ == "__main__":
    co.configure()
    pairs = co.observables.other_sources(co.observables.survey("reference"))
    for pair in pairs:
        print(pair)
    axes = plots.source_panels(pairs)
    axes.flat[0].figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)
