"""Whether two answers are the same mathematics, and what math_verify says of a
response. Run by Ternmark in its sandbox; a JSON line in, a JSON line out.

in   {"n": 0, "same": [latex, latex]}      normalised answers: sympy, at most 5 s
     {"n": 1, "verify": [solution, text]}  math_verify's own parsing and limits
out  {"about": {"sympy": version, ...}}    first; {"error": ...} when nothing can be told
     {"n": 0, "is": true}                  "why" when it isn't, for the curious
"""

import json
import os
import sys

if os.environ.get("PYTHONHASHSEED") != "0":
    # the order of sympy's sets, and so now and then its answer, hangs on the seed
    os.execve(sys.executable, [sys.executable, "-s", "-B", os.path.abspath(__file__)],
              dict(os.environ, PYTHONHASHSEED="0"))
sys.path.pop(0)  # files beside this one are no modules

import importlib.metadata
import signal
import warnings

SECONDS = 5


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


class Late(TimeoutError):
    pass


def late(number, frame):
    raise Late


def missing():
    """Why sympy can't read LaTeX; None: it can. It wants one version of ANTLR's runtime."""
    try:
        from sympy.parsing.latex import parse_latex

        parse_latex("1")
    except Exception as problem:
        return "%s: %s" % (type(problem).__name__, str(problem).partition("\n")[0][:100])
    return None


def same(left, right):
    """sympy's opinion of left - right, under an alarm."""
    import sympy
    from sympy.parsing.latex import parse_latex

    signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        difference = parse_latex(left) - parse_latex(right)
        return bool(sympy.simplify(difference) == 0), None
    except Exception as problem:  # what can't be read, subtracted or simplified isn't the same
        return False, type(problem).__name__
    finally:
        signal.alarm(0)


def verify(solution, text):
    import math_verify

    try:
        found = math_verify.verify(gold=math_verify.parse(solution), target=math_verify.parse(text))
        return bool(found), None
    except Exception as problem:
        return False, type(problem).__name__


def main():
    out = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    warnings.simplefilter("ignore")
    about = {name: version(name) for name in ("sympy", "antlr4-python3-runtime", "math_verify")}
    about["python"] = sys.version.split()[0]
    tell = {"about": about}
    problem = missing()
    if problem:
        tell["error"] = ("Python's sympy cannot read LaTeX (%s): '%s -m pip install sympy antlr4-python3-runtime==4.11.0', "
                         "or name another Python by TERN_PYTHON" % (problem, sys.executable))
    print(json.dumps(tell), file=out)
    if "error" in tell:
        return
    for line in sys.stdin.buffer:
        ask = json.loads(line)
        verdict, why = same(*ask["same"]) if "same" in ask else verify(*ask["verify"])
        answer = {"n": ask["n"], "is": verdict}
        if why:
            answer["why"] = why
        print(json.dumps(answer), file=out)


main()
