"""The server of an explorer: a page, and the numbers that it asks for.  It answers one machine's browser alone.

It keeps nothing of a visitor: every request says which laws and values it is about, so that two tabs or two people do
not disturb each other.  Requests without the token of the printed address, from other pages, or larger than a page
would send are refused.
"""

import functools
import json
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from typing import Any

import anyio
import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..models import PANDYA26_FREE, AbstractModel
from .believed import bands_of, draws_of, intervals_of
from .description import described
from .engine import Engine
from .laws import with_laws
from .payload import packed
from .view import View

__all__ = ["Explorer", "application"]

_LARGEST_REQUEST = 200_000  # bytes
# The default relations say nothing about metals, and a step would move these to the middle of their priors.
_FREE = tuple(name for name in PANDYA26_FREE if not name.startswith("metal_loading."))
_KEPT = 4  # models whose compiled programs stay
_LOCAL = ("127.0.0.1", "localhost", "[::1]", "::1")
_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css", "txt": "text/plain"}
_NEVER_ELSEWHERE = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Explorer:
    """A view with other laws put in on request, and what is being computed.

    Parameters
    ----------
    view : View
    title : str
    run_file : callable, optional
        Maps laws by place and values by name to the text of a run file; None where there is none.
    posterior : Posterior, xarray.DataTree or arviz.InferenceData, optional
        Shown as intervals under the sliders and as bands of the relations, while the laws are those of the view.
    priors : mapping of str to (float, float), dict or numpyro Distribution, optional
        As for `corundum.inference.free_parameters`, of numbers of laws that are those of the view; by default uniform
        over declared ranges.
    free : sequence of str
        What is ticked at first; by default what Pandya et al. 2026 infer without metals.

    Raises
    ------
    ValueError
        The posterior is about no number of the model, or a prior is none.

    Examples
    --------
    >>> view = co.explorer.view_of(model, halos, ["shmr_behroozi19_sf"])
    >>> description = co.explorer.Explorer(view).describe({"mass_loading": "ConstantLoading"})
    >>> description["parameters"][0]["name"]
    'mass_loading.constant'
    """

    def __init__(
        self,
        view: View,
        title: str = "",
        run_file: Callable[[dict, dict], str] | None = None,
        posterior: Any = None,
        priors: Mapping[str, Any] | None = None,
        free: Sequence[str] = _FREE,
    ):
        self.view, self.title, self.run_file = view, title, run_file
        self.priors, self.free = dict(priors or {}), tuple(free)
        self.draws = None if posterior is None else draws_of(posterior, view.names)
        self._bands: np.ndarray | None = None
        self.token = secrets.token_urlsafe(16)
        self.compiling: dict[tuple, float] = {}  # what is compiled, and since when
        self._engines: dict[tuple, Engine] = {}
        self._compiled: set[tuple] = set()
        self._choosing, self._lock = threading.Lock(), threading.Lock()
        self._compilers: defaultdict[tuple, threading.Lock] = defaultdict(threading.Lock)
        self.engine({})  # refuses wrong priors at once

    def engine(self, laws: Mapping[str, str]) -> Engine:
        """The engine of the model with these laws."""
        key = tuple(sorted(laws.items()))
        with self._choosing:  # requests come from several threads
            engine = self._engines.pop(key, None)
            if engine is None:
                model = with_laws(self.view.model, laws)
                view = self.view if model is self.view.model else self.view.with_model(model)
                engine = Engine(view, self._priors_of(model))
            self._engines[key] = engine  # the last one used is the last one to go
            while len(self._engines) > _KEPT:
                self._engines.pop(next(iter(self._engines)))
        return engine

    def describe(self, laws: Mapping[str, str]) -> dict[str, Any]:
        """What the page has to know before any number."""
        engine = self.engine(laws)
        believed = self.draws is not None and engine.view is self.view
        return {
            "title": self.title, "exports": self.run_file is not None, "posterior": believed,
            "free": [name for name in self.free if name in engine.view.names], **described(engine),
        }  # fmt: skip

    def _priors_of(self, model: AbstractModel) -> dict[str, Any]:
        """The priors of the numbers of those laws that have not been replaced."""
        places = {name: name.split(".")[0] for name in self.priors}
        same = {
            place: type(getattr(model, place, None)) is type(getattr(self.view.model, place, None))
            for place in set(places.values())
        }
        return {name: prior for name, prior in self.priors.items() if same[places[name]]}

    def solve(self, laws: Mapping[str, str], values: Mapping[str, Any]) -> bytes:
        """The picture at `values`."""
        engine = self.engine(laws)
        return packed(self._computing("solutions", laws, lambda: engine.solve(values)))

    def slopes(self, laws: Mapping[str, str], values: Mapping[str, Any], names: list[str]) -> bytes:
        """How the picture responds to `names`."""
        engine = self.engine(laws)
        return packed(self._computing("slopes", laws, lambda: engine.slopes(values, names)), names=list(names))

    def indices(self, laws: Mapping[str, str], values: Mapping[str, Any], names: list[str]) -> bytes:
        """Prevention and ejection indices, and how they respond to `names`."""
        engine = self.engine(laws)
        arrays = self._computing("prevention and ejection", laws, lambda: engine.indices(values, names))
        return packed(arrays, names=list(names))

    def modes(self, laws: Mapping[str, str], values: Mapping[str, Any], halo: Any, time: Any) -> dict[str, Any]:
        """The modes of one galaxy."""
        engine = self.engine(laws)
        return {"modes": self._computing("modes", laws, lambda: engine.modes(values, halo, time))}

    def posterior(self) -> bytes:
        """The posterior of the numbers of the model, and the bands of the relations that follow.

        Raises
        ------
        ValueError
            There is none.
        """
        draws = self.draws
        if draws is None:
            raise ValueError("posterior: this explorer shows none; give one with --posterior FILE")
        if self._bands is None:
            engine = self.engine({})
            self._bands = self._computing("solutions", {}, lambda: bands_of(engine, draws))
        return packed({"bands": self._bands}, intervals=intervals_of(draws))

    def step(self, laws: Mapping[str, str], values: Mapping[str, Any], free: list[str]) -> dict[str, float]:
        """Values after one step towards the data."""
        engine = self.engine(laws)
        return self._computing("slopes", laws, lambda: engine.step(values, free))

    def busy(self) -> dict[str, Any] | None:
        """What has been compiled for how long [s], the longest first; None if nothing is."""
        now = time.monotonic()
        running = sorted(((since, what) for (what, _), since in list(self.compiling.items())))
        return {"what": [what for _, what in running], "seconds": round(now - running[0][0], 1)} if running else None

    def _computing(self, what: str, laws: Mapping[str, str], compute: Callable[[], Any]) -> Any:
        """One computation at a time, except for the first of a kind, which compiles while others go on."""
        key = (what, tuple(sorted(laws.items())))
        if key in self._compiled:
            with self._lock:
                return compute()
        with self._choosing:
            lock = self._compilers[key]
        with lock:  # whoever else asks for the same waits for the same program
            self.compiling[key] = time.monotonic()
            try:
                result = compute()
            finally:
                del self.compiling[key]
        self._compiled.add(key)
        return result


def application(explorer: Explorer) -> Starlette:
    """The application of an explorer, for any server of the ASGI standard.

    Examples
    --------
    >>> explorer = co.explorer.Explorer(co.explorer.view_of(model, halos, ["shmr_behroozi19_sf"]))
    >>> [route.path for route in co.explorer.application(explorer).routes][:2]
    ['/', '/page/{name}']
    """
    routes = [
        Route("/", functools.partial(_page, explorer)),
        Route("/page/{name}", functools.partial(_file, explorer)),
        Route("/busy", functools.partial(_busy, explorer), methods=["GET"]),
        *(
            Route(f"/{name}", functools.partial(_answer, explorer, name), methods=["POST"])
            for name in ("describe", "solve", "slopes", "indices", "modes", "posterior", "step", "runfile")
        ),
    ]
    return Starlette(routes=routes)


async def _page(explorer: Explorer, request: Request) -> Response:
    if (refusal := _refused(explorer, request, request.query_params.get("token"))) is not None:
        return refusal
    return _read("index.html")


async def _file(explorer: Explorer, request: Request) -> Response:
    # Files of the package itself are no secret; a page that loads them cannot send a token along.
    if (refusal := _refused(explorer, request, explorer.token)) is not None:
        return refusal
    name = request.path_params["name"]
    known = {entry.name for entry in resources.files(__package__).joinpath("page").iterdir()}
    return _read(name) if name in known else _problem(404, f"no file {name!r}")


async def _busy(explorer: Explorer, request: Request) -> Response:
    if (refusal := _refused(explorer, request, request.headers.get("x-token"))) is not None:
        return refusal
    return JSONResponse({"busy": explorer.busy()})


async def _answer(explorer: Explorer, name: str, request: Request) -> Response:
    if (refusal := _refused(explorer, request, request.headers.get("x-token"))) is not None:
        return refusal
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_REQUEST:
            return _problem(413, f"a request is at most {_LARGEST_REQUEST} bytes")
    try:
        question = json.loads(body or b"{}")
        laws, values = _table(question, "laws"), _table(question, "values")
        if not all(isinstance(law, str) for law in laws.values()):
            raise ValueError("laws: expected the name of a law for each place")
        answers: dict[str, Callable[[], Any]] = {
            "describe": lambda: explorer.describe(laws),
            "solve": lambda: explorer.solve(laws, values),
            "slopes": lambda: explorer.slopes(laws, values, _names(question)),
            "indices": lambda: explorer.indices(laws, values, _names(question)),
            "modes": lambda: explorer.modes(laws, values, question.get("halo"), question.get("time")),
            "posterior": explorer.posterior,
            "step": lambda: explorer.step(laws, values, _names(question)),
            "runfile": lambda: _run_file(explorer, laws, values),
        }
        result = await anyio.to_thread.run_sync(answers[name], abandon_on_cancel=True)
    except (ValueError, TypeError, KeyError) as error:
        return _problem(422, " ".join(str(error.args[0] if error.args else error).split()))
    except RecursionError:
        return _problem(422, "the request is nested too deep")
    if isinstance(result, bytes):
        return Response(result, media_type="application/octet-stream", headers=_NEVER_ELSEWHERE)
    return JSONResponse(result, headers=_NEVER_ELSEWHERE)


def _run_file(explorer, laws, values):
    if explorer.run_file is None:
        raise ValueError("this explorer was not started from a run file")
    explorer.engine(laws).vector(values)  # refuses what no run file may hold
    return {"text": explorer.run_file(laws, values)}


def _table(question: Any, name: str) -> dict[str, Any]:
    table = question.get(name, {}) if isinstance(question, dict) else None
    if not isinstance(table, dict):
        raise ValueError(f"{name}: expected a table by name")
    return table


def _names(question: Mapping[str, Any]) -> list[str]:
    names = question.get("names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("names: expected a list of parameters")
    return names


def _refused(explorer: Explorer, request: Request, token: str | None) -> Response | None:
    """A refusal, unless the request comes from this machine's own page."""
    if request.url.hostname not in _LOCAL:  # another name that leads here is somebody else's page
        return _problem(403, "open the address that `corundum explore` printed")
    origin = request.headers.get("origin")
    if origin is not None and origin.split("://")[-1] != request.headers.get("host"):
        return _problem(403, "requests from other pages are refused")
    if token is None or not secrets.compare_digest(token.encode(), explorer.token.encode()):
        return _problem(403, "wrong or missing token: open the whole address that `corundum explore` printed")
    return None


def _problem(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status_code=status, headers=_NEVER_ELSEWHERE)


def _read(name: str) -> Response:
    content = resources.files(__package__).joinpath("page", name).read_bytes()
    kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    return Response(content, media_type=kind, headers=_NEVER_ELSEWHERE)
