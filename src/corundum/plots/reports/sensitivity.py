"""The report of ``corundum sensitivity``: figures and tables of all results of the run."""

import dataclasses
from typing import Any

import numpy as np

from ... import sensitivity as sens
from ...sensitivity import Labelled
from ...sensitivity.labelled import labeller
from ..flows import feedback_indices, flow_diagram
from ..sensitivity.information import combination_map, greedy_bars
from ..sensitivity.jacobians import jacobian_map, route_bars
from ..sensitivity.modes import mode_portrait
from ..sensitivity.prior import index_bars
from ..sensitivity.prior import prior_maps as draw_prior_maps
from .page import Drawing, Facts, Section, Table

__all__ = ["SensitivityResults", "sensitivity_sections"]


@dataclasses.dataclass
class SensitivityResults:
    """Results of a sensitivity run; those that were not computed are None.

    Attributes
    ----------
    model, parameters, redshifts
        The model, the parameters of the derivatives, and the redshifts at which they were taken.
    jacobian, channels : Jacobian
    routes : Routes
    state, modes : StateJacobian, Modes
        Of one galaxy, at many redshifts.
    budgets : Budgets
    prior_maps : PriorMap
    dgsm, sobol : Measures
    fisher : Fisher
    design : DesignTable
    prior_sets, prior_failed, sobol_failed : int
        Parameter sets over the prior, and solves that failed.
    notes : list of str
        What could not be computed, with the reason.
    labels : dict of str to str
        What to call each measurement in figures and tables.
    """

    model: Any
    parameters: tuple[str, ...]
    redshifts: tuple[float, ...]
    jacobian: Any = None
    channels: Any = None
    routes: Any = None
    state: Any = None
    modes: Any = None
    budgets: Any = None
    prior_maps: Any = None
    dgsm: Any = None
    sobol: Any = None
    fisher: Any = None
    design: Any = None
    prior_sets: int = 0
    prior_failed: int = 0
    sobol_failed: int = 0
    notes: list[str] = dataclasses.field(default_factory=list)
    labels: dict[str, str] = dataclasses.field(default_factory=dict)

    def add_prior(self, study: sens.Study) -> None:
        """Compute maps and derivative-based measures from Jacobians over a design in units of the prior width.

        The maps follow the published convention, linear amplitudes.
        """
        jacobian, design = study.outputs["jacobian"], study.design
        # From units of the prior width to parameter values as given: dvalue/du of each parameter at each point.
        widths = design.box.high - design.box.low
        slopes = np.where(design.box.log10, np.log(10.0) * design.values, 1.0) * widths
        as_given = jacobian / slopes[:, None, None, None, :]
        phi = sens.fractional_norms(as_given)[:, :, 0]
        log_mvir = study.outputs["log_mvir"][:, :, 0]
        if np.isfinite(phi).all(axis=-1).any():
            self.prior_maps = sens.prior_map(design, log_mvir, phi, bins=min(15, max(3, int(len(design.unit) ** 0.5))))
        self.dgsm = sens.dgsm(design, study.outputs["values"], jacobian)
        self.prior_sets, self.prior_failed = len(design.unit), study.failed()

    def arrays(self) -> dict[str, Labelled]:
        """Every table by name, for a file."""
        tables: dict[str, Labelled] = {}
        for name in ("jacobian", "channels", "routes", "state", "modes", "budgets"):
            result = getattr(self, name)
            for field, value in {} if result is None else result._asdict().items():
                if isinstance(value, Labelled):
                    tables[f"{name}/{field}"] = value
        if self.budgets is not None:
            tables |= {f"budgets/{kind}": table for kind, table in self.budgets.further.items()}
            tables |= {f"budgets/derivative/{kind}": table for kind, table in self.budgets.derivative.items()}
        if self.prior_maps is not None:
            tables |= _map_tables(self.prior_maps)
        for name in ("dgsm", "sobol"):
            tables |= self._measure_tables(name)
        if self.fisher is not None:
            tables["information/fisher"] = self.fisher.matrix
            tables["information/combinations"] = self.fisher.directions
            tables["information/greedy"] = _greedy_table(self.design)
        return tables

    def _measure_tables(self, name):
        measures = getattr(self, name)
        if measures is None:
            return {}
        coords = {**self.jacobian.values.coords, "parameter": measures.names}
        dims = (*self.jacobian.values.dims, "parameter")
        tables = {}
        for measure, values in measures.values.items():
            tables[f"{name}/{measure}"] = Labelled(values, dims, coords, "1", f"{measure} of each parameter")
            meaning = f"half width of the 95% bootstrap interval of {measure}"
            tables[f"{name}/{measure}_error"] = Labelled(measures.errors[measure], dims, coords, "1", meaning)
        return tables


def _map_tables(maps):
    bins, edges = np.arange(maps.mean.shape[1]), np.arange(len(maps.mass_edges))
    cell = ("parameter", "mass_bin", "parameter_bin")
    label = labeller({"parameter": maps.names, "mass_bin": bins, "parameter_bin": bins, "edge": edges})
    return {
        "prior/phi": label(maps.mean, cell, "1", "mean fractional sensitivity phi_j"),
        "prior/count": label(maps.counts, cell, "1", "galaxies in each cell"),
        "prior/mass_edges": label(maps.mass_edges, ("edge",), "dex(Msun)", "edges in halo mass"),
        "prior/parameter_edges": label(
            maps.parameter_edges, ("parameter", "edge"), "natural scale", "edges in each parameter"
        ),
    }


def _greedy_table(design):
    names = tuple(name for name, *_ in design.order)
    columns = ("bits_alone", "bits_added", "bits_so_far", "effective_so_far")
    values = np.array([[design.alone[name][0], *numbers] for name, *numbers in design.order])
    coords = {"observable": names, "column": columns}
    return Labelled(values, ("observable", "column"), coords, "bit, or 1", "gain of each observable in greedy order")


def sensitivity_sections(results: SensitivityResults) -> tuple[list[Section], list[Drawing]]:
    """Sections of a report, and all figures in them."""
    redshift = results.redshifts[0]
    middle = _middle(results, redshift)
    groups = [
        ("Response to parameters", _local(results, middle, redshift)),
        ("Preventive or ejective", _feedback(results, middle, redshift)),
        ("Time scales and modes", _modes(results)),
        ("Over the whole prior", _prior(results)),
        ("What the data constrain", _information(results)),
    ]
    sections = [Section("Summary", _summary(results))]
    sections += [Section(title, blocks) for title, blocks in groups if blocks]
    drawings = [block for section in sections for block in section.blocks if isinstance(block, Drawing)]
    return sections, drawings


def _middle(results, redshift):
    """A solved halo in the middle of the masses, or None."""
    log_mvir = results.jacobian.log_mvir.sel(redshift=redshift).values
    solved = np.flatnonzero(results.jacobian.valid[:, results.jacobian.derivative.labels("redshift").index(redshift)])
    if not solved.size:
        return None
    return int(solved[np.argsort(log_mvir[solved])[len(solved) // 2]])


def _summary(results):
    counts = results.jacobian.status_counts()
    items = [
        (type(results.model).__name__, "model"),
        (len(results.jacobian.status.values), "halos"),
        (len(results.parameters), "parameters"),
        (sum(count for outcome, count in counts.items() if outcome != "solved"), "halos that failed"),
    ]
    if results.prior_sets:
        items += [
            (results.prior_sets, "parameter sets over the prior"),
            (results.prior_failed, "solves of these that failed"),
        ]
    if results.sobol is not None:
        items.append((results.sobol_failed, "solves of the Sobol design that failed"))
    if results.budgets is not None:
        items.append((max(results.budgets.closure().values()), "largest closure error of the budgets"))
    return [Facts(items), *(f"Not computed: {note}." for note in results.notes)]


def _galaxy(results, halo, redshift):
    mass = float(results.jacobian.log_mvir.sel(halo=halo, redshift=redshift).values)
    return f"a galaxy in a halo of 10^{mass:.2f} Msun at z = {redshift:g}"


def _meaning(results, quantity):
    """What a part of the state is, in words."""
    known = results.model.ledger.quantities
    return known[quantity].meaning if quantity in known else quantity.replace("_", " ")


def _words(parameter):
    """``"mass loading: slope"`` for ``"mass_loading.slope"``."""
    return parameter.replace("_", " ").replace(".", ": ")


def _local(results, middle, redshift):
    if middle is None:
        return ["No galaxy was solved."]
    galaxy = dict(halo=middle, redshift=redshift)
    name = _galaxy(results, middle, redshift)
    routes = None if results.routes is None else results.routes.derivative.sel(**galaxy)
    first = results.jacobian.derivative.labels("quantity")[0]
    axes = jacobian_map(results.jacobian.derivative.sel(**galaxy), routes=routes)
    blocks = [
        Drawing(axes.figure, f"Parameter Jacobian of {name}: response in dex of each part of the state to each "
                "parameter, amplitudes per decade and slopes per unit. Each block names the flow that carries most of "
                "it.", "jacobian"),
    ]  # fmt: skip
    if results.channels is not None:
        axes = jacobian_map(results.channels.derivative.sel(**galaxy))
        blocks.append(Drawing(axes.figure, f"Channel Jacobian of {name}: response to the logarithm of each flow's "
                              "multiplier.", "channel_jacobian"))  # fmt: skip
    if routes is not None:
        axes = route_bars(routes, quantity=first)
        caption = (
            f"Response of the {_meaning(results, first)} of {name} to each parameter, by the flows that it goes "
            "through. The bars of a parameter add up to the diamond, the entry of the Jacobian."
        )
        blocks.append(Drawing(axes.figure, caption, "routes"))
    return blocks


def _feedback(results, middle, redshift):
    if results.budgets is None or middle is None:
        return []
    axes = feedback_indices(results.budgets, redshift=redshift)
    blocks = [
        Drawing(
            axes.figure,
            f"Where the baryons f_b Mvir of each halo are at z = {redshift:g}. Below the solid line: prevention index; "
            "between the lines: ejection index; above the dashed line: content of the galaxy.",
            "feedback_indices",
        ),
    ]
    strongest = max(
        results.parameters,
        key=lambda name: np.nansum(np.abs(results.budgets.derivative["mass_flows"].sel(parameter=name).values)),
    )
    for currency in results.model.ledger.currencies:
        axes = flow_diagram(
            results.model.ledger,
            results.budgets,
            currency=currency,
            halo=middle,
            redshift=redshift,
            parameter=strongest,
        )
        caption = (
            f"Total flows of {currency} between the reservoirs of {_galaxy(results, middle, redshift)}, since its "
            f"start; red flows grow with the {_words(strongest)}, blue ones shrink."
        )
        blocks.append(Drawing(axes.figure, caption, f"{currency}_flows"))
    indices = results.budgets.derivative["indices"].sel(halo=middle, redshift=redshift)
    rows = [(_words(name), *(float(v) for v in indices.sel(parameter=name).values)) for name in results.parameters]
    header = ("per unit of", *(name.replace("_", " ") for name in indices.labels("index")))
    caption = f"Response of the indices of {_galaxy(results, middle, redshift)} to each parameter."
    blocks.append(Table(header, rows, caption))
    return blocks


def _modes(results):
    if results.modes is None:
        return []
    valid = np.isfinite(results.modes.timescale.values).all(axis=(0, 2))
    if not valid.any():
        return []
    redshifts = np.array(results.modes.timescale.labels("redshift"))[valid].tolist()
    state, modes = (type(r)(*(array.sel(redshift=redshifts) for array in r)) for r in (results.state, results.modes))
    axes = mode_portrait(state, modes)
    name = _galaxy(results, len(results.jacobian.status.values) // 2, results.redshifts[0])
    caption = (
        f"Eigenmodes of {name}. Above: how fast a small departure decays (triangles: grows). Below: the share of "
        "each part of the state in each mode; titles name the flows that set the eigenvalue at the last time. Modes "
        "are numbered by speed at the last time and followed back by the overlap of their patterns."
    )
    return [Drawing(axes[0].figure, caption, "modes")]


def _prior(results):
    blocks = []
    if results.prior_maps is not None:
        axes = draw_prior_maps(results.prior_maps)
        caption = (
            f"Mean fractional sensitivity against halo mass and each parameter, of {results.prior_sets} parameter "
            "sets, in the published convention (linear amplitudes). Hatched: no galaxies in the cell."
        )
        blocks.append(Drawing(axes.flat[0].figure, caption, "prior_maps"))
    quantity = _meaning(results, results.jacobian.values.labels("quantity")[0])
    halo = len(results.jacobian.status.values) // 2
    name, output = _galaxy(results, halo, results.redshifts[0]), (halo, 0, 0)
    if results.sobol is not None and np.isfinite(results.sobol.values["total"][output]).all():
        axes = index_bars({"first": results.sobol, "total": results.sobol}, output=output, label="Sobol index")
        caption = f"Sobol indices of the {quantity} of {name}, with 95% bootstrap intervals."
        blocks.append(Drawing(axes.figure, caption, "sobol"))
    if results.dgsm is not None:
        axes = index_bars({"mean_abs": results.dgsm}, output=output, label="mean |response| [dex per prior width]")
        caption = f"Mean response of the {quantity} of {name} over the prior, with 95% bootstrap intervals."
        blocks.append(Drawing(axes.figure, caption, "dgsm"))
    return blocks


def _information(results):
    if results.fisher is None:
        return []
    bars, combinations = greedy_bars(results.design, labels=results.labels), combination_map(results.fisher)
    rows = [
        (results.labels.get(name, name), results.design.alone[name][0], gain, total, effective)
        for name, gain, total, effective in results.design.order
    ]
    return [
        f"Together these measurements constrain {results.fisher.effective:.1f} combinations of "
        f"{len(results.parameters)} parameters better than the prior does, and gain {results.fisher.bits:.1f} bits of "
        "information.",
        Drawing(bars.figure, "Expected information of each observable, alone and in greedy order.", "information"),
        Drawing(combinations.figure, "Combinations of parameters that all observables together constrain, best first, "
                "and how many times narrower than the prior each becomes.", "combinations"),
        Table(("observable", "bits alone", "bits added", "bits so far", "combinations so far"), rows),
    ]  # fmt: skip
