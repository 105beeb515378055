"""The real hearth-cli, as a script runs it, and what its results are compared with.

HEARTH_CLI names the program, HEARTH_TEST_DATA the folder tests/data.
"""
import array
import json
import math
import os
import struct
import subprocess
import tempfile
import unittest

CLI = os.environ["HEARTH_CLI"]
DATA = os.environ["HEARTH_TEST_DATA"]
STORIES = f"{DATA}/models/stories260K-f32.gguf"
TOLERANCE = 1e-3  # of a logit, against float64


def near_tie(name):
    """The gap between winner and runner-up below which the golden greedy ids say nothing: llama.cpp,
    which made them, quantises the activations of quantised models."""
    return 0.1 if "-q" in name else TOLERANCE


def run(*arguments, stdin=None, expect=0, **options):
    """Runs the program; a wrong exit code fails with what it said."""
    done = subprocess.run([CLI, *map(str, arguments)], input=stdin, capture_output=True,
                          timeout=60, **options)
    if done.returncode != expect:
        raise AssertionError(f"exit {done.returncode} instead of {expect}: {arguments}\n"
                             f"stdout: {done.stdout[-500:]!r}\nstderr: {done.stderr[-1000:]!r}")
    return done


def run_json(*arguments, **options):
    done = run(*arguments, "--json", **options)
    return json.loads(done.stdout)


def read_npy(path):
    """Shape and float32 values of a version 1.0 file."""
    with open(path, "rb") as file:
        magic = file.read(8)
        assert magic == b"\x93NUMPY\x01\x00", magic
        (length,) = struct.unpack("<H", file.read(2))
        assert (10 + length) % 64 == 0, length
        header = eval(file.read(length).decode(), {"__builtins__": {}})
        assert header["descr"] == "<f4" and not header["fortran_order"], header
        values = array.array("f", file.read())
    assert len(values) == math.prod(header["shape"]), (len(values), header)
    return header["shape"], values


def golden(name):
    with open(f"{DATA}/golden/{name}.json") as file:
        return json.load(file)


def golden_array(name, kind):
    """The float64 reference where it was kept, llama.cpp's float32 result otherwise."""
    reference = f"{DATA}/golden/{name}.ref64.{kind}.npy"
    return read_npy(reference if os.path.exists(reference) else f"{DATA}/golden/{name}.{kind}.npy")


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def assertClose(self, found, expected, what):
        self.assertEqual(len(found), len(expected), what)
        worst = max(range(len(expected)), key=lambda i: abs(found[i] - expected[i]))
        outside = sum(not abs(f - e) <= TOLERANCE for f, e in zip(found, expected))
        self.assertEqual(outside, 0, f"{what}: {outside} of {len(expected)} logits differ; worst at "
                                     f"{worst}: {found[worst]} instead of {expected[worst]}")


# (model, golden): GGUF and Hugging Face, every weight type.
MODELS = [
    ("stories260K-f32.gguf", "stories260K-f32"),
    ("stories260K-f16.gguf", "stories260K-f16"),
    ("stories260K-bf16.gguf", "stories260K-bf16"),
    ("stories260K-ff192-q8_0.gguf", "stories260K-ff192-q8_0"),
    ("stories260K-ff192-q4_0.gguf", "stories260K-ff192-q4_0"),
    ("stories260K-hf", "stories260K-f32"),
    ("stories260K-hf-bf16-sharded", "stories260K-hf-bf16-sharded"),
    ("llama-untied-f32.gguf", "llama-untied-f32"),
    ("llama3-rope-tiny-f32.gguf", "llama3-rope-tiny-f32"),
    ("llama3-rope-tiny-hf", "llama3-rope-tiny-f32"),
    ("llama-rope-linear-tiny-f32.gguf", "llama-rope-linear-tiny-f32"),
    ("llama-rope-linear-tiny-hf", "llama-rope-linear-tiny-f32"),
]
