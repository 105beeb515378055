"""hearth-cli chat, through a pipe and on a terminal."""
import json
import os
import pty
import select
import shutil
import sqlite3
import time
import unittest

from program import CLI, DATA, STORIES, Case, run, run_json


class Chat(Case):
    def test_answers_line_by_line_without_a_terminal(self):
        arguments = ["chat", "--model", STORIES, "--temperature", 0, "--max-tokens", 12]
        lines = b"Once upon a time\n/settings\nThe dog\n"
        told = run_json(*arguments, stdin=lines)
        self.assertEqual([m["role"] for m in told["messages"]], ["user", "assistant"] * 2)
        self.assertGreater(told["messages"][3]["stats"]["cached_tokens"], 10)
        done = run(*arguments, stdin=lines)
        for message in told["messages"][1::2]:
            self.assertIn(message["content"].encode(), done.stdout)
        self.assertIn(b"temperature 0", done.stderr)

    def test_settings_change_and_mistakes_are_told(self):
        done = run("chat", "--model", STORIES, "--max-tokens", 3,
                   stdin=b"/set temperature 0.25\n/set temperature x\n/fly\n/set wings 2\n/settings\n/quit\nno\n")
        for hint in (b"temperature 0.25", b"from 0 to 100", b"/fly", b"wings"):
            self.assertIn(hint, done.stderr)
        self.assertEqual(done.stdout, b"")

    def test_without_a_model_it_takes_the_one_that_the_window_used_last(self):
        folder = self.path("hearth")
        os.mkdir(folder)
        store = os.path.join(folder, "hearth.db")
        shutil.copy(f"{DATA}/../app/data/schema_1.db", store)
        os.chmod(store, 0o600)
        with open(store, "rb") as file:
            before = file.read()
        done = run("chat", "--data-dir", folder, stdin=b"Hi\n", expect=3)
        self.assertIn(b"/models/stories.gguf", done.stderr)
        with open(store, "rb") as file:
            self.assertEqual(file.read(), before)
        self.assertEqual(os.listdir(folder), ["hearth.db"])

        window = sqlite3.connect(store)
        self.addCleanup(window.close)
        window.execute("UPDATE settings SET value = ? WHERE key = 'last_model'", (STORIES,))
        window.commit()  # only in the log while the window runs
        own = {**os.environ, "XDG_DATA_HOME": self.folder}
        for where, environment in ((["--data-dir", folder], None), ([], own)):
            told = run_json("chat", "--max-tokens", 3, *where, stdin=b"Once\n", env=environment)
            self.assertGreater(told["messages"][1]["stats"]["generated_tokens"], 0)

    def test_without_a_model_and_without_a_last_one_it_says_which_flag_to_use(self):
        for folder in (self.path("none"), self.folder):
            done = run("chat", "--data-dir", folder, stdin=b"Hi\n", expect=2)
            self.assertIn(b"--model", done.stderr)
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_message_that_cannot_be_asked_fails_a_script(self):
        for flags in ([], ["--json"]):
            done = run("chat", "--model", STORIES, "--context", 32, *flags,
                       stdin=b"Once\n" + b"word " * 100 + b"\nnever asked\n", expect=1)
            self.assertIn(b"context holds 32", done.stderr)

    def test_a_message_that_cannot_be_asked_is_taken_back_on_a_terminal(self):
        child, terminal = pty.fork()
        if child == 0:
            os.execv(CLI, [CLI, "chat", "--model", STORIES, "--context", "32", "--json", "-n", "3"])
        time.sleep(0.5)
        os.write(terminal, b"word " * 60 + b"\n")
        os.write(terminal, b"Once\n\x04")
        seen = bytearray()
        while True:
            try:
                more = os.read(terminal, 4096)
            except OSError:  # the other end is closed
                break
            if not more:
                break
            seen.extend(more)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0, bytes(seen))
        os.close(terminal)
        self.assertIn(b"context holds 32", seen)
        told = json.loads(seen[seen.index(b'{\r\n  "messages"'):seen.rindex(b"}") + 1])
        self.assertEqual([m["role"] for m in told["messages"]], ["user", "assistant"])
        self.assertEqual(told["messages"][0]["content"], "Once")

    def test_a_pasted_text_is_one_message_and_ctrl_c_twice_leaves(self):
        child, terminal = pty.fork()
        if child == 0:
            os.execv(CLI, [CLI, "chat", "--model", STORIES, "--max-tokens", "5"])
        seen = bytearray()

        def wait_for(text):
            end = time.monotonic() + 30
            while text not in seen:
                self.assertLess(time.monotonic(), end, f"{text!r} is not in {bytes(seen)!r}")
                if select.select([terminal], [], [], 0.1)[0]:
                    seen.extend(os.read(terminal, 4096))
        wait_for(b"> ")
        self.assertIn(b"\x1b[?2004h", seen)
        os.write(terminal, b"\x1b[200~one\ntwo\nthree\x1b[201~\n")
        wait_for(b"ended by")
        self.assertEqual(seen.count(b"ended by"), 1)
        wait_for(b"> ")
        seen.clear()
        os.write(terminal, b"\x03")
        wait_for(b"again")
        os.write(terminal, b"\x03")
        wait_for(b"\x1b[?2004l")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 130)
        os.close(terminal)


if __name__ == "__main__":
    unittest.main()
