# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plugin of the benchmark that keeps its interpreter busy, as `what` says.

hog
    A thread in pure Python that never pauses.
c-call
    A thread that is in one long call in C nearly all the time: it sorts 400000
    numbers and keeps the GIL meanwhile.
objects
    A thread that makes and drops objects beside 600000 that live.
"""

import random
import threading

from gain_and_clip import GainAndClip

N_SORTED = 400_000
N_LIVING = 600_000


class Beside(GainAndClip):
    def set_parameter(self, key, value):
        self.what = value

    def start(self):
        self.is_over = False
        work = {
            "hog": self.count,
            "c-call": self.sort,
            "objects": self.allocate,
        }[self.what]
        self.thread = threading.Thread(target=work, daemon=True)
        self.thread.start()
        return True

    def stop(self):
        self.is_over = True
        self.thread.join()

    def count(self):
        n = 0
        while not self.is_over:
            n += 1

    def sort(self):
        numbers = [random.random() for _ in range(N_SORTED)]
        while not self.is_over:
            sorted(numbers)

    def allocate(self):
        living = [[n] for n in range(N_LIVING)]
        while not self.is_over:
            [[n] for n in range(1000)]
        del living


def create_plugin():
    return Beside()
