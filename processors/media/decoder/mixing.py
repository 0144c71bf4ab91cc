"""Two channels into one without losing what only their difference holds.

The mean of two channels of which one is the other upside down is silence, although listeners with headphones hear all
of it; and music on both must not hide a voice that is upside down on one. So each frequency is taken from the sum of
the channels or from their difference, whichever has it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CANCELLED = 4.0
"""Times that the difference of the channels has more energy than their sum, from which on it is taken in its stead.
Recordings in stereo have most of theirs in the sum, what is on one side alone has as much in both."""

_FAINT = 1 / 64
"""Of the energy of the sum: a difference with less (18 dB) is not understood beside it."""

_WINDOW = 512
"""Samples of 16 kHz in which frequencies are told apart: 32 ms, as for speech."""
_HOP = _WINDOW // 2


def mono(stereo: NDArray[np.int16]) -> NDArray[np.int16]:
    """int16 [n] of int16 [n, 2]: their mean, and half of their difference where the mean cancels them."""
    left, right = stereo[:, 0].astype(np.int32), stereo[:, 1].astype(np.int32)
    both, apart = left + right, left - right
    if _energy(apart) <= _FAINT * _energy(both):
        return (both >> 1).astype(np.int16)
    if _energy(both) <= _FAINT * _energy(apart):
        return (apart >> 1).astype(np.int16)
    return np.rint(_by_frequency(both, apart) / 2).clip(-32_768, 32_767).astype(np.int16)


def _by_frequency(both: NDArray[np.int32], apart: NDArray[np.int32]) -> NDArray[np.float64]:
    """[n]: of each frequency at each time the one that has it (overlap-add of halves of a Hann window's root)."""
    count = len(both)
    window = np.sqrt(np.hanning(_WINDOW + 1)[:-1])  # its squares, half a window apart, add up to 1
    spectra = [np.fft.rfft(_frames(part) * window) for part in (both, apart)]
    energies = [np.square(np.abs(spectrum)) for spectrum in spectra]
    chosen = np.where(energies[1] > _CANCELLED * energies[0], spectra[1], spectra[0])
    frames = np.fft.irfft(chosen, _WINDOW) * window
    mixed = np.zeros((len(frames) + 1, _HOP))
    mixed[:-1] += frames[:, :_HOP]
    mixed[1:] += frames[:, _HOP:]
    return mixed.reshape(-1)[_HOP : _HOP + count]


def _frames(samples: NDArray[np.int32]) -> NDArray[np.float64]:
    """[frames, `_WINDOW`], half of each the next one's, so that each sample is in two."""
    padded = np.zeros((-(-len(samples) // _HOP) + 2) * _HOP)
    padded[_HOP : _HOP + len(samples)] = samples
    return np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]


def _energy(samples: NDArray[np.int32]) -> float:
    return float(np.square(samples, dtype=np.float64).sum())
