# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ndaspeakersink: a speaker through PortAudio, as a sink written in Python.

    gst-launch-1.0 ndatonesrc num-buffers=100 ! ndaspeakersink
    gst-launch-1.0 ndamicsrc device=mic ! ndaspeakersink device=ear

It plays each buffer at its time, and gives the pipeline a clock that follows
the frames played, so that no sound is lost or repeated to follow another
clock. It plays `cushion` blocks of silence before the first one: a buffer may
be late by that much, and the latency that it reports includes them.

`stats` is a structure `application/x-ndaspeakersink-stats`: `num-blocks`,
`num-frames` and `num-underruns` (guint64): the device had run dry, or a
buffer came too late, which begins a new cushion.

The device is open while the element plays. PortAudio is reached through
python-sounddevice if that can be imported, through PyAudio otherwise.

To write a sink of your own, copy this file into a folder named `python` in
one of GST_PLUGIN_PATH, and put your device in the place of `Player`.
"""

import gettext
import sys

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
CAPS = (
    f"audio/x-raw, format=F32{'LE' if sys.byteorder == 'little' else 'BE'}, "
    "layout=interleaved, rate=48000, channels=[ 1, 64 ]"
)


class NdaSpeakerSink(GstBase.BaseSink):
    __gtype_name__ = "NdaSpeakerSink"
    __gstmetadata__ = (
        "Live audio sink: speaker, in Python",
        "Sink/Audio/Hardware",
        "Plays on a speaker through PortAudio, written in Python",
        "the nda authors",
    )
    __gsttemplates__ = (
        Gst.PadTemplate.new(
            "sink",
            Gst.PadDirection.SINK,
            Gst.PadPresence.ALWAYS,
            Gst.Caps.from_string(CAPS),
        ),
    )
    __gproperties__ = {
        "device": (
            str,
            "Device",
            "Name of the speaker or a part of it; the default one if empty",
            None,
            GObject.ParamFlags.READWRITE | Gst.PARAM_MUTABLE_READY,
        ),
        "cushion": (
            GObject.TYPE_UINT,
            "Cushion",
            "How late a buffer may come (in blocks of 512 frames)",
            1,
            100,
            4,
            GObject.ParamFlags.READWRITE | Gst.PARAM_MUTABLE_READY,
        ),
        "period": (
            GObject.TYPE_UINT,
            "Period",
            "How many frames the device takes at once. A delay of the machine "
            "of about three periods loses nothing",
            64,
            8192,
            512,
            GObject.ParamFlags.READWRITE | Gst.PARAM_MUTABLE_READY,
        ),
        "stats": (
            Gst.Structure,
            "Statistics",
            "Counters: num-blocks, num-frames, num-underruns",
            GObject.ParamFlags.READABLE,
        ),
    }

    def __init__(self):
        super().__init__()
        # Names with an underscore: without, those of the fields of the C
        # structures (is_live, lock, segment) hide methods and attributes.
        self._device, self._period, self._cushion = None, 512, 4
        self._player = None  # from READY to PAUSED
        self._clock = None
        # The streaming thread's, but for the counters, which anybody reads.
        self._n_blocks = self._n_frames = 0
        self._is_first = True
        self._block_bytes = 0

    # --- properties

    def do_set_property(self, prop, value):
        setattr(self, "_" + prop.name, value)

    def do_get_property(self, prop):
        if prop.name != "stats":
            return getattr(self, "_" + prop.name)
        player = self._player
        stats = Gst.Structure.new_empty("application/x-ndaspeakersink-stats")
        for name, value in (
            ("num-blocks", self._n_blocks),
            ("num-frames", self._n_frames),
            ("num-underruns", player.n_xruns if player else 0),
        ):
            stats.set_value(name, GObject.Value(GObject.TYPE_UINT64, value))
        return stats

    # --- life

    def _fail(self, domain, code, text, debug):
        error = GLib.Error.new_literal(domain.quark(), text, code)
        self.post_message(Gst.Message.new_error(self, error, debug))

    def do_start(self):
        try:
            from nda.device_io import Clock, DeviceError, Player
        except ImportError as error:
            self._fail(
                Gst.LibraryError,
                Gst.LibraryError.INIT,
                _(
                    "ndaspeakersink cannot be used: {error}. Install the "
                    "package “nda” for this Python, or name its folder in "
                    "PYTHONPATH."
                ).format(error=error),
                "import",
            )
            return False
        self._device_error = DeviceError
        if self._clock is None:
            # It goes on for as long as the element lives.
            time = Clock()
            self._time = time
            self._clock = GstAudio.AudioClock.new(
                "NdaSpeakerClock", lambda clock, *_: time.get_time()
            )
        try:
            self._player = Player(
                self._device, self._period, self._cushion, self._time
            )
        except DeviceError as error:
            self._fail(
                Gst.ResourceError,
                Gst.ResourceError.NOT_FOUND,
                _("There is no speaker to play on: {error}").format(
                    error=error
                ),
                "find_device",
            )
            return False
        self._n_blocks = self._n_frames = 0
        self._is_first = True
        # In the place of the element flag PROVIDE_CLOCK, which Python has no
        # way to set: the bin looks again at what clocks there are.
        clock = Gst.Message.new_clock_provide(self, self._clock, True)
        self.post_message(clock)
        return True

    def do_stop(self):
        player, self._player = self._player, None
        player.release()
        return True

    def do_change_state(self, transition):
        result = GstBase.BaseSink.do_change_state(self, transition)
        if transition == Gst.StateChange.PLAYING_TO_PAUSED:
            self._player.close()  # the streaming thread has stopped
        return result

    def do_unlock(self):
        self._player.interrupt(True)
        return True

    def do_unlock_stop(self):
        self._player.interrupt(False)
        return True

    # --- format and time

    def do_set_caps(self, caps):
        info = GstAudio.AudioInfo.new_from_caps(caps)
        self._player.close()
        self._player.set_format(info.rate, info.channels)
        self._block_bytes = BLOCK_FRAMES * info.bpf
        self._bpf, self._rate = info.bpf, info.rate
        return True

    def do_provide_clock(self):
        return self._clock

    def _open(self):
        if not self._player.is_open():
            self._player.open()
            cushion = self._cushion * BLOCK_FRAMES * Gst.SECOND // self._rate
            self.set_render_delay(cushion + self._player.latency)
            self.post_message(Gst.Message.new_latency(self))

    # --- data

    def do_event(self, event):
        if event.type == Gst.EventType.FLUSH_STOP:
            self._player.flush()
            self._is_first = True
        return GstBase.BaseSink.do_event(self, event)

    def do_wait_event(self, event):
        result = GstBase.BaseSink.do_wait_event(self, event)
        if event.type != Gst.EventType.EOS:
            return result
        while result == Gst.FlowReturn.OK:
            try:
                if self._player.drain():
                    break
            except self._device_error:
                break
            result = self.wait_preroll()
        self._is_first = True
        return result

    def do_render(self, buffer):
        if buffer.has_flags(Gst.BufferFlags.DISCONT):
            self._is_first = True
        data = buffer.extract_dup(0, buffer.get_size())
        try:
            for at in range(0, len(data), self._block_bytes):
                result = self._play(data[at:at + self._block_bytes])
                if result != Gst.FlowReturn.OK:
                    return result
        except self._device_error as error:
            self._fail(
                Gst.ResourceError,
                Gst.ResourceError.WRITE,
                _("The speaker cannot be played on: {error}").format(
                    error=error
                ),
                "player",
            )
            return Gst.FlowReturn.ERROR
        return Gst.FlowReturn.OK

    def _play(self, block):
        self._open()
        while not self._player.put(block, self._is_first):
            # Paused, flushed or stopped: wait, and go on if it was the first
            result = self.wait_preroll()
            if result != Gst.FlowReturn.OK:
                return result
            self._open()
        self._is_first = False
        self._n_blocks += 1
        self._n_frames += len(block) // self._bpf
        return Gst.FlowReturn.OK


__gstelementfactory__ = ("ndaspeakersink", Gst.Rank.NONE, NdaSpeakerSink)
