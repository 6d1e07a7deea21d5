#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How exactly, how fast and how soon 44.1 kHz become 48 kHz.

Stereo floats, streamed in buffers of 512 frames, through ndaresample in each
quality and through audioresample. Exactness is of sines, against the sine that
fits best; speed is CPU time of the whole process over that of identity in the
same round, and rounds alternate; "held" is how long a frame stays inside at
most, ndaresample's block included.

    ./nda bench
"""

import argparse
import json
import statistics
import sys
import time

import gi
import numpy as np

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

IN_RATE, OUT_RATE = 44100, 48000
N_FRAMES = 4 * IN_RATE
FORMAT = "F32LE" if sys.byteorder == "little" else "F32BE"
CAPS = f"audio/x-raw,format={FORMAT},channels=2,layout=interleaved"
TONES = {"997": 997.0, "10k": 10000.0, "nyquist": 0.9 * IN_RATE / 2}
PEER = "audioresample 4"
WAYS = {
    PEER: "audioresample quality=4",
    "audioresample 10": "audioresample quality=10",
    "quick": "ndaresample quality=quick",
    "low": "ndaresample quality=low",
    "medium": "ndaresample quality=medium",
    "high": "ndaresample quality=high",
    "very-high": "ndaresample quality=very-high",
}


def wait(pipeline: Gst.Pipeline, name: str) -> None:
    message = pipeline.get_bus().timed_pop_filtered(
        Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR
    )
    if message.type == Gst.MessageType.ERROR:
        error, debug = message.parse_error()
        sys.exit(f"{name}: {error.message}\n{debug}")


class Held:
    """Counts frames at the pads of an element; `seconds` is the worst."""

    def __init__(self, element: Gst.Element):
        self.seconds = 0.0
        self.n_in = self.n_out = 0
        for pad, count in (("sink", self.count_in), ("src", self.count_out)):
            element.get_static_pad(pad).add_probe(
                Gst.PadProbeType.BUFFER, count
            )

    def count_in(self, pad, info):
        held = self.n_in / IN_RATE - self.n_out / OUT_RATE
        self.seconds = max(self.seconds, held)
        self.n_in += info.get_buffer().get_size() // 8
        return Gst.PadProbeReturn.OK

    def count_out(self, pad, info):
        self.n_out += info.get_buffer().get_size() // 8
        return Gst.PadProbeReturn.OK


def resample(way: str, frames: np.ndarray) -> tuple[np.ndarray, Held]:
    """Return what becomes of the frames, and how long some were held."""
    pipeline = Gst.parse_launch(
        f"appsrc name=in format=time caps={CAPS},rate={IN_RATE} "
        f"! {WAYS[way]} name=way ! {CAPS},rate={OUT_RATE} "
        "! appsink name=out sync=false"
    )
    source = pipeline.get_by_name("in")
    held = Held(pipeline.get_by_name("way"))
    pipeline.set_state(Gst.State.PLAYING)
    for start in range(0, len(frames), 512):
        buffer = Gst.Buffer.new_wrapped_bytes(
            GLib.Bytes.new(frames[start:start + 512].tobytes())
        )
        buffer.pts = start * Gst.SECOND // IN_RATE
        source.emit("push-buffer", buffer)
    source.emit("end-of-stream")
    result = []
    while sample := pipeline.get_by_name("out").emit("pull-sample"):
        buffer = sample.get_buffer()
        result.append(buffer.extract_dup(0, buffer.get_size()))
    pipeline.set_state(Gst.State.NULL)
    return np.frombuffer(b"".join(result), np.float32).reshape(-1, 2), held


def measure_tone(way: str, frequency: float) -> dict:
    """Return the SNR, the delay and the error of the length, and the lag."""
    angle = 2 * np.pi * frequency * np.arange(N_FRAMES) / IN_RATE
    sine = (0.5 * np.sin(angle)).astype(np.float32)
    result, held = resample(way, np.column_stack([sine, sine]))
    middle = np.arange(OUT_RATE // 2, len(result) - OUT_RATE // 2)
    step = 2 * np.pi * frequency / OUT_RATE
    basis = np.column_stack([np.sin(step * middle), np.cos(step * middle)])
    heard = result[middle, 0].astype(float)
    (a, b), *_ = np.linalg.lstsq(basis, heard, rcond=None)
    noise = heard - basis @ (a, b)
    return {
        "snr": 10 * np.log10((a * a + b * b) / 2 / np.mean(noise**2)),
        "late": -np.arctan2(b, a) / step,
        "n_frames_off": len(result) - round(N_FRAMES * OUT_RATE / IN_RATE),
        "held": held.seconds,
    }


def run(way: str | None, n_buffers: int) -> float:
    """Return the CPU time of the process, in ns a frame of the output."""
    pipeline = Gst.parse_launch(
        f"audiotestsrc samplesperbuffer=512 num-buffers={n_buffers} "
        f"! {CAPS},rate={IN_RATE} ! {WAYS[way] if way else 'identity'} "
        f"! {CAPS},rate={OUT_RATE if way else IN_RATE} ! fakesink"
    )
    pipeline.set_state(Gst.State.PAUSED)
    pipeline.get_state(Gst.CLOCK_TIME_NONE)
    cpu = time.process_time()
    pipeline.set_state(Gst.State.PLAYING)
    wait(pipeline, way or "identity")
    cpu = time.process_time() - cpu
    pipeline.set_state(Gst.State.NULL)
    return cpu * 1e9 / (n_buffers * 512 * OUT_RATE / IN_RATE)


def measure_speed(n_rounds: int, n_buffers: int) -> dict[str, float]:
    """Return each way's ns a frame over identity, medians of all rounds."""
    added: dict[str, list] = {way: [] for way in WAYS}
    for _ in range(n_rounds + 1):
        idle = run(None, n_buffers)
        for way in WAYS:
            added[way].append(run(way, n_buffers) - idle)
    return {way: statistics.median(ns[1:]) for way, ns in added.items()}


def make_row(way: str, speed: dict[str, float]) -> dict:
    tones = {name: measure_tone(way, tone) for name, tone in TONES.items()}
    return {
        "bench": "resample",
        "way": way,
        **{f"snr_{name}": round(t["snr"], 1) for name, t in tones.items()},
        "late_frames": round(abs(tones["997"]["late"]), 4),
        "frames_off": tones["997"]["n_frames_off"],
        "held_ms": round(max(t["held"] for t in tones.values()) * 1e3, 2),
        "ns_frame": round(speed[way], 1),
        "of_audioresample_4": round(speed[way] / speed[PEER], 2),
    }


def print_table(rows: list[dict]) -> None:
    print("44.1 to 48 kHz, stereo floats in buffers of 512 frames")
    print(
        f"{'':17}{'SNR of 997 Hz':>14}{'10 kHz':>8}{'0.9 Nyq.':>10}"
        f"{'late':>9}{'length':>8}{'held':>9}{'cost':>10}{'of ar. 4':>10}"
    )
    for row in rows:
        print(
            f"{row['way']:17}{row['snr_997']:11.1f} dB{row['snr_10k']:8.1f}"
            f"{row['snr_nyquist']:10.1f}{row['late_frames']:9.4f}"
            f"{row['frames_off']:+8}{row['held_ms']:6.1f} ms"
            f"{row['ns_frame']:7.1f} ns{row['of_audioresample_4']:10.2f}"
        )
    for row in rows:
        print(json.dumps(row))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--buffers", type=int, default=5000)
    arguments = parser.parse_args()

    Gst.init(None)
    speed = measure_speed(arguments.rounds, arguments.buffers)
    print_table([make_row(way, speed) for way in WAYS])


if __name__ == "__main__":
    main()
