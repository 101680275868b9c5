"""Photographs that come with scikit-image and scikit-learn: there without internet, each with its credit.

The files are read where the two packages keep them. Their own loaders are not called: those of scikit-image
may reach for the internet, and importing either costs a second.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from explorer.pictures.intake import decode
from explorer.pictures.picture import Picture, PictureError

_FOLDERS = {"skimage": "data", "sklearn": "datasets/images"}


@dataclass(frozen=True)
class Sample:
    """One sample photograph.

    Attributes:
        name: Its name in a link.
        title: What it shows.
        credit: Who made it, and under which licence it is used.
        package: The package that carries it, "skimage" or "sklearn".
        file_name: Its file there.
        grey: Whether it is a grey picture.
    """

    name: str
    title: str
    credit: str
    package: str
    file_name: str
    grey: bool = False

    @property
    def path(self) -> Path | None:
        """Where the file is, or None when the package or the file is missing."""
        spec = importlib.util.find_spec(self.package)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            path = Path(place) / _FOLDERS[self.package] / self.file_name
            if path.is_file():
                return path
        return None


def _table(*rows: Sample) -> dict[str, Sample]:
    return {row.name: row for row in rows}


SAMPLES: dict[str, Sample] = _table(
    Sample("chelsea", "Chelsea, a cat", "Stéfan van der Walt, CC0", "skimage", "chelsea.png"),
    Sample("astronaut", "The astronaut Eileen Collins", "NASA, public domain", "skimage", "astronaut.png"),
    Sample("flower", "A flower", "vultilion on Flickr, CC BY 2.0", "sklearn", "flower.jpg"),
    Sample("china", "A temple in China", "danielbuechele on Flickr, CC BY 2.0", "sklearn", "china.jpg"),
    Sample("coffee", "A cup of coffee", "Rachel Michetti, CC0", "skimage", "coffee.png"),
    Sample("rocket", "A rocket taking off", "SpaceX, public domain", "skimage", "rocket.jpg"),
    Sample(
        "motorcycle",
        "A motorcycle in a shed",
        "D. Scharstein et al., Middlebury stereo benchmark 2014",
        "skimage",
        "motorcycle_left.png",
    ),
    Sample("camera", "A photographer, grey", "Lav Varshney, CC0", "skimage", "camera.png", grey=True),
    Sample("coins", "Greek coins, grey", "Brooklyn Museum, no known restrictions", "skimage", "coins.png", True),
    Sample("brick", "A brick wall, grey", "CC0Textures, CC0", "skimage", "brick.png", grey=True),
    Sample("grass", "Grass, grey", "linolafett on DeviantArt, CC0", "skimage", "grass.png", grey=True),
    Sample("gravel", "Gravel, grey", "CC0Textures, CC0", "skimage", "gravel.png", grey=True),
    Sample("page", "A printed page, grey", "scikit-image, BSD licence", "skimage", "page.png", grey=True),
    Sample("hubble", "The deep sky", "NASA and ESA, public domain", "skimage", "hubble_deep_field.jpg"),
    Sample("retina", "The back of an eye", "Mikael Häggström, CC0", "skimage", "retina.jpg"),
)


@lru_cache(maxsize=len(SAMPLES))
def sample(name: str) -> Picture:
    """Return the sample photograph of that name, at most `picture_side` pixels a side.

    Raises:
        PictureError: There is no sample of that name, or its file is not on this computer.
    """
    entry = SAMPLES.get(name)
    if entry is None:
        raise PictureError(f"There is no such sample photograph: choose one of {', '.join(SAMPLES)}.")
    path = entry.path
    if path is None:
        raise PictureError(f"The sample photograph “{entry.title}” is not on this computer: choose another picture.")
    return replace(decode(path.read_bytes()), source=f"sample:{name}", title=entry.title)
