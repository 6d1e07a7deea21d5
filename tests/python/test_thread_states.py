# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A thread that has called Python gives its state back before it ends."""

import pytest

# It takes the GIL as an extension module does that was called without it
TAKES_THE_GIL = """
import ctypes, threading

COMPARE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
LIBRARY = ctypes.PyDLL(None)
LOCAL = threading.local()


class Resource:
    def __del__(self):
        items = (ctypes.c_int * 4)(3, 1, 2, 0)
        LIBRARY.qsort(items, 4, ctypes.sizeof(ctypes.c_int),
                      COMPARE(lambda a, b: 0))
        note("freed")


def {method}(self, *args):
    LOCAL.resource = Resource()
    return True
Plugin.{method} = {method}
"""


@pytest.mark.parametrize("isolation", ["thread"], indirect=True)
def test_numpy_is_loaded_by_no_streaming_thread(launch_bridge, tmp_path):
    path = tmp_path / "bare.py"
    path.write_text(
        "import sys\n"
        "assert 'numpy' in sys.modules\n"
        "def process(block): pass\n"
    )
    done = launch_bridge(path)

    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize(
    "name, value", [("PYTHONDEVMODE", "1"), ("PYTHONMALLOC", "debug")]
)
def test_debugging_allocators_find_a_state(launch_bridge, name, value):
    done = launch_bridge("gain", env={name: value})

    assert done.returncode == 0, done.stderr.decode()
    assert b"ERROR" not in done.stderr and b"Fatal" not in done.stderr


@pytest.mark.parametrize("method", ["initialize", "process_audio"])
def test_destructor_of_a_thread_takes_the_gil(
    launch_bridge, write_noting_plugin, journal, method
):
    path = write_noting_plugin(TAKES_THE_GIL.format(method=method))

    done = launch_bridge(path)

    assert done.returncode == 0, done.stderr.decode()
    assert b"ERROR" not in done.stderr
