"""What the examples of lectures and papers must show, typed by hand: scene and preset → board → rows of numbers."""

from __future__ import annotations

Rows = list[list[float]]

_CURVE_MATCH_PRODUCTS: Rows = [
    [0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 1500, 0, 0],
    [0, 0, 0, 600, 0, 0, 0],
    [0, 0, 0, 1500, 0, 0, 0],
    [0, 0, 0, 1500, 0, 0, 0],
    [0, 0, 0, 1500, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0],
]
_FOUR_STAMPS: Rows = [
    [1, 2, 5, 4, 6],
    [4, 5, 14, 10, 12],
    [10, 14, 36, 24, 30],
    [12, 15, 34, 20, 24],
    [21, 24, 55, 32, 36],
]
_FOUR_OVERLAPS: Rows = [
    [1, 1, 2, 1, 1],
    [1, 1, 2, 1, 1],
    [2, 2, 4, 2, 2],
    [1, 1, 2, 1, 1],
    [1, 1, 2, 1, 1],
]
_ODD: list[float] = [1, 1, 2, 1, 2, 1, 2, 1, 1]
_DOUBLE: list[float] = [2, 2, 4, 2, 4, 2, 4, 2, 2]
_CHECKERBOARD: Rows = [_ODD, _ODD, _DOUBLE, _ODD, _DOUBLE, _ODD, _DOUBLE, _ODD, _ODD]
_RIM: list[float] = [1, 1, 2, 2, 2, 2, 2, 2, 1, 1]
_MIDDLE: list[float] = [2, 2, 4, 4, 4, 4, 4, 4, 2, 2]
_SPOTS_POOLED: Rows = [[0, 0, 0, 0], [0, 8, 0, 0], [0, 0, 12, 0], [0, 4, 0, 0]]

EXPECTED: dict[tuple[str, str], dict[str, Rows]] = {
    ("convolution", "lecture_6x6"): {
        "output": [
            [32.5, -105.5, -44, -60.5],
            [-105.5, 104, 224, 213.5],
            [185.5, 217.5, 38.5, 52.5],
            [54, 31, -18, 36.5],
        ],
        "activated": [[32.5, 0, 0, 0], [0, 104, 224, 213.5], [185.5, 217.5, 38.5, 52.5], [54, 31, 0, 36.5]],
        "pooled": [[104, 224], [217.5, 52.5]],
    },
    ("convolution", "vertical_edge"): {"output": [[0, 30, 30, 0]] * 4},
    ("convolution", "curve_match"): {"output": [[6600]], "products": _CURVE_MATCH_PRODUCTS},
    ("convolution", "curve_no_match"): {"output": [[0]], "products": [[0] * 7] * 7},
    ("convolution", "stride_2"): {"output": [[91, 100, 88], [69, 91, 117], [44, 72, 74]]},
    ("convolution", "impulse"): {"output": [[9, 8, 7], [6, 5, 4], [3, 2, 1]]},
    ("convolution", "true_convolution"): {"output": [[1, 2, 3], [4, 5, 6], [7, 8, 9]]},
    ("channels", "two_parameter_edge"): {"output": [[0, 4, 0, -3, 0]] * 5},
    ("channels", "one_by_one"): {},
    ("channels", "depth_concat"): {},
    ("transposed", "stamps"): {"output": _FOUR_STAMPS, "overlap": _FOUR_OVERLAPS},
    ("transposed", "stamps_zeros"): {"output": _FOUR_STAMPS, "overlap": _FOUR_OVERLAPS},
    ("transposed", "checkerboard"): {"output": _CHECKERBOARD, "overlap": _CHECKERBOARD},
    ("transposed", "even_overlap"): {"output": [_RIM, _RIM, *[_MIDDLE] * 6, _RIM, _RIM]},
    ("transposed", "no_padding"): {"output": [[1, 4, 7, 6], [7, 23, 33, 24], [19, 53, 63, 42], [21, 52, 59, 36]]},
    ("transposed", "bilinear"): {
        "output": [
            [0, 2, 4, 6, 8],
            [2, 4, 6, 8, 10],
            [4, 6, 8, 10, 12],
            [6, 8, 10, 12, 14],
            [8, 10, 12, 14, 16],
        ]
    },
    ("pooling", "max_pooling"): {"output": [[9, 2], [6, 3]]},
    ("pooling", "average_pooling"): {"output": [[3.75, 1.25], [3.75, 2]]},
    ("pooling", "min_pooling"): {"output": [[1, 1], [1, 1]]},
    ("pooling", "l2_pooling"): {"output": [[5, 10], [2, 10]]},
    ("pooling", "same_average"): {"output": [[6, 6, 6]] * 3},
    ("pooling", "shift"): {"output": _SPOTS_POOLED, "output_shifted": _SPOTS_POOLED},
    ("pooling", "shift_unlucky"): {
        "output": _SPOTS_POOLED,
        "output_shifted": [[0, 0, 0, 0], [0, 0, 8, 0], [0, 0, 0, 12], [0, 0, 4, 0]],
    },
    ("pooling", "shift_global"): {"output": [[12]], "output_shifted": [[12]]},
}
