# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The plugin of the benchmark beside a thread that keeps Python busy."""

import threading

from gain_and_clip import GainAndClip


class GainAndClipBesideHog(GainAndClip):
    def start(self):
        self.is_over = False
        self.hog = threading.Thread(target=self.count, daemon=True)
        self.hog.start()
        return True

    def stop(self):
        self.is_over = True
        self.hog.join()

    def count(self):
        n = 0
        while not self.is_over:
            n += 1


def create_plugin():
    return GainAndClipBesideHog()
