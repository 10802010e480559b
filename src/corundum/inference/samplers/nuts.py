"""The no-U-turn sampler: Hamiltonian trajectories that find their own length."""

import equinox as eqx

from .hamiltonian import AbstractHamiltonian, Moves

__all__ = ["NUTS"]


class NUTS(AbstractHamiltonian):
    """Trajectories that go on until they turn back (numpyro's NUTS); the default sampler.

    Chains start at draws from the Laplace approximation, whose covariance is the first mass matrix, and share what
    they learn in warm-up.

    Parameters
    ----------
    chains : int
    warmup, draws : int
        Of each chain.
    target_accept : float
        Acceptance that the step size is adapted to, between 0 and 1.
    max_tree_depth : int
        A trajectory takes at most two to this power steps.
    warmup_tree_depth : int
        The same in warm-up, when a step size that is not adapted yet would waste long trajectories.
    adapt_mass : bool
        Whether warm-up refines the mass matrix of the Laplace approximation, with the draws of all chains.

    Raises
    ------
    ValueError
        A number is out of its range.

    References
    ----------
    Hoffman & Gelman 2014, J. Mach. Learn. Res. 15, 1593; Phan, Pradhan & Jankowiak 2019, arXiv:1912.11554 (numpyro).

    Examples
    --------
    >>> target = co.inference.Target.of_function(lambda theta: theta, [1.0], [0.1], {"a": (-5.0, 5.0)})
    >>> best = co.inference.maximise(target, starts=2)
    >>> sampler = co.inference.NUTS(chains=2, warmup=30, draws=50)
    >>> co.inference.sample(target, best, sampler=sampler).theta.shape
    (2, 50, 1)
    """

    chains: int = eqx.field(static=True, default=4)
    warmup: int = eqx.field(static=True, default=200)
    draws: int = eqx.field(static=True, default=500)
    target_accept: float = eqx.field(static=True, default=0.85)
    max_tree_depth: int = eqx.field(static=True, default=8)
    warmup_tree_depth: int = eqx.field(static=True, default=5)
    adapt_mass: bool = eqx.field(static=True, default=True)

    def moves(self) -> Moves:
        depths = (self.warmup_tree_depth, self.max_tree_depth)
        return Moves("NUTS", self.target_accept, depths, self.adapt_mass, None)
