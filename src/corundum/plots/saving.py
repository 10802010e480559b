"""Figures as files: laid out once, whatever the number of formats, and with all tick marks of an axis as one artist.

Matplotlib lays a constrained figure out twice for every file that it saves, each time with a separate line for every
tick mark.  Here the layout is computed once, at the resolution of images; after it, the marks of all ticks of an axis
are one line of markers at the same places.  The figure is given back as it was.
"""

import contextlib
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter, NullLocator
from PIL import Image

from ..storage.files import atomic_path
from .style import IMAGE_DPI, STYLE

__all__ = ["FORMATS", "figure_bytes", "figure_files", "save_figure"]

FORMATS = ("png", "pdf", "svg")
"""File formats that figures are written in."""

_UNDATED: dict[str, dict[str, None]] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
_WIDEST = 2400  # pixels of an image: twice what the page of a report shows
_COMPRESSION = 3  # of PNG images: a tenth larger than the strongest, in less than half of its time


def save_figure(figure: Figure | Axes | np.ndarray, path: str | os.PathLike) -> None:
    """Write a figure as PNG, PDF or SVG, atomically and with the same bytes every time.

    Parameters
    ----------
    figure : Figure, Axes or array of Axes
    path : path
        Its ending is the format: ``.png``, ``.pdf`` or ``.svg``.

    Raises
    ------
    ValueError
        The ending is none of these.
    OSError
        The folder is missing or not writable, or the disk is full.

    Examples
    --------
    >>> co.plots.save_figure(co.plots.network(model.ledger), "network.svg")
    """
    kind = Path(path).suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise ValueError(f"{path}: got the ending {Path(path).suffix!r}; figures are written as .png, .pdf or .svg")
    with atomic_path(path) as scratch:
        scratch.write_bytes(figure_bytes(figure, kind))


def figure_bytes(figure: Figure | Axes | np.ndarray, kind: str = "png") -> bytes:
    """A figure as the content of a PNG, PDF or SVG file.

    Parameters
    ----------
    figure : Figure, Axes or array of Axes
    kind : {"png", "pdf", "svg"}

    Raises
    ------
    ValueError
        The format is none of these.

    Examples
    --------
    >>> co.plots.figure_bytes(co.plots.network(model.ledger))[1:4]
    b'PNG'
    """
    return figure_files(figure, (kind,))[kind]


def figure_files(figure: Figure | Axes | np.ndarray, kinds: Iterable[str]) -> dict[str, bytes]:
    """A figure as the contents of several files, which share one layout.

    Parameters
    ----------
    figure : Figure, Axes or array of Axes
    kinds : iterable of {"png", "pdf", "svg"}

    Returns
    -------
    dict of str to bytes

    Raises
    ------
    ValueError
        A format is none of these.

    Examples
    --------
    >>> from corundum.plots.saving import figure_files
    >>> files = figure_files(co.plots.network(model.ledger), ("png", "svg"))
    >>> {kind: content[1:4] for kind, content in files.items()}
    {'png': b'PNG', 'svg': b'?xm'}
    """
    kinds = tuple(kinds)
    for kind in kinds:
        if kind not in FORMATS:
            raise ValueError(f"figure: got the format {kind!r}; figures are written as png, pdf or svg")
    axes = figure.flat[0] if isinstance(figure, np.ndarray) else figure
    root = axes if isinstance(axes, Figure) else axes.get_figure(root=True)
    assert root is not None  # axes without a figure hold nothing to write
    with style.context(["default", STYLE]):
        dpi = min(IMAGE_DPI, _WIDEST / root.get_size_inches()[0])
        with _laid_out(root, dpi):
            return {kind: _content(root, kind, dpi) for kind in kinds}


def _content(figure, kind, dpi):
    buffer = io.BytesIO()
    if kind == "png":
        _image(figure, dpi).save(buffer, format="png", compress_level=_COMPRESSION, dpi=(dpi, dpi))
    else:
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=_UNDATED[kind], facecolor="white")
    return buffer.getvalue()


def _image(figure, dpi):
    """The figure without opacity, which is one everywhere: its file is smaller and written faster."""
    with contextlib.ExitStack() as restored:
        restored.callback(figure.set_canvas, figure.canvas)
        restored.callback(figure.set_facecolor, figure.get_facecolor())
        restored.callback(figure.set_dpi, figure.get_dpi())
        figure.set_facecolor("white")
        figure.set_dpi(dpi)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        pixels = canvas.buffer_rgba()
        return Image.frombuffer("RGBA", pixels.shape[1::-1], pixels, "raw", "RGBA", 0, 1).convert("RGB")


@contextlib.contextmanager
def _laid_out(figure: Figure, dpi: float) -> Iterator[None]:
    """The figure with its layout computed and fixed, and with marks in place of its ticks."""
    with contextlib.ExitStack() as restored:
        axes = [ax for ax in figure.axes if ax.name == "rectilinear" and ax.axison and ax.get_visible()]
        ticked = [axis for ax in axes for axis in (ax.xaxis, ax.yaxis) if axis.get_visible() and not axis.have_units()]
        minor = {axis: axis.get_minor_locator() for axis in ticked if not _labels_minor_ticks(axis)}
        for axis, locator in minor.items():
            restored.callback(axis.set_minor_locator, locator)
            axis.set_minor_locator(NullLocator())
        for axis in filter(_is_bare, minor):  # nothing is left of it to measure or to draw
            restored.callback(axis.set_visible, True)
            axis.set_visible(False)
        _lay_out(figure, axes, dpi, restored)
        for axis in ticked:
            if axis in minor:
                axis.set_minor_locator(minor[axis])  # its places depend on the size of the axes
                _add_marks(axis, axis.get_minor_ticks(1), axis.get_minorticklocs(), restored)
                axis.set_minor_locator(NullLocator())
            _replace_major_marks(axis, restored)
        yield


def _is_bare(axis):
    """Whether an axis has marks only, such as between panels that share it."""
    tick = axis.get_major_ticks(1)[0]
    parts = (tick.label1, tick.label2, tick.gridline, axis.offsetText)
    return not any(part.get_visible() for part in parts) and not (axis.label.get_visible() and axis.get_label_text())


def _labels_minor_ticks(axis):
    formatter = axis.get_minor_formatter()
    return not isinstance(formatter, NullFormatter) and any(formatter.format_ticks(axis.get_minorticklocs()))


def _lay_out(figure, axes, dpi, restored):
    """Compute the layout, and none any more when the figure is drawn."""
    engine = figure.get_layout_engine()
    if engine is None:
        return
    restored.callback(figure.set_dpi, figure.get_dpi())
    figure.set_dpi(dpi)
    with contextlib.ExitStack() as spines_restored:
        for spine in (spine for ax in axes for spine in ax.spines.values() if spine.get_in_layout()):
            # They lie on the edges of the axes, and measuring them takes as long as measuring all labels.
            spines_restored.callback(spine.set_in_layout, True)
            spine.set_in_layout(False)
        engine.execute(figure)
    restored.callback(figure.set_layout_engine, engine)
    figure.set_layout_engine(None)  # not "none", with which `savefig` draws twice


def _replace_major_marks(axis, restored):
    ticks = axis.get_major_ticks(1)
    _add_marks(axis, ticks, axis.get_majorticklocs(), restored)
    sides = ("bottom", "top") if axis.axis_name == "x" else ("left", "right")
    shown = (ticks[0].tick1line.get_visible(), ticks[0].tick2line.get_visible())
    restored.callback(axis.set_tick_params, which="major", **dict(zip(sides, shown, strict=True)))
    axis.set_tick_params(which="major", **dict.fromkeys(sides, False))


def _add_marks(axis, ticks, places, restored):
    """One line of markers on each side of the axes, which look as the marks of the first tick."""
    places, (low, high) = np.atleast_1d(places), sorted(axis.get_view_interval())
    rim = 1e-10 * (high - low)
    places = places[(places >= low - rim) & (places <= high + rim)]
    for side, sample in (("tick1", ticks[0].tick1line), ("tick2", ticks[0].tick2line)):
        if not (sample.get_visible() and places.size):
            continue
        level = np.full(places.shape, 0.0 if side == "tick1" else 1.0)
        along_x = axis.axis_name == "x"
        marks = Line2D(
            *((places, level) if along_x else (level, places)),
            transform=axis.axes.get_xaxis_transform(side) if along_x else axis.axes.get_yaxis_transform(side),
            linestyle="none", marker=sample.get_marker(), markersize=sample.get_markersize(),
            markeredgewidth=sample.get_markeredgewidth(), color=sample.get_color(), zorder=axis.get_zorder(),
        )  # fmt: skip
        marks.set_in_layout(False)
        axis.axes.add_artist(marks)
        marks.set_clip_on(False)
        restored.callback(marks.remove)
