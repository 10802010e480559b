"""Laws learned from data in fits: their priors, where a model wants to change, and where data determine a law."""
