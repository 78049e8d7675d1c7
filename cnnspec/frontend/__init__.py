"""From a spec to a checked graph: the front half of the compiler, without JAX."""

from __future__ import annotations

from cnnspec.frontend.checking import check_spec, load_spec
from cnnspec.frontend.counting import Counted, count_spec, counted
from cnnspec.frontend.loaded import LoadedSpec, SpecLike, open_spec

__all__ = ["Counted", "LoadedSpec", "SpecLike", "check_spec", "count_spec", "counted", "load_spec", "open_spec"]
