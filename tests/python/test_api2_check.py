# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda check-plugin: what it says of plugins of API 2."""

import textwrap

import pytest
from test_check_plugin import THREAD, broken_rules, check

SECOND = {
    "a function": ("def process(block):\n    block *= 0.5\n", None, []),
    "a class": (
        """
        from nda import EACH, Float, Processor
        class P(Processor):
            channels = EACH
            gain = Float(1, 0, 4)
            def process(self, block): block *= self.gain
        """,
        None,
        [],
    ),
    "a source with an end": (
        "def read():\n    yield [0.0] * 700\n",
        None,
        [],
    ),
    "a sink": ("def write(block):\n    pass\n", None, []),
    "an analyser": ("def analyse(block):\n    block.max()\n", None, []),
    "wrong declarations": (
        """
        import nda
        class P(nda.Processor):
            rate, frames = 10, None
            gain = nda.Float(2, 0, 1)
            async def process(self, block): pass
        """,
        "",
        [
            "line 4: rate is 10, not a whole number from 1001 to 768000",
            "line 5: gain: 2 is out of its range, 0 to 1",
            "line 6: process () is a coroutine: nothing of it runs",
        ],
    ),
    "types of nda that are not called": (
        """
        from nda import Float, Processor
        class P(Processor):
            gain = Float
            level: Float = 0.5
            process = 5
        """,
        "",
        [
            "line 3: class P has no method process ()",
            "line 4: gain is the class Float; write it with its default, Fl",
            "line 5: level has only the annotation Float, which declares not",
        ],
    ),
    "a latency that changes in a block": (
        """
        from nda import Processor
        class P(Processor):
            def process(self, block):
                self.latency = 240
        """,
        "2.1",
        ["its latency became 240 after it was 0; only start () and on_ch"],
    ),
    "no method": (
        "from nda import Sink\nclass P(Sink):\n    pass\n",
        "",
        ["line 2: class P has no method write ()"],
    ),
    "no star": (
        "def process(block, gain=1.0):\n    block *= gain\n",
        "",
        ["line 1: process () takes block, gain: it gets a block, and"],
    ),
    "two of them": (
        "def process(block): pass\ndef analyse(block): pass\n",
        "1.1",
        ["more than one plugin: process, analyse"],
    ),
    "a wrong shape": (
        "def process(block):\n    return block[:1]\n",
        "2.1",
        ["its process () returned shape (1, 512), but the block has shape"],
    ),
    "raises at an end": (
        """
        import math
        from nda import Float, Processor
        class P(Processor):
            gain = Float(1, 0, 4)
            def process(self, block): block *= math.log(self.gain) + 1
        """,
        "3.3",
        ["with gain=0", "math domain error"],
    ),
    "cannot start again": (
        """
        from nda import Processor
        class P(Processor):
            n = 0
            def start(self):
                self.n += 1
                if self.n > 1:
                    raise OSError("once only")
            def process(self, block): pass
        """,
        "2.1",
        ["OSError: once only"],
    ),
}


@pytest.mark.parametrize("kind", SECOND)
def test_api2_it_says_what_is_wrong_and_in_which_line(kind, tmp_path):
    text, rule, said = SECOND[kind]
    path = tmp_path / "second.py"
    path.write_text(textwrap.dedent(text))

    done = check(path, *THREAD, folder=tmp_path)

    assert done.returncode == (rule is not None), done.stdout
    broken = broken_rules(done.stdout)
    assert (rule in broken) if rule is not None else not broken, done.stdout
    for words in said:
        assert words in done.stdout
