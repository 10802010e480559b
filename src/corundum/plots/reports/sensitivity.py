"""The report of ``corundum sensitivity``: figures and tables of whatever was computed."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import sensitivity as sens
from ...sensitivity import Labelled
from ..flows import feedback_indices, flow_diagram
from ..sensitivity.information import combination_map, greedy_bars
from ..sensitivity.jacobians import jacobian_map, route_bars
from ..sensitivity.modes import mode_portrait
from ..sensitivity.prior import index_bars, prior_maps
from .page import Code, Drawing, Facts, Section, Table

__all__ = ["Found", "sensitivity_sections"]


@dataclasses.dataclass
class Found:
    """Results of a sensitivity run; what was not computed is None.

    Attributes
    ----------
    model, parameters, redshifts
        What was differentiated, with respect to what, when.
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
        What could not be computed, and why.
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

    def add_prior(self, study: sens.Study) -> None:
        """Take maps and derivative-based measures from Jacobians over a design, in coordinates of the prior width.

        The maps keep the published convention, linear amplitudes.
        """
        jacobian, design = study.outputs["jacobian"], study.design
        # From prior widths back to values as given: du/dvalue of each parameter at each point.
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
            tables |= {f"budgets/derivative/{kind}": each for kind, each in self.budgets.derivative.items()}
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
        found = getattr(self, name)
        if found is None:
            return {}
        coords = {**self.jacobian.values.coords, "parameter": found.names}
        dims = (*self.jacobian.values.dims, "parameter")
        tables = {}
        for measure, values in found.values.items():
            tables[f"{name}/{measure}"] = Labelled(values, dims, coords, "1", f"{measure} of each parameter")
            told = f"half width of the 95% bootstrap interval of {measure}"
            tables[f"{name}/{measure}_error"] = Labelled(found.errors[measure], dims, coords, "1", told)
        return tables


def _map_tables(found):
    bins = np.arange(found.mean.shape[1])
    coords = {"parameter": found.names, "mass_bin": bins, "parameter_bin": bins}
    edges = np.arange(len(found.mass_edges))
    return {
        "prior/phi": Labelled(found.mean, tuple(coords), coords, "1", "mean fractional sensitivity phi_j"),
        "prior/count": Labelled(found.count, tuple(coords), coords, "1", "galaxies in each cell"),
        "prior/mass_edges": Labelled(found.mass_edges, ("edge",), {"edge": edges}, "dex(Msun)", "edges in halo mass"),
        "prior/parameter_edges": Labelled(
            found.parameter_edges, ("parameter", "edge"), {"parameter": found.names, "edge": edges}, "natural scale",
            "edges in each parameter",
        ),
    }  # fmt: skip


def _greedy_table(design):
    names = tuple(name for name, *_ in design.order)
    columns = ("bits_alone", "bits_added", "bits_so_far", "effective_so_far")
    values = np.array([[design.alone[name][0], *numbers] for name, *numbers in design.order])
    coords = {"observable": names, "column": columns}
    return Labelled(values, ("observable", "column"), coords, "bit, or 1", "gain of each observable in greedy order")


def sensitivity_sections(
    found: Found, *, run_info: Mapping[str, Any] | None = None, run_file: str = ""
) -> tuple[list[Section], list[Drawing]]:
    """Sections of a report, and all figures in them.

    Parameters
    ----------
    found : Found
    run_info : mapping, optional
        Versions and timings, to be listed.
    run_file : str
        The resolved run file.
    """
    redshift = found.redshifts[0]
    middle = _middle(found, redshift)
    parts = [
        ("Response to parameters", _local(found, middle, redshift)),
        ("Preventive or ejective", _feedback(found, middle, redshift)),
        ("Time scales and modes", _modes(found)),
        ("Over the whole prior", _prior(found)),
        ("What the data tell apart", _information(found)),
    ]
    sections = [Section("Summary", _summary(found))]
    sections += [Section(title, blocks) for title, blocks in parts if blocks]
    timing = (run_info or {}).get("timing_s", {})
    if timing:
        rows = [(stage, float(seconds)) for stage, seconds in timing.items()]
        sections.append(Section("Run", [Table(("stage", "seconds"), rows)]))
    if run_file:
        told = "The same results come again with this run file, in which every default is written out:"
        again = Code("corundum sensitivity run.toml -o again/")
        sections.append(Section("How to reproduce", [told, again, Code(run_file)]))
    drawings = [block for section in sections for block in section.blocks if isinstance(block, Drawing)]
    return sections, drawings


def _middle(found, redshift):
    """A solved halo in the middle of the masses, or None."""
    log_mvir = found.jacobian.log_mvir.sel(redshift=redshift).values
    solved = np.flatnonzero(found.jacobian.valid[:, found.jacobian.derivative.labels("redshift").index(redshift)])
    if not solved.size:
        return None
    return int(solved[np.argsort(log_mvir[solved])[len(solved) // 2]])


def _summary(found):
    counts = found.jacobian.status_counts()
    items = [
        (type(found.model).__name__, "model"),
        (len(found.jacobian.status.values), "halos"),
        (len(found.parameters), "parameters"),
        (sum(count for told, count in counts.items() if told != "solved"), "halos that failed"),
    ]
    if found.prior_sets:
        items += [
            (found.prior_sets, "parameter sets over the prior"),
            (found.prior_failed, "solves of these that failed"),
        ]
    if found.sobol is not None:
        items.append((found.sobol_failed, "solves of the Sobol design that failed"))
    if found.budgets is not None:
        items.append((max(found.budgets.closure().values()), "largest closure error of the budgets"))
    return [Facts(items), *(f"Not computed: {note}." for note in found.notes)]


def _local(found, middle, redshift):
    if middle is None:
        return ["No galaxy was solved."]
    at = dict(halo=middle, redshift=redshift)
    mass = float(found.jacobian.log_mvir.sel(**at).values)
    where = f"a halo of {mass:.2f} in log10 Mvir [Msun] at z = {redshift:g}"
    routes = None if found.routes is None else found.routes.derivative.sel(**at)
    first = found.jacobian.derivative.labels("quantity")[0]
    axes = jacobian_map(found.jacobian.derivative.sel(**at), routes=routes)
    blocks = [
        Drawing(axes.figure, f"Parameter Jacobian of {where}: response in dex of each part of the state to each "
                "parameter, amplitudes per decade and slopes per unit. Words name the flow that carries most of a "
                "block.", "jacobian"),
    ]  # fmt: skip
    if found.channels is not None:
        axes = jacobian_map(found.channels.derivative.sel(**at))
        blocks.append(Drawing(axes.figure, f"Channel Jacobian of {where}: response to the logarithm of each flow's "
                              "multiplier.", "channel_jacobian"))  # fmt: skip
    if routes is not None:
        axes = route_bars(routes, quantity=first)
        blocks.append(Drawing(axes.figure, f"Through which processes each parameter moves {first} of {where}. Bars add "
                              "up to the diamond, the entry of the Jacobian.", "routes"))  # fmt: skip
    return blocks


def _feedback(found, middle, redshift):
    if found.budgets is None or middle is None:
        return []
    axes = feedback_indices(found.budgets, redshift=redshift)
    blocks = [
        Drawing(
            axes.figure,
            f"Where the baryons owed to each halo are at z = {redshift:g}. Solid line: prevention index; between the "
            "lines: ejection index; above: what the galaxy holds.",
            "feedback_indices",
        ),
    ]
    strongest = max(
        found.parameters,
        key=lambda name: np.nansum(np.abs(found.budgets.derivative["mass_flows"].sel(parameter=name).values)),
    )
    for currency in ("mass", "energy", "metals"):
        if getattr(found.budgets, f"{currency}_flows").shape[-1] == 0:
            continue
        axes = flow_diagram(
            found.model.ledger, found.budgets, currency=currency, halo=middle, redshift=redshift, parameter=strongest
        )
        told = (
            f"What has flowed between the reservoirs of one galaxy until z = {redshift:g} ({currency}); red flows grow "
            f"with {strongest}, blue ones shrink."
        )
        blocks.append(Drawing(axes.figure, told, f"{currency}_flows"))
    indices = found.budgets.derivative["indices"].sel(halo=middle, redshift=redshift)
    rows = [(name, *(float(v) for v in indices.sel(parameter=name).values)) for name in found.parameters]
    header = ("per unit of", *(name.replace("_", " ") for name in indices.labels("index")))
    blocks.append(Table(header, rows, "Response of the indices of the same galaxy to each parameter."))
    return blocks


def _modes(found):
    there = None if found.modes is None else np.isfinite(found.modes.timescale.values).all(axis=(0, 2))
    if there is None or not there.any():
        return []
    kept = [z for z, good in zip(found.modes.timescale.labels("redshift"), there, strict=True) if good]
    state, modes = (type(r)(*(each.sel(redshift=kept) for each in r)) for r in (found.state, found.modes))
    axes = mode_portrait(state, modes)
    told = (
        "Eigenmodes of one galaxy. Above: how fast a small departure decays (triangles: grows). Below: which parts of "
        "the state each mode moves; titles name the flows behind the eigenvalue today. Modes are sorted by speed at "
        "each time, so patterns may swap panels."
    )
    return [Drawing(axes[0].figure, told, "modes")]


def _prior(found):
    blocks = []
    if found.prior_maps is not None:
        axes = prior_maps(found.prior_maps)
        told = (
            f"Mean fractional sensitivity over halo mass and each parameter, of {found.prior_sets} parameter sets, in "
            "the published convention (linear amplitudes)."
        )
        blocks.append(Drawing(axes.flat[0].figure, told, "prior_maps"))
    quantity = found.jacobian.values.labels("quantity")[0]
    output = (len(found.jacobian.status.values) // 2, 0, 0)
    if found.sobol is not None and np.isfinite(found.sobol.values["total"][output]).all():
        axes = index_bars({"first": found.sobol, "total": found.sobol}, output=output, label="Sobol index")
        told = f"Sobol indices of log10 {quantity} of one halo, with 95% bootstrap intervals."
        blocks.append(Drawing(axes.figure, told, "sobol"))
    if found.dgsm is not None:
        axes = index_bars({"mean_abs": found.dgsm}, output=output, label="mean |response| [dex per prior width]")
        told = f"Mean response of log10 {quantity} of one halo over the prior, with 95% bootstrap intervals."
        blocks.append(Drawing(axes.figure, told, "dgsm"))
    return blocks


def _information(found):
    if found.fisher is None:
        return []
    bars, combinations = greedy_bars(found.design), combination_map(found.fisher)
    rows = [
        (name, found.design.alone[name][0], gain, total, effective)
        for name, gain, total, effective in found.design.order
    ]
    return [
        f"Together these measurements constrain {found.fisher.effective:.1f} combinations of {len(found.parameters)} "
        f"parameters better than the prior does, and are worth {found.fisher.bits:.1f} bits.",
        Drawing(bars.figure, "Expected information of each observable, alone and in greedy order.", "information"),
        Drawing(combinations.figure, "Combinations of parameters that all of them together constrain, best first; how "
                "many times narrower than the prior each becomes.", "combinations"),
        Table(("observable", "bits alone", "bits added", "bits so far", "combinations so far"), rows),
    ]  # fmt: skip
