# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ndamicsrc: a microphone through PortAudio, as a source written in Python.

    gst-launch-1.0 ndamicsrc ! ndapybridge plugin=gain ! ndaspeakersink
    gst-launch-1.0 ndamicsrc device=mic num-buffers=99 ! ndaspectrum ! fakesink

It gives blocks of 512 frames at 48 kHz. Time stamps count frames, from the
moment when the first was recorded. If frames were lost, or the device's clock
and the pipeline's have drifted apart by more than a block, the next buffer has
DISCONT and the counting begins again. The latency that it reports is a block
and the latency of the device.

`stats` is a structure `application/x-ndamicsrc-stats`: `num-blocks`,
`num-frames`, `num-overruns` (frames lost in the device, or because nobody
took 32 blocks) and `num-discontinuities` (guint64).

The device is open while the element plays. PortAudio is reached through
python-sounddevice if that can be imported, through PyAudio otherwise.

To write a live source of your own, copy this file into a folder named
`python` in one of GST_PLUGIN_PATH, and put your device in the place of
`Recorder`.
"""

import gettext
import sys
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstAudio", "1.0")
gi.require_version("GstBase", "1.0")
from gi.repository import GLib, GObject, Gst, GstAudio, GstBase  # noqa: E402

# The texts for a person, in the language of the person where there is a
# catalogue. Meson puts the folder in when it installs this file.
LOCALE_DIR = "@LOCALEDIR@"
_ = gettext.translation("nda-1.0", LOCALE_DIR, fallback=True).gettext

BLOCK_FRAMES = 512
MAX_BLOCKS = 32
CAPS = (
    f"audio/x-raw, format=F32{'LE' if sys.byteorder == 'little' else 'BE'}, "
    "layout=interleaved, rate=48000, channels=[ 1, 64 ]"
)
COUNTERS = ("num-blocks", "num-frames", "num-overruns", "num-discontinuities")


class NdaMicSrc(GstBase.BaseSrc):
    __gtype_name__ = "NdaMicSrc"
    __gstmetadata__ = (
        "Live audio source: microphone, in Python",
        "Source/Audio/Hardware",
        "Records from a microphone through PortAudio, written in Python",
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
        "device": (
            str,
            "Device",
            "Name of the microphone or a part of it; the default one if empty",
            None,
            GObject.ParamFlags.READWRITE | Gst.PARAM_MUTABLE_READY,
        ),
        "period": (
            GObject.TYPE_UINT,
            "Period",
            "How many frames the device gives at once. A delay of the machine "
            "of about three periods loses nothing",
            64,
            8192,
            1024,
            GObject.ParamFlags.READWRITE | Gst.PARAM_MUTABLE_READY,
        ),
        "stats": (
            Gst.Structure,
            "Statistics",
            "Counters: num-blocks, num-frames, num-overruns, "
            "num-discontinuities",
            GObject.ParamFlags.READABLE,
        ),
    }

    def __init__(self):
        super().__init__()
        # Names with an underscore: without, those of the fields of the C
        # structures (is_live, lock, segment) hide methods and attributes.
        self._device, self._period = None, 1024
        self._recorder = None  # from READY to PAUSED
        # The streaming thread's, but for the counters, which anybody reads.
        self._n_blocks = self._n_frames = self._n_discontinuities = 0
        self._rate = 48000
        self._start = None  # running time of frame 0; None: to be found
        self._frame = 0
        self._error = 0  # by how much frames come late, smoothly (ns)
        self.set_format(Gst.Format.TIME)
        self.set_live(True)

    # --- properties

    def do_set_property(self, prop, value):
        setattr(self, "_" + prop.name, value)

    def do_get_property(self, prop):
        if prop.name != "stats":
            return getattr(self, "_" + prop.name)
        recorder = self._recorder
        stats = Gst.Structure.new_empty("application/x-ndamicsrc-stats")
        values = (
            self._n_blocks,
            self._n_frames,
            recorder.n_xruns if recorder else 0,
            self._n_discontinuities,
        )
        for name, value in zip(COUNTERS, values):
            stats.set_value(name, GObject.Value(GObject.TYPE_UINT64, value))
        return stats

    # --- life

    def _fail(self, domain, code, text, debug):
        error = GLib.Error.new_literal(domain.quark(), text, code)
        self.post_message(Gst.Message.new_error(self, error, debug))

    def do_start(self):
        try:
            from nda.device_io import DeviceError, Recorder
        except ImportError as error:
            self._fail(
                Gst.LibraryError,
                Gst.LibraryError.INIT,
                _(
                    "ndamicsrc cannot be used: {error}. Install the package "
                    "“nda” for this Python, or name its folder in PYTHONPATH."
                ).format(error=error),
                "import",
            )
            return False
        self._device_error = DeviceError
        try:
            self._recorder = Recorder(self._device, self._period)
        except DeviceError as error:
            self._fail(
                Gst.ResourceError,
                Gst.ResourceError.NOT_FOUND,
                _("There is no microphone to hear: {error}").format(
                    error=error
                ),
                "find_device",
            )
            return False
        self._n_blocks = self._n_frames = self._n_discontinuities = 0
        self._start = None
        return True

    def do_stop(self):
        recorder, self._recorder = self._recorder, None
        recorder.release()
        return True

    def do_change_state(self, transition):
        # GstBaseSrc calls unlock () to pause, but not in every release
        # unlock_stop () to go on.
        if transition == Gst.StateChange.PLAYING_TO_PAUSED:
            self._recorder.pause(True)
        elif transition == Gst.StateChange.PAUSED_TO_PLAYING:
            self._recorder.interrupt(False)
            self._recorder.pause(False)
        return GstBase.BaseSrc.do_change_state(self, transition)

    def do_unlock(self):
        self._recorder.interrupt(True)
        return True

    def do_unlock_stop(self):
        self._recorder.interrupt(False)
        return True

    # --- format

    def do_negotiate(self):
        # In the place of do_fixate (), which loses a reference in Python.
        caps = self.srcpad.get_allowed_caps()
        for wish in (
            "channels=2",
            "channels=1",
            "channels=[ 3, 64 ], channel-mask=(bitmask)0",
        ):
            wished = Gst.Caps.from_string(f"audio/x-raw, {wish}")
            nearer = caps.intersect(wished)
            if not nearer.is_empty():
                caps = nearer
        return not caps.is_empty() and self.set_caps(caps.fixate())

    def do_set_caps(self, caps):
        info = GstAudio.AudioInfo.new_from_caps(caps)
        self._recorder.close()
        self._recorder.set_format(info.rate, info.channels)
        self._rate = info.rate
        self._start = None
        self.set_blocksize(BLOCK_FRAMES * info.bpf)
        return True

    # GstElement has a method of that name, too, so this tells which.
    def do_gst_base_src_query(self, query):
        if query.type != Gst.QueryType.LATENCY or not self._recorder:
            return GstBase.BaseSrc.do_query(self, query)
        block = BLOCK_FRAMES * Gst.SECOND // self._rate
        latency = block + self._recorder.latency
        query.set_latency(True, latency, latency + MAX_BLOCKS * block)
        return True

    # --- data

    def do_fill(self, offset, length, buffer):
        recorder = self._recorder
        try:
            while True:
                if not recorder.is_open() and not recorder.is_interrupted():
                    self._open()
                block = recorder.get()
                if block is not None:
                    break
                # A pause or a flush may have called unlock (). FLUSHING is
                # for a flush alone: returned for a pause that PLAYING has
                # taken back by now, it would stop the streaming for good.
                flow = self.wait_playing()
                if flow != Gst.FlowReturn.OK:
                    return flow
        except self._device_error as error:
            self._fail(
                Gst.ResourceError,
                Gst.ResourceError.READ,
                _("The microphone cannot be heard: {error}").format(
                    error=error
                ),
                "recorder",
            )
            return Gst.FlowReturn.ERROR
        buffer.fill(0, block.data)
        self._count(buffer, block)
        self._n_blocks += 1
        self._n_frames += BLOCK_FRAMES
        return Gst.FlowReturn.OK

    def _open(self):
        self._recorder.open()
        self._start = None
        self.post_message(Gst.Message.new_latency(self))

    def _count(self, buffer, block):
        """Set the time stamps."""
        now = self.get_clock().get_time() - self.get_base_time()
        heard = now - (time.monotonic_ns() - block.end)
        if self._start is not None:
            late = heard - self._get_time(self._frame + BLOCK_FRAMES)
            self._error += (late - self._error) // 64
            is_apart = abs(self._error) > self._get_duration(BLOCK_FRAMES)
            if block.has_lost or is_apart:
                self._start = None
        if self._start is None:
            if self._n_blocks > 0:
                self._n_discontinuities += 1
            buffer.set_flags(Gst.BufferFlags.DISCONT)
            self._start = max(0, heard - self._get_duration(BLOCK_FRAMES))
            self._frame = self._error = 0
        end = self._frame + BLOCK_FRAMES
        buffer.pts = self._get_time(self._frame)
        buffer.duration = self._get_time(end) - buffer.pts
        buffer.offset, buffer.offset_end = self._frame, end
        self._frame = end

    def _get_duration(self, n_frames):
        return n_frames * Gst.SECOND // self._rate

    def _get_time(self, frame):
        return self._start + self._get_duration(frame)


__gstelementfactory__ = ("ndamicsrc", Gst.Rank.NONE, NdaMicSrc)
