"""The command line: run files, the jobs that they describe, and what is written beside the results.

`corundum.cli.main.main` is the entry point.  From the bottom up: small files that know no run file (several processes,
versions, errors, progress bars), `runfile/` (reading, checking and building), `jobs/` (what a command does, stage by
stage) and `commands/` (arguments and help, one file a command).  Only this part of the package prints; everything it
does can be done from Python with the same objects.
"""

__all__: list[str] = []
