"""The commands: one module each, with its arguments, its help and the call of what it does.

Every module has ``add_command(commands, style)``, which adds the command to the parser.  What needs JAX is imported by
the command when it runs, so that help and wrong usage answer at once.
"""

__all__: list[str] = []
