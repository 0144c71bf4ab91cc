"""The shape of the script network, which is trained as one thing and written down as another."""

from __future__ import annotations

LAYERS = (
    (16, (3, 3), (2, 2)),
    (32, (3, 3), (2, 2)),
    (64, (3, 3), (1, 1)),
    (96, (3, 3), (2, 2)),
    (96, (3, 3), (2, 1)),
    (96, (2, 3), (1, 1)),
)
"""(channels, kernel, stride) of each convolution; the height falls from 32 over 16, 8, 8, 4 and 2 to 1, the width to an
eighth. 0.2 million weights."""

FLOOR = 1e-3
"""Added to a line's variance before it is divided by it: the grain of a blank area stays faint."""


def padding(kernel: tuple[int, int]) -> tuple[int, int]:
    """Zeros on each side: an odd kernel keeps the size, an even one does not."""
    return (kernel[0] // 2 if kernel[0] % 2 else 0, kernel[1] // 2)
