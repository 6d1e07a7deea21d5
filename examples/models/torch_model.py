# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Any model that torch.jit has saved, on each channel by itself.

    gst-launch-1.0 ndasrc ! ndapybridge plugin=./torch_model.py \
        plugin::model=denoise.pt ! ndasink

It is called with a tensor (1, 960) and gives one of the same shape.
"""

import torch
from nda import EACH, Processor, Text


class TorchModel(Processor):
    frames, channels = 960, EACH
    model = Text(help="path of the model, a .pt file")

    def start(self):
        torch.set_num_threads(1)
        self.run = torch.jit.load(self.model).eval()
        self.process(torch.zeros(1, self.frames).numpy())  # compiles

    def process(self, block):
        with torch.inference_mode():
            return self.run(torch.from_numpy(block))
