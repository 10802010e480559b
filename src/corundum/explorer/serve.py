"""Serving an explorer to this machine's browser: until Ctrl-C, or beside a notebook."""

import errno
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import uvicorn

from ..halos import HaloHistories
from ..models import AbstractModel
from ..numerics.solvers.base import AbstractSolver
from ..observables import Measurement
from .server import Explorer, application
from .view import MOST_HALOS, view_of

__all__ = ["Running", "explore", "serve"]

_HOST = "127.0.0.1"  # nobody else's machine can reach it
_DATA = ("shmr_behroozi19_sf", "coldgas_xgass")


class Running:
    """An explorer that is being served from a thread of this process.

    Attributes
    ----------
    address : str
        What to open in a browser on this machine, the token included.

    Examples
    --------
    >>> running = co.explore(model, halos)
    >>> running.address.startswith("http://127.0.0.1:")
    True
    >>> running.stop()
    """

    def __init__(self, explorer: Explorer, port: int):
        self._explorer, self._socket = explorer, bound(port)
        self.address = address_of(explorer, self._socket)
        self._server = _server(explorer)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.01)

    def __repr__(self) -> str:
        return f"explorer at {self.address}"

    def _repr_html_(self) -> str:
        return f'<iframe src="{self.address}" width="100%" height="900" title="corundum explorer"></iframe>'

    def stop(self) -> None:
        """End the server; what is being compiled is compiled first, because nothing can interrupt it."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        while self._explorer.compiling:
            time.sleep(0.01)


def explore(
    model: AbstractModel,
    halos: HaloHistories,
    data: Sequence[str | Measurement | tuple[Measurement, float]] = _DATA,
    *,
    solver: AbstractSolver | None = None,
    most: int = MOST_HALOS,
    posterior: Any = None,
    priors: Mapping[str, Any] | None = None,
    port: int = 0,
) -> Running:
    """Look at a model in a browser, with a slider for each of its numbers; in a notebook the page is shown below.

    While a slider moves, the picture follows along the exact derivatives; the exact solution replaces it as soon as it
    is there.

    Parameters
    ----------
    model : AbstractModel
    halos : HaloHistories
        At most `most` of them are shown, spread evenly over final mass.
    data : sequence of str, Measurement or (Measurement, redshift)
        Measurements beside the galaxies; by default star-forming galaxies of Behroozi et al. 2019 and xGASS.
    solver : AbstractSolver, optional
        Default that of fits, ``LaneSolver(tolerance=1e-4)``.
    most : int
    posterior : Posterior, xarray.DataTree or arviz.InferenceData, optional
        Of a fit, or read by `corundum.io.load_posterior`: intervals under the sliders and bands of the relations.
    priors : mapping of str to (float, float), dict or numpyro Distribution, optional
        As for `corundum.inference.free_parameters`: shown below the sliders, and weighed by steps towards the data.
        By default uniform over declared ranges.
    port : int
        0 takes a free one.

    Returns
    -------
    Running
        Its `address` is for a browser on this machine; `stop` ends the server.

    Raises
    ------
    ValueError
        There are no data, the model does not fit the halos or the posterior, a prior is none, or the port is taken.

    Examples
    --------
    >>> running = co.explore(model, halos, ["shmr_behroozi19_sf"])
    >>> running.stop()
    """
    view = view_of(model, halos, data, solver=solver, most=most)
    return Running(Explorer(view, posterior=posterior, priors=priors), port)


def serve(explorer: Explorer, port: int, announce: Any = print) -> None:
    """Serve an explorer until Ctrl-C; `announce` is called with its address."""
    with bound(port) as listening:
        announce(address_of(explorer, listening))
        _server(explorer).run(sockets=[listening])


def bound(port: int) -> socket.socket:
    """A socket on this machine's own address.

    Raises
    ------
    ValueError
        The port is no port, or is taken.
    """
    if not 0 <= port <= 65535:
        raise ValueError(f"port: got {port}; allowed 0 for a free one, or 1024 to 65535")
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((_HOST, port))
        listening.listen()  # before the address is announced, so that a browser that is fast enough waits
    except OSError as error:
        listening.close()
        reason = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        raise ValueError(f"port: {port} {reason}; give another one, or 0 for a free one") from error
    return listening


def address_of(explorer: Explorer, listening: socket.socket) -> str:
    """What to open in a browser."""
    return f"http://{_HOST}:{listening.getsockname()[1]}/?token={explorer.token}"


def _server(explorer: Explorer) -> uvicorn.Server:
    # What is being compiled cannot be interrupted, and nobody waits for it when the server ends.
    app = application(explorer)
    return uvicorn.Server(
        uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    )
