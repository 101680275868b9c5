"""Count every network of the catalogue and write its table: `python -m explorer.architectures.make_tables [name …]`."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path

from explorer.architectures.cards import card, cards
from explorer.architectures.counting import counted
from explorer.architectures.results import Totals
from explorer.architectures.tables import FOLDER, packed, path_of, totals_of, unpacked


def make(names: list[str]) -> None:
    """Count the named networks and write their tables, then the list of all sums anew.

    Args:
        names: Names of cards.

    Raises:
        KeyError: with a sentence, if the catalogue has no network of that name.
    """
    for name in names:
        began = time.perf_counter()
        path = path_of(name)
        data = packed(counted(card(name)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        print(f"{name:<24} {len(data):7,} bytes  {time.perf_counter() - began:5.1f} s", flush=True)
    write_totals()


def write_totals() -> None:
    """Write the sums of every table that lies in the folder, in the order of the cards."""
    rows = [_row(totals_of(unpacked(path_of(one.name).read_bytes()))) for one in cards() if path_of(one.name).exists()]
    (FOLDER / "totals.json").write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")


def _row(totals: Totals) -> str:
    return json.dumps(asdict(totals), ensure_ascii=False)


def strangers() -> list[Path]:
    """Return tables that lie in the folder without a card of their name."""
    known = {path_of(one.name) for one in cards()}
    return sorted(path for path in FOLDER.rglob("*.json.gz") if path not in known)


def main() -> None:
    """Write the tables that are named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="names of cards; none: all of them")
    given = parser.parse_args()
    make(given.names or [one.name for one in cards()])
    for path in strangers():
        print(f"No card is called {path.name}: remove it.")


if __name__ == "__main__":
    main()
