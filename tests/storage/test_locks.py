"""Two processes never hold one lock; whoever ends, in whatever way, leaves it free."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from corundum.storage import locks
from corundum.storage.locks import InUseError, exclusive

HOLD = """
import pathlib, sys, time
from corundum.storage.locks import exclusive
with exclusive(pathlib.Path(sys.argv[1]), "out: another run"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(params=["locks", "statements"])
def lock(request, tmp_path, monkeypatch):
    """A lock file, on a file system with locks and on one without."""
    if request.param == "statements":

        def none(*_):
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(locks.fcntl, "flock", none)
    return tmp_path / ".lock"


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_another_process_is_named_and_however_it_ends_the_lock_is_free(end, lock):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout.readline() == "held\n"
    words = rf"out: mine \(process {process.pid} on {socket.gethostname()}, since .*\); wait until it has ended"
    with pytest.raises(InUseError, match=words), exclusive(lock, "out: mine"):
        pass
    process.send_signal(end)
    process.communicate()
    with exclusive(lock, "out: mine"):
        assert json.loads(lock.read_text())["process"] == os.getpid()
    assert not lock.exists()


def test_one_process_holds_it_once(lock):
    with exclusive(lock, "out"):
        with pytest.raises(InUseError, match=f"process {os.getpid()}"), exclusive(lock, "out"):
            pass
        assert lock.exists()
    with pytest.raises(KeyError), exclusive(lock, "out"):
        raise KeyError
    assert not lock.exists()


def test_a_statement_of_another_host_counts_only_without_locks(lock, request):
    lock.write_text(json.dumps({"process": 1, "host": "elsewhere", "started": "yesterday"}))
    if "statements" in request.node.name:
        with (
            pytest.raises(InUseError, match="process 1 on elsewhere.* or remove .*lock if it has"),
            exclusive(lock, "out"),
        ):
            pass
        lock.write_text("half a statem")  # of a process that was stopped while it wrote
    with exclusive(lock, "out"):
        pass
