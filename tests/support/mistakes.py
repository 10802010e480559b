"""Mistakes that people make, each with the code and the kind of error, in the order of docs/reference/mistakes.md.

`co` is corundum and `np` numpy; `halos`, `model` and others are those of `examples.py`.  The message of
each is what the code raises, or warns, when it runs; `python tests/docs/write_mistakes.py` writes the page.
"""

import re
import textwrap
import warnings
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import corundum as co
from examples import SHARED, shared

_LONGEST = 330  # characters of a message on the page; what follows lists more of the same


class Mistake(NamedTuple):
    """One mistake.

    Attributes
    ----------
    title : what went wrong, in the words of who made it
    code : what was written; its last line raises or warns
    error : the class of the error or warning
    stands_for : what runs in the place of the code, where that needs a process of its own
    """

    title: str
    code: str
    error: type = ValueError
    stands_for: str = ""


MISTAKES = {
    "Halos": [
        Mistake("The class instead of halos", "co.evolve(model, co.halos.HaloHistories)", TypeError),
        Mistake("One mass where a range is needed", "co.halos.monte_carlo_trees(100, log_mvir=12.0)"),
        Mistake("Masses where their logarithms are needed", "co.halos.monte_carlo_trees(100, log_mvir=(1e11, 1e13))"),
        Mistake("A range with the higher mass first", "co.halos.monte_carlo_trees(100, log_mvir=(13.0, 11.0))"),
        Mistake("A number of halos that is not whole", "co.halos.monte_carlo_trees(99.5)"),
        Mistake("A text as the key", 'co.halos.monte_carlo_trees(100, key="first")'),
        Mistake(
            "A universe that is curved",
            "from astropy.cosmology import LambdaCDM\n"
            "co.halos.monte_carlo_trees(100, cosmology=LambdaCDM(H0=70, Om0=0.3, Ode0=0.6, Ob0=0.05))",
        ),
        Mistake(
            "Dark energy that changes",
            "from astropy.cosmology import FlatwCDM\n"
            "co.halos.monte_carlo_trees(100, cosmology=FlatwCDM(H0=70, Om0=0.3, w0=-0.9, Ob0=0.05))",
        ),
        Mistake(
            "A function that makes a cosmology instead of a cosmology",
            "co.halos.monte_carlo_trees(100, cosmology=co.cosmology.planck18)",
            TypeError,
        ),
        Mistake("The Hubble constant for h", "co.cosmology.Cosmology(h=70.0)"),
        Mistake(
            "Concentrations where their logarithms are needed",
            "co.halos.HaloHistories([1.0, 13.0], [[11.0, 12.0]], [[8.0, 10.0]])",
        ),
        Mistake(
            "Logarithms of concentration where the numbers are needed",
            "co.halos.HaloHistories.from_arrays([[1e11, 1e12]], time=[1.0, 13.0], concentration=[[0.6, 0.9]])",
        ),
        Mistake("Times in Myr", "co.halos.HaloHistories.from_arrays([[1e11, 1e12]], time=[1000.0, 13000.0])"),
        Mistake("More halos than there are", "co.halos.select_evenly(halos, 100)"),
        Mistake("A redshift before the histories start", "halos.at(redshift=50.0)"),
    ],
    "Models and parameters": [
        Mistake("A class instead of a law", "co.models.ThermalCGM(cooling=co.physics.SutherlandDopita93)"),
        Mistake("A number instead of a law", "co.models.ThermalCGM(seed=1e3)"),
        Mistake("A negative amplitude", 'co.replace(model, {"energy_loading.amplitude": -0.05})'),
        Mistake("Two numbers for one", 'co.replace(model, {"energy_loading.amplitude": [0.1, 0.2]})'),
        Mistake("Something that is no number", 'co.physics.MassLoading(amplitude=float("nan"))'),
        Mistake(
            "A number far outside the range of a law",
            'co.replace(model, {"mass_loading.amplitude": 300.0})',
            UserWarning,
        ),
        Mistake("A name with a letter missing", 'co.get_values(model, ["stellar_return.metal_yeld"])'),
        Mistake("A multiplier of a flow that is not there", 'co.models.ThermalCGM(channels={"outflw": 2.0})'),
        Mistake(
            "A process with a reservoir that nobody keeps",
            "class Stripping(co.models.AbstractProcess):\n"
            '    reservoirs, needs, diagnostics = {}, (("mass", "cgm"),), {}\n'
            '    flows = (co.models.Flow("stripping", "gas torn off", ("cgm", "outer")),)\n'
            "\n"
            "    def initial(self, state, halo, cosmology):\n"
            "        return {}\n"
            "\n"
            "    def own_fluxes(self, galaxy): ...\n"
            'co.models.ThermalCGM(processes={"stripping": Stripping()})',
        ),
        Mistake("A list of processes", "co.models.ThermalCGM(processes=[co.models.BlackHole()])"),
    ],
    "Galaxies": [
        Mistake("The class of a model instead of a model", "co.evolve(co.models.ThermalCGM, halos)", TypeError),
        Mistake("Halos and model in the wrong order", "co.evolve(halos, model)", TypeError),
        Mistake("A redshift outside the histories", "co.evolve(model, halos, [0.0, 20.0])"),
        Mistake("A quantity that the model does not have", 'co.evolve(model, halos, keep=["mstr"])'),
        Mistake("A solver by its name", 'co.evolve(model, halos, solver="lanes")', TypeError),
        Mistake("A redshift that was not asked for", "population.at(1.0)"),
        Mistake("A quantity with a letter missing", 'population["mstr"]', KeyError),
        Mistake("The file after the galaxies", 'co.save(population, "results.h5")', TypeError),
        Mistake("A history that was not kept", 'population.history("sfr")', KeyError),
    ],
    "Observables": [
        Mistake("A measurement with a letter missing", 'co.observables.load("shmr_behrozi19_sf")'),
        Mistake(
            "Data of z = 2 for galaxies of z = 0",
            'co.observables.load("shmr_behroozi19_z2").predict(population.at(0.0))',
        ),
        Mistake("A range of masses without data", 'co.observables.load("shmr_behroozi19_sf").between(15.0, 16.0)'),
        Mistake(
            "A file of a measurement without its header",
            "from pathlib import Path\n"
            'written = Path("mine.txt").write_text("10.5 -2.0\\n11.5 -1.6\\n")\n'
            'co.observables.read("mine.txt")',
        ),
    ],
    "Sensitivity": [
        Mistake(
            "Parameter sets of the wrong width",
            'co.sensitivity.parameter_jacobian(model, halos, ["mass_loading.slope"], at=[[-1.0, 0.2]])',
        ),
        Mistake(
            "A component where a number is needed",
            'co.sensitivity.parameter_jacobian(model, halos, ["mass_loading"])',
        ),
        Mistake(
            "A mode by its name",
            'co.sensitivity.parameter_jacobian(model, halos, ["mass_loading.slope"], mode="reverse")',
            TypeError,
        ),
        Mistake(
            "A range of a prior in plain numbers",
            'co.sensitivity.prior_box(model, ["energy_loading.amplitude"], {"energy_loading.amplitude": (0.01, 0.5)})',
        ),
    ],
    "Inference": [
        Mistake("A vector of the wrong length", "target.ln_density(np.zeros(7))"),
        Mistake("Several points where one is needed", "target.ln_density(np.zeros((3, 2)))"),
        Mistake("One point where several are needed", "co.inference.linearise(target, np.zeros(2))"),
        Mistake("Data of another length", "target.with_data(np.zeros(3))"),
        Mistake("A number of draws that is not whole", "target.prior_draws(2.5)"),
        Mistake(
            "A prior in plain numbers for an amplitude",
            "co.inference.free_parameters(\n"
            '    model, halos.cosmology, ["energy_loading.amplitude"], {"energy_loading.amplitude": (0.01, 1.0)}\n'
            ")",
        ),
        Mistake(
            "A prior that can be read in two ways",
            "co.inference.free_parameters(\n"
            '    model, halos.cosmology, ["mass_loading.amplitude"], {"mass_loading.amplitude": (0.01, 1.0)}\n'
            ")",
            UserWarning,
        ),
        Mistake(
            "A prior that reaches outside the range of the law",
            "co.inference.free_parameters("
            'model, halos.cosmology, ["mass_loading.slope"], {"mass_loading.slope": (-2.0, 1.0)})',
        ),
        Mistake(
            "A free parameter that the model does not have",
            'co.inference.free_parameters(co.models.MinimalRegulator(), halos.cosmology, ["supply_tme"])',
        ),
        Mistake("A sampler's class", "co.inference.sample(target, best, sampler=co.inference.NUTS)", TypeError),
        Mistake("The model instead of the target", "co.inference.maximise(model)", TypeError),
    ],
    "Setting up": [
        Mistake(
            "configure() after JAX has computed something",
            "jnp.zeros(3)\nco.configure()",
            UserWarning,
            stands_for="co.configuration.jax_settings._warn_of_a_late_call(True, 8)",
        ),
        Mistake("Single precision", "with jax.enable_x64(False):\n    co.evolve(model, halos)", RuntimeError),
        Mistake("A file that is not there", 'co.halos.read("halos.h5")'),
    ],
}


def outcome(mistake):
    """What the code of a mistake raises or warns: the class and the message."""
    text = mistake.stands_for or mistake.code
    names = {"co": co, "np": np, "jnp": jnp, "jax": jax}
    names |= {name: shared(name) for name in SHARED if re.search(rf"(?<![.\w\"']){name}\b(?!\s*=[^=])", text)}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(compile(text, mistake.title, "exec"), names)
        except Exception as error:
            return type(error), str(error.args[0])
    told = [warning for warning in caught if warning.category is mistake.error]
    return (told[-1].category, str(told[-1].message)) if told else (None, "nothing")


def section(mistake, message):
    """The piece of the page about one mistake."""
    first, *rest = mistake.code.split("\n")
    lines = [f"... {line}".rstrip() if _continues(line) else f">>> {line}" for line in rest]
    code = "\n".join([f">>> {first}", *lines])
    message = textwrap.shorten(f"{mistake.error.__name__}: {message}", _LONGEST, placeholder=" ...")
    answer = textwrap.fill(message, 110, break_long_words=False, break_on_hyphens=False)
    return f"### {mistake.title}\n\n```pycon\n{code}\n{answer}\n```\n"


def _continues(line):
    """Whether a line belongs to the one before it, as an interpreter shows it."""
    return line.startswith((" ", ")")) or not line
