"""What the lectures' examples of sequences and stacks must show, typed by hand: scene and preset → board → rows."""

from __future__ import annotations

Rows = list[list[float]]

EXPECTED: dict[tuple[str, str], dict[str, Rows]] = {
    ("one_dimension", "causal_1d"): {"input": [[10, 20, 30]], "output": [[20, 50, 80]]},
    # The wave 4 7 8 7 4 1 0 1: eight neighbours always add up to 32, so sixteen to 64.
    ("one_dimension", "dilated_1_2_4_8"): {
        "layer_1": [[4, 11, 15, 15, 11, 5, 1, 1, 5, 11, 15, 15, 11, 5, 1, 1]],
        "layer_3": [[4, 11, 19, 26, 30, 31, 31, 32, 32, 32, 32, 32, 32, 32, 32, 32]],
        "output": [[4, 11, 19, 26, 30, 31, 31, 32, 36, 43, 51, 58, 62, 63, 63, 64]],
    },
    # Four layers of 1 1 are one of 1 4 6 4 1.
    ("one_dimension", "four_undilated"): {
        "output": [[4, 23, 60, 97, 112, 98, 64, 30, 16, 30, 64, 98, 112, 98, 64, 30]],
    },
    ("one_dimension", "shrinking_1d"): {
        "layer_1": [[31, 27, 21, 17, 17, 21, 27, 31, 31, 27, 21]],
        "layer_2": [[134, 130, 134, 144, 154, 158]],
        "output": [[854]],
    },
    ("one_dimension", "same_1d"): {
        "layer_1": [[26, 30, 31, 27, 21, 17, 17, 21, 27, 31, 31, 27, 21, 13, 6, 2]],
    },
    ("one_dimension", "jump"): {"output": [[0, 0, 0, 5, 0, 0, 0, -4, 0, 0, 0]]},
    ("growing", "three_3x3"): {
        "layer_1": [[3] * 11],
        "layer_2": [[9] * 9],
        "output": [[27] * 7],
        "paths": [[0, 0, 0, 1, 3, 6, 7, 6, 3, 1, 0, 0, 0]],
    },
    ("growing", "one_7x7"): {"output": [[7] * 7], "paths": [[0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0]]},
    ("growing", "shrinking"): {
        "layer_1": [[6] * 11],
        "layer_2": [[36] * 6],
        "output": [[216]],
        "paths": [[1, 3, 6, 10, 15, 21, 25, 27, 27, 25, 21, 15, 10, 6, 3, 1]],
    },
    ("growing", "holding"): {"layer_1": [[4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 5, 4, 3]]},
    ("growing", "causal_dilations"): {"output": [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]]},
    ("photo", "identity"): {"kernel": [[0, 0, 0], [0, 1, 0], [0, 0, 0]]},
    ("photo", "edge_1"): {"kernel": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]},
    ("photo", "edge_2"): {"kernel": [[0, 1, 0], [1, -4, 1], [0, 1, 0]]},
    ("photo", "box_blur"): {"kernel": [[1 / 9] * 3] * 3},
    ("photo", "horizontal_difference"): {"kernel": [[-1, 1]]},
}
