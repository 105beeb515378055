#!/usr/bin/env python3
"""hearth-cli template and generate --chat with a model's own template.

HEARTH_CLI names the program, HEARTH_TEST_DATA the folder tests/data.
"""
import json
import os
import subprocess
import tempfile
import unittest

CLI = os.environ["HEARTH_CLI"]
FOLDER_MODEL = os.environ["HEARTH_TEST_DATA"] + "/models/stories260K-hf"
GGUF_MODEL = os.environ["HEARTH_TEST_DATA"] + "/models/stories260K-f32.gguf"
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi é"}]


def run(*arguments, expect=0):
    done = subprocess.run([CLI, *map(str, arguments)], capture_output=True, timeout=60, check=False)
    if done.returncode != expect:
        raise AssertionError(f"exit {done.returncode} instead of {expect}: {arguments}\n{done.stderr!r}")
    return done


class Template(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.messages = self.put("messages.json", json.dumps(MESSAGES))

    def put(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def model(self, template):
        """The stories model with a chat template beside it."""
        folder = os.path.join(self.folder, "model")
        os.makedirs(folder)
        for name in os.listdir(FOLDER_MODEL):
            os.symlink(os.path.join(FOLDER_MODEL, name), os.path.join(folder, name))
        self.put("model/chat_template.jinja", template)
        self.put("model/special_tokens_map.json", '{"bos_token": "<s>", "eos_token": "</s>"}')
        return folder

    def template(self, text, *flags, expect=0):
        done = run("template", "--template", self.put("t.jinja", text), "--messages", self.messages,
                   "--json", *flags, expect=expect)
        return json.loads(done.stdout)["text"] if expect == 0 else done.stderr.decode()

    def test_renders_a_file_with_everything_it_is_given(self):
        text = ("{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m['content'] }}{{ eos_token }}"
                "{% endfor %}{{ tools | tojson }}{{ extra.b }}{% if add_generation_prompt %}>{% endif %}"
                "{{ strftime_now('%d %b %Y %H:%M:%S %a') }}")
        tools = self.put("tools.json", '[{"z": 1, "a": 2}]')
        context = self.put("context.json", '{"extra": {"b": "é"}}')
        self.assertEqual(
            self.template(text, "--bos", "<s>", "--eos", "</s>", "--tools", tools, "--context", context,
                          "--now", "2025-02-03T14:05:06", "--add-generation-prompt"),
            '<s>[system]Be brief.</s>[user]Hi é</s>[{"z": 1, "a": 2}]é>03 Feb 2025 14:05:06 Mon')
        self.assertEqual(self.template("{{ tools is defined }}{{ bos_token is defined }}"
                                       "{{ add_generation_prompt }}"), "FalseFalseFalse")

    def test_writes_the_text_alone_without_json(self):
        done = run("template", "--template", self.put("t.jinja", "a\n\n"), "--messages", self.messages)
        self.assertEqual(done.stdout, b"a\n")

    def test_tells_failures_apart(self):
        self.assertIn("line 2: no roles", self.template("\n{{ raise_exception('no roles') }}", expect=1))
        self.assertIn("line 1", self.template("{% if %}", expect=3))
        self.assertIn("--now", self.template("x", "--now", "2025-02-30", expect=2))
        self.assertIn("tools.json", self.template("x", "--tools", self.put("tools.json", "{}"), expect=3))
        self.assertIn("chat template", run("template", "--model", GGUF_MODEL, "--messages",
                                           self.messages, expect=3).stderr.decode())
        run("template", "--messages", self.messages, expect=2)

    def test_chats_in_the_models_own_format(self):
        model = self.model("{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}"
                           "{{ m.content }}{% endif %}{% endfor %}")
        chat = self.put("chat.json", json.dumps([{"role": "system", "content": "unused"},
                                                 {"role": "user", "content": "Once upon a time"}]))
        common = ["generate", "--model", model, "--max-tokens", 8, "--temperature", 0, "--json"]
        plain = json.loads(run(*common, "--prompt", "Once upon a time").stdout)
        asked = json.loads(run(*common, "--chat", chat).stdout)
        self.assertEqual(asked["ids"], plain["ids"])
        self.assertEqual(asked["stats"]["prompt_tokens"], plain["stats"]["prompt_tokens"])
        rendered = run("template", "--model", model, "--messages", chat, "--json")
        self.assertEqual(json.loads(rendered.stdout)["text"], "<s>Once upon a time")

    def test_says_when_a_model_has_no_template(self):
        chat = self.put("chat.json", '[{"role": "user", "content": "Once"}]')
        done = run("generate", "--model", GGUF_MODEL, "--max-tokens", 2, "--chat", chat)
        self.assertIn(b"no chat template", done.stderr)


if __name__ == "__main__":
    unittest.main()
