"""Draw the figure of the reference universe: python docs/images/reference_universe.py

The calibrated model and its starting values in the trees of the calibration, beside every measurement of the survey.
The trees are those of the calibration; a minute on two quiet cores.
"""

from pathlib import Path

import corundum as co
from corundum import inference, models, plots

if __name__ == "__main__":
    co.configure()
    halos = [
        co.halos.complete_forest(0.0, 360, key=1),
        co.halos.complete_forest(2.2, 120, log_mvir=(9.8, 13.4), key=11),
    ]
    survey = co.observables.survey("reference")
    rows = [
        inference.predict_survey(model, halos, survey)[0]
        for model in (models.reference(), models.reference_galaxy(satellites=True))
    ]
    for row in rows:
        print(row)
    axes = plots.survey_panels(*rows)
    axes.flat[0].figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)
