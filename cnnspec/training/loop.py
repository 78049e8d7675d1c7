"""The loop: batches through the step, with evaluation, checkpoints and records at their times."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cnnspec.diagnostics import Problem
from cnnspec.training.checkpoints import Checkpoints, no_room
from cnnspec.training.devices import Devices
from cnnspec.training.evaluation import Evaluation, Evaluator
from cnnspec.training.interrupts import Interrupts
from cnnspec.training.progress import Progress
from cnnspec.training.records import Records
from cnnspec.training.step import MEASURES, TrainState, weights_of

#: Seconds between looks at the measures: each look waits for the device, so not every step is worth one.
LOOK_EVERY = 0.5
#: The same in steps for several hosts, which must look at the same steps.
LOOK_EVERY_STEPS = 10
#: A loss this many times the one that the training began with is no use to anybody.
EXPLODED = 1e4


@dataclass
class Loop:
    """One training, from `state` to step `total`."""

    step: Callable[[TrainState, Any], tuple[TrainState, Array]]
    state: TrainState
    #: The state by the paths of the spec, as it is evaluated and saved.
    unstack: Callable[[TrainState], TrainState]
    batches: Any
    evaluator: Evaluator
    devices: Devices
    checkpoints: Checkpoints
    records: Records | None
    progress: Progress
    folder: Path
    total: int
    batch: int
    steps_per_epoch: float
    #: Steps between evaluations and between checkpoints, not always whole; 0: a checkpoint at every evaluation.
    evaluate_every: float
    checkpoint_every: float
    done: int = 0
    evaluation: Evaluation | None = None
    seconds: float = 0.0
    #: Signal that ended the run early.
    interrupted: int | None = None
    #: Training images that could not be read, by their index.
    unreadable: set[int] = field(default_factory=set)
    _waiting: list[Array] = field(default_factory=list)
    _looked: float = 0.0
    _first_loss: float | None = None
    _good: tuple[float, ...] = ()

    def run(self) -> None:
        """Train to the end, or to a signal. **Errors**: E860 (not finite), E864 (no room), and those of the data."""
        begun = self._looked = time.perf_counter()
        with Interrupts() as interrupts:
            try:
                self._steps(interrupts)
            except OSError as error:
                raise no_room(error, self.folder) from error
            finally:
                self.progress.close()
        self.seconds = time.perf_counter() - begun

    def close(self) -> None:
        """Let go of what makes batches, of the record, and of the checkpoints."""
        self.batches.close()
        if self.records is not None:
            self.records.close()
        self.checkpoints.close()

    def _steps(self, interrupts: Interrupts) -> None:
        while self.done < self.total:
            batch = next(self.batches)
            self.unreadable.update(map(int, batch.pop("unreadable", ())))
            self.state, measures = self.step(self.state, self.devices.place_batch(batch))
            self._waiting.append(measures)
            self.done += 1
            last = self.done == self.total
            evaluate = last or _passes(self.done, self.evaluate_every)
            save = last or (_passes(self.done, self.checkpoint_every) if self.checkpoint_every else evaluate)
            self.interrupted = self._stopped(interrupts)
            if evaluate or save or self.interrupted is not None or self._due():
                self._look()
            metrics = self._evaluate() if evaluate else None
            if save or self.interrupted is not None:
                self._save(metrics)
            if self.interrupted is not None:
                break
        self.checkpoints.wait()

    def _due(self) -> bool:
        if jax.process_count() > 1:
            return self.done % LOOK_EVERY_STEPS == 0
        return time.perf_counter() - self._looked >= LOOK_EVERY

    def _stopped(self, interrupts: Interrupts) -> int | None:
        """The signal that any host has received."""
        if jax.process_count() == 1:
            return interrupts.received
        if self.done % LOOK_EVERY_STEPS:
            return None
        from jax.experimental import multihost_utils

        found = multihost_utils.process_allgather(np.asarray(interrupts.received or 0, np.int32))
        return int(found.max()) or None

    def _look(self) -> None:
        """Fetch the measures of the steps since the last look, record and show them."""
        if not self._waiting:
            return
        rows = np.stack([np.asarray(m) for m in self._waiting])
        if self._first_loss is None:
            self._first_loss = float(rows[0, 0])
        exploded = rows[:, 0] > EXPLODED * max(self._first_loss, 1.0)
        if not np.isfinite(rows).all() or exploded.any():
            raise self._diverged(rows, int(np.argmax(~np.isfinite(rows).all(axis=1) | exploded)))
        count, self._waiting = len(rows), []
        now = time.perf_counter()
        rate = count * self.batch / max(now - self._looked, 1e-9)
        self._looked = now
        self._good = tuple(float(v) for v in rows[-1])
        means = dict(zip(MEASURES, (float(v) for v in rows.mean(0)), strict=True))
        means["learning_rate"] = float(rows[-1, -1])
        if self.records is not None:
            self.records.write(
                "train", self.done, self.done / self.steps_per_epoch, {**means, "images_per_second": rate}
            )
        self.progress.update(self.done, means["loss"], means["accuracy"], rate)

    def _evaluate(self) -> dict[str, float]:
        found = self.evaluation = self.evaluator(*weights_of(self.unstack(self.state)))
        metrics = found.summary()
        if self.records is not None:
            self.records.write("evaluation", self.done, self.done / self.steps_per_epoch, metrics, found.details())
        self.progress.say(
            f"epoch {self.done / self.steps_per_epoch:.1f}  evaluation of {found.images} images: "
            f"loss {found.loss:.4f}  top-1 {found.top1:.2%}  top-5 {found.top5:.2%}"
        )
        self._looked = time.perf_counter()  # the time of an evaluation is not a step's
        return {name: metrics[name] for name in ("top1", "loss")}

    def _save(self, metrics: dict[str, float] | None) -> None:
        state = self.unstack(self.state)
        if not all_finite(state):  # a finite loss says nothing about the update that followed it
            raise Problem("E860", f"the training diverged: after step {self.done} {_broken(state)}",
                          f"{_LOWER}; {self._kept()}", field="optimizer.learning_rate")  # fmt: skip
        self.checkpoints.save(state, {"step": self.done, "batches": self.batches.get_state()}, metrics)

    def _diverged(self, rows: Any, first: int) -> Problem:
        """What is known about a loss that is no longer finite, or far too large, from row `first` on."""
        step = self.done - len(rows) + first + 1
        before = tuple(float(v) for v in rows[first - 1]) if first else self._good
        loss, _, norm, rate = (float(v) for v in rows[first])
        story = (
            f"at step {step} the loss is {loss:g} and the gradient's norm {norm:g}, with a learning rate of {rate:g}"
        )
        if before:
            story += f"; one step earlier they were {before[0]:.4g} and {before[2]:.4g}"
        state = self.unstack(self.state)
        if not all_finite(state["params"]):
            story += f"; {_broken(state['params'])}"
        advice = _LOWER
        if math.isfinite(loss) or (before and before[2] > 1e3):
            advice = "the gradient explodes: bound it with `clip: 1.0`, or lower `optimizer.learning_rate`"
        return Problem(
            "E860", f"the training diverged: {story}", f"{advice}; {self._kept()}", field="optimizer.learning_rate"
        )

    def _kept(self) -> str:
        self.checkpoints.wait()
        last = self.checkpoints.last
        if last is None:
            return "there is no checkpoint yet"
        return f"the checkpoint of step {last} in {self.checkpoints.folder} is good"


_LOWER = "lower `optimizer.learning_rate`, lengthen `schedule.warmup`, or bound the gradient with `clip: 1.0`"


def all_finite(tree: Any) -> bool:
    """Whether every number of a tree is finite."""
    return bool(_all_finite([leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.floating)]))


def _finite(leaves: list[Array]) -> Array:
    return jnp.asarray([jnp.isfinite(leaf).all() for leaf in leaves]).all()


_all_finite = jax.jit(_finite)


def _broken(tree: Any) -> str:
    """Which arrays of a tree are not finite, in words."""
    leaves = [
        (jax.tree_util.keystr(path, simple=True, separator=" "), leaf) for path, leaf in jax.tree.leaves_with_path(tree)
    ]
    broken = [path for path, leaf in leaves if not np.isfinite(np.asarray(leaf)).all()]
    return f"{len(broken)} of {len(leaves)} arrays are not finite, `{broken[0]}` the first"


def _passes(step: int, every: float) -> bool:
    """Whether a multiple of `every` lies in the step that ends at `step`."""
    return math.floor(step / every + 1e-9) > math.floor((step - 1) / every + 1e-9)
