"""Forms that sympy gives a gold: rows for `open-rs grade` with the verdict they should get.

npx tsx test/math/rewrite-benchmarks.ts ../shared/data/benchmarks/*.jsonl --formulas | python test/math/sympy-forms.py > forms.jsonl
npx open-rs grade forms.jsonl

Reads {"gold", "read"} per line, `read` in the notation of `render`. Written for sympy 1.14.
"""

import json
import re
import signal
import sys

import sympy as S

FUNCTIONS = {
    "add": S.Add, "mul": S.Mul, "neg": lambda x: -x, "div": lambda x, y: x / y, "pow": lambda x, y: x**y,
    "sqrt": S.sqrt, "root": S.root, "sin": S.sin, "cos": S.cos, "tan": S.tan, "cot": S.cot, "sec": S.sec, "csc": S.csc,
    "arctan": S.atan, "arcsin": S.asin, "arccos": S.acos, "ln": S.log, "log?": lambda x: S.log(x, 10),
    "log": lambda base, x: S.log(x, base), "exp": S.exp, "abs": S.Abs, "fact": S.factorial, "binom": S.binomial,
    "sinh": S.sinh, "cosh": S.cosh, "tanh": S.tanh,
}  # fmt: skip
NAMES = {"pi": S.pi, "e": S.E, "i": S.I}
TOKEN = re.compile(r"[A-Za-z][A-Za-z_0-9]*\??|\d+/\d+|\d+|\S")


def build(tokens):
    token = tokens.pop(0)
    if tokens and tokens[0] == "(" and token in FUNCTIONS:
        tokens.pop(0)
        args = [build(tokens)]
        while tokens[0] == ",":
            tokens.pop(0)
            args.append(build(tokens))
        if tokens.pop(0) != ")":
            raise ValueError("bracket")
        return FUNCTIONS[token](*args)
    if re.fullmatch(r"\d+/\d+|\d+", token):
        return S.Rational(token)
    if not re.fullmatch(r"[A-Za-z]+(?:_\w+)?", token) or token == "oo":
        raise ValueError(token)
    return NAMES.get(token, S.Symbol(token))


def first(e):
    return sorted(e.free_symbols, key=str)[0]


SAME = {
    "itself": lambda e: e, "expand": S.expand, "factor": S.factor, "together": S.together, "cancel": S.cancel,
    "simplify": S.simplify, "trigsimp": S.trigsimp, "expand_trig": S.expand_trig, "radsimp": S.radsimp,
    "logcombine": lambda e: S.logcombine(e, force=True), "expand_log": lambda e: S.expand_log(e, force=True),
    "powsimp": S.powsimp, "exponentials": lambda e: e.rewrite(S.exp), "collect": lambda e: S.collect(S.expand(e), first(e)),
    "apart": S.apart, "negated": lambda e: S.Mul(-1, S.expand(-e), evaluate=False),
}  # fmt: skip
OTHER = {
    "plus one": lambda e: S.expand(e) + 1, "one percent more": lambda e: e * S.Rational(101, 100), "negated": lambda e: -e,
    "argument shifted": lambda e: e.subs(first(e), first(e) + 1),
}  # fmt: skip


def numbers(e):
    value = float(S.N(e, 15))
    yield "10 places", f"{value:.10f}", True
    yield "6 places", f"{value:.6f}", True
    yield "3 places", f"{value:.3f}", False
    yield "another", f"{value * 1.0001:.8f}", False


def limited(work):
    signal.alarm(2)
    try:
        return work()
    except Exception:
        return None
    finally:
        signal.alarm(0)


def stop(*_):
    raise TimeoutError


def forms(e):
    for name, change in SAME.items():
        yield name, limited(lambda: S.latex(change(e))), True
    for name, change in OTHER.items():
        yield name, limited(lambda: S.latex(change(e)) if S.simplify(change(e) - e) != 0 else None), False
    if not e.free_symbols:
        yield from limited(lambda: list(numbers(e))) or []


signal.signal(signal.SIGALRM, stop)
for line in sys.stdin:
    row = json.loads(line)
    tokens = TOKEN.findall(row["read"])
    e = limited(lambda: build(tokens))
    if e is None or tokens or e.is_Rational:
        continue
    seen = set()
    for name, latex, expected in forms(e):
        if latex is not None and latex not in seen:
            seen.add(latex)
            print(json.dumps({"gold": row["gold"], "prediction": f"\\boxed{{{latex}}}", "expected": expected, "type": name}))
