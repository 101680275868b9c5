"""What a task has in its hands while it trains: reports, previews, the stop, wishes of the page, the model."""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from explorer.networks.work_context import SentenceError, Stopped
from explorer.runs.folder import HEARD, HEARTBEAT, METRICS, MODEL, PREVIEWS, STOP, WISHES, move, read_wishes
from explorer.runs.metrics import MetricsWriter
from explorer.runs.precision import keep_in_full
from explorer.runs.record import Config, Progress
from explorer.runs.trained import TrainedModel, file_of, write_model

if TYPE_CHECKING:  # not every task needs them, and a run that starts at once feels better
    import numpy as np
    from PIL import Image

NOT_A_NUMBER = "The loss is not a number any more: take a smaller learning rate."

LOOK_SECONDS = 0.05
RATE_SECONDS = 10.0

Made = TypeVar("Made")


class Saves(Protocol):
    """What can be saved: a Keras model."""

    def save(self, path: str) -> Any:
        """Save to a file."""


class RunContext:
    """The argument of every task.

    Attributes:
        folder: the run's; a task may write further files into it.
        config: what was asked for.
        progress: how far it is; the status file follows within half a second.
        device: what it computes on, as a visitor reads it.
    """

    def __init__(self, folder: Path, config: Config, device: str = "") -> None:
        self.folder = folder
        self.config = config
        self.progress = Progress()
        self.device = device
        self._metrics = MetricsWriter(folder / METRICS)
        self._began = time.monotonic()
        self._done: deque[tuple[float, float]] = deque()
        self._pictures = 0
        self._previews = 0
        self._stopped = False
        self._looked = -LOOK_SECONDS
        self._wishes: dict[str, Any] = {}
        self._wishes_time = 0

    def plan(self, epochs: int | None = None, steps: int | None = None, pictures: int = 0) -> None:
        """Say what there is to do, so that rate and time left can be told.

        Args:
            epochs: how many.
            steps: steps of an epoch.
            pictures: pictures of a step; 0 if it is not pictures that are counted.
        """
        self._pictures = pictures
        self._done.clear()
        unit = "pictures" if pictures else "steps"
        # Nothing is said of the part before.
        begun: dict[str, Any] = {"epoch": None, "step": None, "rate": None, "seconds_left": None}
        self.progress = self.progress.model_copy(update={**begun, "epochs": epochs, "steps": steps, "unit": unit})

    def say(self, message: str) -> None:
        """Say in a few words what is happening, for example "loading the data"."""
        self.progress = self.progress.model_copy(update={"message": message})

    def part(self, number: int, of: int) -> None:
        """Say that a part of the run begins, so that the time left can be told of the whole.

        Args:
            number: from 1.
            of: how many there will be.
        """
        self.progress = self.progress.model_copy(update={"part": number, "parts": of, "part_done": 0.0})

    def report(self, epoch: int | None = None, step: int | None = None, **metrics: Any) -> None:
        """Write a row of metrics and tell how far the run is; cheap enough for every batch.

        Args:
            epoch: the epoch it is in, from 1.
            step: steps done in this epoch; None at an epoch's end.
            metrics: numbers by name; "loss" ends the run once it is not a finite number.

        Raises:
            SentenceError: if the loss is not finite.
            OSError: if the disk is full.
        """
        now = time.monotonic()
        row: dict[str, Any] = {"seconds": round(now - self._began, 4)}
        row |= {name: value for name, value in (("epoch", epoch), ("step", step)) if value is not None}
        self._metrics.write({**row, **metrics})
        self.move_on(epoch, step)
        if "loss" in metrics and not math.isfinite(float(metrics["loss"])):
            raise SentenceError(NOT_A_NUMBER)

    def move_on(self, epoch: int | None = None, step: int | None = None) -> None:
        """Tell how far the run is, without a row of metrics; see `report`."""
        now = time.monotonic()
        before = self.progress
        steps = before.steps
        at_epoch = epoch if epoch is not None else before.epoch
        at_step = step if step is not None else (steps if epoch is not None else before.step)
        changes: dict[str, Any] = {"epoch": at_epoch, "step": at_step}
        done, total = self._steps_done(at_epoch, at_step, steps), self._steps_done(before.epochs, steps, steps)
        if done is not None and total:
            changes["part_done"] = max(before.part_done, min(1.0, done / total))
        if done is not None and (not self._done or done > self._done[-1][1]):
            self._done.append((now, done))
            while len(self._done) > 2 and now - self._done[0][0] > RATE_SECONDS:
                self._done.popleft()
            (first, done_first), (last, done_last) = self._done[0], self._done[-1]
            if last > first:
                rate = (done_last - done_first) / (last - first)
                changes["rate"] = rate * (self._pictures or 1)
                changes["seconds_left"] = max(0.0, total - done) / rate if total is not None else None
        self.progress = before.model_copy(update=changes)

    @staticmethod
    def _steps_done(epoch: int | None, step: int | None, steps: int | None) -> float | None:
        """Return all steps done; epochs are steps where nobody counts within them."""
        if epoch is None:
            return None if step is None else float(step)
        if steps is None:
            return float(epoch)
        return float((epoch - 1) * steps + (step or 0))

    def preview(self, picture: np.ndarray | Image.Image, number: int | None = None) -> Path:
        """Save a picture of what the network can do by now.

        Args:
            picture: Pillow's, or an array (h, w), (h, w, 1), (h, w, 3) or (h, w, 4); floats count from 0 to 1.
            number: its number, for example the epoch; None: the next.

        Returns:
            Its file.
        """
        self._previews = self._previews + 1 if number is None else number
        image = _as_image(picture)
        path = self.folder / PREVIEWS / f"{self._previews:04d}.png"
        temporary = path.with_name(f".{path.name}")
        image.save(temporary, format="PNG")
        move(temporary, path)
        return path

    def stopped(self) -> bool:
        """Tell whether the run shall stop; look between batches, then save and return.

        From the first time this says so there is a while for saving; whoever never looks is ended after a second.
        """
        now = time.monotonic()
        if not self._stopped and now - self._looked >= LOOK_SECONDS:
            self._looked = now
            if (self.folder / STOP).exists():
                self._stopped = True
                with contextlib.suppress(OSError):
                    (self.folder / HEARD).touch()
        return self._stopped

    def raise_if_stopped(self) -> None:
        """End the task here if the run shall stop.

        Raises:
            Stopped: when `stopped()` is true.
        """
        if self.stopped():
            raise Stopped

    def wait_for(self, work: Callable[[], Made]) -> Made:
        """Return the result of work that cannot be looked into, and look for a stop meanwhile.

        Args:
            work: a library's call that takes long; no training, since it goes on for a while after a stop.

        Raises:
            Stopped: if the run shall stop.
        """
        found: list[Made] = []
        errors: list[BaseException] = []

        def do() -> None:
            try:
                found.append(work())
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=do, name="work", daemon=True)
        thread.start()
        while thread.is_alive():
            self.raise_if_stopped()
            thread.join(0.1)
        if errors:
            raise errors[0]
        return found[0]

    @property
    def heard(self) -> bool:
        """Whether the task knows that it shall stop."""
        return self._stopped

    def wishes(self) -> dict[str, Any]:
        """Return what the page asks of this run by now; plain data that is to be checked like any input."""
        try:
            changed = (self.folder / WISHES).stat().st_mtime_ns
        except OSError:
            return self._wishes
        if changed != self._wishes_time:
            self._wishes_time, self._wishes = changed, read_wishes(self.folder)
        return self._wishes

    def learning_rate(self, otherwise: float | None = None) -> float | None:
        """Return the learning rate that the page asks for by now.

        Args:
            otherwise: what holds while the page asks for none that makes sense.
        """
        wished = self.wishes().get("learning_rate")
        if isinstance(wished, int | float) and not isinstance(wished, bool) and 0 <= wished < math.inf:
            return float(wished)
        return otherwise

    def save_model(self, model: Saves, name: str = MODEL) -> Path:
        """Save a model: a reader finds the old file or the new one, never half of it.

        One that has computed in 16 bits computes in 32 from now on.

        Args:
            model: Keras'.
            name: of the file; its ending tells Keras the format.
        """
        path = self.folder / name
        temporary = path.with_name(f"part-{name}")
        keep_in_full(model)
        try:
            model.save(str(temporary))
            with open(temporary, "rb+") as stream:
                os.fsync(stream.fileno())
            move(temporary, path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        return path

    def describe_model(
        self,
        *,
        classes: Sequence[str],
        input_size: tuple[int, int],
        channels: int = 3,
        title: str = "",
        variant: str = "",
        preprocessing: str = "zero_one",
        parameters: int = 0,
        needs: Sequence[str] = (),
    ) -> None:
        """Say what a saved model is, so that the other pages can open it; its outputs must be logits.

        Call it once for each model, before or after `save_model(model, file_of(variant))`.

        Args:
            classes: names of the outputs, in order.
            input_size: (height, width).
            channels: 1 or 3.
            title: what tells it from the run's other models, for example "fine-tuned"; "" for the only one.
            variant: the same in small letters, digits, "-" and "_"; "" for the model in `model.keras`.
            preprocessing: how pixels become input, see `explorer.networks.preprocessing.prepare`.
            parameters: number of weights.
            needs: modules of this project with the layers that the model is made of, registered with Keras.

        Raises:
            ValueError: if other pages could not open such a model.
            OSError: if the disk is full.
        """
        described = TrainedModel.model_validate(
            {
                "variant": variant,
                "file": file_of(variant),
                "title": title,
                "classes": tuple(classes),
                "input_size": tuple(input_size),
                "channels": channels,
                "preprocessing": preprocessing,
                "parameters": parameters,
            }
        )
        write_model(self.folder, described, needs)

    def beat(self) -> None:
        """Leave a sign of life for other machines."""
        with contextlib.suppress(OSError):
            path = self.folder / HEARTBEAT
            path.touch()
            os.utime(path)

    def close(self) -> None:
        """Close what is open."""
        self._metrics.close()


def _as_image(picture: np.ndarray | Image.Image) -> Image.Image:
    import numpy as np
    from PIL import Image

    if isinstance(picture, Image.Image):
        return picture
    array = np.asarray(picture)
    if array.dtype.kind == "f":
        array = np.rint(np.clip(np.nan_to_num(array), 0.0, 1.0) * 255.0)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise ValueError(f"an array of shape {array.shape} is no picture")
    return Image.fromarray(array.astype(np.uint8))
