#!/usr/bin/env python3
"""How the window's program starts when it cannot: what it says, and its exit code.

usage: xvfb_start.py HEARTH
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from ui_xvfb import Display, Program, skip_without, wait_for  # noqa: E402


def run(hearth, environment, *arguments):
    done = subprocess.run([hearth, *map(str, arguments)], env=environment, capture_output=True,
                          text=True, timeout=30)
    return done.returncode, done.stdout + done.stderr


def expect(what, got, code, *words):
    assert got[0] == code, f"{what}: exit code {got[0]}, not {code}: {got[1]}"
    for word in words:
        assert word in got[1], f"{what}: no {word!r} in {got[1]!r}"
    print("ok:", what)


def without_window(hearth):
    """No display is needed, or there is none."""
    bare = {name: value for name, value in os.environ.items()
            if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    expect("help", run(hearth, bare, "--help"), 0, "--data-dir", "--model")
    expect("version", run(hearth, bare, "--version"), 0, "hearth 0.")
    expect("bad option value", run(hearth, bare, "--data-dir"), 2)
    expect("no display", run(hearth, bare), 1, "hearth-cli chat")
    expect("dead display", run(hearth, {**bare, "DISPLAY": ":987"}), 1, "hearth-cli chat")


def refused(display, hearth, data_dir, code, words):
    """A window says why; closing it ends the program."""
    process = subprocess.Popen([hearth, "--data-dir", str(data_dir)], env=display.environment,
                               stderr=subprocess.PIPE, text=True)
    window = wait_for("the failure window", lambda: display.run(
        "xdotool", "search", "--onlyvisible", "--pid", str(process.pid)).stdout.split())[0]
    display.run("xdotool", "windowfocus", "--sync", window)

    def closed():
        display.key("Escape")
        try:
            return process.wait(timeout=0.3) is not None
        except subprocess.TimeoutExpired:
            return False
    wait_for("the end of the program", closed, 10)
    expect(f"refused start: {words}", (process.returncode, process.stderr.read()), code, words)


def main(hearth):
    without_window(hearth)
    with Display() as display, tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        first = Program(display, hearth, data_dir, Path(folder) / "trace")
        first.show()
        refused(display, hearth, data_dir, 1, "already running")
        first.kill()
        damaged = Path(folder) / "damaged"
        damaged.mkdir()
        (damaged / "hearth.db").write_bytes(b"this is no database" * 400)
        refused(display, hearth, damaged, 3, "damaged")
        assert (damaged / "hearth.db").read_bytes() == b"this is no database" * 400, "the file was changed"
        (Path(folder) / "file").write_text("not a folder")
        refused(display, hearth, Path(folder) / "file", 1, "data folder")


if __name__ == "__main__":
    skip_without("Xvfb", "xdotool")
    main(sys.argv[1])
