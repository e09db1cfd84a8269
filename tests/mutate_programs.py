"""Programs for comparing verdicts: the canonical solutions of HumanEval+ and
mutants of them, right and wrong ones.

usage: mutate_programs.py HumanEvalPlus.jsonl[.gz] PER_PROBLEM SEED > samples.jsonl

Lines are EvalPlus's: {"task_id", "solution"}, with "kind" beside. Kinds: an
operator, a bound, a constant, a condition or a statement changed (most are
wrong, some are not noticed); other types and last digits (which the tolerance
of floats decides); manners of failing and of writing (endless loops,
exceptions, exits, prints, answers with prose and fences around the code, code
cut off). Equal seeds give equal programs with one version of Python."""

import ast
import copy
import gzip
import json
import random
import sys

COMPARE = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
           ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is}
ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.FloorDiv, ast.FloorDiv: ast.Div,
              ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitXor: ast.BitOr, ast.BitAnd: ast.BitOr}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list", "sum": "len", "abs": "int",
         "isupper": "islower", "islower": "isupper", "append": "extend", "upper": "lower", "lower": "upper",
         "ceil": "floor", "floor": "ceil", "set": "list", "reversed": "list", "round": "float"}


def function_of(tree, name):
    return [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name][-1]


def is_docstring(parent, field, i):
    return field == "body" and i == 0 and isinstance(parent, ast.FunctionDef)


def change_compare(node):
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARE:
        node.ops[0] = COMPARE[type(node.ops[0])]()
        return True


def change_arithmetic(node):
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in ARITHMETIC:
        node.op = ARITHMETIC[type(node.op)]()
        return True


def change_constant(node):
    if isinstance(node, ast.Constant) and type(node.value) is int:
        node.value += 1
        return True
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        node.value = not node.value
        return True


def change_text(node):
    if isinstance(node, ast.Constant) and type(node.value) is str and 0 < len(node.value) < 30:
        node.value = node.value[:-1] + chr(ord(node.value[-1]) ^ 1)
        return True


def change_logic(node):
    if isinstance(node, ast.BoolOp):
        node.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        return True
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        node.test = ast.UnaryOp(ast.Not(), node.test)
        return True


def change_name(node):
    if isinstance(node, ast.Name) and node.id in NAMES:
        node.id = NAMES[node.id]
        return True
    if isinstance(node, ast.Attribute) and node.attr in NAMES:
        node.attr = NAMES[node.attr]
        return True


def change_slice(node):
    if isinstance(node, ast.Slice) and node.upper is not None:
        node.upper = ast.BinOp(node.upper, ast.Sub(), ast.Constant(1))
        return True


def change_bound(node):
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        node.args[-1] = ast.BinOp(node.args[-1], ast.Add(), ast.Constant(1))
        return True


CHANGES = [change_compare, change_arithmetic, change_constant, change_text, change_logic, change_name, change_slice,
           change_bound]


def changed_tree(tree, name, chance):
    """A copy with one node changed, or None."""
    tree = copy.deepcopy(tree)
    nodes = list(ast.walk(function_of(tree, name)))
    chance.shuffle(nodes)
    changes = CHANGES[:]
    chance.shuffle(changes)
    for change in changes:
        for node in nodes:
            if change(node):
                return change.__name__[len("change_"):], ast.unparse(ast.fix_missing_locations(tree))
    return None


def dropped_statement(tree, name, chance):
    tree = copy.deepcopy(tree)
    places = []
    for parent in ast.walk(function_of(tree, name)):
        for field in ("body", "orelse"):
            body = getattr(parent, field, None)
            if isinstance(body, list):
                places += [(body, i) for i in range(len(body)) if not is_docstring(parent, field, i)]
    body, i = chance.choice(places)
    body[i] = ast.Pass()
    return "statement", ast.unparse(ast.fix_missing_locations(tree))


def wrapped(code, name, value):
    """The function under its name again, with what `value` makes of its result."""
    return "%s\n\n_inner = %s\n\ndef %s(*args):\n    value = _inner(*args)\n    return %s\n" % (code, name, name, value)


VALUES = {
    "same": "value",
    "float": "float(value) if type(value) is int else value",
    "int": "int(value) if type(value) is float and value == int(value) else value",
    "digit": "value * (1 + 1e-9) if type(value) is float else value",
    "last": "value * (1 + 5e-7) if type(value) is float else value",
    "much": "value + 1e-3 if type(value) is float else value",
    "digits": "[v + 1e-7 if type(v) is float else v for v in value] if type(value) is list else value",
    "tuple": "tuple(value) if type(value) is list else value",
    "list": "list(value) if type(value) is tuple else value",
    "bool": "int(value) if type(value) is bool else value",
    "text": "str(value)",
    "none": "None",
    "nan": "float('nan')",
    "object": "type('Same', (), {'__hash__': None})()",
    "iterator": "iter(value) if type(value) is list else value",
    "order": "value[::-1] if type(value) in (list, str, tuple) else value",
    "twice": "value + value if type(value) in (list, str, tuple) else value",
    "subclass": "type('Own', (type(value),), {})(value) if type(value) in (list, str, int, float, dict) else value",
}
MANNERS = {
    "endless": "    while True:\n        pass\n",
    "raises": "    raise ValueError('no')\n",
    "exits": "    import sys\n    sys.exit(0)\n",
    "leaves": "    import os\n    os._exit(0)\n",
    "deep": "    return {name}(*{arguments})\n",
    "asks": "    return input()\n",
    "opens": "    return open('/etc/passwd').read()\n",
    "catches": "    try:\n        while True:\n            pass\n    except BaseException:\n        return None\n",
    "hungry": "    a = [0] * (1 << 40)\n    return a\n",
    "nothing": "    pass\n",
}
WRITINGS = {
    "fenced": "Here is the function:\n```python\n{code}\n```\nIt goes through the values once.",
    "prose": "Sure! I can do that for you.\n\n{code}\n\nThis works since the list is sorted first.",
    "more": "{code}\n\ndef unused(x):\n    return x\n\nprint(unused(3))\nif __name__ == '__main__':\n    print(1)",
    "cut": "{cut}",
    "noisy": "print('hello')\n{code}\nprint('done')",
    "helper": "import math, sys\nLIMIT = 3\nTOTAL: int = 4\n\ndef helper(x):\n    return x\n\n{code}\n\nclass Spare:\n    pass\n",
}


def manner(problem, name, text):
    arguments = "[" + ", ".join(a.arg for a in function_of(ast.parse(problem["prompt"] + "    pass\n"), name).args.args) + "]"
    return problem["prompt"] + text.replace("{name}", name).replace("{arguments}", arguments)


def written(code, chance, text):
    lines = code.rstrip().split("\n")
    return text.replace("{cut}", "\n".join(lines[:-1]) + "\n" + lines[-1][:max(1, len(lines[-1]) // 2)]).replace("{code}", code)


def mutants(problem, count, chance):
    name = problem["entry_point"]
    code = problem["prompt"] + problem["canonical_solution"]
    tree = ast.parse(code)
    yield "canonical", code
    seen = {code}
    for i in range(count):
        turn = i % 4
        if turn in (0, 2):
            made = changed_tree(tree, name, chance) if chance.random() < 0.8 else dropped_statement(tree, name, chance)
        elif turn == 1:
            kind = chance.choice(sorted(VALUES))
            made = kind, wrapped(code, name, VALUES[kind])
        elif chance.random() < 0.4:
            kind = chance.choice(sorted(MANNERS))
            made = kind, manner(problem, name, MANNERS[kind])
        else:
            kind = chance.choice(sorted(WRITINGS))
            made = kind, written(code, chance, WRITINGS[kind])
        if made and made[1] not in seen:
            seen.add(made[1])
            yield made


def main():
    path, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as lines:
        problems = [json.loads(line) for line in lines if line.strip()]
    for problem in problems:
        chance = random.Random("%d %s" % (seed, problem["task_id"]))
        for kind, code in mutants(problem, count, chance):
            print(json.dumps({"task_id": problem["task_id"], "solution": code, "kind": kind}))


if __name__ == "__main__":
    main()
