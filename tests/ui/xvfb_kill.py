#!/usr/bin/env python3
"""SIGKILL at random instants while an answer streams: every message shown as sent is there, at most a
second of streaming text is gone, the database is whole.

usage: xvfb_kill.py HEARTH_OFFLINE [times] [seed]
"""

import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from ui_xvfb import Display, Program, query, skip_without  # noqa: E402

ALLOWED_LOSS_MS = 1000
TOKENS_PER_S = 150
LONGEST_WAIT_S = 2.5


def check(data_dir, trace, killed_ms):
    """Compares what was shown with what is stored. The text that was lost, in ms."""
    stored = dict(query(data_dir, "SELECT id, text FROM messages"))
    shown, last_kept_ms = {}, killed_ms
    for ms, event, message, text in trace:
        if event == "sent":
            assert stored.get(message) == text, f"message {message} {text!r} was shown as sent: {stored.get(message)!r}"
        elif event == "text":
            shown[message] = shown.get(message, "") + text
            kept = stored[message].startswith(shown[message])
            if not kept:
                assert shown[message].startswith(stored[message]), f"answer {message} is not what was shown"
                last_kept_ms = min(last_kept_ms, ms)
        elif event == "finished":
            assert stored[message] == text, f"answer {message} was shown as finished"
    assert query(data_dir, "PRAGMA integrity_check") == [("ok",)]
    return killed_ms - last_kept_ms


def main(hearth_offline, times, seed):
    chance = random.Random(seed)
    losses, killed_while_streaming = [], 0
    with Display() as display, tempfile.TemporaryDirectory() as folder:
        data_dir, trace, script = (Path(folder) / name for name in ("data", "trace", "script"))
        script.write_text("@delay 40\n" + " ".join(f"word{i}" for i in range(1200)), encoding="utf-8")
        sent = []
        for turn in range(times):
            program = Program(display, hearth_offline, data_dir, trace,
                              "--script", script, "--rate", TOKENS_PER_S)
            program.show()
            program.wait_event("model")
            sent.append(f"message {turn}")
            display.type(sent[-1])
            display.key("Return")
            program.wait_event("sent")
            time.sleep(chance.uniform(0, LONGEST_WAIT_S))
            killed_ms = program.kill()
            lines = program.trace()
            killed_while_streaming += not any(line[1] == "finished" for line in lines)
            losses.append(check(data_dir, lines, killed_ms))
            assert losses[-1] <= ALLOWED_LOSS_MS, f"turn {turn}: {losses[-1]:.0f} ms of text are gone"
        program = Program(display, hearth_offline, data_dir, trace, "--script", script)
        program.show()
        program.quit()
        kept = [text for (text,) in query(data_dir, "SELECT text FROM messages WHERE role = 'user' ORDER BY id")]
        assert kept == sent, (kept, sent)
        states = query(data_dir, "SELECT state, count(*) FROM messages WHERE role = 'assistant' GROUP BY state")
        assert dict(states) == {"interrupted": times}, states
    print(f"seed {seed}: killed {times} times, {killed_while_streaming} while streaming; "
          f"lost at most {max(losses):.0f} ms of text")
    assert killed_while_streaming == times, "an answer ended before its kill"


if __name__ == "__main__":
    skip_without("Xvfb", "xdotool")
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20,
         int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(10**6))
