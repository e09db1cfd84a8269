"""MATH's decisions beside lm-eval's own functions.

  python tests/lm_eval/compare_math.py EVAL_VERDICTS EVAL_SCORE DATA [FORMS]

DATA has math500/math500_test.jsonl. First the normalised texts and Hendrycks's
equality of 30,000 answers, MATH-500's own, changed at random; then FORMS (2)
rewritings of each answer (equal ones: twice the fraction, a decimal; others: one
off, reversed) and one other answer, through sympy and math_verify, which on our
side run in the sandbox of the Python that TERN_PYTHON names.
"""

import json
import random
import re
import subprocess
import sys
import warnings

sys.path = [p for p in sys.path if not p.endswith("tests/lm_eval")]
warnings.filterwarnings("ignore")

from lm_eval.tasks.hendrycks_math import utils as hendrycks
from lm_eval.tasks.minerva_math import utils as minerva

VERDICTS, SCORE, DATA = sys.argv[1:4]
FORMS = int(sys.argv[4]) if len(sys.argv) > 4 else 2
R = random.Random(11)
SAID = "Final Answer: The final answer is $%s$. I hope it is correct."
SHAPES = [SAID, SAID.replace("$", ""), "So $%s$.", "%s", "The answer is $x$ and $%s$", SAID + "\n\nProblem"]
PIECES = ("\\frac|\\sqrt|$|{|}|=|/| |.|\\text{ |\\text{|\\mbox{|\\left|\\right|ft|cm|square|an |a |\\ |\\$|\\!|,\\!|"
          "^\\circ|^{\\circ}|\\%|%|,|1,000|0.5|.5|-|x=|k =|\\dfrac|\\tfrac|\\textbf{|\\overline{|\\boxed{|\"|\n|degrees|"
          "units|\\pi|\u00e9|_|+|0|7|12|frac|sqrt|[3]|\\text{s}|\\text{m}|\\ldots|\\;|{,}|\\\\|I|\u0663|points|"
          "\\mathrm{th}").split("|")


def change(answer):
    a = list(answer)
    for _ in range(R.randint(0, 3)):
        way, at = R.random(), R.randint(0, len(a))
        if way < .55:
            a[at:at] = [R.choice(PIECES)]
        elif a:
            at = min(at, len(a) - 1)
            other = R.randrange(len(a))
            a[at], a[other] = ("", a[other]) if way < .8 else (a[other], a[at])
    return "".join(a)


def rewritings(g):
    forms = [g, g.replace("\\frac", "\\dfrac"), g.replace(" ", ""), "\\boxed{" + g + "}", g + ".", g + " \\text{ cm}",
             "x=" + g, "2(%s)-(%s)" % (g, g), "%s+0" % g, "(%s)" % g, "-(%s)" % g, g + "+1", g[::-1], g[:-1],
             "\\left(%s\\right)" % g, "\\frac{%s}{1}" % g, "1\\cdot %s" % g]
    fraction = re.fullmatch(r"\\frac\{(-?\d+)\}\{(\d+)\}", g)
    if fraction:
        a, b = map(int, fraction.groups())
        forms += ["%d/%d" % (a, b), "%g" % (a / b), "\\frac{%d}{%d}" % (2 * a, 2 * b), "\\frac{%d}{%d}" % (a + 1, b)]
    if re.fullmatch(r"-?\d+", g):
        a = int(g)
        forms += ["%d.0" % a, "%d+1" % (a - 1), "\\frac{%d}{3}" % (3 * a), str(a + 1), "\\sqrt{%d}" % (a * a)]
    return forms


def boxed(solution):
    try:
        return minerva.remove_boxed(minerva.last_boxed_only_string(solution))
    except (AssertionError, TypeError):
        return None


def ask(arguments, lines):
    out = subprocess.run(arguments, check=True, capture_output=True, text=True,
                         input="".join(json.dumps(line) + "\n" for line in lines)).stdout
    return [json.loads(line) for line in out.split("\n") if line]


def compare_texts(rows):
    golds = [boxed(row["solution"]) for row in rows]
    cases = []
    for _ in range(60):
        for row, gold in zip(rows, golds):
            solution = row["solution"] if R.random() < .5 else "x \\boxed{" + change(gold) + "}"
            cases.append((solution, R.choice(SHAPES) % change(gold if R.random() < .6 else R.choice(golds))))
    same = different = no_box = 0
    for (solution, response), ours in zip(cases, ask([VERDICTS, "math"], [{"gold": s, "response": r} for s, r in cases])):
        gold = boxed(solution)
        if gold is None:
            no_box += 1
            different += "error" not in ours
            continue
        theirs = {"minerva": [minerva.normalize_final_answer(gold),
                              minerva.normalize_final_answer(minerva.get_unnormalized_answer(response))],
                  "hendrycks": bool(hendrycks.process_results({"solution": solution}, [response])["exact_match"])}
        same += theirs["hendrycks"]
        different += ours != theirs
    print("texts: %d pairs, %d equal by Hendrycks, %d without a box: %d different" % (len(cases), same, no_box, different))


def compare_decisions(rows):
    golds = [boxed(row["solution"]) for row in rows]
    cases = [(row["solution"], gold, SAID % form) for row, gold in zip(rows, golds)
             for form in R.sample(rewritings(gold), FORMS) + [R.choice(golds)]]
    lines = [{"row": {"solution": s}, "response": r} for s, _, r in cases]
    ours = list(zip(ask([SCORE, "minerva_math"], lines), ask([SCORE, "hendrycks_math"], lines)))
    table = {"exact_match": [0, 0], "math_verify": [0, 0], "hendrycks": [0, 0]}
    for (solution, gold, response), (m, h) in zip(cases, ours):
        theirs = minerva.process_results({"solution": solution, "answer": minerva.normalize_final_answer(gold)}, [response])
        theirs["hendrycks"] = hendrycks.process_results({"solution": solution}, [response])["exact_match"]
        for name, have in (("exact_match", m["exact_match"]), ("math_verify", m.get("math_verify")),
                           ("hendrycks", h["exact_match"])):
            table[name][0] += theirs[name]
            table[name][1] += have != theirs[name]
    for name, (same, different) in table.items():
        print("%s: %d pairs, %d equal: %d different" % (name, len(cases), same, different))


def main():
    with open(DATA + "/math500/math500_test.jsonl", encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    compare_texts(rows)
    compare_decisions(rows)


main()
