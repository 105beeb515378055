#!/usr/bin/env python3
"""Runs the real hearth-cli: what scripts rely on, against results that others computed.

HEARTH_CLI names the program, HEARTH_TEST_DATA the folder tests/data.
"""
import array
import json
import math
import os
import pty
import select
import signal
import struct
import subprocess
import tempfile
import time
import unittest

CLI = os.environ["HEARTH_CLI"]
DATA = os.environ["HEARTH_TEST_DATA"]
STORIES = f"{DATA}/models/stories260K-f32.gguf"
TOLERANCE = 1e-3  # of a logit, against float64


def near_tie(name):
    """The gap between winner and runner-up below which the golden greedy ids say nothing: llama.cpp,
    which made them, quantises the activations of quantised models."""
    return 0.1 if "-q" in name else TOLERANCE


def run(*arguments, stdin=None, expect=0, **options):
    """Runs the program; a wrong exit code fails with what it said."""
    done = subprocess.run([CLI, *map(str, arguments)], input=stdin, capture_output=True,
                          timeout=60, **options)
    if done.returncode != expect:
        raise AssertionError(f"exit {done.returncode} instead of {expect}: {arguments}\n"
                             f"stdout: {done.stdout[-500:]!r}\nstderr: {done.stderr[-1000:]!r}")
    return done


def run_json(*arguments, **options):
    done = run(*arguments, "--json", **options)
    return json.loads(done.stdout)


def read_npy(path):
    """Shape and float32 values of a version 1.0 file."""
    with open(path, "rb") as file:
        magic = file.read(8)
        assert magic == b"\x93NUMPY\x01\x00", magic
        (length,) = struct.unpack("<H", file.read(2))
        assert (10 + length) % 64 == 0, length
        header = eval(file.read(length).decode(), {"__builtins__": {}})
        assert header["descr"] == "<f4" and not header["fortran_order"], header
        values = array.array("f", file.read())
    assert len(values) == math.prod(header["shape"]), (len(values), header)
    return header["shape"], values


def golden(name):
    with open(f"{DATA}/golden/{name}.json") as file:
        return json.load(file)


def golden_array(name, kind):
    """The float64 reference where it was kept, llama.cpp's float32 result otherwise."""
    reference = f"{DATA}/golden/{name}.ref64.{kind}.npy"
    return read_npy(reference if os.path.exists(reference) else f"{DATA}/golden/{name}.{kind}.npy")


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def assertClose(self, found, expected, what):
        self.assertEqual(len(found), len(expected), what)
        worst = max(range(len(expected)), key=lambda i: abs(found[i] - expected[i]))
        outside = sum(not abs(f - e) <= TOLERANCE for f, e in zip(found, expected))
        self.assertEqual(outside, 0, f"{what}: {outside} of {len(expected)} logits differ; worst at "
                                     f"{worst}: {found[worst]} instead of {expected[worst]}")


# (model, golden): GGUF and Hugging Face, every weight type.
MODELS = [
    ("stories260K-f32.gguf", "stories260K-f32"),
    ("stories260K-f16.gguf", "stories260K-f16"),
    ("stories260K-bf16.gguf", "stories260K-bf16"),
    ("stories260K-ff192-q8_0.gguf", "stories260K-ff192-q8_0"),
    ("stories260K-ff192-q4_0.gguf", "stories260K-ff192-q4_0"),
    ("stories260K-hf", "stories260K-f32"),
    ("stories260K-hf-bf16-sharded", "stories260K-hf-bf16-sharded"),
    ("llama-untied-f32.gguf", "llama-untied-f32"),
    ("llama3-rope-tiny-f32.gguf", "llama3-rope-tiny-f32"),
    ("llama3-rope-tiny-hf", "llama3-rope-tiny-f32"),
    ("llama-rope-linear-tiny-f32.gguf", "llama-rope-linear-tiny-f32"),
    ("llama-rope-linear-tiny-hf", "llama-rope-linear-tiny-f32"),
]


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

    def test_a_folder_that_is_not_there_fails_and_leaves_nothing(self):
        run("logits", "--model", STORIES, "--prompt", "a", "--out", self.path("no/x.npy"), expect=1)
        self.assertEqual(os.listdir(self.folder), [])


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
        for command in (["generate"], ["chat"], ["logits"], ["tokenize"], ["detokenize"], ["perplexity"],
                        ["bench"], ["make-model"], ["models", "inspect"], ["selftest"]):
            with self.subTest(command=command):
                self.assertIn(command[0].encode(), overview)
                text = run(*command, "--help").stdout
                self.assertIn(("hearth-cli " + " ".join(command)).encode(), text)
                for flag in (b"--json", b"--device", b"--threads", b"--quiet", b"--exact", b"--kv-type",
                             b"--isa", b"--data-dir"):
                    self.assertIn(flag, text)


class Machine(Case):
    def test_selftest_passes(self):
        told = run_json("selftest", "--device", "cpu")
        self.assertEqual(told["failed"], [])
        self.assertGreater(told["passed"], 100)

    def test_bench_tells_every_figure(self):
        told = run_json("bench", "--model", STORIES, "--prompt-tokens", 64, "--generate-tokens", 8,
                        "--repeat", 3)
        for key in ("prompt_tokens_per_s", "generated_tokens_per_s", "bytes_per_token",
                    "memory_bandwidth_gb_s", "bandwidth_fraction", "matmul_peak_gops", "matmul_fraction"):
            self.assertGreater(told[key], 0, key)
        self.assertEqual(len(told["repeats"]), 3)
        middle = sorted(r["generated_tokens_per_s"] for r in told["repeats"])[1]
        self.assertEqual(told["generated_tokens_per_s"], middle)
        # All float32: 260032 parameters, of which the tied table is read as the output; KV f16.
        rows = 64 + 9 / 2
        self.assertAlmostEqual(told["bytes_per_token"], 4 * 260032 + rows * 2 * 5 * 4 * 8 * 2, delta=1)


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
