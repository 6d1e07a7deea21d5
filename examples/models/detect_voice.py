# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A voice detector by onnxruntime: tells when somebody speaks.

    gst-launch-1.0 ndasrc ! ndapybridge plugin=./detect_voice.py \
        plugin::model=voice.onnx ! ndasink

The model takes 512 frames at 16 kHz, (1, 512), and gives a probability; the
path of its file is a parameter. "get-parameter" reads `voice`.
"""

import onnxruntime
from nda import Analyser, Float, Text


class DetectVoice(Analyser):
    rate, frames, channels = 16000, 512, 1
    model = Text(help="path of the model, an .onnx file")
    threshold = Float(0.5, 0, 1, help="probability from which it is a voice")
    voice = False

    def start(self):
        if not self.model:
            raise ValueError("set the parameter model to an .onnx file")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(self.model, options)
        self.input = self.session.get_inputs()[0].name

    def analyse(self, block):
        (answer, *_) = self.session.run(None, {self.input: block})
        self.voice = bool(answer.mean() > self.threshold)
