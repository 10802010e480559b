"""Two small measurement sets: one with standard errors, one with the scatter of galaxies."""

import numpy as np

import corundum as co

SHMR = co.observables.StellarToHaloMass()
MEASURED = co.observables.Measurement(
    name="made_up",
    relation=SHMR,
    x=[10.5, 11.0, 11.5],
    y=[-2.5, -2.2, -1.9],
    covariance=np.diag([0.1, 0.1, 0.2]) ** 2,
    error_kind="standard error",
    citation="Author, Other & Third 2020, Journal 1, 2",
)
SPREAD = co.observables.Measurement(
    name="spread",
    relation=SHMR,
    x=[10.6, 11.2],
    y=[-2.4, -2.1],
    covariance=np.diag([0.3, 0.3]) ** 2,
    error_kind="scatter",
    citation="Single & Pair 1999, Journal",
    redshift=1.0,
)
