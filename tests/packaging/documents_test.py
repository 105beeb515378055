"""The documents at the root tell the truth about paths, functions and layering.

Every path they name exists, every `Class::function` that ARCHITECTURE.md names is in the sources,
and no room includes one that it may not know.
"""
import re
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(sys.argv.pop(1)).resolve()
DOCUMENTS = [ROOT / n for n in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md",
                                "BENCHMARKS.md")]
ROOMS = ("app", "ui", "inference", "kernels", "models", "resources", "tests", "packaging")
MAY_INCLUDE = {
    "kernels": {"kernels"},
    "models": {"models", "kernels/base"},
    "inference": {"inference", "models", "kernels"},
    "app": {"app", "inference", "models", "kernels"},
    "ui": {"ui", "app", "kernels/base"},
}


def sources(*suffixes):
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True)
    names = listed.stdout.split() if listed.returncode == 0 else [
        str(p.relative_to(ROOT)) for room in ROOMS for p in (ROOT / room).rglob("*") if p.is_file()]
    return [ROOT / n for n in names if n.endswith(suffixes) and (ROOT / n).exists()]


class Documents(unittest.TestCase):
    def test_every_path_they_name_exists(self):
        missing = []
        for document in DOCUMENTS:
            for code in re.findall(r"`([^`\n]+)`", document.read_text()):
                for word in code.split():
                    named = word.strip("…,.;:()").split(":")[0]
                    if re.fullmatch(rf"({'|'.join(ROOMS)})/[\w./-]*", named):
                        if not (ROOT / named).exists():
                            missing.append(f"{document.name}: {named}")
            for link in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
                if not link.startswith("http") and not (ROOT / link).exists():
                    missing.append(f"{document.name}: {link}")
        self.assertEqual(missing, [])

    def test_every_function_they_name_exists(self):
        headers = [p.read_text(errors="replace") for p in sources(".h")]
        bodies = "\n".join(headers + [p.read_text(errors="replace") for p in sources(".cpp", ".cu")])
        document = (ROOT / "ARCHITECTURE.md").read_text()
        missing = []
        for owner, function in set(re.findall(r"\b([A-Z]\w+)::([a-z]\w*)", document)):
            defined = re.search(rf"\b{owner}::{function}\(", bodies)
            # Interfaces have no definition: the function stands inside the class's own braces.
            declared = any(re.search(rf"\bclass {owner}\b[^;]*?\{{(?:(?!\n\}};).)*?\b{function}\(", h, re.S)
                           for h in headers)
            if not (defined or declared):
                missing.append(f"{owner}::{function}")
        self.assertEqual(sorted(missing), [])


class Layers(unittest.TestCase):
    def test_includes_go_one_way(self):
        wrong = []
        for path in sources(".h", ".cpp", ".cu", ".cuh", ".inc"):
            room = path.relative_to(ROOT).parts[0]
            allowed = MAY_INCLUDE.get(room)
            if not allowed:
                continue
            for included in re.findall(r'#include "([^"]+)"', path.read_text(errors="replace")):
                if included.split("/")[0] not in ROOMS:
                    continue
                if not any(included.startswith(a + "/") for a in allowed):
                    wrong.append(f"{path.relative_to(ROOT)}: {included}")
        self.assertEqual(wrong, [])

    def test_engine_knows_no_qt_and_only_kernels_cuda_knows_cuda(self):
        wrong = []
        for path in sources(".h", ".cpp", ".cu", ".cuh"):
            relative = str(path.relative_to(ROOT))
            text = path.read_text(errors="replace")
            if relative.startswith(("kernels/", "models/", "inference/")):
                wrong += [f"{relative}: {m}" for m in re.findall(r"#include <(Q\w+)", text)]
            if not relative.startswith(("kernels/cuda/", "tests/")):
                wrong += [f"{relative}: {m}" for m in re.findall(r"#include <(cu(?:da|blas)\w*)", text)]
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
