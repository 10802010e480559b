"""Hamiltonian Monte Carlo with trajectories of one length for all chains."""

import equinox as eqx

from .hamiltonian import AbstractHamiltonian, Moves

__all__ = ["HMC"]


class HMC(AbstractHamiltonian):
    """Trajectories of one length (numpyro's HMC): cheaper than `NUTS` where the posterior is not far from a Gaussian.

    Each trajectory takes between half and three halves of `trajectory`, the same for all chains, so that no chain waits
    for a longer trajectory of another.  A third of a turn, 2.0, costs a few gradients for each draw.

    Parameters
    ----------
    trajectory : float
        Mean length of trajectories, in standard deviations of the mass matrix.
    chains : int
    warmup, draws : int
        Of each chain.
    target_accept : float
        Acceptance that the step size is adapted to, between 0 and 1.
    max_tree_depth : int
        A trajectory takes at most two to this power steps.
    warmup_tree_depth : int
        The same in warm-up.
    adapt_mass : bool
        Whether warm-up refines the mass matrix of the Laplace approximation, with the draws of all chains.

    Raises
    ------
    ValueError
        A number is out of its range.

    References
    ----------
    Neal 2011, arXiv:1206.1901; Phan, Pradhan & Jankowiak 2019, arXiv:1912.11554 (numpyro).

    Examples
    --------
    >>> target = co.inference.Target.of_function(lambda theta: theta, [1.0], [0.1], {"a": (-5.0, 5.0)})
    >>> best = co.inference.maximise(target, starts=2)
    >>> sampler = co.inference.HMC(trajectory=1.5, chains=2, warmup=30, draws=50)
    >>> co.inference.sample(target, best, sampler=sampler).theta.shape
    (2, 50, 1)
    """

    trajectory: float = eqx.field(static=True, default=2.0)
    chains: int = eqx.field(static=True, default=4)
    warmup: int = eqx.field(static=True, default=200)
    draws: int = eqx.field(static=True, default=500)
    target_accept: float = eqx.field(static=True, default=0.85)
    max_tree_depth: int = eqx.field(static=True, default=8)
    warmup_tree_depth: int = eqx.field(static=True, default=5)
    adapt_mass: bool = eqx.field(static=True, default=True)

    def __check_init__(self):
        if not self.trajectory > 0:
            raise ValueError(f"HMC trajectory: got {self.trajectory!r}; allowed a positive number")

    def moves(self) -> Moves:
        depths = (self.warmup_tree_depth, self.max_tree_depth)
        return Moves("HMC", self.target_accept, depths, self.adapt_mass, float(self.trajectory))
