"""Figures and reports.

A figure is a function of results: it draws on the axes that it is given, or on new ones, and returns them.
"""

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names

if TYPE_CHECKING:  # imported when they are first used
    from .binning import spread_rows
    from .budgets import baryon_budget, energy_budget, mass_budget
    from .comparison import compare_histories, history_differences, mean_histories
    from .flows import feedback_indices, flow_diagram
    from .halo_histories import halo_growth, mean_growth, raw_over_smooth
    from .histories import growth_histories, redshift_axis
    from .network import network
    from .posteriors.calibration import coverage_figure, pull_figure, recovery
    from .posteriors.chains import trace_and_rank
    from .posteriors.comparison import model_comparison
    from .posteriors.corner import corner
    from .posteriors.criticism import departure_map, law_gains, shrinkage_map
    from .posteriors.forecasts import forecast_bars
    from .posteriors.laws import law_band
    from .posteriors.predictions import extras_bands, index_bands, loading_factors, predictive_band
    from .posteriors.survey import source_panels, survey_panels
    from .posteriors.training import learned_departures, training_curves
    from .regressed import Residual, residual
    from .relations import compare_relation, relation_evolution, scaling_relation
    from .reports.drawings import standard_drawings
    from .reports.halos import write_halo_report
    from .reports.host import Compared
    from .reports.page import Code, Drawing, Facts, Section, Table, write_report
    from .reports.run import failures, standard_report
    from .residuals import residual_panel
    from .saving import figure_bytes, save_figure
    from .scatters import scatter
    from .sensitivity.information import combination_map, greedy_bars
    from .sensitivity.jacobians import jacobian_map, route_bars
    from .sensitivity.modes import mode_portrait
    from .sensitivity.prior import index_bars, prior_maps

__all__ = [
    "Code",
    "Compared",
    "Drawing",
    "Facts",
    "Residual",
    "Section",
    "Table",
    "baryon_budget",
    "combination_map",
    "compare_histories",
    "compare_relation",
    "departure_map",
    "energy_budget",
    "failures",
    "feedback_indices",
    "figure_bytes",
    "flow_diagram",
    "greedy_bars",
    "growth_histories",
    "halo_growth",
    "history_differences",
    "index_bars",
    "jacobian_map",
    "law_band",
    "law_gains",
    "learned_departures",
    "training_curves",
    "mass_budget",
    "mean_growth",
    "mean_histories",
    "raw_over_smooth",
    "mode_portrait",
    "network",
    "prior_maps",
    "redshift_axis",
    "relation_evolution",
    "residual",
    "residual_panel",
    "route_bars",
    "save_figure",
    "scaling_relation",
    "scatter",
    "shrinkage_map",
    "spread_rows",
    "standard_drawings",
    "standard_report",
    "write_halo_report",
    "write_report",
    "corner",
    "coverage_figure",
    "extras_bands",
    "forecast_bars",
    "index_bands",
    "loading_factors",
    "model_comparison",
    "predictive_band",
    "pull_figure",
    "recovery",
    "trace_and_rank",
    "source_panels",
    "survey_panels",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__)
