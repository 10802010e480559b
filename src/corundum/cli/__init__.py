"""The command line: run files, the job they describe, and what is written beside the results.

`corundum.cli.main.main` is the entry point.  This is the only part of the package that sets JAX's
configuration, reads the environment or prints; everything it does can be done from Python with the same
objects.
"""

__all__ = []
