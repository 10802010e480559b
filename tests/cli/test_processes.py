"""How processes of one run find each other, and what they say when they cannot."""

import jax
import pytest

from corundum.cli.distributed import Launch, join, launched
from corundum.cli.main import main

SLURM = {
    "SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_NTASKS": "4", "SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "2",
    "SLURM_LOCALID": "0", "SLURM_STEP_NODELIST": "node[001-002]",
}  # fmt: skip
OPEN_MPI = {"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "3", "OMPI_COMM_WORLD_LOCAL_SIZE": "2"}


@pytest.fixture
def environment(monkeypatch):
    """Sets variables of a launcher, where there are none of another."""
    for name in (*SLURM, *OPEN_MPI, "PMI_SIZE", "PMI_RANK", "MPI_LOCALNRANKS", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    return lambda variables: [monkeypatch.setenv(*one) for one in variables.items()]


@pytest.mark.parametrize(
    "variables, expected",
    [
        ({}, None),
        (SLURM, Launch("SLURM", 4, 2, False)),
        ({**SLURM, "SLURM_STEP_NUM_TASKS": "1"}, None),  # a shell of an allocation: four tasks may be started
        ({**SLURM, "SLURM_STEP_ID": "4294967290"}, None),  # the same
        ({"SLURM_NTASKS": "4", "SLURM_PROCID": "0"}, None),  # the script of a job
        ({"SLURM_NTASKS": "4", "SLURM_STEP_NODELIST": "node001"}, None),
        ({**SLURM, "SLURM_STEP_NUM_TASKS": ""}, None),
        ({**SLURM, "SLURM_STEP_NUM_TASKS": "2", **OPEN_MPI}, Launch("Open MPI", 4, 3, False)),  # it starts a step
        ({**SLURM, "SLURM_STEP_NUM_TASKS": "2", "PMI_SIZE": "4", "PMI_RANK": "3"}, Launch("MPI", 4, 3, False)),
        ({**SLURM, "PMI_SIZE": "4", "PMI_RANK": "2"}, Launch("SLURM", 4, 2, False)),
        (OPEN_MPI, Launch("Open MPI", 4, 3, False)),
        ({**OPEN_MPI, "OMPI_COMM_WORLD_LOCAL_SIZE": "4"}, Launch("Open MPI", 4, 3, True)),
        ({"PMI_SIZE": "2", "PMI_RANK": "1", "MPI_LOCALNRANKS": "2"}, Launch("MPI", 2, 1, True)),
    ],
)
def test_launchers_are_recognised(environment, variables, expected):
    environment(variables)
    assert launched() == expected


@pytest.mark.parametrize(
    "variables, given, message",
    [
        ({}, ("node1:99", None, None), "give all three"),
        ({}, ("node1", 2, 0), "HOST:PORT"),
        ({}, ("node1:99", 2, 2), "allowed 0 to 1"),
        (OPEN_MPI, (None, None, None), "on several hosts"),
        (
            {name: SLURM[name] for name in SLURM if name != "SLURM_LOCALID"},
            (None, None, None),
            "SLURM started 4 processes but SLURM_LOCALID is not set; pass on all variables",
        ),
    ],
)
def test_what_is_missing_is_told(environment, variables, given, message):
    environment(variables)
    with pytest.raises(ValueError, match=message):
        join(*given)


def test_other_commands_are_not_started_several_times(environment, tmp_path, capsys):
    environment(OPEN_MPI)
    assert main(["sensitivity", "run.toml", "-o", str(tmp_path / "out")]) == 2
    assert "runs in one process and Open MPI started 4" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("visible", "devices"), [("3", [0]), ("GPU-8f2a", [0]), ("0,1", None), ("", None)])
def test_the_one_gpu_that_a_launcher_shows_a_process_is_its_own(environment, visible, devices, monkeypatch):
    environment({**SLURM, "SLURM_LOCALID": "1", "CUDA_VISIBLE_DEVICES": visible})
    calls = []
    monkeypatch.setattr(jax.distributed, "initialize", lambda **where: calls.append(where))
    join()
    assert calls == [{"num_processes": 4, "process_id": 2} | ({"local_device_ids": devices} if devices else {})]
