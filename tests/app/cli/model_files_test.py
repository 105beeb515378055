"""hearth-cli make-model and models inspect, and model files that are no good."""
import os
import unittest

from program import DATA, STORIES, Case, run, run_json


class Files(Case):
    def test_a_made_model_can_be_inspected_and_run(self):
        model = self.path("made.gguf")
        shape = "dim=64,layers=2,heads=4,kv_heads=2,ffn=96,vocab=300,ctx=128"
        for kind in ("F32", "F16", "BF16", "Q8_0", "Q4_0"):
            with self.subTest(type=kind):
                told = run_json("make-model", "--shape", shape, "--type", kind, "--out", model, "--seed", 3)
                self.assertEqual(told["bytes"], os.path.getsize(model))
                facts = run_json("models", "inspect", model)
                self.assertTrue(facts["supported"], facts["why_not"])
                self.assertEqual(facts["architecture"], "llama")
                self.assertEqual((facts["shape"]["dim"], facts["shape"]["n_layers"]), (64, 2))
                matrices, gains = 2 * 7 + 2, 2 * 2 + 1
                counts = {name: entry["tensors"] for name, entry in facts["types"].items()}
                self.assertEqual(counts, {"F32": matrices + gains} if kind == "F32"
                                 else {"F32": gains, kind: matrices})
                self.assertEqual(facts["file_bytes"], os.path.getsize(model))
                made = run_json("generate", "--model", model, "--prompt", "ab", "--max-tokens", 5)
                self.assertLessEqual(len(made["ids"]), 5)
        self.assertEqual(os.listdir(self.folder), ["made.gguf"])

    def test_inspect_counts_what_is_in_the_file(self):
        facts = run_json("models", "inspect", "--model", STORIES)
        self.assertEqual(facts["parameters"], 260032)
        self.assertEqual(facts["shape"], {"n_vocab": 512, "context_length": 512, "dim": 64, "n_layers": 5,
                                          "n_heads": 8, "n_kv_heads": 4, "head_dim": 8, "ffn_dim": 172})
        self.assertEqual(facts["memory"]["context_bytes"], 2 * 5 * 4 * 8 * 2 * 512)
        folder = run_json("models", "inspect", f"{DATA}/models/stories260K-hf-bf16-sharded")
        self.assertEqual(folder["parameters"], 260032)
        self.assertEqual(list(folder["types"]), ["BF16"])
        self.assertTrue(folder["supported"])

    def test_inspect_says_why_a_model_cannot_be_used(self):
        facts = run_json("models", "inspect", f"{DATA}/models/qwen2-tiny-q8_0.gguf")
        self.assertFalse(facts["supported"])
        self.assertIn("qwen2", facts["why_not"])
        self.assertGreater(facts["parameters"], 0)
        mixed = run_json("models", "inspect", f"{DATA}/models/stories260K-q4_k_m.gguf")
        self.assertFalse(mixed["supported"])
        self.assertEqual(mixed["types"]["Q5_0"]["tensors"], 28)
        self.assertIn("Q5_0", mixed["why_not"])

    def test_damaged_and_missing_files_end_with_3(self):
        with open(STORIES, "rb") as file:
            whole = file.read()
        for length in (0, 3, 100, 5000, len(whole) - 1):
            cut = self.path(f"cut-{length}.gguf")
            with open(cut, "wb") as file:
                file.write(whole[:length])
            for command in (["generate", "--prompt", "a", "--model", cut], ["models", "inspect", cut],
                            ["tokenize", "--text", "a", "--model", cut]):
                done = run(*command, expect=3)
                self.assertIn(f"cut-{length}".encode(), done.stderr)
        for missing in ("/no/such.gguf", "demo", "some-name", self.folder):
            done = run("generate", "--model", missing, "--prompt", "a", expect=3)
            self.assertIn(missing.encode(), done.stderr)
        for flags in (["generate", "--prompt-file"], ["perplexity", "--file"], ["generate", "--chat"]):
            run(flags[0], "--model", STORIES, flags[1], "/no/such", expect=3)
        with open(self.path("bad.json"), "w") as file:
            file.write('[{"role": "user"}]')
        run("generate", "--model", STORIES, "--chat", self.path("bad.json"), expect=3)

    def test_a_full_disk_leaves_no_model_behind(self):
        run("make-model", "--shape", "dim=64,layers=1,heads=2,ffn=64,vocab=300", "--out", "/dev/full",
            expect=4)
        run("make-model", "--shape", "dim=262144,layers=30,heads=64,ffn=262144", "--out",
            self.path("huge.gguf"), expect=4)
        self.assertEqual(os.listdir(self.folder), [])


if __name__ == "__main__":
    unittest.main()
