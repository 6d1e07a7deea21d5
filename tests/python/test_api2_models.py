# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The examples of models: each runs where its package is there."""

import ast
import importlib.util
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from nda.check.declarations import find_faults, is_second

MODELS = Path(__file__).resolve().parents[2] / "examples" / "models"
EXAMPLES = sorted(path.name for path in MODELS.glob("*.py"))
RATE = 48000


def need(package):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"there is no {package}: install python3-{package}")


def tone(frequency, n_frames=RATE // 2, channels=2):
    time = np.arange(n_frames)[:, None] / RATE
    return np.repeat(np.sin(2 * np.pi * frequency * time), channels, 1)


def rms(frames):
    return float(np.sqrt(np.mean(frames.astype(float) ** 2)))


def test_there_are_examples():
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize("name", EXAMPLES)
def test_21_7_an_example_has_at_most_20_lines_beside_its_docstring(name):
    path = MODELS / name
    text = path.read_text()
    docstring = ast.parse(text).body[0]
    rest = text.splitlines()[docstring.end_lineno :]
    lines = [line for line in rest if line.strip()]

    assert len(lines) <= 20
    assert is_second(str(path)) and find_faults(str(path)) == []


@pytest.fixture
def library(tmp_path):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    path = tmp_path / "libsmooth.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", path, MODELS / "smooth.c"],
        check=True,
    )
    return path


def test_21_7_a_library_in_c_gets_480_frames_of_each_channel(
    run, library, noise
):
    frames = noise(10000, 3)

    outcome = run(
        MODELS / "ctypes_filter.py",
        np.split(frames, [100, 5000, 5001]),
        channels=3,
        parameters=f"library={library}",
    )

    before = np.vstack([np.zeros((1, 3), np.float32), frames[:-1]])
    assert outcome.error is None
    assert np.array_equal(
        outcome.frames, np.float32(0.5) * (frames + before)
    )


def test_21_7_a_filter_of_scipy_keeps_its_state(run):
    need("scipy")
    for frequency, is_kept in ((1000, True), (50, False), (12000, False)):
        frames = tone(frequency)
        outcome = run(MODELS / "bandpass.py", [frames])

        assert outcome.error is None
        steady = outcome.frames[RATE // 8 :]
        assert (rms(steady) > 0.65) if is_kept else (rms(steady) < 0.01)


def test_21_7_a_loop_is_compiled_by_numba(run, noise):
    need("numba")
    frames = noise(5000)

    outcome = run(
        MODELS / "fold.py", [frames], parameters="drive=3", timeout=60 * 10**9
    )

    assert outcome.error is None
    assert np.abs(outcome.frames).max() <= 1
    soft = np.abs(frames) < 0.3
    assert np.allclose(outcome.frames[soft], 3 * frames[soft], atol=1e-6)


def test_21_7_a_torch_model_runs_on_each_channel(run, noise, tmp_path):
    need("torch")
    import torch

    model = torch.nn.Conv1d(1, 1, 3, padding=1, bias=False)
    path = tmp_path / "model.pt"
    torch.jit.script(model).save(str(path))
    frames = noise(9600)

    outcome = run(
        MODELS / "torch_model.py", [frames], parameters=f"model={path}"
    )

    with torch.inference_mode():
        blocks = torch.from_numpy(np.ascontiguousarray(frames.T))
        expected = model(blocks.reshape(20, 1, 960)).reshape(2, 9600)
    assert outcome.error is None
    assert np.allclose(outcome.frames.T, expected.numpy(), atol=1e-6)


def test_21_7_a_voice_detector_leaves_the_sound_alone(
    make_bridge, noise, tmp_path
):
    need("onnxruntime")
    need("onnx")
    from onnx import TensorProto, helper, save

    def value(name, shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    # the peak of the block stands for a probability
    node = helper.make_node("ReduceMax", ["in"], ["out"], keepdims=1)
    graph = helper.make_graph(
        [node], "peak", [value("in", [1, 512])], [value("out", [1, 1])]
    )
    save(helper.make_model(graph), str(tmp_path / "voice.onnx"))
    frames = noise(RATE)
    line = make_bridge(
        MODELS / "detect_voice.py",
        parameters=f"model={tmp_path / 'voice.onnx'}",
    )
    line.play()
    line.push(frames)
    line.src.emit("end-of-stream")

    assert np.array_equal(line.pull_all(), frames)
    assert line.element.emit("get-parameter", "voice") == "true"
