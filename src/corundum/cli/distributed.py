"""Several processes that do one run together, on one machine or on many hosts.

Every process builds the components of the run.  Then process 0 leads: it alone writes, draws and reports, and it
announces which block of halos to evolve next; every process evolves its share of that block.  So a run directory has
one writer, and a run may be resumed with another number of processes: numbers change by round-off at most.

Processes find each other by themselves under SLURM (``srun corundum run ...``) and MPI launchers (``mpirun corundum run
...``), and anywhere with ``--coordinator HOST:PORT --processes N --process I``.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Launch", "announce", "join", "launched", "leading", "leads", "next_task", "refuse_several", "works_alone"]

_NO_TASK = (-1, -1)
_PORT = 51763  # of processes on one machine; any free one does
# Variables with the number of processes, which one this is, and how many are on this host.  Open MPI comes first, since
# it starts its own processes through SLURM on several hosts.
_LAUNCHERS = {
    "Open MPI": ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"),
    "SLURM": ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID", ""),
    "MPI": ("PMI_SIZE", "PMI_RANK", "MPI_LOCALNRANKS"),
}
_FIRST_SPECIAL_STEP = 4294967290  # SLURM numbers the shell of an allocation and the script of a job from here on
_READ_BY_JAX = ("SLURM_JOB_ID", "SLURM_LOCALID", "SLURM_NTASKS", "SLURM_PROCID", "SLURM_STEP_NODELIST")
_VISIBLE_DEVICES = ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")


class Launch(NamedTuple):
    """How this process was started: by which launcher, as which of how many, and whether all are on one host."""

    launcher: str
    processes: int
    process: int
    one_host: bool


def launched() -> Launch | None:
    """How the environment says that this process was started; None where no launcher started it."""
    for launcher, (total, own, local) in _LAUNCHERS.items():
        processes, process = _number(total), _number(own)
        if processes is None or process is None or processes < 2 or (launcher == "SLURM" and not _is_step(processes)):
            continue
        return Launch(launcher, processes, process, _number(local) == processes)
    return None


def _number(variable: str) -> int | None:
    """The number in an environment variable, or None."""
    text = os.environ.get(variable, "")
    return int(text) if text.isdigit() else None


def _is_step(processes: int) -> bool:
    """Whether SLURM itself started this process, as one of a step.

    The shell of an allocation and the script of a job pass on how many tasks they may start, and are not a task; an MPI
    launcher starts its helpers as a step, and states its own number of processes.
    """
    step = _number("SLURM_STEP_ID")
    is_special = step is not None and step >= _FIRST_SPECIAL_STEP
    return not is_special and _number("PMI_SIZE") in (None, processes) and "SLURM_STEP_NODELIST" in os.environ


def join(coordinator: str | None = None, processes: int | None = None, process: int | None = None) -> None:
    """Find the other processes of this run; does nothing where there is only one.

    Parameters
    ----------
    coordinator : str, optional
        ``HOST:PORT`` of process 0.
    processes, process : int, optional
        How many there are, and which one this is, from 0.

    Raises
    ------
    ValueError
        Only some of the three are given, a number makes no sense, or the launcher does not say where process 0 is.
    """
    import jax

    launch = launched()
    if coordinator is None and processes is None and process is None:
        if launch is None:
            return
        if launch.launcher == "SLURM":
            missing = [name for name in _READ_BY_JAX if name not in os.environ]
            if missing:
                raise ValueError(
                    f"SLURM started {launch.processes} processes but {', '.join(missing)} is not set; pass on all "
                    "variables of SLURM (for instance into a container), or add --coordinator HOST:PORT"
                )
            # JAX reads host and port from SLURM.
            _initialize(num_processes=launch.processes, process_id=launch.process)
            return
        if not launch.one_host:
            raise ValueError(
                f"{launch.launcher} started {launch.processes} processes on several hosts and does not say where "
                "process 0 is: add --coordinator HOST:PORT, with the host of process 0 and a free port"
            )
        coordinator = f"127.0.0.1:{_PORT}"
    if launch is not None:
        processes = launch.processes if processes is None else processes
        process = launch.process if process is None else process
    if coordinator is None or processes is None or process is None:
        raise ValueError(
            f"several processes: got --coordinator {coordinator}, --processes {processes}, --process {process}; "
            "give all three, or none for a run in one process"
        )
    if ":" not in coordinator or not coordinator.rpartition(":")[2].isdigit():
        raise ValueError(f"--coordinator: got {coordinator!r}; give HOST:PORT, for example node001:12345")
    if not 0 <= process < processes:
        raise ValueError(f"--process: got {process}; allowed 0 to {processes - 1}, as there are {processes} processes")
    if processes > 1:
        _initialize(coordinator_address=coordinator, num_processes=processes, process_id=process)
    assert jax.process_count() == processes


def _initialize(**where):
    import jax

    # JAX takes the GPU with the number of the process on its host; where the launcher shows each process one GPU only,
    # that one has number 0.
    visible = [os.environ[name] for name in _VISIBLE_DEVICES if os.environ.get(name)]
    if visible and "," not in visible[0] and "JAX_LOCAL_DEVICE_IDS" not in os.environ:
        where["local_device_ids"] = [0]
    try:
        jax.distributed.initialize(**where)
    except Exception as error:  # XLA and the launchers raise kinds of their own
        raise ValueError(f"cannot join the other processes of this run: {' '.join(str(error).split())}") from error


def works_alone() -> bool:
    """Whether no other process takes part in this run."""
    jax = sys.modules.get("jax")
    return jax is None or not jax.distributed.is_initialized()


def leads() -> bool:
    """Whether this process is the one that writes and reports."""
    return works_alone() or sys.modules["jax"].process_index() == 0


@contextlib.contextmanager
def leading() -> Iterator[None]:
    """The part of a run that process 0 goes through; at its end, also after an error, the other processes stop."""
    try:
        yield
    finally:
        _agree(_NO_TASK)


def announce(task: tuple[int, int]) -> None:
    """Announce, in process 0, what all processes do next."""
    _agree(task)


def next_task() -> tuple[int, int] | None:
    """Wait, in another process, for what process 0 announces; None when the run is over."""
    task = _agree(_NO_TASK)
    return None if task == _NO_TASK else task


def _agree(task):
    """The pair of numbers of process 0, in every process."""
    import jax
    import numpy as np
    from jax.experimental import multihost_utils

    if jax.process_count() == 1:
        return task
    return tuple(int(number) for number in multihost_utils.broadcast_one_to_all(np.array(task, np.int32)))


def refuse_several(command: str) -> None:
    """Raise where a command that runs in one process was started several times by a launcher."""
    launch = launched()
    if launch is not None:
        raise ValueError(
            f"corundum {command} runs in one process and {launch.launcher} started {launch.processes} of it: "
            "ask for one task (it uses all devices of its host); only `corundum run` shares work between processes"
        )
