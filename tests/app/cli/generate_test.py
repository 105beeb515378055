"""hearth-cli generate: ids that others computed, and how it ends."""
import json
import signal
import subprocess
import time
import unittest

from program import CLI, DATA, STORIES, MODELS, Case, golden, near_tie, run, run_json


class Generate(Case):
    def test_greedy_ids_equal_the_reference(self):
        for model, name in MODELS:
            for index in (0, 3, 4):
                prompt = golden(name)["prompts"][index]
                with self.subTest(model=model, prompt=index):
                    told = run_json("generate", "--model", f"{DATA}/models/{model}", "--prompt",
                                    prompt["text"], "--max-tokens", 64, "--temperature", 0, "--exact",
                                    "--ignore-eos")
                    self.assertEqual(told["stats"]["prompt_tokens"], len(prompt["ids"]))
                    self.assertEqual(told["stats"]["generated_tokens"], 64)
                    for step, (found, expected) in enumerate(zip(told["ids"], prompt["greedy_ids"])):
                        if prompt["greedy_top2_gap"][step] < near_tie(name):
                            break  # either is right from here on
                        self.assertEqual(found, expected, f"step {step}")

    def test_streams_the_text_that_json_tells(self):
        arguments = ["generate", "--model", STORIES, "--prompt", "Once upon a time", "--max-tokens",
                     40, "--temperature", 0, "--exact"]
        told = run_json(*arguments)
        done = run(*arguments)
        self.assertEqual(done.stdout.decode(), told["text"])
        self.assertIn(b"tokens", done.stderr)
        self.assertEqual(run(*arguments, "--quiet").stderr, b"")

    def test_stats_have_every_key_that_scripts_read(self):
        stats = run_json("generate", "--model", STORIES, "--prompt", "Hi", "--max-tokens", 4)["stats"]
        for key in ("prompt_tokens", "generated_tokens", "prompt_tokens_per_s",
                    "generated_tokens_per_s", "time_to_first_token_ms", "stop_reason", "steps",
                    "tokens_per_step", "acceptance_by_position", "drafter", "device", "model",
                    "adapters"):
            self.assertIn(key, stats)
        self.assertEqual((stats["drafter"], stats["adapters"], stats["stop_reason"]),
                         ("none", [], "max_tokens"))

    def test_same_seed_same_text_other_seed_other_text(self):
        def sample(seed, *more):
            return run_json("generate", "--model", STORIES, "--prompt", "Once", "--max-tokens", 30,
                            "--temperature", 1, "--seed", seed, *more)["ids"]
        self.assertEqual(sample(7), sample(7, "--threads", 1))
        self.assertNotEqual(sample(7), sample(8))

    def test_without_a_seed_runs_differ(self):
        texts = {run("generate", "--model", STORIES, "--prompt", "Once", "--max-tokens", 30,
                     "--temperature", 1, "-q").stdout for _ in range(3)}
        self.assertGreater(len(texts), 1)

    def test_stops_at_a_text_that_spans_tokens(self):
        arguments = ["generate", "--model", STORIES, "--prompt", "Once upon a time", "--max-tokens",
                     60, "--temperature", 0, "--exact"]
        full = run_json(*arguments)["text"]
        stop = full[25:34]
        told = run_json(*arguments, "--stop", "[never]", stop)
        self.assertEqual(told["text"], full[:full.index(stop)])
        self.assertEqual(told["stats"]["stop_reason"], "stop_rule")
        self.assertNotIn(stop.encode(), run(*arguments, "--stop", stop).stdout)

    def test_reads_the_prompt_from_file_ids_or_chat(self):
        with open(self.path("p.txt"), "w") as file:
            file.write("Once upon a time")
        with open(self.path("chat.json"), "w") as file:
            json.dump([{"role": "user", "content": "Once upon a time"}], file)
        common = ["generate", "--model", STORIES, "--max-tokens", 8, "--temperature", 0]
        wanted = run_json(*common, "--prompt", "Once upon a time")["ids"]
        self.assertEqual(run_json(*common, "--prompt-file", self.path("p.txt"))["ids"], wanted)
        self.assertEqual(run_json(*common, "--prompt-file", "-", stdin=b"Once upon a time")["ids"], wanted)
        self.assertEqual(run_json(*common, "--ids", "1, 403,407,261,378")["ids"], wanted)
        self.assertEqual(run_json(*common, "--chat", self.path("chat.json"))["ids"], wanted)

    def test_a_chat_that_does_not_fit_says_what_was_left_out(self):
        chat = [{"role": ("user", "assistant")[i % 2], "content": f"word {i} " * 8} for i in range(9)]
        with open(self.path("chat.json"), "w") as file:
            json.dump(chat, file)
        arguments = ["generate", "--model", STORIES, "--chat", self.path("chat.json"), "--max-tokens", 2]
        whole = run(*arguments, "--json")
        self.assertEqual(json.loads(whole.stdout)["stats"]["dropped_messages"], 0)
        self.assertNotIn(b"left out", whole.stderr)
        cut = run(*arguments, "--json", "--context", 128)
        stats = json.loads(cut.stdout)["stats"]
        self.assertGreater(stats["dropped_messages"], 0)
        self.assertEqual(stats["dropped_messages"] % 2, 0)
        self.assertIn(f"left out: {stats['dropped_messages']}]".encode(), cut.stderr)

    def test_prompt_longer_than_the_context_fails(self):
        ids = ",".join(["5"] * 600)
        done = run("generate", "--model", STORIES, "--ids", ids, "--max-tokens", 1, expect=1)
        self.assertIn(b"600", done.stderr)

    def test_interrupt_ends_with_130_and_keeps_what_was_written(self):
        model = self.path("slow.gguf")
        run("make-model", "--shape", "dim=256,layers=4,heads=4,ffn=512,vocab=2000,ctx=30000", "--out",
            model, "-q")
        for flags in ([], ["--json"]):
            with self.subTest(flags=flags):
                child = subprocess.Popen(
                    [CLI, "generate", "--model", model, "--prompt", "a", "--ignore-eos", "--stop",
                     "\x01\x02\x03", *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                time.sleep(1.5)
                self.assertIsNone(child.poll(), "it ended by itself")
                begin = time.monotonic()
                child.send_signal(signal.SIGINT)
                out, error = child.communicate(timeout=30)
                self.assertEqual(child.returncode, 130, error)
                self.assertLess(time.monotonic() - begin, 5)
                self.assertGreater(len(out), 0)
                if flags:
                    told = json.loads(out)
                    self.assertEqual(told["stats"]["stop_reason"], "cancelled")
                    self.assertEqual(len(told["ids"]), told["stats"]["generated_tokens"])

    def test_a_reader_that_leaves_ends_it_quietly(self):
        child = subprocess.Popen(
            [CLI, "generate", "--model", STORIES, "--prompt", "Once", "--ignore-eos"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        child.stdout.read(10)
        child.stdout.close()
        error = child.stderr.read()
        child.stderr.close()
        self.assertEqual(child.wait(timeout=30), 0)
        self.assertEqual(error, b"")

    def test_full_disk_behind_standard_output_is_told(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([CLI, "generate", "--model", STORIES, "--prompt", "Once",
                                   "--max-tokens", "5"], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn(b"standard output", done.stderr)


if __name__ == "__main__":
    unittest.main()
