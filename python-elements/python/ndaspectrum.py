# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
r"""ndaspectrum: a spectrum analyser, as a filter written in Python.

    gst-launch-1.0 -m ndatonesrc num-buffers=200 ! ndaspectrum ! fakesink
    gst-launch-1.0 ndatonesrc num-buffers=500 ! \
      ndaspectrum location=a.png ! fakesink

The sound passes untouched. Every `interval` the element posts a message with
the structure `ndaspectrum`, as GStreamer's own `spectrum` does one of that
name, and with the same figures:

- `timestamp`, `stream-time`, `running-time`, `endtime`, `duration` (guint64):
  of the sound that it tells of, in ns; `endtime` is a running time
- `magnitude` (GstValueList of gfloat): of each band, in dB of the full scale,
  all channels mixed; band n is around n * rate / (2 * bands - 2) Hz

The last 1024 messages are kept as a picture: time from left to right,
frequency from bottom to top. The action signal `draw` returns it as a PNG
(GBytes); with `location` it is written there when the stream stops.

To write a filter of your own, copy this file into a folder named `python` in
one of GST_PLUGIN_PATH, and change the names, the tables at the top and
`do_transform_ip`. One that alters the sound sets no passthrough, and maps
the buffer with Gst.MapFlags.WRITE.
"""

import gettext
import struct
import sys
import threading
import zlib

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

CAPS = Gst.Caps.from_string(
    f"audio/x-raw, format=F32{'LE' if sys.byteorder == 'little' else 'BE'}, "
    "layout=interleaved, rate=[ 1, 2147483647 ], channels=[ 1, 64 ]"
)
N_COLUMNS = 1024


class Float(float):
    """A number that goes into a GValue as gfloat, not as gdouble."""

    __gtype__ = GObject.TYPE_FLOAT


def make_png(rows):
    """Draw uint8 `rows` (of pixels, from the top) in the colours of heat."""

    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(
            ">I", check
        )

    palette = bytearray()
    for level in range(256):
        red, green = min(255, 2 * level), max(0, 2 * level - 255)
        blue = 255 - abs(255 - 4 * level) if level < 128 else max(
            0, 4 * level - 765
        )
        palette += bytes((red, green, blue))
    height, width = rows.shape
    # Each row begins with the number of its filter: none
    pixels = np.pad(rows, ((0, 0), (1, 0)))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(
                b"IHDR",
                struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0),
            ),
            chunk(b"PLTE", bytes(palette)),
            chunk(b"IDAT", zlib.compress(pixels.tobytes())),
            chunk(b"IEND", b""),
        )
    )


class NdaSpectrum(GstBase.BaseTransform):
    __gtype_name__ = "NdaSpectrum"
    __gstmetadata__ = (
        "Live audio spectrum, in Python",
        "Filter/Analyzer/Audio",
        "Posts the spectrum of the sound, and draws it; written in Python",
        "the nda authors",
    )
    __gsttemplates__ = (
        Gst.PadTemplate.new(
            "sink", Gst.PadDirection.SINK, Gst.PadPresence.ALWAYS, CAPS
        ),
        Gst.PadTemplate.new(
            "src", Gst.PadDirection.SRC, Gst.PadPresence.ALWAYS, CAPS
        ),
    )
    __gproperties__ = {
        "bands": (
            GObject.TYPE_UINT,
            "Bands",
            "Number of frequency bands",
            2,
            32768,
            128,
            GObject.ParamFlags.READWRITE | Gst.PARAM_MUTABLE_READY,
        ),
        "interval": (
            GObject.TYPE_UINT64,
            "Interval",
            "Time between two messages (in nanoseconds)",
            Gst.MSECOND,
            10 * Gst.SECOND,
            100 * Gst.MSECOND,
            GObject.ParamFlags.READWRITE | Gst.PARAM_MUTABLE_READY,
        ),
        "threshold": (
            int,
            "Threshold",
            "A softer band is reported as this level (in dB of full scale)",
            -200,
            -1,
            -60,
            GObject.ParamFlags.READWRITE | Gst.PARAM_MUTABLE_READY,
        ),
        "post-messages": (
            bool,
            "Post messages",
            "Whether the spectrum is posted on the bus as messages",
            True,
            GObject.ParamFlags.READWRITE | Gst.PARAM_MUTABLE_PLAYING,
        ),
        "location": (
            str,
            "Location",
            "The PNG file that is written when the stream stops; none if "
            "empty",
            None,
            GObject.ParamFlags.READWRITE | Gst.PARAM_MUTABLE_READY,
        ),
    }
    __gsignals__ = {
        "draw": (
            GObject.SignalFlags.RUN_LAST | GObject.SignalFlags.ACTION,
            GLib.Bytes,
            (),
        ),
    }

    def __init__(self):
        super().__init__()
        # Names with an underscore: without, those of the fields of the C
        # structures (is_live, lock, segment) hide methods and attributes.
        # Settings, by any thread. The GIL keeps single attributes whole.
        self._bands, self._threshold = 128, -60
        self._interval = 100 * Gst.MSECOND
        self._post_messages, self._location = True, None
        # The picture, which the lock guards: a ring of columns.
        self._lock = threading.Lock()
        self._columns = None
        self._n_columns = 0
        # All else is the streaming thread's, or made while that is stopped.
        self.set_in_place(True)
        self.set_passthrough(True)

    # --- properties

    def do_set_property(self, prop, value):
        setattr(self, "_" + prop.name.replace("-", "_"), value)

    def do_get_property(self, prop):
        return getattr(self, "_" + prop.name.replace("-", "_"))

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
                    "ndaspectrum needs NumPy, which this Python does not "
                    "have. Install it: “apt-get install python3-numpy” on "
                    "Debian."
                ),
                "import",
            )
            return False
        self._n_fft = 2 * self._bands - 2
        # GStreamer's Hamming window, and the scale of the power, in one
        turn = np.arange(self._n_fft) * (2 * np.pi / self._n_fft)
        self._window = (0.53836 - 0.46164 * np.cos(turn)) / self._n_fft
        self._frames = np.zeros(self._n_fft, dtype=np.float32)
        self._windowed = np.empty(self._n_fft)
        self._power, self._spare = np.empty((2, self._bands))
        self._total = np.zeros(self._bands)
        with self._lock:
            self._columns = np.zeros((N_COLUMNS, self._bands), dtype=np.uint8)
            self._n_columns = 0
        return True

    def do_stop(self):
        picture = self.do_draw() if self._location else None
        if picture is None:
            return True
        try:
            with open(self._location, "wb") as file:
                file.write(picture.get_data())
        except OSError as error:
            self._fail(
                Gst.ResourceError,
                Gst.ResourceError.OPEN_WRITE,
                _(
                    "The picture “{location}” cannot be written: {reason}. "
                    "Check the property “location”."
                ).format(location=self._location, reason=error.strerror),
                str(error),
            )
        return True

    def do_draw(self):
        """Return the picture as a PNG, or None if there is nothing yet."""
        with self._lock:
            if self._n_columns == 0:
                return None
            newest = self._n_columns % N_COLUMNS
            columns = np.roll(self._columns, -newest, axis=0)
            columns = columns[-min(self._n_columns, N_COLUMNS):]
        return GLib.Bytes.new(make_png(columns.T[::-1]))

    # --- format

    def do_set_caps(self, in_caps, out_caps):
        self._info = GstAudio.AudioInfo.new_from_caps(in_caps)
        self.begin(Gst.CLOCK_TIME_NONE)
        return True

    def begin(self, timestamp):
        """Forget what was gathered; the next frame is of `timestamp`."""
        self._timestamp = timestamp  # of the interval's first frame
        self._frame = 0  # frames since begin (), and where intervals end
        self._n_intervals = 0
        self.begin_interval()

    def begin_interval(self):
        end = (self._n_intervals + 1) * self._interval
        self._n_todo = end * self._info.rate // Gst.SECOND - self._frame
        self._n_todo = max(1, self._n_todo)
        self._n_done = 0
        self._n_ffts = 0
        self._total.fill(0)

    # --- data

    def do_transform_ip(self, buffer):
        if self._timestamp == Gst.CLOCK_TIME_NONE or buffer.has_flags(
            Gst.BufferFlags.DISCONT
        ):
            self.begin(buffer.pts)
        with buffer.map(Gst.MapFlags.READ) as mapped:
            # Arrays on mapped memory must be gone when it is unmapped, so
            # they live in a function of their own.
            self.take_frames(mapped.data)
        return Gst.FlowReturn.OK

    def take_frames(self, data):
        frames = np.frombuffer(data, dtype=np.float32)
        frames = frames.reshape(-1, self._info.channels)
        at = 0
        while at < len(frames):
            # As many as fit before the next transform or message
            start = self._n_done % self._n_fft
            n_frames = min(
                len(frames) - at,
                self._n_fft - start,
                self._n_todo - self._n_done,
            )
            mixed = self._frames[start:start + n_frames]
            np.add.reduce(frames[at:at + n_frames], axis=1, out=mixed)
            np.divide(mixed, self._info.channels, out=mixed)
            at += n_frames
            self._n_done += n_frames
            self._frame += n_frames
            is_over = self._n_done == self._n_todo
            is_full = self._n_done % self._n_fft == 0
            if is_full or (is_over and not self._n_ffts):
                self.transform()
            if is_over:
                self.end_interval()

    def transform(self):
        # From the oldest frame to the newest
        start = self._n_done % self._n_fft
        older = self._n_fft - start
        frames, window, windowed = self._frames, self._window, self._windowed
        np.multiply(frames[start:], window[:older], out=windowed[:older])
        np.multiply(frames[:start], window[older:], out=windowed[older:])
        # The one array that is made here: NumPy 1 takes no `out`.
        bins = np.fft.rfft(self._windowed)
        np.multiply(bins.real, bins.real, out=self._power)
        np.multiply(bins.imag, bins.imag, out=self._spare)
        np.add(self._power, self._spare, out=self._power)
        np.maximum(self._power, 10 ** (self._threshold / 10), out=self._power)
        np.log10(self._power, out=self._power)
        np.multiply(self._power, 10, out=self._power)
        np.add(self._total, self._power, out=self._total)
        self._n_ffts += 1

    def end_interval(self):
        np.divide(self._total, self._n_ffts, out=self._total)
        np.divide(self._total, -self._threshold / 255, out=self._power)
        np.add(self._power, 255, out=self._power)
        with self._lock:
            column = self._columns[self._n_columns % N_COLUMNS]
            np.copyto(column, self._power, casting="unsafe")
            self._n_columns += 1
        if self._post_messages:
            self.tell()
        if self._timestamp != Gst.CLOCK_TIME_NONE:
            self._timestamp += self._n_done * Gst.SECOND // self._info.rate
        self._n_intervals += 1
        self.begin_interval()

    def tell(self):
        begin, segment = self._timestamp, self.segment
        running = segment.to_running_time(Gst.Format.TIME, begin)
        structure = Gst.Structure.new_empty("ndaspectrum")
        for name, time in (
            ("timestamp", begin),
            ("stream-time", segment.to_stream_time(Gst.Format.TIME, begin)),
            ("running-time", running),
            ("endtime", running + self._interval),
            ("duration", self._interval),
        ):
            structure.set_value(name, GObject.Value(GObject.TYPE_UINT64, time))
        magnitudes = Gst.ValueList(list(map(Float, self._total.tolist())))
        structure.set_value("magnitude", magnitudes)
        self.post_message(Gst.Message.new_element(self, structure))


__gstelementfactory__ = ("ndaspectrum", Gst.Rank.NONE, NdaSpectrum)
