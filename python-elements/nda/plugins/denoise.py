# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Denoise: takes steady noise away, and leaves speech.

    gst-launch-1.0 ndasrc ! ndapybridge plugin=denoise \
        parameters=strength=1.5,floor=-20 ! ndasink

All may change while the stream runs. Read with `get-parameter`: `noise`, the
estimate's level in dBFS (all frequencies and channels together).

The latency is 512 frames, 10.67 ms. With a `strength` of 1 some 20 dB can be
taken away, with 2 some 27.

How it works
    Every 512 frames, the last 1024 go through a window (the root of a Hann
    window) and a Fourier transform. Each frequency gets a gain; they are
    transformed back, windowed again, and overlapped by half. With all gains
    at 1, what comes out is what went in.

    The noise of each frequency is estimated from the probability that there
    is speech (Gerkmann and Hendriks 2012): power that is probably noise moves
    the estimate, with a time constant of 50 ms; power that is probably speech
    does not, though never entirely, so that louder noise is learnt within two
    seconds. The gain is Wiener's, of a signal-to-noise ratio that is mostly
    that of the block before, as it came out ("decision-directed", Ephraim and
    Malah 1984): that is what keeps single frequencies from flickering.

    All channels share the gains, so that the stereo image stays in its place.
    Two channels go through one complex transform, as its real and its
    imaginary part.
"""

from __future__ import annotations

import math

import numpy as np

from nda import Bool, Float, Processor
from _nda_levels import factor_of, level_of
from _nda_fft import Fft

DISPLAY_NAME = "Denoise"
HOP_FRAMES = 512
FFT_FRAMES = 2 * HOP_FRAMES
# Frequencies from 0 to half the sample rate
N_BINS = HOP_FRAMES + 1
# The power of a window's samples, by which noise grows in the transform
WINDOW_POWER = FFT_FRAMES / 2

# The least power that is taken for noise: -140 dBFS in each bin
LEAST_POWER = 1e-14 * WINDOW_POWER
# How much louder than noise speech is taken to be, in deciding which it is
SPEECH_RATIO = 10 ** (15 / 10)
# Time constants, in hops: of the estimate, and of "speech all the time"
NOISE_MEMORY = 0.8
SPEECH_MEMORY = 0.9
# Speech is never quite certain for longer than that.
MOST_SPEECH = 0.99
LEAST_RATIO = 10 ** (-25 / 10)
# 94 Hz. Below it a hop is too short to tell noise from speech, of which there
# is hardly any.
LOWEST_BIN = 2


class Noise:
    """The power of the noise in each bin, as estimated."""

    def __init__(self) -> None:
        self.power = np.full(N_BINS, LEAST_POWER, dtype=np.float32)
        self._has_begun = False
        self._speech = np.zeros(N_BINS, dtype=np.float32)
        self._past_speech = np.zeros(N_BINS, dtype=np.float32)
        self._change = np.zeros(N_BINS, dtype=np.float32)
        self._is_stuck = np.zeros(N_BINS, dtype=bool)

    def learn(self, power: np.ndarray) -> None:
        """Take the power of each bin into account, float32, (N_BINS,)."""
        if not self._has_begun:
            self._begin(power)
            return
        self._find_speech(power)
        # (1 - speech) of the way from the estimate to what there is now,
        # and of that what the estimate's memory leaves
        change, speech = self._change, self._speech
        np.subtract(power, self.power, out=change)
        np.subtract(1.0, speech, out=speech)
        np.multiply(change, speech, out=change)
        np.multiply(change, 1 - NOISE_MEMORY, out=change)
        np.add(self.power, change, out=self.power)
        np.maximum(self.power, LEAST_POWER, out=self.power)

    def _begin(self, power: np.ndarray) -> None:
        """Take the first sound for noise; if it is not, that is forgotten
        within some hops."""
        np.maximum(power, LEAST_POWER, out=self.power)
        self._has_begun = bool(np.add.reduce(power) > N_BINS * LEAST_POWER)

    def _find_speech(self, power: np.ndarray) -> None:
        """Find the probability of speech in each bin."""
        speech, past = self._speech, self._past_speech
        np.divide(power, self.power, out=speech)
        np.multiply(speech, -SPEECH_RATIO / (1 + SPEECH_RATIO), out=speech)
        np.exp(speech, out=speech)
        np.multiply(speech, 1 + SPEECH_RATIO, out=speech)
        np.add(speech, 1.0, out=speech)
        np.reciprocal(speech, out=speech)
        np.multiply(past, SPEECH_MEMORY, out=past)
        np.multiply(speech, 1 - SPEECH_MEMORY, out=self._change)
        np.add(past, self._change, out=past)
        np.greater(past, MOST_SPEECH, out=self._is_stuck)
        np.minimum(speech, MOST_SPEECH, out=self._change)
        np.copyto(speech, self._change, where=self._is_stuck)


class Gains:
    """The gain of each bin, and what it depends on."""

    def __init__(self) -> None:
        self.gain = np.ones(N_BINS, dtype=np.float32)
        self._lowest = self.gain[:LOWEST_BIN]
        # Of the last hop, after its gains
        self._clean = np.zeros(N_BINS, dtype=np.float32)
        self._noise = np.zeros(N_BINS, dtype=np.float32)
        self._ratio = np.zeros(N_BINS, dtype=np.float32)

    def find(
        self,
        power: np.ndarray,
        noise: np.ndarray,
        strength: float,
        smoothing: float,
        floor: float,
    ) -> None:
        """Find the gains for the power of each bin, float32, (N_BINS,)."""
        gain, ratio, clean = self.gain, self._ratio, self._clean
        np.multiply(noise, strength, out=self._noise)
        np.maximum(self._noise, LEAST_POWER * 1e-3, out=self._noise)
        # Signal to noise as it was...
        np.divide(clean, self._noise, out=ratio)
        np.multiply(ratio, smoothing, out=ratio)
        # ...and as it seems to be now
        np.divide(power, self._noise, out=gain)
        np.subtract(gain, 1.0, out=gain)
        np.maximum(gain, 0.0, out=gain)
        np.multiply(gain, 1 - smoothing, out=gain)
        np.add(ratio, gain, out=ratio)
        np.maximum(ratio, LEAST_RATIO, out=ratio)
        # Wiener: ratio / (1 + ratio)
        np.add(ratio, 1.0, out=gain)
        np.divide(ratio, gain, out=gain)
        np.multiply(gain, gain, out=clean)
        np.multiply(clean, power, out=clean)
        np.maximum(gain, floor, out=gain)
        self._lowest.fill(gain[LOWEST_BIN])


class Pair:
    """One or two channels on their way through one complex transform."""

    def __init__(self, channels: int) -> None:
        self._data = np.zeros(FFT_FRAMES, dtype=np.complex64)
        self._fft = Fft(self._data)
        window = np.sin(np.pi * np.arange(FFT_FRAMES) / FFT_FRAMES)
        self._rise = window[:HOP_FRAMES].astype(np.float32)
        self._fall = window[HOP_FRAMES:].astype(np.float32)
        # Back, the window also undoes the factor of the transform.
        self._rise_back = self._rise / np.float32(FFT_FRAMES)
        self._fall_back = self._fall / np.float32(FFT_FRAMES)
        self._past = np.zeros((channels, HOP_FRAMES), dtype=np.float32)
        self._rest = np.zeros((channels, HOP_FRAMES), dtype=np.float32)
        self._part = np.zeros(HOP_FRAMES, dtype=np.float32)
        # Views, made once: the data of each channel, first and second half
        planes = (self._data.real, self._data.imag)[:channels]
        self._first = [plane[:HOP_FRAMES] for plane in planes]
        self._second = [plane[HOP_FRAMES:] for plane in planes]
        # The data by frequency: up to half the sample rate, and the negative
        # frequencies that mirror those between; real and imaginary apart,
        # since NumPy allocates a buffer to multiply them by real gains
        bins, mirrored = self._data[:N_BINS], self._data[:HOP_FRAMES:-1]
        self._bins = bins.real, bins.imag
        self._mirrored = mirrored.real, mirrored.imag
        self._square = np.zeros(N_BINS, dtype=np.float32)

    def analyse(self, block: np.ndarray) -> None:
        """Take the next hop, float32 of shape (channels, HOP_FRAMES)."""
        self._data.fill(0)
        for index, channel in enumerate(block):
            past = self._past[index]
            np.multiply(past, self._rise, out=self._first[index])
            np.multiply(channel, self._fall, out=self._second[index])
            np.copyto(past, channel)
        self._fft.forward()

    def add_power(self, power: np.ndarray) -> None:
        """Add the power in each bin, of all channels, to `power`.

        The real and the imaginary part of the input are mixed in the bins,
        but what a bin and its mirror hold together is what both have.
        """
        square = self._square
        for part in self._bins:
            np.multiply(part, part, out=square)
            np.add(power, square, out=power)
        square, power = square[1:HOP_FRAMES], power[1:HOP_FRAMES]
        for part in self._mirrored:
            np.multiply(part, part, out=square)
            np.add(power, square, out=power)

    def apply(self, gain: np.ndarray) -> None:
        """Multiply each bin by its gain."""
        for part in self._bins:
            np.multiply(part, gain, out=part)
        for part in self._mirrored:
            np.multiply(part, gain[1:HOP_FRAMES], out=part)

    def synthesise(self, block: np.ndarray) -> None:
        """Write the hop that is complete now into `block`."""
        self._fft.backward()
        for index, channel in enumerate(block):
            rest = self._rest[index]
            np.multiply(self._first[index], self._rise_back, out=self._part)
            np.add(rest, self._part, out=channel)
            np.multiply(self._second[index], self._fall_back, out=rest)


class Denoise(Processor):
    """Takes steady noise away from speech

    Each frequency is lowered by how much of it is noise. A block makes no
    arrays.
    """

    frames = latency = HOP_FRAMES
    strength = Float(1, 0, 4, help="how much louder noise is taken to be")
    floor = Float(-18, -60, 0, unit="dB", help="the most that is taken away")
    smoothing = Float(0.96, 0.5, 0.99, help="how slowly the gains follow")
    adapt = Bool(True, help="whether the noise is learnt further")

    def start(self) -> None:
        self._pairs = [
            Pair(min(2, self.channels - first))
            for first in range(0, self.channels, 2)
        ]
        self._power = np.zeros(N_BINS, dtype=np.float32)
        self._noise = Noise()
        self._gains = Gains()

    @property
    def noise(self) -> float:
        """The level of the noise as estimated, in dBFS."""
        power = float(np.mean(self._noise.power)) / WINDOW_POWER
        return round(level_of(math.sqrt(power)), 2)

    def process(self, block: np.ndarray) -> None:
        power = self._power
        power.fill(0)
        for index, pair in enumerate(self._pairs):
            pair.analyse(block[2 * index : 2 * index + 2])
            pair.add_power(power)
        # Half of it is the mirror's; the rest is a mean of the channels. The
        # first and the last bin have no mirror, which cancels out in ratios.
        np.multiply(power, 0.5 / self.channels, out=power)
        # A NaN is heard where it was, but must not be learnt.
        if math.isfinite(np.add.reduce(power)):
            self._find_gains()
        for index, pair in enumerate(self._pairs):
            pair.apply(self._gains.gain)
            pair.synthesise(block[2 * index : 2 * index + 2])

    def _find_gains(self) -> None:
        if self.adapt:
            self._noise.learn(self._power)
        self._gains.find(
            self._power,
            self._noise.power,
            self.strength,
            self.smoothing,
            factor_of(self.floor),
        )
