# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Converts arrays of plugins of API 2 to blocks, and back; a part of
ndapyembed.py."""

MANY_NONE = 500  # calls, a millisecond apart


class Cutter:
    """Cuts arrays of any length into blocks, and loses nothing (1.5).

    It pulls the arrays. A pull returns the next array, or None if there is
    nothing yet; StopIteration means that the last array was the end.
    """

    def __init__(self, pull, n_channels):
        self._pull = pull
        self._generator = getattr(pull, "__self__", None)
        self.n_channels = n_channels  # None: as the first array has
        self._rest = None  # frames that wait, (channels, frames)
        self._n_vain = 0  # calls before the first array; -1: there was one
        self._has_ended = False

    def look(self):
        """Learn the channels from the first array."""
        if self.n_channels is None:
            self._keep(self._fetch())
        if self.n_channels is None:
            self.n_channels = 1

    def fill(self, data):
        """Put the next frames into a block. True: done; False: there are not
        enough yet; Ended: the last frames, and their number."""
        at = self._take(data)
        while at < data.shape[1] and not self._has_ended:
            array = self._fetch()
            if array is not None:
                n_taken = min(data.shape[1] - at, array.shape[1])
                data[:, at : at + n_taken] = array[:, :n_taken]
                self._keep(array[:, n_taken:])
                at += n_taken
            elif not self._has_ended:
                self._keep(data[:, :at])
                return False
        return True if at == data.shape[1] else Ended(at)

    def _fetch(self):
        """Pull the next array. None: there is nothing yet, or the end."""
        try:
            array = self._pull()
        except StopIteration:
            self._has_ended = True
            return None
        if array is None:
            self._count_vain()
            return None
        self._n_vain = -1
        with placed_at(self.line_of_yield()):
            array = self._check(array)
        return array if array.shape[1] else None

    def _count_vain(self):
        """None is “not yet”; if it is all that ever comes, it is an oversight.
        Told once: there may be an array some day."""
        if self._n_vain < 0:
            return
        self._n_vain += 1
        if self._n_vain == MANY_NONE:
            raise PluginError(
                f"its read () has returned None {MANY_NONE} times, and no "
                "array so far; end it with “return” and the array"
            )

    def _keep(self, array):
        """Keep a copy of frames for the next block: the plugin may use its
        array again."""
        import numpy

        if array is not None and array.shape[1]:
            self._rest = numpy.array(array, numpy.float32)

    def _take(self, data):
        """Move waiting frames to the start of a block. Return how many."""
        if self._rest is None:
            return 0
        n_taken = min(data.shape[1], self._rest.shape[1])
        data[:, :n_taken] = self._rest[:, :n_taken]
        self._rest = self._rest[:, n_taken:]
        if not self._rest.shape[1]:
            self._rest = None
        return n_taken

    def _check(self, array):
        """Check an array and return it as (channels, frames)."""
        import numpy

        shape = self.n_channels or "channels", "frames"
        shape = f"({shape[0]}, frames) or (frames,)"
        array = _as_array(array, shape, "read")
        if self.n_channels is None and array.ndim in (1, 2):
            n_channels = array.shape[0] if array.ndim == 2 else 1
            self.n_channels = whole(
                n_channels, "number of channels", 1, MAX_CHANNELS
            )
        if array.ndim == 1:
            array = numpy.broadcast_to(array, (self.n_channels, len(array)))
        if array.ndim != 2 or array.shape[0] != self.n_channels:
            raise PluginError(
                f"its read () gave an array of shape {array.shape}, which is "
                f"not {shape}"
            )
        return array

    def line_of_yield(self):
        """Return where the generator is, as “ (line 5)”; or ""."""
        frame = getattr(self._generator, "gi_frame", None)
        if frame is None or frame.f_code.co_filename not in _plugin_files:
            return ""
        return f" (line {frame.f_lineno})"


class Gatherer:
    """Joins blocks to longer ones for a sink's write ()."""

    def __init__(self, write, n_channels, n_frames):
        import numpy

        self._write = write  # whether it took a block
        self._block = numpy.zeros((n_channels, n_frames), numpy.float32)
        self._n_frames = 0  # that wait at its start

    def put(self, data):
        """Take frames. Return whether they were taken; if not, they come
        again."""
        n_room = self._block.shape[1] - self._n_frames
        head, tail = data[:, :n_room], data[:, n_room:]
        end = self._n_frames + head.shape[1]
        self._block[:, self._n_frames : end] = head
        if end < self._block.shape[1]:
            self._n_frames = end
            return True
        if not self._write(self._block):
            return False
        self._block[:, : tail.shape[1]] = tail
        self._n_frames = tail.shape[1]
        return True

    def drain(self):
        """Write the rest, which is shorter."""
        if self._n_frames:
            self._write(self._block[:, : self._n_frames].copy())
        self._n_frames = 0
