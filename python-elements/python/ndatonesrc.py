# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ndatonesrc: a test tone, as a source element written in Python.

    gst-launch-1.0 ndatonesrc freq=440 ! ndapybridge plugin=gain ! ndasink
    gst-launch-1.0 ndatonesrc wave=white-noise num-buffers=100 ! fakesink

It does what audiotestsrc does, in buffers of 512 frames. A sample depends only
on the number of its frame, counted from stream time 0, so the sound after a
seek is the same as without the seek:

    cycles = frame * freq / rate             (float64, as all of this)
    sample = volume * wave (cycles - floor (cycles))      (as float32)

Time stamps are scaled from the same number, rounded down once. A new `freq`
goes on where the old one was in its cycle.

To write a source of your own, copy this file into a folder named `python`
in one of GST_PLUGIN_PATH, and change the names, the tables at the top and
`make_samples`.
"""

import ctypes
import math
import gettext
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstAudio", "1.0")
gi.require_version("GstBase", "1.0")
from gi.repository import GLib, GObject, Gst, GstAudio, GstBase  # noqa: E402

try:
    import numpy as np
except ImportError:
    np = None  # start () says so

# The texts for a person, in the language of the person where there is a
# catalogue. Meson puts the folder in when it installs this file.
LOCALE_DIR = "@LOCALEDIR@"
_ = gettext.translation("nda-1.0", LOCALE_DIR, fallback=True).gettext

BLOCK_FRAMES = 512
FORMAT = "F32LE" if sys.byteorder == "little" else "F32BE"
CAPS = (
    f"audio/x-raw, format=(string){FORMAT}, layout=(string)interleaved, "
    "rate=(int)[ 1, 2147483647 ], channels=(int)[ 1, 64 ]"
)

# What is chosen of the formats that downstream takes, as far as it goes
WISHES = (
    "rate=48000",
    "rate=44100",
    "rate=[ 48000, 2147483647 ]",
    "channels=1",
    "channels=2",
    "channels=[ 3, 64 ], channel-mask=(bitmask)0",
)


# --- waves: each turns `x`, fractions of a cycle, into samples, in place.
# `spare` is as long and may be overwritten, `frames` are the numbers of `x`.


def make_sine(x, spare, frames):
    np.multiply(x, 2 * math.pi, out=x)
    np.sin(x, out=x)


def make_square(x, spare, frames):
    np.multiply(x, 2, out=x)
    np.floor(x, out=x)
    np.multiply(x, -2, out=x)
    np.add(x, 1, out=x)


def make_saw(x, spare, frames):
    np.add(x, 0.5, out=spare)
    np.floor(spare, out=spare)
    np.subtract(x, spare, out=x)
    np.multiply(x, 2, out=x)


def make_triangle(x, spare, frames):
    np.add(x, 0.25, out=x)
    np.floor(x, out=spare)
    np.subtract(x, spare, out=x)
    np.subtract(x, 0.5, out=x)
    np.abs(x, out=x)
    np.multiply(x, -4, out=x)
    np.add(x, 1, out=x)


def make_silence(x, spare, frames):
    x.fill(0)


def make_white_noise(x, spare, frames):
    # SplitMix64 of the frame's number: the same noise after every seek
    bits, shifted = x.view(np.uint64), spare.view(np.uint64)
    np.copyto(bits, frames, casting="unsafe")
    np.multiply(bits, 0x9E3779B97F4A7C15, out=bits)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        np.right_shift(bits, shift, out=shifted)
        np.bitwise_xor(bits, shifted, out=bits)
        np.multiply(bits, factor, out=bits)
    np.right_shift(bits, 31, out=shifted)
    np.bitwise_xor(bits, shifted, out=bits)
    np.right_shift(bits, 11, out=bits)  # 53 bits, as a float64 holds
    np.copyto(x, bits, casting="unsafe")
    np.multiply(x, 2.0**-52, out=x)
    np.subtract(x, 1, out=x)


WAVES = (
    ("Sine", "sine", make_sine),
    ("Square", "square", make_square),
    ("Saw", "saw", make_saw),
    ("Triangle", "triangle", make_triangle),
    ("Silence", "silence", make_silence),
    ("White uniform noise", "white-noise", make_white_noise),
)


def register_enum(name, values):
    """Make an enum type of (description, nick), for which GObject
    Introspection has no way."""

    class EnumValue(ctypes.Structure):
        _fields_ = [
            ("value", ctypes.c_int),
            ("name", ctypes.c_char_p),
            ("nick", ctypes.c_char_p),
        ]

    table = (EnumValue * (len(values) + 1))()
    for number, texts in enumerate(values):
        table[number] = (number, *(text.encode() for text in texts))
    register = ctypes.CDLL("libgobject-2.0.so.0").g_enum_register_static
    register.restype = ctypes.c_size_t
    register.argtypes = [ctypes.c_char_p, ctypes.POINTER(EnumValue)]
    register(name.encode(), table)
    # The type system reads the table as long as the process lives.
    register_enum.tables.append(table)
    return GObject.GType.from_name(name)


register_enum.tables = []


class NdaToneSrc(GstBase.BaseSrc):
    __gtype_name__ = "NdaToneSrc"
    __gstmetadata__ = (
        "Live audio source: test tone, in Python",
        "Source/Audio",
        "Makes a test tone in blocks of 512 frames, written in Python",
        "the nda authors",
    )
    __gsttemplates__ = (
        Gst.PadTemplate.new(
            "src",
            Gst.PadDirection.SRC,
            Gst.PadPresence.ALWAYS,
            Gst.Caps.from_string(CAPS),
        ),
    )
    __gproperties__ = {
        "wave": (
            register_enum("NdaToneSrcWave", [wave[:2] for wave in WAVES]),
            "Wave form",
            "Form of the oscillation",
            0,
            GObject.ParamFlags.READWRITE | Gst.PARAM_MUTABLE_PLAYING,
        ),
        "freq": (
            float,
            "Frequency",
            "Frequency of the oscillation (in Hz); more than half the "
            "sample rate is heard as less",
            0.0,
            1e9,
            440.0,
            GObject.ParamFlags.READWRITE | Gst.PARAM_MUTABLE_PLAYING,
        ),
        "volume": (
            float,
            "Volume",
            "Factor of the full scale",
            0.0,
            1.0,
            0.8,
            GObject.ParamFlags.READWRITE | Gst.PARAM_MUTABLE_PLAYING,
        ),
        "is-live": (
            bool,
            "Is live",
            "Whether a buffer comes when its time has come, and none while "
            "paused",
            False,
            GObject.ParamFlags.READWRITE | Gst.PARAM_MUTABLE_READY,
        ),
    }

    def __init__(self):
        super().__init__()
        # Names with an underscore: without, those of the fields of the C
        # structures (is_live, lock, segment) hide methods and attributes.
        # Set by any thread, read once a buffer by the streaming thread:
        # single attributes, which the GIL keeps whole.
        self._wave, self._freq, self._volume = 0, 440.0, 0.8
        # The streaming thread's, or changed while that is stopped.
        self._info = None
        self._seek = (0, Gst.CLOCK_TIME_NONE, 1.0)  # position, stop, rate
        self._next_frame = None  # None: still to be found from `seek`
        self._last_frame = None  # where to end, None for never
        self._last_freq = self._freq
        self._cycles_at_0 = 0.0
        self.set_format(Gst.Format.TIME)
        self._live = False

    # --- properties

    def do_set_property(self, prop, value):
        if prop.name == "is-live":
            self._live = value
            self.set_live(value)
        else:
            setattr(self, "_" + prop.name, value)

    def do_get_property(self, prop):
        if prop.name == "is-live":
            return self._live
        return getattr(self, "_" + prop.name)

    # --- format

    def do_negotiate(self):
        # In the place of do_fixate (), which loses a reference in Python.
        caps = self.srcpad.get_allowed_caps()
        for wish in WISHES:
            wished = Gst.Caps.from_string(f"audio/x-raw, {wish}")
            nearer = caps.intersect(wished)
            if not nearer.is_empty():
                caps = nearer
        return not caps.is_empty() and self.set_caps(caps.fixate())

    def do_set_caps(self, caps):
        info = GstAudio.AudioInfo.new_from_caps(caps)
        if self._next_frame is not None and info.rate != self._info.rate:
            # Go on from the same time at the new rate.
            self._seek = (self.get_time(self._next_frame), *self._seek[1:])
            self._next_frame = None
        self._info = info
        self.set_blocksize(BLOCK_FRAMES * info.bpf)
        return True

    def get_time(self, frame):
        return frame * Gst.SECOND // self._info.rate

    def get_frame(self, time):
        """The first frame that is not before `time`."""
        return -(-time * self._info.rate // Gst.SECOND)

    # --- seeking

    def do_is_seekable(self):
        return True

    def do_do_seek(self, segment):
        if segment.rate < 0 and segment.stop == Gst.CLOCK_TIME_NONE:
            return False
        segment.time = segment.start
        end = segment.stop if segment.rate > 0 else segment.start
        self._seek = (segment.position, end, segment.rate)
        self._next_frame = None
        return True

    def do_get_times(self, buffer):
        if not self._live:
            return Gst.CLOCK_TIME_NONE, Gst.CLOCK_TIME_NONE
        return buffer.pts, buffer.pts + buffer.duration

    # --- data

    def do_fill(self, offset, length, buffer):
        if self._next_frame is None:
            position, end, _ = self._seek
            self._next_frame = self.get_frame(position)
            has_end = end != Gst.CLOCK_TIME_NONE
            self._last_frame = self.get_frame(end) if has_end else None
        first, n_frames = self.take_frames(length // self._info.bpf)
        if n_frames <= 0:
            return Gst.FlowReturn.EOS

        if n_frames * self._info.bpf != buffer.get_size():
            buffer.set_size(n_frames * self._info.bpf)
        with buffer.map(Gst.MapFlags.WRITE) as mapped:
            # Arrays on mapped memory must be gone when it is unmapped, so
            # they live in a function of their own.
            self.make_samples(mapped.data, first, n_frames)
        buffer.pts = self.get_time(first)
        buffer.duration = self.get_time(first + n_frames) - buffer.pts
        buffer.offset = first
        buffer.offset_end = first + n_frames
        if WAVES[self._wave][2] is make_silence:
            buffer.set_flags(Gst.BufferFlags.GAP)
        return Gst.FlowReturn.OK

    def take_frames(self, n_frames):
        """The next frames: the first one's number, and how many."""
        first, last = self._next_frame, self._last_frame
        if self._seek[2] < 0:
            first = max(first - n_frames, last)
            n_frames = self._next_frame - first
            self._next_frame = first
        else:
            if last is not None:
                n_frames = min(n_frames, last - first)
            self._next_frame = first + n_frames
        return first, n_frames

    def make_samples(self, data, first, n_frames):
        freq, rate = self._freq, self._info.rate
        if freq != self._last_freq:
            change = (self._last_freq - freq) * first / rate
            self._cycles_at_0 = (self._cycles_at_0 + change) % 1.0
            self._last_freq = freq
        x, spare, frames = self._scratch[:, :n_frames]
        np.add(self._numbers[:n_frames], first, out=frames)
        np.multiply(frames, freq, out=x)
        np.divide(x, rate, out=x)
        np.add(x, self._cycles_at_0, out=x)
        np.floor(x, out=spare)
        np.subtract(x, spare, out=x)
        WAVES[self._wave][2](x, spare, frames)
        np.multiply(x, self._volume, out=x)

        samples = np.frombuffer(data, dtype=np.float32)
        samples = samples.reshape(n_frames, self._info.channels)
        for channel in range(self._info.channels):
            np.copyto(samples[:, channel], x, casting="same_kind")

    # --- life

    def _fail(self, domain, code, text, debug):
        error = GLib.Error.new_literal(domain.quark(), text, code)
        self.post_message(Gst.Message.new_error(self, error, debug))

    def do_start(self):
        if np is None:
            self._fail(
                Gst.LibraryError,
                Gst.LibraryError.INIT,
                _(
                    "ndatonesrc needs NumPy, which this Python does not have. "
                    "Install it: “apt-get install python3-numpy” on Debian."
                ),
                "import",
            )
            return False
        self._numbers = np.arange(BLOCK_FRAMES, dtype=np.float64)
        self._scratch = np.empty((3, BLOCK_FRAMES))
        self._next_frame = None
        self._last_freq = self._freq
        self._cycles_at_0 = 0.0
        return True


__gstelementfactory__ = ("ndatonesrc", Gst.Rank.NONE, NdaToneSrc)
