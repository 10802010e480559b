"""Merger-tree file formats, one file each.

A format that is added here needs its file and its line in this export; `corundum.halos.trees.format_detection` tries
every format that is exported.
"""

from typing import TYPE_CHECKING

from ....lazy_names import lazy_names

if TYPE_CHECKING:  # imported when they are first used
    from .base import AbstractTreeFormat, Simulation
    from .consistent_trees import ConsistentTrees
    from .consistent_trees_hdf5 import ConsistentTreesHDF5
    from .galacticus import GalacticusForests
    from .hlist import HaloLists
    from .lhalotree import LHaloTree
    from .lhalotree_hdf5 import LHaloTreeHDF5
    from .millennium import MillenniumCSV
    from .sublink import SubLink
    from .ytree_arbors import YtreeArbor

__all__ = [
    "AbstractTreeFormat",
    "ConsistentTrees",
    "ConsistentTreesHDF5",
    "GalacticusForests",
    "HaloLists",
    "LHaloTree",
    "LHaloTreeHDF5",
    "MillenniumCSV",
    "Simulation",
    "SubLink",
    "YtreeArbor",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__)
