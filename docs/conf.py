"""Settings of the documentation site: ``make docs`` builds it, with the reference pages that `reference.py` writes."""

import sys
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import roles
from sphinx.roles import XRefRole

import corundum

sys.path.insert(0, str(Path(__file__).parent))
import gallery
import reference

project, author, version = "corundum", "the corundum authors", corundum.__version__
copyright = f"{author}, BSD 3-Clause licence"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["images/*.py"]

# Shapes such as (halo, redshift) stand where Sphinx looks for the name of a type.
suppress_warnings = ["ref.python"]

html_theme = "furo"
html_title = f"corundum {version}"
html_copy_source = False
html_static_path = ["style"]
html_css_files, html_js_files = ["site.css"], ["site.js"]
html_scaled_image_link = False

default_role = "public"  # `names` in docstrings lead to what they name, see below
autodoc_typehints = "none"  # docstrings say shapes and units
autodoc_default_options = {"members": True, "show-inheritance": False}
autodoc_member_order = "bysource"
napoleon_numpy_docstring, napoleon_google_docstring = True, False
napoleon_use_ivar = True
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
PUBLIC = reference.public_names()


def public_role(name, rawtext, text, line, inliner, options=None, content=()):
    """A link where `text` is a public name or has its place in the package, and code elsewhere."""
    target = PUBLIC.get(text.removesuffix("()"), text)
    if target.startswith("corundum."):
        role = XRefRole()
        return role("py:obj", rawtext, f"{text} <{target}>", line, inliner, {}, content)
    return [nodes.literal(rawtext, text)], []


def without_substitutions(app, what, name, obj, options, lines):
    """|x| is an absolute value in our docstrings, and the name of a text to put in for docutils."""
    for number, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")) and "``" not in line:
            lines[number] = line.replace("|", "\\|").replace(" (*", " (\\*")


def setup(app):
    """What docstrings need beside the extensions."""
    roles.register_local_role("public", public_role)
    app.connect("autodoc-process-docstring", without_substitutions)


reference.write_pages(Path(__file__).parent / "reference" / "api")
gallery.write_gallery(Path(__file__).parent, Path(__file__).parent / "gallery")
