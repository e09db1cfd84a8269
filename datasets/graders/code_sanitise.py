"""What EvalPlus keeps of an answer, found there with tree-sitter, here with ast."""

import ast
import re

ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")  # ECMA-48


def parses(code):
    try:
        ast.parse(code)
        return True
    except (SyntaxError, MemoryError, ValueError, RecursionError):
        return False


def longest_block(text):
    """Without terminals' escapes: of at least two lines that parse the one with the most that are not blank; the
    first of those, or the first line where none does."""
    lines = ESCAPES.sub("", text).split("\n")
    full = [0]
    for line in lines:
        full.append(full[-1] + bool(line.strip()))
    spans = [(full[i] - full[j + 1], i, j) for i in range(len(lines)) for j in range(i + 1, len(lines))]
    for count, i, j in sorted(s for s in spans if s[0] < 0):
        if parses("\n".join(lines[i:j + 1])):
            return "\n".join(lines[i:j + 1])
    return lines[0]


def identifiers(node):
    found = set()
    for part in ast.walk(node):
        for field, value in ast.iter_fields(part):
            if field in ("id", "attr", "name", "arg", "asname", "rest") and isinstance(value, str):
                found.update(value.split("."))
            elif field in ("names", "kwd_attrs") and isinstance(value, list):
                found.update(v for v in value if isinstance(v, str))
    return found


def defined_name(node):
    """The first identifier that lies directly in the definition."""
    if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        return node.name
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    chained = isinstance(node, ast.Assign) and len(node.targets) > 1
    start, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
    # One in parentheses does not lie directly in it.
    if isinstance(target, ast.Name) and (target.lineno, target.col_offset) == start:
        return target.id
    value = None if chained else node.value
    if isinstance(value, ast.Name) and (value.end_lineno, value.end_col_offset) == end:
        return value.id
    return None


def is_definition(node):
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return not node.decorator_list and any(isinstance(n, ast.Return) for n in ast.walk(node))
    if isinstance(node, ast.ClassDef):
        return not node.decorator_list
    return isinstance(node, (ast.Assign, ast.AnnAssign))


def is_import(node):
    if isinstance(node, ast.ImportFrom):
        return node.module != "__future__"
    return isinstance(node, ast.Import)


def reachable(entry, uses):
    seen, queue = {entry}, [entry]
    for name in queue:
        new = uses.get(name, set()) - seen
        seen |= new
        queue += new
    return seen


def kept_parts(code, entry):
    body = ast.parse(code).body
    definitions = {}
    for node in body:
        if is_definition(node):
            definitions.setdefault(defined_name(node), node)
    seen = reachable(entry, {name: identifiers(node) for name, node in definitions.items()})
    kept = [node for node in body if is_import(node)]
    kept += [node for name, node in definitions.items() if name in seen]
    return "\n".join(ast.get_source_segment(code, node) for node in kept)


def sanitise(text, entry):
    block = longest_block(text)
    try:
        code = kept_parts(block, entry).strip()
    except (SyntaxError, MemoryError, ValueError, RecursionError):
        code = ""
    return code or block
