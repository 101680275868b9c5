"""Measure a bundled network again: `python -m explorer.networks.drawn.evaluate plain`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from explorer.networks.drawn.evaluation import ATTACKED_PICTURES, TEST_PICTURES, evaluate
from explorer.networks.drawn.recipe import RECIPES


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the figures, and update the bundled card if asked to."""
    parser = argparse.ArgumentParser(prog="python -m explorer.networks.drawn.evaluate", description=__doc__)
    parser.add_argument("kind", choices=sorted(RECIPES), help="which of the two networks")
    parser.add_argument("--weights", type=Path, help="another weights file")
    parser.add_argument("--pictures", type=int, default=TEST_PICTURES, help="size of each test set")
    parser.add_argument("--attacked", type=int, default=ATTACKED_PICTURES, help="pictures that are attacked")
    parser.add_argument("--update-card", action="store_true", help="write the figures into the bundled card")
    options = parser.parse_args(arguments)
    figures = evaluate(
        RECIPES[options.kind].name,
        options.weights,
        pictures=options.pictures,
        attacked=options.attacked,
        report=lambda line: print(line, file=sys.stderr, flush=True),
    )
    print(json.dumps(figures, indent=2))
    if options.update_card:
        from explorer.networks.drawn.model_card import update_figures

        update_figures(options.kind, figures)


if __name__ == "__main__":
    main()
