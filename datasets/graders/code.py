"""Verdicts over programs under test, as EvalPlus 0.3.1 and lm-eval's code_eval
give them. Runs only in the sandbox of harness/eval/sandbox.h.

Standard input: a line of JSON that says what to do, then for "expected" and
"evalplus" the problem's line of the data file, then for "evalplus" the line
that "expected" printed. Standard output: a line of JSON; of "expected" packed
lines: times, then the values.

A program runs in a process of its own, forked before anything was read. It gets
inputs and gives values back; expected values stay on this side, which compares,
which it can neither trace nor write to, and which alone holds standard output."""

import ast
import base64
import builtins
import ctypes
import io
import json
import math
import os
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
import warnings
import zlib
from fractions import Fraction

MOST_REPLY = 1 << 28  # bytes of one value
CUT = 10000  # characters of an answer that EvalPlus looks at
SET_DUMPABLE = 4  # prctl

# What EvalPlus and code_eval take away from programs; sandboxing is not its point
# here, but a program that uses them fails there.
TAKEN = {
    "builtins": "exit quit",
    "os": "kill system putenv remove removedirs rmdir fchdir setuid fork forkpty killpg rename renames truncate"
    " replace unlink fchmod fchown chmod chown chroot lchflags lchmod lchown getcwd chdir",
    "shutil": "rmtree move chown",
    "subprocess": "Popen",
}
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")  # ECMA-48
ABSENT = "ipdb joblib resource psutil tkinter"


# Values between the processes: JSON as Python writes it, and objects with one key
# where JSON has no such type.

PLAIN = {type(None), bool, str, float}


def encode(x):
    kind = type(x)
    if kind in PLAIN:
        return x
    if kind is int:
        return x if x.bit_length() < 10000 else {"i": hex(x)}
    if kind is list:
        # Long lists of plain values are written as they are.
        return x if PLAIN.issuperset(map(type, x)) else [encode(y) for y in x]
    if kind is tuple:
        return {"t": encode(list(x))}
    if kind is dict:
        return {"d": [[encode(k), encode(v)] for k, v in x.items()]}
    if kind is set:
        return {"s": encode(list(x))}
    if kind is complex:
        return {"c": [x.real, x.imag]}
    if kind is bytes:
        return {"b": x.hex()}
    return encode_other(x)


def encode_other(x):
    """What equals a value of a plain type is that value, marked as of another type."""
    for plain in (bool, int, float, complex, str, bytes, list, tuple, dict, set):
        if isinstance(x, plain):
            return {"x": encode(plain(x))}
    if isinstance(x, (frozenset, bytearray)):
        return {"x": encode(set(x) if isinstance(x, frozenset) else bytes(x))}
    if type(x).__module__ == "numpy" and getattr(x, "shape", None) == ():
        return {"x": encode(x.item())}
    if type(x).__name__ in ("Fraction", "Decimal") and type(x).__module__ in ("fractions", "decimal", "_decimal"):
        q = Fraction(x)
        return {"q": [hex(q.numerator), hex(q.denominator)]}
    return {"o": type(x).__name__}


def decode(v):
    if isinstance(v, list):
        return [decode(y) for y in v]
    if isinstance(v, dict):
        (tag, inner), = v.items()
        return DECODERS[tag](inner)
    return v


DECODERS = {
    "i": lambda x: int(x, 16),
    "t": lambda x: tuple(decode(x)),
    "d": lambda x: {decode(k): decode(v) for k, v in x},
    "s": lambda x: set(decode(x)),
    "c": lambda x: complex(*x),
    "b": bytes.fromhex,
    "x": decode,
    "q": lambda x: Fraction(int(x[0], 16), int(x[1], 16)),
    "o": lambda name: object(),
}


# The process of the program.

class TimeIsUp(Exception):
    pass


class Nowhere(io.StringIO):
    """Standard streams as they are there: written, never read."""

    def read(self, *args, **kwargs):
        raise OSError

    readline = readlines = read

    def readable(self, *args, **kwargs):
        return False


def swallowed(do, *args):
    kept = sys.stdin, sys.stdout, sys.stderr
    sys.stdin = sys.stdout = sys.stderr = Nowhere()
    try:
        return do(*args)
    finally:
        sys.stdin, sys.stdout, sys.stderr = kept


def on_alarm(number, frame):
    raise TimeIsUp


def take_away(no_open):
    os.environ["OMP_NUM_THREADS"] = "1"
    for name, attributes in TAKEN.items():
        module = sys.modules[name]
        for attribute in attributes.split():
            setattr(module, attribute, None)
    builtins.help = None
    if no_open:
        builtins.open = None
    for name in ABSENT.split():
        sys.modules[name] = None


def load_numpy():
    """Loaded there before anything is taken away, and not to be loaded afterwards."""
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    try:
        import numpy  # noqa: F401
    except ImportError:
        pass


def limit_memory(most):
    most = min(most, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for which in (resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_STACK):
        hard = resource.getrlimit(which)[1]
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (value, value))


def call(function, arguments, limit):
    """The value and its time; time's end is raised in the program, as there."""
    signal.setitimer(signal.ITIMER_REAL, limit)
    signal.signal(signal.SIGALRM, on_alarm)
    start = time.time()
    try:
        value = swallowed(function, *arguments)
        return value, time.time() - start
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def live(requests, replies, folder):
    """Never returns. First request: the program; then inputs."""
    loads, dumps, write = json.loads, json.dumps, os.write
    lines = os.fdopen(requests, "rb")
    os.mkdir(folder)
    os.chdir(folder)

    def reply(what, value=None):
        data = memoryview((dumps(what) + "\n" + dumps(value) + "\n").encode())
        while data:
            data = data[write(replies, data):]

    order = loads(lines.readline())
    if "numpy" in order["program"]:
        load_numpy()
    try:
        if order["memory"]:
            limit_memory(order["memory"])
        if order["guard"]:
            take_away(order["guard"] == "evalplus")
        names = {}
        if order["limit"]:
            call(exec, (order["program"], names), order["limit"])
        else:
            swallowed(exec, order["program"], names)
        function = names[order["entry"]] if order["entry"] else None
        reply({"ready": True})
    except BaseException as e:
        reply({"failed": type(e).__name__})
    for line in lines:
        order = loads(line)
        try:
            value, spent = call(function, order["input"], order["limit"])
            reply({"time": spent}, encode(value))
        except BaseException as e:
            reply({"failed": type(e).__name__})


class Program:
    """A process that waits for its program."""

    def __init__(self, folder):
        theirs_in, self.requests = os.pipe()
        self.replies, theirs_out = os.pipe()
        self.pending = b""
        self.pid = os.fork()
        if self.pid == 0:
            try:
                null = os.open(os.devnull, os.O_RDWR)
                for place, fd in enumerate((null, null, null)):
                    os.dup2(fd, place)
                kept = sorted((theirs_in, theirs_out))
                for low, high in zip([2] + kept, kept + [1 << 16]):
                    os.closerange(low + 1, high)
                live(theirs_in, theirs_out, folder)
            finally:
                os._exit(0)
        os.close(theirs_in)
        os.close(theirs_out)

    def ask(self, order, deadline):
        """Its answer, with the bytes of a "value"; None: none came in time, or it is gone."""
        data = json.dumps(order).encode() + b"\n"
        try:
            while data:
                ready = select.select([], [self.requests], [], max(0, deadline - time.monotonic()))[1]
                if not ready:
                    return None
                data = data[os.write(self.requests, data[:4096]):]
            answer = json.loads(self.read_line(deadline) or "null")
            value = self.read_line(deadline)
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(answer, dict) or value is None:
            return None
        answer["value"] = value
        return answer

    def read_line(self, deadline):
        parts = []
        size = 0
        while b"\n" not in self.pending:
            parts.append(self.pending)
            size += len(self.pending)
            left = deadline - time.monotonic()
            if left <= 0 or size > MOST_REPLY or not select.select([self.replies], [], [], left)[0]:
                return None
            self.pending = os.read(self.replies, 1 << 20)
            if not self.pending:
                return None
        end, self.pending = self.pending.split(b"\n", 1)
        return b"".join(parts) + end

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


# Comparison.

def are_floats(x):
    if isinstance(x, (list, tuple)) and x:
        return all(isinstance(y, float) for y in x)
    return isinstance(x, float)


def numbers_of(x):
    if isinstance(x, (list, tuple)):
        for y in x:
            yield from numbers_of(y)
    elif isinstance(x, (int, float, complex)):
        yield x
    else:
        raise TypeError


def fits_numpy(x):
    """Whether numpy makes an array of numbers of it and not one of objects."""
    return all(not isinstance(y, int) or -(1 << 63) <= y < 1 << 64 for y in numbers_of(x))


def near(a, b, atol, rtol=1e-07):
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all([near(x, y, atol, rtol) for x, y in zip(a, b)])
    if isinstance(a, (list, tuple)) or isinstance(b, (list, tuple)):
        raise ValueError
    if a == b:
        return True
    a, b = (complex(a), complex(b)) if isinstance(a, complex) or isinstance(b, complex) else (float(a), float(b))
    return math.isfinite(abs(b)) and abs(a - b) <= atol + rtol * abs(b)


def poly(coefficients, x):
    return sum([c * math.pow(x, i) for i, c in enumerate(coefficients)])


def agrees(value, expected, arguments, problem, atol):
    """EvalPlus's comparison of one output."""
    if value == expected and b"NaN" not in value and b'"o"' not in value and problem["entry_point"] != "find_zero":
        return True
    value, expected = json.loads(value), json.loads(expected)
    out, exp = decode(value), decode(expected)
    if problem["entry_point"] == "find_zero":
        return abs(poly(*arguments, out)) <= atol
    if out == exp:
        return True
    if atol == 0:
        return False
    same_type = type(out) is type(exp) and not (isinstance(value, dict) and "x" in value)
    return same_type and fits_numpy(out) and fits_numpy(exp) and near(out, exp, atol)


def holds_floats(expected):
    """Whether are_floats() of the value in these bytes."""
    text = expected.strip(b'{"t:[] ')
    return text[:1] in b"-0123456789NI" and are_floats(decode(json.loads(expected)))


def tested(problem, which, times, values, program, order, limits):
    """["pass" | "fail" | "timeout", number of tests done]."""
    inputs = problem[which + "_input"]
    each = [max(limits["least"], limits["factor"] * t) for t in times]
    deadline = time.monotonic() + min(limits["task"], sum(each)) + 2
    atol = problem["atol"]
    answer = program.ask(order, deadline)
    if answer is None:
        return ["timeout", 0]
    if "failed" in answer:
        return ["fail", 0]
    for i, arguments in enumerate(inputs):
        answer = program.ask({"input": arguments, "limit": each[i]}, deadline)
        if answer is None:
            return ["timeout", i]
        try:
            if atol == 0 and problem["entry_point"] != "find_zero" and holds_floats(values[i]):
                atol = 1e-6  # and so for all that follow, as there
            good = "time" in answer and agrees(answer["value"], values[i], arguments, problem, atol)
        except Exception:
            good = False
        if not good:
            return ["fail", i + 1]
    return ["pass", len(inputs)]


def expect(problem, which, program):
    """Times of the canonical solution, and its values as bytes."""
    never = time.monotonic() + 1e6
    order = {"program": problem["prompt"] + problem["canonical_solution"], "entry": problem["entry_point"],
             "memory": 0, "guard": None, "limit": 0}
    times, values = [], []
    answer = program.ask(order, never)
    for arguments in problem[which + "_input"]:
        if not answer or "failed" in answer:
            break
        answer = program.ask({"input": arguments, "limit": 0}, never)
        if answer and "time" in answer:
            values.append(answer["value"])
            times.append(answer["time"])
    if len(values) != len(problem[which + "_input"]):
        raise SystemExit("%s: the canonical solution does not run through its %s inputs (%s)"
                         % (problem["task_id"], which, answer and answer.get("failed")))
    return times, values


# Sanitising, as EvalPlus does it with tree-sitter.

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


# What is asked.

def do_expected(order, lines, programs):
    problem = json.loads(lines[1])
    found = {which: expect(problem, which, p) for which, p in programs.items()}
    head = json.dumps({which: times for which, (times, values) in found.items()}).encode()
    return base64.b64encode(zlib.compress(b"\n".join([head] + [v for _, values in found.values() for v in values]), 1))


def do_evalplus(order, lines, programs):
    problem = json.loads(lines[1])
    head, *known = zlib.decompress(base64.b64decode(lines[2])).split(b"\n")
    times = json.loads(head)
    values = {"base": known[:len(times["base"])], "plus": known[len(times["base"]):]}
    program = order["program"]
    if order["sanitise"]:
        head = problem["prompt"].strip() + "\n" if order["complete"] else ""
        program = sanitise(head + program[:CUT].replace("\t", "    "), problem["entry_point"])
    run = {"program": program, "entry": problem["entry_point"], "memory": order["memory"], "guard": "evalplus",
           "limit": 0}
    verdicts = {which: tested(problem, which, times[which], values[which], p, run, order["limits"])
                for which, p in programs.items()}
    return json.dumps(verdicts).encode()


def do_plain(order, lines, programs):
    run = {"program": order["program"], "entry": None, "memory": 0, "guard": "code_eval", "limit": order["timeout"]}
    answer = programs["base"].ask(run, time.monotonic() + order["timeout"] + 1)
    verdict = "timeout" if answer is None else "fail" if "failed" in answer else "pass"
    return json.dumps({"verdict": verdict}).encode()


def do_sanitise(order, lines, programs):
    return json.dumps({"program": sanitise(order["program"], order["entry"])}).encode()


TASKS = {"expected": do_expected, "evalplus": do_evalplus, "plain": do_plain, "sanitise": do_sanitise}


def main():
    warnings.simplefilter("ignore")
    # Neither traced nor opened through /proc by what it starts.
    if ctypes.CDLL(None, use_errno=True).prctl(SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise SystemExit("code.py: cannot shut its memory to programs under test")
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    programs = {which: Program("/tmp/" + which) for which in ("base", "plus")}
    lines = sys.stdin.buffer.read().split(b"\n")
    order = json.loads(lines[0])
    answer = memoryview(TASKS[order["task"]](order, lines, programs) + b"\n")
    for program in programs.values():
        program.end()
    while answer:
        answer = answer[os.write(1, answer):]


if __name__ == "__main__":
    main()
