"""Kept traces: programs that JAX has traced and lowered once, kept on disk for the next process.

Tracing a model is Python's work and takes seconds, for a program that is the same in every process.  What tracing
depends on is written out as text: the function's name, the structure of its arguments, the package's files, versions
and settings.  A program is kept under the hash of this text, and whatever the text cannot say, such as a law of the
user's own, is traced as ever.
"""

from .kept import KeptTraces

__all__ = ["KeptTraces"]
