"""What commands share: arguments of a run file, and running or only checking it."""
