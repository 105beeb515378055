#!/usr/bin/env python3
"""Renders templates with Python's jinja2 (Hugging Face's settings) and with Hearth; both must agree.

Templates: every line of language.txt, whole templates in templates.json, and `--count` random ones
from `--seed`. Both failing counts as agreement: messages may differ in words, not in kind.
Exit codes: 0 agreed, 1 not (the differences are printed), 77 jinja2 is not here.

`--write FILE` keeps what jinja2 gave for language.txt and templates.json, so that a machine without
jinja2 has the goldens too.
"""
import argparse
import copy
import datetime
import json
import pathlib
import random
import subprocess
import sys

try:
    import jinja2
    import jinja2.ext
    from jinja2.sandbox import ImmutableSandboxedEnvironment
except ImportError:
    print("SKIP: Python's jinja2 is not installed")
    sys.exit(77)


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def make_environment():
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                          sort_keys=sort_keys)

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    now = datetime.datetime(2025, 2, 3, 14, 5, 6)
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = now.strftime
    return environment


CONTEXT = {
    "add_generation_prompt": True,
    "bos_token": "<s>",
    "eos_token": "</s>",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "  Zażółć <b>&\"it's\"</b>\n日本語 🙂  "},
        {"role": "assistant", "content": None,
         "tool_calls": [{"type": "function",
                         "function": {"name": "add", "arguments": {"b": 2.5, "a": [1, None, True]}}}]},
        {"role": "tool", "name": "add", "content": "3.5"},
    ],
    "tools": [{"type": "function",
               "function": {"name": "add", "description": "Adds <two> numbers",
                            "parameters": {"type": "object", "required": ["a"],
                                           "properties": {"b": {"type": "number"},
                                                          "a": {"type": ["integer", "null"]}}}}}],
    "s": "Hello, World",
    "u": "straße ÉCOLE ΑΣ ǆ",
    "lines": "one\n  two\r\n\n three\tfour\n",
    "n": 7,
    "z": 0,
    "f": 2.5,
    "big": 1e22,
    "l": [3, 1, 2],
    "w": ["pear", "Apple", "fig", "apple"],
    "d": {"b": 1, "a": {"x": [1, 2]}, "items": "shadow"},
    "rows": [{"k": "x", "v": 2}, {"k": "Y", "v": 1}, {"k": "x", "v": 3, "deep": {"n": 1}}],
    "e": [],
    "none_value": None,
    "yes": True,
}


# ---- random templates

class Generator:
    """Grows a template from a seed. Depth-bounded; most of what it makes renders."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.names = ["a1", "b1", "c1"]
        self.loops = 0

    def pick(self, *choices):
        return self.random.choice(choices)

    def atom(self):
        return self.pick(
            "n", "z", "f", "s", "u", "l", "w", "d", "rows", "e", "yes", "none_value", "missing",
            "'a b'", '"x\\ny"', "''", "0", "1", "-2", "3.0", "1e3", "true", "none", "[1, 'b']",
            "(1, 2)", "{'k': 1, 'm': [2]}", "lines", "messages[0]", "messages[-1].role",
            self.random.choice(self.names), "loop.index" if self.loops else "n",
            "loop.last" if self.loops else "s")

    def expression(self, depth):
        if depth <= 0:
            return self.atom()
        sub = lambda: self.expression(depth - 1)
        kind = self.random.randrange(13)
        if kind == 0:
            return f"({sub()} {self.pick('+', '-', '*', '/', '//', '%', '~', '~', '+')} {sub()})"
        if kind == 1:
            return f"({sub()} {self.pick('==', '!=', '<', '<=', '>', '>=', 'in', 'not in')} {sub()})"
        if kind == 2:
            return f"({sub()} {self.pick('and', 'or')} {sub()})"
        if kind == 3:
            return f"(not {sub()})"
        if kind == 4:
            return f"({sub()} if {sub()} else {sub()})"
        if kind == 5:
            # Of names only: jinja2 folds a slice of a constant into Undefined where Python fails.
            return f"{self.random.choice(['l', 's', 'u', 'w', 'rows', 'd'])}[{self.pick('0', '-1', '1:', ':2', '::-1', '::2', '-2:', '1:3', repr('k'))}]"
        if kind == 6:
            return f"({sub()}).{self.pick('k', 'role', 'content', 'x', 'upper()', 'items()', 'strip()')}"
        if kind == 7:
            return f"({sub()} is {self.pick('not ', '')}{self.test()})"
        return f"({sub()})|{self.filter(depth)}"

    def test(self):
        return self.pick("defined", "undefined", "none", "string", "number", "mapping", "sequence",
                         "iterable", "true", "false", "boolean", "integer", "float", "odd", "even",
                         "divisibleby(2)", "eq(1)", "in([1, 2])", "upper", "lower", "callable",
                         "sameas(none)", "gt(1)")

    def filter(self, depth):
        return self.pick(
            "length", "upper", "lower", "trim", "title", "capitalize", "string", "list", "first",
            "last", "join", "join(', ')", "tojson", "tojson(indent=2)", "default('-')",
            "default('-', true)", "replace('a', 'bb')", "int", "float", "abs", "round", "round(1)",
            "sort", "sort(reverse=true)", "unique|list", "reverse|list", "sum", "min", "max",
            "map('string')|list", "map('upper')|join", "select|list", "reject('none')|list",
            "selectattr('k')|list", "map(attribute='k')|list", "indent(2)", "indent(1, true)",
            "safe", "e", "string|length", "items|list", "dictsort", "batch(2)|list",
            "slice(2)|list", "wordcount", "truncate(5)", "center(9)", "urlencode", "striptags",
            "format", "string|list", "groupby('k')|list", "d(1)", "count", "attr('k')")

    def statement(self, depth):
        dash = lambda: self.pick("", "", "-")
        open_, close = lambda: "{%" + dash(), lambda: dash() + "%}"
        tag = lambda text: f"{open_()} {text} {close()}"
        kind = self.random.randrange(9) if depth > 0 else self.random.randrange(2)
        if kind == 0:
            return self.pick("text", " ", "\n", "\n  ", "  x \n", "é🙂", "{ }", "{# note #}\n", "{#- n -#} ")
        if kind in (1, 2):
            return "{{" + dash() + " " + self.expression(self.random.randrange(3)) + " " + dash() + "}}"
        name = self.random.choice(self.names)
        if kind == 3:
            body = self.body(depth - 1)
            other = self.pick("", tag("else") + self.body(depth - 1))
            return tag("if " + self.expression(2)) + body + other + tag("endif")
        if kind == 4:
            source = self.pick("l", "w", "rows", "messages", "s", "d", "range(3)", "d.items()", "missing", "e")
            extra = self.pick("", "", " if loop_var is defined", f" if {self.expression(1)}")
            self.loops += 1
            body = self.body(depth - 1) + self.pick(
                "", "{% if loop.index > 2 %}{% break %}{% endif %}", "{% continue %}",
                "{{ loop.cycle('p', 'q') }}", "{{ loop.revindex }}", "{{ loop.changed(loop_var) }}")
            self.loops -= 1
            other = self.pick("", tag("else") + "none")
            return tag(f"for loop_var in {source}{extra}") + body + other + tag("endfor")
        if kind == 5:
            return tag(f"set {name} = {self.expression(2)}")
        if kind == 6:
            return tag(f"set {name}") + self.body(depth - 1) + tag("endset") + "{{ " + name + " }}"
        if kind == 7:
            loops, self.loops = self.loops, 0
            body = self.body(depth - 1)
            self.loops = loops
            return (tag(f"macro m_{name}(p, q='d')") + body + "{{ p }}{{ q }}" + tag("endmacro") +
                    "{{ m_" + name + "(" + self.pick("1", "n, q=s", "*[1, 2]", "") + ") }}")
        return tag(f"with {name} = {self.expression(1)}") + self.body(depth - 1) + tag("endwith")

    def body(self, depth):
        return "".join(self.statement(depth) for _ in range(self.random.randrange(1, 4)))

    def template(self):
        return self.body(3)


# ---- comparison

def render(environment, template):
    try:
        # A copy: `list | indent` gets past the sandbox and changes the list.
        return {"text": environment.from_string(template).render(**copy.deepcopy(CONTEXT))}
    except Exception as error:  # every failure of the reference is a golden too
        return {"error": f"{type(error).__name__}: {error}"}


def has_address(text):
    """Python prints the addresses of objects; nothing else can."""
    return " at 0x" in text or "<bound method" in text or "<built-in method" in text


def ask(program, templates):
    questions = "".join(json.dumps({"template": t, "context": CONTEXT}) + "\n" for t in templates)
    answer = subprocess.run([program], input=questions, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        print(answer.stderr[-4000:])
    return [json.loads(line) for line in answer.stdout.split("\n") if line]


def main():
    here = pathlib.Path(__file__).parent
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--program", help="render_lines")
    arguments.add_argument("--seed", type=int, default=20250203)
    arguments.add_argument("--count", type=int, default=600)
    arguments.add_argument("--write", help="file for the goldens")
    options = arguments.parse_args()

    environment = make_environment()
    templates = [line for line in (here / "language.txt").read_text(encoding="utf-8").split("\n")
                 if line and not line.startswith("##")]
    templates = [line.replace("⏎", "\n") for line in templates]
    if options.write:
        goldens = [{"template": t, **render(environment, t)} for t in templates]
        goldens = [golden for golden in goldens if not has_address(golden.get("text", ""))]
        document = {"made_by": f"jinja2 {jinja2.__version__}, compare_with_jinja2.py --write",
                    "context": CONTEXT, "cases": goldens}
        pathlib.Path(options.write).write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
        return 0
    templates += [Generator(options.seed + i).template() for i in range(options.count)]

    answers = ask(options.program, templates)
    n_text = n_failed = n_different = 0
    for template, answer in zip(templates, answers):
        wanted = render(environment, template)
        if "text" in wanted and has_address(wanted["text"]):
            continue
        n_text += "text" in wanted
        n_failed += "error" in wanted
        if wanted.get("text") == answer.get("text"):
            continue
        n_different += 1
        print(f"--- {template!r}\n jinja2 {wanted!r}\n hearth {answer!r}")
    print(f"{len(answers)} of {len(templates)} templates answered: {n_text} rendered, "
          f"{n_failed} failed in jinja2; {n_different} differ (seed {options.seed})")
    return 1 if n_different or len(answers) != len(templates) else 0


if __name__ == "__main__":
    sys.exit(main())
