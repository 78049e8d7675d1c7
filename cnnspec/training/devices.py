"""Meshes and hosts: how a step is spread over devices by sharding its batch; JAX does the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from cnnspec.data.pipeline import Share
from cnnspec.diagnostics import Problem


@dataclass(frozen=True)
class Devices:
    """A mesh of one axis, `data`: every device holds all weights and a part of every batch."""

    mesh: Any

    @property
    def count(self) -> int:
        return int(self.mesh.devices.size)

    @property
    def replicated(self) -> Any:
        return NamedSharding(self.mesh, PartitionSpec())

    @property
    def divided(self) -> Any:
        return NamedSharding(self.mesh, PartitionSpec("data"))

    @property
    def share(self) -> Share:
        """The part of every batch that this host makes."""
        return Share(jax.process_index(), jax.process_count())

    def place_state(self, tree: Any) -> Any:
        """The same values on every device; each host gives its own copy of them."""
        return jax.tree.map(
            lambda leaf: jax.make_array_from_process_local_data(self.replicated, np.asarray(leaf)), tree
        )

    def place_batch(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """The global batch, of which this host gives its rows."""
        if self.count == 1:
            return dict(batch)
        return {name: jax.make_array_from_process_local_data(self.divided, rows) for name, rows in batch.items()}

    def union(self, found: Iterable[int]) -> list[int]:
        """What any host has found, in order; all hosts call it together."""
        own = sorted(set(found))
        if jax.process_count() == 1:
            return own
        from jax.experimental import multihost_utils

        most = int(multihost_utils.process_allgather(np.asarray(len(own), np.int32)).max())
        padded = np.full(most, -1, np.int32)
        padded[: len(own)] = own
        return sorted(set(multihost_utils.process_allgather(padded).ravel().tolist()) - {-1})

    def meet(self, purpose: str) -> None:
        """Wait until all hosts are here."""
        if jax.process_count() > 1:
            from jax.experimental import multihost_utils

            multihost_utils.sync_global_devices(purpose)

    @property
    def leads(self) -> bool:
        """Whether this host writes files and prints."""
        return bool(jax.process_index() == 0)


def devices_for(mesh: str | None, batch: int) -> Devices:
    """The mesh `data=8`; without one, a single device, or all devices of all hosts where there are several.

    **Errors**: E863 (not understood, not so many devices, or a batch that does not divide).
    """
    available = jax.devices()
    wanted = len(available) if jax.process_count() > 1 else 1
    if mesh is not None:
        axis, _, number = mesh.partition("=")
        if axis != "data" or not number.isdigit() or int(number) < 1:
            raise Problem("E863", f"`{mesh}` is not a mesh", "write `data=8`, the number of devices that share a batch")
        wanted = int(number)
    if wanted > len(available):
        raise Problem("E863", f"the mesh asks for {wanted} devices and there are {len(available)}",
                      f"ask for `data={len(available)}`; on a CPU, "
                      f"XLA_FLAGS=--xla_force_host_platform_device_count={wanted} makes {wanted}")  # fmt: skip
    if jax.process_count() > 1 and wanted != len(available):
        raise Problem("E863", f"{jax.process_count()} processes have {len(available)} devices, and the mesh asks for {wanted}",
                      f"a mesh over several processes takes all devices: `data={len(available)}`")  # fmt: skip
    if batch % wanted:
        raise Problem("E863", f"a batch of {batch} images does not divide among {wanted} devices",
                      f"take a batch size of {-(-batch // wanted) * wanted}", field="batch_size")  # fmt: skip
    return Devices(jax.make_mesh((wanted,), ("data",), (AxisType.Auto,), devices=available[:wanted]))


def join(coordinator: str | None, processes: int | None, process: int | None) -> None:
    """Join the processes of a training over several hosts, before anything else asks JAX for devices.

    **Errors**: E863 where the others cannot be reached.
    """
    if coordinator is None:
        return
    try:
        jax.distributed.initialize(coordinator, num_processes=processes, process_id=process)
    except (RuntimeError, ValueError) as error:
        raise Problem("E863", f"cannot join the processes at {coordinator}: {error}",
                      "start all of them with the same `--coordinator` and `--processes`, and `--process` 0, 1, ...") from error  # fmt: skip
