"""hearth-cli tokenize and detokenize, against ids that others computed."""
import json
import unittest

from program import DATA, STORIES, MODELS, Case, golden, run, run_json


class Tokens(Case):
    def test_ids_equal_the_reference_in_both_directions(self):
        with open(f"{DATA}/tokenizers/tok512.strings.json") as file:
            cases = json.load(file)["cases"]
        for source in (["--model", STORIES], ["--tokenizer", f"{DATA}/tokenizers/tok512-tokenizer.model"]):
            for case in cases:
                with self.subTest(text=case["text"], source=source[0]):
                    text = case["text"].encode()
                    told = run_json("tokenize", *source, stdin=text)
                    self.assertEqual(told["ids"], case["ids"])
                    self.assertEqual(len(told["pieces"]), len(told["ids"]))
                    bare = run_json("tokenize", *source, "--no-bos", stdin=text)
                    self.assertEqual(bare["ids"], case["ids_no_special"])
                    parsed = run_json("tokenize", *source, "--parse-special", stdin=text)
                    self.assertEqual(parsed["ids"], case["ids_parse_special"])
                    back = run_json("detokenize", *source, "--ids", ",".join(map(str, case["ids"])))
                    if case["roundtrip"]:
                        self.assertEqual(back["text"], case["text"])

    def test_prompts_give_the_ids_of_every_model(self):
        for model, name in MODELS:
            for prompt in golden(name)["prompts"]:
                told = run_json("tokenize", "--model", f"{DATA}/models/{model}", "--text", prompt["text"])
                self.assertEqual(told["ids"], prompt["ids"], model)

    def test_text_comes_from_flag_file_or_standard_input(self):
        with open(self.path("t.txt"), "w") as file:
            file.write("Hello")
        texts = [run("tokenize", "--model", STORIES, *more, stdin=b"Hello").stdout
                 for more in (["--text", "Hello"], ["--file", self.path("t.txt")], ["--file", "-"], [])]
        self.assertEqual(len(set(texts)), 1)
        self.assertEqual(run("detokenize", "--model", STORIES, "--ids", "346,306,414").stdout, b"Hello")

    def test_a_model_that_cannot_run_still_has_its_tokenizer(self):
        told = run_json("tokenize", "--model", f"{DATA}/models/qwen2-tiny-q8_0.gguf", "--text", "Hello")
        self.assertEqual(told["ids"], [1, 346, 306, 414])


if __name__ == "__main__":
    unittest.main()
