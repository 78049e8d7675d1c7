"""Checkpoints with orbax: written beside the training, complete or not there at all, the last ones and the best kept."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers as policies

from cnnspec.diagnostics import Problem
from cnnspec.training.step import TrainState

#: Two, so that the one before is still whole while the newest is being written.
LAST_KEPT = 2
#: Bytes that a checkpoint takes besides its arrays.
MARGIN = 1 << 20
#: What orbax raises of files that are not what it has written.
_DAMAGED = (ValueError, KeyError, TypeError)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Checkpoints:
    """The checkpoints of one run: a folder a step, holding the train state and a JSON note."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        # orbax logs progress as warnings and every failure with its traceback; what matters becomes a diagnostic.
        logging.getLogger("absl").setLevel(logging.CRITICAL)
        self.folder = folder
        keep = policies.AnyPreservationPolicy(
            [
                policies.LatestN(n=LAST_KEPT),
                policies.BestN(
                    n=1, get_metric_fn=lambda metrics: metrics["top1"], keep_checkpoints_without_metrics=False
                ),
            ]
        )
        # A reader must leave alone what a training is writing at this moment.
        options = ocp.CheckpointManagerOptions(
            preservation_policy=keep, create=not read_only, cleanup_tmp_directories=not read_only, read_only=read_only,
            best_fn=lambda metrics: metrics["top1"],
        )  # fmt: skip
        try:
            self._manager = ocp.CheckpointManager(folder.absolute(), options=options)
        except _DAMAGED as error:  # it reads the notes of all checkpoints
            step = next((step for step in self._found() if not self._notes_whole(step)), None)
            if step is None:
                raise Problem("E861", f"the checkpoints in {folder} cannot be opened: {_first_line(error)}",
                              "begin anew with another `--out`") from error  # fmt: skip
            raise self._damaged(step) from error
        # A copy, since the step that follows reuses the memory of the state while it is still being written.
        self._copy = jax.jit(lambda tree: jax.tree.map(jnp.copy, tree))

    @property
    def last(self) -> int | None:
        """The step of the newest complete checkpoint."""
        step = self._manager.latest_step()
        return None if step is None else int(step)

    @property
    def best(self) -> int | None:
        """The step of the checkpoint with the best evaluation."""
        step = self._manager.best_step()
        return None if step is None else int(step)

    @property
    def steps(self) -> list[int]:
        """The steps of all complete checkpoints."""
        return sorted(int(step) for step in self._manager.all_steps())

    def save(self, state: TrainState, note: dict[str, Any], metrics: dict[str, float] | None = None) -> None:
        """Begin to save; the writing goes on in the background. **Errors**: E864."""
        step = int(note["step"])
        if step == self._manager.latest_step():
            return
        self._check_room(sum(leaf.nbytes for leaf in jax.tree.leaves(state)))
        items = ocp.args.Composite(state=ocp.args.StandardSave(self._copy(state)), note=ocp.args.JsonSave(note))
        self._guard(lambda: self._manager.save(step, args=items, metrics=metrics))

    def restore(self, step: int, like: TrainState) -> tuple[TrainState, dict[str, Any]]:
        """The train state, spread as `like` is, and the note. **Errors**: E861 where it does not fit or is damaged."""
        target = jax.tree.map(ocp.utils.to_shape_dtype_struct, like)
        items = ocp.args.Composite(state=ocp.args.StandardRestore(target), note=ocp.args.JsonRestore())
        try:
            found = self._manager.restore(step, args=items)
        except (*_DAMAGED, OSError) as error:
            if not self._whole(step):
                raise self._damaged(step) from error
            raise Problem("E861", f"the checkpoint of step {step} in {self.folder} has other arrays than this recipe asks for",
                          "leave `optimizer`, `accumulate` and `ema` as the run has them, or begin a new one with another `--out`",
                          field="optimizer") from error  # fmt: skip
        return found["state"], found["note"]

    def restore_plain(self, step: int) -> dict[str, Any]:
        """The train state as it was saved, on whatever devices, as numpy arrays. **Errors**: E861 where it is damaged."""
        try:
            return self._read(step)
        except (*_DAMAGED, OSError) as error:
            raise self._damaged(step) from error

    def _read(self, step: int) -> dict[str, Any]:
        item = self.folder.absolute() / str(step) / "state"
        with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as reader:
            about = reader.metadata(item).item_metadata
            if about is None:
                raise ValueError("what it holds cannot be read")
            wanted = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), about.tree)
            found: dict[str, Any] = reader.restore(item, args=ocp.args.PyTreeRestore(restore_args=wanted))
        return found

    def _found(self) -> list[int]:
        """The steps of all checkpoints by their folders, the newest first."""
        return sorted((int(p.name) for p in self.folder.glob("*") if p.name.isdecimal()), reverse=True)

    def _whole(self, step: int) -> bool:
        """Whether everything of a checkpoint can be read."""
        try:
            self._read(step)
        except (*_DAMAGED, OSError):
            return False
        return self._notes_whole(step)

    def _notes_whole(self, step: int) -> bool:
        folder = self.folder / str(step)
        try:
            for path in (folder / "note" / "metadata", folder / "metrics" / "metrics"):
                if path.exists():  # a checkpoint between two evaluations has no metrics
                    json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return True

    def _damaged(self, step: int) -> Problem:
        """The problem of a checkpoint that cannot be read, with the newest of the others that can."""
        other = next((s for s in self._found() if s != step and self._whole(s)), None)
        advice = "no other checkpoint is whole: begin anew with another `--out`"
        if other is not None:
            advice = (
                f"the checkpoint of step {other} is whole: remove the folder {self.folder / str(step)}, and it is taken"
            )
        return Problem("E861", f"the checkpoint of step {step} in {self.folder} is damaged", advice)

    def wait(self) -> None:
        """Wait until all is written. **Errors**: E864."""
        self._guard(self._manager.wait_until_finished)

    def close(self) -> None:
        self._manager.close()

    def _check_room(self, needed: int) -> None:
        """Told before anything is begun: a disk that fills up in the midst of writing is told by half of orbax."""
        free = shutil.disk_usage(self.folder).free
        if free < needed + MARGIN:
            raise no_room(
                OSError(
                    errno.ENOSPC,
                    f"a checkpoint needs {(needed + MARGIN) / 1e6:,.1f} MB, and {free / 1e6:,.1f} MB are left",
                ),
                self.folder,
            )

    def _guard(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except OSError as error:
            raise no_room(error, self.folder) from error
        except ValueError as error:  # tensorstore reports a full disk this way
            reason = next((code for code in _FULL if os.strerror(code) in str(error)), None)
            if reason is None and "RESOURCE_EXHAUSTED" not in str(error):
                raise
            raise no_room(OSError(reason or errno.ENOSPC, os.strerror(reason or errno.ENOSPC)), self.folder) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0][:200]


def no_room(error: OSError, folder: Path) -> Problem:
    """The problem of a file that cannot be written."""
    return Problem("E864", f"cannot write into {folder}: {error.strerror or error}",
                   "the checkpoints that are there are whole; make room, and go on with `--resume`")  # fmt: skip
