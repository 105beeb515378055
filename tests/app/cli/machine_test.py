"""hearth-cli selftest and bench: what they say about this machine."""
import unittest

from program import STORIES, Case, run_json


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


if __name__ == "__main__":
    unittest.main()
