"""The PyTorch libraries' maps, in a process of their own: Keras has one backend for each process.

    python -m tests.benchmarks.peers.torch_side QUESTION.npz ANSWER.npz

The question is what `ask` writes; the answer holds an array for each "library/method".
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.peers.case import Case

_FIELDS = ("pictures", "classes", "layer", "absent", "window", "stride")


def ask(case: Case, methods: Collection[str]) -> dict[str, tuple[np.ndarray, bool, str]]:
    """Return "library/method" → (raw map, whether it is the same definition, convention) for the same weights."""
    with tempfile.TemporaryDirectory() as folder:
        question, answer = Path(folder, "question.npz"), Path(folder, "answer.npz")
        values: dict[str, Any] = {name: getattr(case, name) for name in _FIELDS}
        values |= {f"weight_{i:04}": np.asarray(value) for i, value in enumerate(case.model.get_weights())}
        values |= {f"samples_{name}": count for name, count in case.samples.items()}
        np.savez(question, name=case.name, methods=list(methods), **values)
        environment = {**os.environ, "KERAS_BACKEND": "torch"}
        command = [sys.executable, "-m", "tests.benchmarks.peers.torch_side", str(question), str(answer)]
        done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        with np.load(answer) as found:
            return {
                name: (found[name], bool(found[f"{name}/same"]), str(found[f"{name}/note"]))
                for name in found.files
                if name.count("/") == 1
            }


def main() -> None:
    """Answer one question."""
    # Keras chooses its backend when it is imported, so what imports it comes after the environment is known.
    from explorer.networks.tap import model_of
    from tests.benchmarks.peers import captum, pytorch_grad_cam
    from tests.benchmarks.peers.networks import build

    with np.load(sys.argv[1]) as question:
        values = {name: question[name] for name in question.files}
    weights = [values[name] for name in sorted(values) if name.startswith("weight_")]
    model = model_of(build(str(values["name"]), weights))
    case = Case(
        name=str(values["name"]),
        model=model,
        pictures=values["pictures"],
        classes=values["classes"],
        layer=str(values["layer"]),
        absent=float(values["absent"]),
        window=int(values["window"]),
        stride=int(values["stride"]),
        samples={name[8:]: int(values[name]) for name in values if name.startswith("samples_")},
    )
    answers: dict[str, Any] = {}
    for library in (captum, pytorch_grad_cam):
        for method, way in library.ways(case).items():
            if method not in values["methods"]:
                continue
            name = f"{library.__name__.split('.')[-1]}/{method}"
            answers |= {name: way.raw(), f"{name}/same": way.same, f"{name}/note": way.note}
    np.savez(sys.argv[2], **answers)


if __name__ == "__main__":
    main()
