"""hearth-cli logits and perplexity, against results that others computed."""
import os
import resource
import unittest

from program import CLI, DATA, STORIES, MODELS, Case, golden, golden_array, read_npy, run, run_json


class Logits(Case):
    def test_last_position_equals_the_reference(self):
        for model, name in MODELS:
            prompts = golden(name)["prompts"]
            shape, expected = golden_array(name, "last")
            for index in (0, 5):
                with self.subTest(model=model, prompt=index):
                    out = self.path("last.npy")
                    told = run_json("logits", "--model", f"{DATA}/models/{model}", "--prompt",
                                    prompts[index]["text"], "--out", out)
                    self.assertEqual(told["ids"], prompts[index]["ids"])
                    found_shape, found = read_npy(out)
                    self.assertEqual(found_shape, (shape[1],))
                    self.assertEqual(told["shape"], [shape[1]])
                    self.assertEqual(told["argmax"], max(range(len(found)), key=found.__getitem__))
                    self.assertClose(found, expected[index * shape[1]:(index + 1) * shape[1]], model)

    def test_all_positions_equal_the_reference(self):
        for model, name in MODELS:
            if not os.path.exists(f"{DATA}/golden/{name}.all.npy") and \
                    not os.path.exists(f"{DATA}/golden/{name}.ref64.all.npy"):
                continue
            if "q8_0" in name:
                continue  # its .all is llama.cpp's, with quantised activations
            with self.subTest(model=model):
                prompt = golden(name)["prompts"][4]
                shape, expected = golden_array(name, "all")
                ids = ",".join(map(str, prompt["ids"]))
                out = self.path("all.npy")
                told = run_json("logits", "--model", f"{DATA}/models/{model}", "--ids", ids, "--out",
                                out, "--all")
                self.assertEqual(tuple(told["shape"]), shape)
                found_shape, found = read_npy(out)
                self.assertEqual(found_shape, shape)
                self.assertClose(found, expected, model)

    def test_threads_and_flags_do_not_change_a_bit(self):
        results = set()
        for flags in ([], ["--threads", "1"], ["--threads", "3"], ["--exact"], ["--kv-type", "f16"]):
            out = self.path("x.npy")
            run("logits", "--model", STORIES, "--prompt", "Once upon a time", "--out", out, *flags)
            with open(out, "rb") as file:
                results.add(file.read())
        self.assertEqual(len(results), 1)

    def test_full_disk_is_told_and_leaves_nothing(self):
        done = run("logits", "--model", STORIES, "--prompt", "a", "--out", "/dev/full", expect=4)
        self.assertIn(b"/dev/full", done.stderr)
        self.assertFalse(os.path.isfile("/dev/full"))

    def test_logits_beyond_memory_end_with_4_and_a_line(self):
        with open(CLI, "rb") as file:
            if b"__asan_init" in file.read():
                self.skipTest("the address sanitizer reserves more than any limit allows")
        model = self.path("wide.gguf")
        run("make-model", "--shape", "dim=32,layers=1,heads=1,ffn=32,vocab=60000,ctx=20000", "--out",
            model, "-q")
        limit = 3 << 30  # the array alone would have 20000 × 60000 × 4 bytes
        done = run("logits", "--model", model, "--ids", ",".join(["5"] * 20000), "--all", "--out",
                   self.path("x.npy"), expect=4,
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        self.assertIn(b"hearth-cli logits: not enough memory", done.stderr)
        self.assertEqual(os.listdir(self.folder), ["wide.gguf"])

    def test_a_folder_that_is_not_there_fails_and_leaves_nothing(self):
        run("logits", "--model", STORIES, "--prompt", "a", "--out", self.path("no/x.npy"), expect=1)
        self.assertEqual(os.listdir(self.folder), [])


class Perplexity(Case):
    def test_equals_the_reference(self):
        told = run_json("perplexity", "--model", STORIES, "--file", f"{DATA}/text/story.txt",
                        "--context", 256)
        self.assertAlmostEqual(told["perplexity"], 3.940754, delta=1e-3)
        self.assertEqual(told["tokens"], 635)

    def test_a_text_shorter_than_a_chunk_is_refused_with_both_numbers(self):
        done = run("perplexity", "--model", STORIES, "--file", "-", "--context", 100,
                   stdin=b"Once upon a time", expect=1)
        self.assertIn(b"5 tokens", done.stderr)
        self.assertIn(b"100", done.stderr)


if __name__ == "__main__":
    unittest.main()
