"""Checks annotations, array shapes included, while tests run: what a signature says is what the function gets.

`check_annotations` installs jaxtyping's import hook, with beartype as the checker, for every module of corundum.  An
integer counts as a float, as everywhere in Python.
"""

from beartype import BeartypeConf, beartype
from jaxtyping import install_import_hook

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))


def check_annotations() -> None:
    """Call before corundum is imported."""
    install_import_hook("corundum", "annotations.checked")
