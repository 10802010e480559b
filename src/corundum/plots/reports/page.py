"""Reports as one HTML file: text, figures, tables and code.

The file loads nothing from elsewhere and runs no code, and every text in it is escaped.
"""

import base64
import html
import itertools
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ...printing import in_short
from ...storage.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure
else:
    Figure = Any  # the first page of a run is written before matplotlib is imported

__all__ = ["Code", "Drawing", "Facts", "Figure", "Section", "Table", "write_report"]


_COLUMN = 6.8  # [inch]: wider figures take the whole width of the page


class Drawing(NamedTuple):
    """A figure with its caption, and a short name that can be part of a file name.

    Examples
    --------
    >>> drawing = co.plots.Drawing(co.plots.network(model.ledger).figure, "The flows of the model.", "network")
    >>> drawing.name
    'network'
    """

    figure: Figure
    caption: str
    name: str = ""

    def __repr__(self) -> str:
        return in_short(self)


class Table(NamedTuple):
    """A table of texts and numbers; columns of numbers are aligned to the right.

    Examples
    --------
    >>> co.plots.Table(("model", "halos"), [("ThermalCGM", 8)], "Models of the run.").caption
    'Models of the run.'
    """

    header: Sequence[str]
    rows: Sequence[Sequence[Any]]
    caption: str = ""

    def __repr__(self) -> str:
        return in_short(self)


class Facts(NamedTuple):
    """The most important numbers, as (value, meaning).

    Examples
    --------
    >>> co.plots.Facts([(8, "halos")]).items[0]
    (8, 'halos')
    """

    items: Sequence[tuple[Any, str]]

    def __repr__(self) -> str:
        return in_short(self)


class Code(NamedTuple):
    """Text in a fixed-width font: a command or a file.

    Examples
    --------
    >>> co.plots.Code("corundum run quickstart.toml").text
    'corundum run quickstart.toml'
    """

    text: str

    def __repr__(self) -> str:
        return in_short(self)


class Section(NamedTuple):
    """A titled section of a report; blocks are texts, `Facts`, `Drawing`, `Table` or `Code`.

    Examples
    --------
    >>> co.plots.Section("Summary", ["All galaxies were solved."]).title
    'Summary'
    """

    title: str
    blocks: Sequence[Any]

    def __repr__(self) -> str:
        return in_short(self)


def write_report(
    path: str | os.PathLike,
    sections: Sequence[Section],
    *,
    title: str,
    subtitle: str = "",
    images: Mapping[Figure, bytes] | None = None,
) -> None:
    """Write a self-contained HTML report atomically; sections without blocks are left out.

    Parameters
    ----------
    path : path
        The HTML file.
    sections : sequence of Section
    title, subtitle : str
    images : mapping of Figure to bytes, optional
        Figures that are PNG images already; the others are rendered here.

    Raises
    ------
    OSError
        The folder is missing or not writable, or the disk is full.

    Examples
    --------
    >>> co.plots.write_report("report.html", [co.plots.Section("Summary", ["Eight halos."])], title="A run")
    """
    sections = [section for section in sections if section.blocks]
    contents = "\n".join(
        f'<li><a href="#s{k}">{html.escape(section.title)}</a></li>' for k, section in enumerate(sections)
    )
    count, rendered = iter(range(1, 10_000)), {} if images is None else images
    body = "\n".join(_section(k, section, count, rendered) for k, section in enumerate(sections))
    text = _PAGE.format(
        title=html.escape(title), subtitle=html.escape(subtitle), style=_STYLE, contents=contents, body=body
    )
    with atomic_path(path) as scratch:
        scratch.write_text(text, encoding="utf-8")


def _section(k, section, count, images):
    groups = []
    for are_drawings, blocks in itertools.groupby(section.blocks, lambda block: isinstance(block, Drawing)):
        text = "\n".join(_block(block, count, images) for block in blocks)
        groups.append(f'<div class="figures">{text}</div>' if are_drawings else text)
    content = "\n".join(groups)
    return f'<section id="s{k}">\n<h2>{html.escape(section.title)}</h2>\n{content}\n</section>'


def _block(block, count, images):
    if isinstance(block, str):
        return f"<p>{html.escape(block)}</p>"
    if isinstance(block, Code):
        return f"<pre><code>{html.escape(block.text)}</code></pre>"
    if isinstance(block, Facts):
        cells = (f"<div><dt>{html.escape(name)}</dt><dd>{_cell(value)}</dd></div>" for value, name in block.items)
        return f'<dl class="facts">{"".join(cells)}</dl>'
    if isinstance(block, Drawing):
        image = base64.b64encode(images.get(block.figure) or _drawn(block.figure)).decode("ascii")
        caption = html.escape(block.caption)
        span = ' class="broad"' if block.figure.get_size_inches()[0] > _COLUMN else ""
        return (
            f'<figure{span}><img src="data:image/png;base64,{image}" alt="{caption}">'
            f"<figcaption><b>Figure {next(count)}.</b> {caption}</figcaption></figure>"
        )
    return _table(block)


def _drawn(figure):
    from ..saving import figure_bytes

    return figure_bytes(figure)


def _table(table):
    numeric = [all(isinstance(row[k], (int, float)) for row in table.rows) for k in range(len(table.header))]
    marks = [' class="number"' if flag else "" for flag in numeric]
    head = "".join(f"<th{mark}>{html.escape(name)}</th>" for name, mark in zip(table.header, marks, strict=True))
    rows = "\n".join(
        "<tr>" + "".join(f"<td{mark}>{_cell(cell)}</td>" for cell, mark in zip(row, marks, strict=True)) + "</tr>"
        for row in table.rows
    )
    caption = f"<caption>{html.escape(table.caption)}</caption>" if table.caption else ""
    return f'<div class="wide"><table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cell(value):
    if isinstance(value, float):
        text = "–" if value != value else f"{value:.4g}"
        return html.escape(text.replace("-", "−", 1) if text.startswith("-") else text)
    return html.escape(f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value))


_STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #5d646d; --ground: #fdfdfc; --line: #dcdfe3;
  --panel: #f3f4f6; --link: #0b4f8a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e6e9; --soft: #a3abb5; --ground: #16181b;
  --line: #34393f; --panel: #1f2327; --link: #7fb6e6; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 17px/1.55 Charter, "Bitstream Charter",
  "Source Serif 4", Georgia, "Times New Roman", serif; }
main { max-width: 70rem; margin: 0 auto; padding: 2.5rem 1.5rem 5rem; }
header { border-bottom: 1px solid var(--line); margin-bottom: 1.5rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.3rem; margin: 3rem 0 .8rem; }
.subtitle { color: var(--soft); margin: 0 0 1.2rem; }
nav ol { columns: 2 16rem; padding-left: 1.4rem; margin: 0 0 1rem; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
p { max-width: 46rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr));
  gap: 1.8rem 1.6rem; align-items: start; margin: 1.2rem 0; }
figure { margin: 0; } figure.broad { grid-column: 1 / -1; }
figure img { width: 100%; height: auto; background: #fff; border: 1px solid var(--line); border-radius: 4px;
  padding: .6rem; display: block; }
figcaption, caption { color: var(--soft); font-size: .9rem; line-height: 1.45; text-align: left;
  max-width: 46rem; }
figcaption { margin-top: .6rem; } caption { padding-bottom: .5rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .8rem;
  margin: 1rem 0; }
.facts div { background: var(--panel); border-radius: 6px; padding: .7rem .9rem; display: flex;
  flex-direction: column-reverse; justify-content: flex-end; }
.facts dt { color: var(--soft); font-size: .85rem; line-height: 1.3; }
.facts dd { margin: 0; font-size: 1.25rem; overflow-wrap: anywhere; }
.wide { overflow-x: auto; margin: 1.2rem 0; }
table { border-collapse: collapse; font-size: .88rem; line-height: 1.35; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; border-bottom: 1.5px solid var(--soft); }
th, td { padding: .32rem 1.1rem .32rem 0; vertical-align: top; }
td { border-bottom: 1px solid var(--line); } .number { text-align: right; white-space: nowrap; }
pre { background: var(--panel); border-radius: 6px; padding: .9rem 1rem; overflow-x: auto; font: 13.5px/1.45
  ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
@media print { body { font-size: 10.5pt; background: #fff; color: #000; }
  main { max-width: none; padding: 0; } figure, tr { break-inside: avoid; }
  h2 { break-after: avoid; } nav { display: none; } }
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<header>
<h1>{title}</h1>
<p class="subtitle">{subtitle}</p>
<nav><ol>
{contents}
</ol></nav>
</header>
{body}
</main>
</body>
</html>
"""
