"""What every command of hearth-cli owes: help, and a line that helps after a mistake."""
import unittest

from program import STORIES, Case, run


class Usage(Case):
    def test_mistakes_end_with_2_and_a_line_that_helps(self):
        model = ["--model", STORIES]
        for words, hint in [
                ([], b"generate"), (["fly"], b"generate"), (["models"], b"inspect"),
                (["models", "fly"], b"inspect"), (["generate"], b"--model"),
                (["generate", *model], b"--prompt"), (["generate", *model, "--prompt"], b"--prompt"),
                (["generate", *model, "--prompt", "a", "--ids", "1"], b"--ids"),
                (["generate", *model, "--prompt", "a", "--wings"], b"--wings"),
                (["generate", *model, "--prompt", "a", "--temperature", "hot"], b"temperature"),
                (["generate", *model, "--prompt", "a", "--temperature", "-1"], b"temperature"),
                (["generate", *model, "--prompt", "a", "--top-p", "2"], b"top-p"),
                (["generate", *model, "--prompt", "a", "--max-tokens", "0"], b"max-tokens"),
                (["generate", *model, "--prompt", "a", "--threads", "0"], b"threads"),
                (["generate", *model, "--prompt", "a", "--device", "abacus"], b"device"),
                (["generate", *model, "--prompt", "a", "--isa", "mmx"], b"isa"),
                (["generate", *model, "--prompt", "a", "--exact", "--kv-type", "f16"], b"--exact"),
                (["generate", *model, "--prompt", "a", "--spec", "medusa"], b"not in this version"),
                (["generate", *model, "--prompt", "a", "--heads", "h.gguf"], b"--heads"),
                (["generate", *model, "--prompt", "a", "--adapter", "a.gguf"], b"--adapter"),
                (["generate", *model, "--ids", "1,x"], b"'x'"),
                (["generate", *model, "--ids", "1,99999"], b"99999"),
                (["logits", *model, "--prompt", "a"], b"--out"),
                (["tokenize", "--text", "a"], b"--tokenizer"),
                (["perplexity", *model], b"--file"),
                (["make-model", "--shape", "round", "--out", "x"], b"round"),
                (["make-model", "--shape", "tinyllama-1.1b", "--type", "Q9", "--out", "x"], b"Q9"),
                (["make-model", "--shape", "tinyllama-1.1b", "--medusa", "2", "--out", "x"], b"version")]:
            with self.subTest(words=words):
                done = run(*words, expect=2, stdin=b"")
                self.assertIn(hint, done.stderr)
                self.assertEqual(done.stdout, b"")
                self.assertIn(b"--help", done.stderr)

    def test_every_command_explains_itself_with_an_example(self):
        overview = run("--help").stdout
        for command in (["generate"], ["chat"], ["logits"], ["tokenize"], ["detokenize"], ["template"],
                        ["perplexity"], ["bench"], ["make-model"], ["models", "inspect"], ["selftest"]):
            with self.subTest(command=command):
                self.assertIn(command[0].encode(), overview)
                text = run(*command, "--help").stdout
                self.assertIn(("hearth-cli " + " ".join(command)).encode(), text)
                for flag in (b"--json", b"--device", b"--threads", b"--quiet", b"--exact", b"--kv-type",
                             b"--isa", b"--data-dir"):
                    self.assertIn(flag, text)


if __name__ == "__main__":
    unittest.main()
