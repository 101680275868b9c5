"""How a count stands in a sentence: "1 map", "3 maps", "1,024 maps"."""


def counted(count: int, things: str, thing: str | None = None) -> str:
    """Return a number and what it counts.

    Args:
        count: How many.
        things: The word for several.
        thing: The word for one; by default the other without its last letter.
    """
    return f"{count:,} {(thing or things.removesuffix('s')) if count == 1 else things}"
