# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A block costs no allocation of ours: counted, not promised.

Every malloc () of a pipeline is counted, with GLib and Python asking for each
object singly. What more blocks cost more is what blocks cost; beside the same
pipeline with an identity in the bridge's place, that is the bridge's share.
"""

import os
import re
import subprocess

import pytest

N_BLOCKS = 2000
# The look at whether garbage is to be collected, in one run of 16 or fewer.
MAX_SHARE = 0.25


@pytest.fixture(scope="module", autouse=True)
def registry():
    """The first run of all would read every plugin there is."""
    subprocess.run(["gst-inspect-1.0", "identity"], check=True,
                   stdout=subprocess.DEVNULL)


def count_allocations(pipeline):
    result = subprocess.run(
        ["gst-launch-1.0", "-q", *pipeline.split()],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "LD_PRELOAD": os.environ["COUNT_ALLOCATIONS"],
            "G_SLICE": "always-malloc",
            "PYTHONMALLOC": "malloc",
        },
    )
    assert result.returncode == 0, result.stderr
    return int(re.search(r"^allocations: (\d+)$", result.stderr, re.M)[1])


def allocations_per_block(pipeline, n_few=N_BLOCKS):
    """By the difference of many blocks and few, in which starts cancel."""
    few, many = (
        count_allocations(pipeline.format(n_blocks=n_blocks))
        for n_blocks in (n_few, 3 * n_few)
    )
    return (many - few) / (2 * n_few)


@pytest.mark.parametrize("isolation", ["thread", "process"])
@pytest.mark.parametrize("n_channels", [1, 2, 6])
def test_block_costs_no_allocation(n_channels, isolation):
    pipeline = (
        "audiotestsrc samplesperbuffer=512 num-buffers={n_blocks} ! "
        f"audio/x-raw,channels={n_channels},layout=interleaved ! "
    )
    idle = allocations_per_block(pipeline + "identity ! fakesink")
    bridge = allocations_per_block(
        pipeline
        + f"ndapybridge plugin=passthrough isolation={isolation} ! fakesink"
    )

    assert idle > 0.9, "the counter does not count"
    assert bridge - idle < MAX_SHARE


FRAMES = """
from nda import Processor

class Idle(Processor):
    frames, rate, channels, latency = {values}

    def process(self, block):
        pass
"""


@pytest.mark.parametrize("isolation", ["thread", "process"])
@pytest.mark.parametrize(
    "values", ["480, None, None, 0", "512, None, None, 72", "320, 16000, 1, 0"]
)
def test_block_in_frames_of_the_plugin_costs_none(
    tmp_path, values, isolation
):
    plugin = tmp_path / "idle.py"
    plugin.write_text(FRAMES.format(values=values))
    pipeline = (
        "audiotestsrc samplesperbuffer=512 num-buffers={n_blocks} ! "
        "audio/x-raw,channels=2,layout=interleaved ! "
    )
    idle = allocations_per_block(pipeline + "identity ! fakesink")
    bridge = allocations_per_block(
        pipeline
        + f"ndapybridge plugin={plugin} isolation={isolation} ! fakesink"
    )

    assert bridge - idle < MAX_SHARE


# Counting down would make numbers, which are objects of Python's
NOTHING = """
from itertools import repeat
from base_plugin import AudioSourcePlugin, PluginInfo, PluginType

class Idle(AudioSourcePlugin):
    answers = iter(())

    def get_info(self):
        return PluginInfo("idle", "1", "nda", "", PluginType.AUDIO_SOURCE)

    def set_parameter(self, key, value):
        self.answers = repeat(False, int(value))

    def read_audio(self, buffer):
        return next(self.answers, True)

    def get_parameter(self, key):
        return ""

    def get_sample_rate(self):
        return 48000

    def get_channel_count(self):
        return 2

    def start(self):
        return True

    initialize = start

    def stop(self):
        pass

    shutdown = stop

    def set_sample_rate(self, rate):
        pass

    set_channel_count = set_audio_callback = set_sample_rate

def create_plugin():
    return Idle()
"""


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_source_that_has_nothing_costs_none(tmp_path, isolation):
    plugin = tmp_path / "idle.py"
    plugin.write_text(NOTHING)

    # Each time it is asked there is the look at the garbage
    assert allocations_per_block(
        f"ndapysrc plugin={plugin} isolation={isolation} is-live=false "
        "num-buffers=1 parameters=n={n_blocks} ! fakesink",
        n_few=250,
    ) < 1 + MAX_SHARE


def test_block_that_others_hold_too_comes_from_a_pool():
    # The first sink keeps its last buffer, so that it must not be overwritten.
    # Queues would make the count depend on how many blocks wait in them.
    pipeline = (
        "audiotestsrc samplesperbuffer=512 num-buffers={n_blocks} ! "
        "tee name=t ! fakesink async=false  t. ! "
    )
    idle = allocations_per_block(pipeline + "identity ! fakesink async=false")
    bridge = allocations_per_block(
        pipeline + "ndapybridge plugin=passthrough ! fakesink async=false"
    )

    assert bridge - idle < MAX_SHARE


def test_block_that_is_put_together_comes_from_a_pool():
    pipeline = "audiotestsrc samplesperbuffer=480 num-buffers={n_blocks} ! "
    idle = allocations_per_block(pipeline + "identity ! fakesink")
    bridge = allocations_per_block(
        pipeline + "ndapybridge plugin=passthrough ! fakesink"
    )

    assert bridge - idle < MAX_SHARE


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("kind", ["F32LE", "S16LE"])
def test_resampling_costs_no_allocation(rate, kind):
    if subprocess.run(["gst-inspect-1.0", "ndaresample"],
                      stdout=subprocess.DEVNULL).returncode:
        pytest.skip("there is no ndaresample")
    pipeline = (
        "audiotestsrc samplesperbuffer=480 num-buffers={n_blocks} ! "
        f"audio/x-raw,rate={rate},channels=2,layout=interleaved ! "
    )
    idle = allocations_per_block(pipeline + "identity ! fakesink")
    resampled = allocations_per_block(
        pipeline + f"ndaresample ! audio/x-raw,format={kind} ! fakesink"
    )

    assert resampled - idle < MAX_SHARE


@pytest.mark.parametrize("framing", ["packet", "stream"])
@pytest.mark.parametrize("between", ["identity", "tee"])
def test_encryption_costs_no_allocation(tmp_path, framing, between):
    """Where a record is the decoder's alone, and where others hold it too."""
    if subprocess.run(["gst-inspect-1.0", "ndaencrypt"],
                      stdout=subprocess.DEVNULL).returncode:
        pytest.skip("there is no ndaencrypt")
    key = tmp_path / "key"
    key.touch(0o600)
    key.write_bytes(os.urandom(32))
    pipeline = (
        "audiotestsrc samplesperbuffer=480 num-buffers={n_blocks} ! "
        "audio/x-raw,format=S16LE,channels=2,rate=48000 ! "
    )
    middle = "" if between == "identity" else (
        "tee name=t ! fakesink async=false t. ! "
    )
    idle = allocations_per_block(
        f"{pipeline} identity ! {middle} identity ! fakesink async=false"
    )
    secret = allocations_per_block(
        f"{pipeline} ndaencrypt key-file={key} framing={framing} ! {middle} "
        f"ndadecrypt key-file={key} ! fakesink async=false"
    )

    assert secret - idle < MAX_SHARE
