#!/usr/bin/env python3
"""The real window with a real model file, by keyboard: send, stream, stop, edit, answer again, quit,
start again, and everything is there.

usage: xvfb_window.py HEARTH MODEL [FOLDER for screenshots]
"""

import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from ui_xvfb import Display, Program, query, skip_without, wait_for  # noqa: E402

SECOND_START_S = 2.0


def messages(data_dir):
    return query(data_dir, "SELECT id, parent_id, role, state, text FROM messages ORDER BY id")


def send(program, display, text):
    sent, finished = program.count("sent"), program.count("finished")
    display.type(text)
    display.key("Return")
    line = program.wait_event("sent", sent)
    assert line[3] == text, line
    return program.wait_event("finished", finished)


def stop_an_answer(program, display, data_dir):
    """A fast model may have ended before the key arrives: then it is asked again."""
    for _ in range(20):
        finished, texts = program.count("finished"), program.count("text")
        display.key("ctrl+r")
        program.wait_event("text", texts)
        display.key("Escape")
        answer = program.wait_event("finished", finished)[2]
        state = query(data_dir, "SELECT state FROM messages WHERE id = ?", answer)[0][0]
        if state == "stopped":
            return
    raise AssertionError("no answer could be stopped in 20 tries")


def edit_last(program, display):
    finished = program.count("finished")
    display.key("ctrl+l")
    display.key("Up")
    display.key("ctrl+a")
    display.type("The dog was")
    display.key("Return")
    program.wait_event("finished", finished)


def difference(display, one, other):
    """0 … 1, as ImageMagick's normalised root mean square."""
    return float(re.search(r"\((.*)\)", display.run(
        "compare", "-metric", "RMSE", str(one), str(other), "null:").stderr)[1])


def main(hearth, model, pictures):
    with Display() as display, tempfile.TemporaryDirectory() as folder:
        data_dir, trace = Path(folder) / "data", Path(folder) / "trace"
        program = Program(display, hearth, data_dir, trace, "--model", model)
        first_start_s = program.show()
        program.wait_event("model")
        send(program, display, "Once upon a time")
        stop_an_answer(program, display, data_dir)
        edit_last(program, display)
        display.key("ctrl+n")
        wait_for("a second conversation", lambda: query(data_dir, "SELECT count(*) FROM conversations")[0][0] == 2)
        send(program, display, "There was a tree.")
        display.screenshot(pictures / "before.png")
        program.quit()
        before = messages(data_dir)

        program = Program(display, hearth, data_dir, trace)
        second_start_s = program.show()
        program.wait_event("model")
        wait_for("the same picture", lambda: display.screenshot(pictures / "after.png") or
                 difference(display, pictures / "before.png", pictures / "after.png") < 0.02)
        assert messages(data_dir) == before, "messages changed over a restart"
        display.key("ctrl+Next")  # the older conversation can be shown and continued
        display.key("ctrl+l")
        send(program, display, "And then")
        program.quit()

        after = messages(data_dir)
        assert after[:len(before)] == before, "old messages changed"
        questions = [row[4] for row in after if row[2] == "user"]
        assert questions == ["Once upon a time", "The dog was", "There was a tree.", "And then"], questions
        assert after[-1][1] == after[-2][0] and after[-2][1] in [r[0] for r in after], after[-2:]
        roots = [row for row in after if row[1] is None and row[2] == "user"]
        assert len(roots) == 3, "the edited question is not a version beside the first one"
        assert all(row[3] in ("complete", "stopped") for row in after), after
        assert all(row[4] for row in after if row[3] == "complete"), "an empty answer"
        assert query(data_dir, "PRAGMA integrity_check") == [("ok",)]
        print(f"first start {first_start_s:.2f} s, second start {second_start_s:.2f} s")
        assert second_start_s < SECOND_START_S, "the second start is slower than promised"


if __name__ == "__main__":
    skip_without("Xvfb", "xdotool", "import", "compare")
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3] if len(sys.argv) > 3 else temporary))
