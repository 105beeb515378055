"""A display, a program on it, and what a test asks of them: keys, the trace, the database."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

SKIP = 77  # CTest's SKIP_RETURN_CODE


def skip_without(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        print("SKIP: not installed:", ", ".join(missing))
        sys.exit(SKIP)


def wait_for(what, condition, timeout_s=30):
    """The condition's first true value; an error that says what was waited for."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {timeout_s} s: {what}")


class Display:
    """An X server of its own, with the tools that act on it."""

    def __init__(self, size="1100x760x24"):
        reading, writing = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp", "-noreset"],
            pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            number = pipe.readline().strip()
        assert number, "Xvfb did not start"
        self.environment = {**os.environ, "DISPLAY": f":{number}", "LC_ALL": "C.UTF-8",
                            "QT_QUICK_BACKEND": "software"}
        for name in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "DBUS_SESSION_BUS_ADDRESS"):
            self.environment.pop(name, None)

    def run(self, *command):
        return subprocess.run(command, env=self.environment, capture_output=True, text=True)

    def key(self, *keys):
        done = self.run("xdotool", "key", "--clearmodifiers", *keys)
        assert done.returncode == 0, done.stderr

    def type(self, text):
        done = self.run("xdotool", "type", "--delay", "4", text)
        assert done.returncode == 0, done.stderr

    def screenshot(self, path):
        done = self.run("import", "-window", "root", str(path))
        assert done.returncode == 0, done.stderr

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.server.terminate()  # programs that are left lose their display and end
        self.server.wait()


class Program:
    """A running window: its process and its trace."""

    def __init__(self, display, binary, data_dir, trace, *arguments):
        self.display = display
        self.trace_file = Path(trace)
        self.trace_file.unlink(missing_ok=True)
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [str(binary), "--data-dir", str(data_dir), *map(str, arguments)],
            env={**display.environment, "HEARTH_TRACE": str(trace)})

    def show(self):
        """Waits for the window and gives it the keyboard. Seconds from the start until it is seen."""
        def visible():
            assert self.process.poll() is None, f"ended with {self.process.returncode}"
            found = self.display.run("xdotool", "search", "--onlyvisible", "--pid",
                                     str(self.process.pid)).stdout.split()
            return found and found[0]
        window = wait_for("a visible window", visible)
        seconds = time.monotonic() - self.started
        self.display.run("xdotool", "windowfocus", "--sync", window)
        self.wait_event("ready")
        return seconds

    def trace(self):
        """[(ms, event, id, text)]; a last line that was cut short is left out."""
        if not self.trace_file.exists():
            return []
        lines = []
        for line in self.trace_file.read_text(encoding="utf-8").splitlines(keepends=True):
            found = re.fullmatch(r"(\d+) (\w+) (\d+) (.*)\n", line)
            if found:
                lines.append((int(found[1]), found[2], int(found[3]), json.loads(found[4])[0]))
        return lines

    def wait_event(self, event, after=0, timeout_s=30):
        """The first such event beyond the first `after` ones."""
        def found():
            assert self.process.poll() is None, f"ended with {self.process.returncode}"
            return [line for line in self.trace() if line[1] == event][after:]
        return wait_for(f"{event} no. {after + 1}", found, timeout_s)[0]

    def count(self, event):
        return sum(line[1] == event for line in self.trace())

    def quit(self):
        self.display.key("ctrl+q")
        code = self.process.wait(timeout=20)
        assert code == 0, f"ended with {code}"

    def kill(self):
        """The Unix time of SIGKILL in ms."""
        now = time.time() * 1000
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        return now


def query(data_dir, sql, *parameters):
    """Rows of the program's database."""
    with sqlite3.connect(f"file:{data_dir}/hearth.db?mode=ro", uri=True, timeout=10) as database:
        return database.execute(sql, parameters).fetchall()
