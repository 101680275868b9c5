"""SmoothGrad: the gradient's size, averaged over noisy copies of the picture."""

from __future__ import annotations

import numpy as np

from explorer.explanations.question import Answer, Question, strongest
from explorer.networks.work_context import Stopped


def maps(question: Question, *, samples: int, noise: float) -> Answer:
    """Return the mean over noisy copies of max over channels of |∂S/∂x| (Smilkov et al. 2017, section 2).

    The noise is Gaussian and drawn from the seed; copy k of picture i has the same noise whatever the batch.
    When the work is stopped between batches, the mean of the copies so far is returned and a note says so.

    Args:
        question: Pictures and target. Each picture's own predicted class is the clean picture's.
        samples: Noisy copies of each picture.
        noise: Standard deviation, as a share of the picture's range (its largest less its smallest value).

    Returns:
        Maps (n, height, width), nowhere negative.
    """
    random = np.random.default_rng(question.seed)
    indices = question.indices()
    total = question.count * samples
    found = np.zeros((question.count, *question.size), np.float32)
    notes: tuple[str, ...] = ()
    fill = question.rows(samples, gradients=True)
    for number, picture in enumerate(question.pictures):
        deviation = noise * float(picture.max() - picture.min())
        done = 0
        for start, stop in question.chunks(samples, gradients=True):
            if done and question.stopped():
                break
            rows = random.standard_normal((stop - start, *picture.shape), np.float32)
            rows *= np.float32(deviation)
            rows += picture
            index = np.full(len(rows), indices[number], np.int32)
            _, _, gradients = question.input_gradients(rows, index, fill)
            found[number] += strongest(gradients).sum(axis=0)
            done = stop
            question.report(number * samples + done, total, "noisy copies")
        found[number] /= done
        if done < samples:
            if question.count > 1:
                raise Stopped
            notes = (f"Stopped after {done} of {samples} noisy copies.",)
    return Answer(found, notes=notes)
