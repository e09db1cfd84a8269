"""Verdicts over programs under test, as EvalPlus (26d6d00b) and lm-eval's code_eval
give them. Runs only in the sandbox of harness/eval/sandbox.h.

Standard input: a line of JSON that says what to do, then for "expected" and
"evalplus" the problem's line of the data file, then for "evalplus" the line
that "expected" printed. Standard output: a line of JSON; of "expected" packed
lines: times, then the values.

A program runs in a process of its own, forked before anything was read. It gets
inputs and gives values back; expected values stay on this side, which compares,
which it can neither trace nor write to, and which alone holds standard output."""

import base64
import builtins
import ctypes
import io
import json
import os
import resource
import select
import shutil  # noqa: F401  (they lose functions, see TAKEN)
import signal
import subprocess  # noqa: F401
import sys
import time
import warnings
import zlib

try:
    import lzma
except ImportError:
    lzma = None

MOST_REPLY = 1 << 28  # bytes of one value
CUT = 10000  # characters of an answer that EvalPlus looks at
SET_DUMPABLE = 4  # prctl

# Beside this file; taken off the path again, for programs import by it, too.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from code_sanitise import sanitise  # noqa: E402
from code_values import agrees, encode, holds_floats  # noqa: E402

del sys.path[0]

# What EvalPlus and code_eval take away from programs; sandboxing is not its point
# here, but a program that uses them fails there.
TAKEN = {
    "builtins": "exit quit",
    "os": "kill system putenv remove removedirs rmdir fchdir setuid fork forkpty killpg rename renames truncate"
    " replace unlink fchmod fchown chmod chown chroot lchflags lchmod lchown getcwd chdir",
    "shutil": "rmtree move chown",
    "subprocess": "Popen",
}
ABSENT = "ipdb joblib resource psutil tkinter"


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


# What is asked.

# Long outputs repeat each other over megabytes: a window of 16 MiB makes them a
# twentieth of what zlib does. Not every Python is built with lzma.

def pack(data):
    if lzma is None:
        return zlib.compress(data, 1)
    return lzma.compress(data, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 24}])


def unpack(data):
    return lzma.decompress(data) if data[:6] == b"\xfd7zXZ\0" else zlib.decompress(data)


def do_expected(order, lines, programs):
    problem = json.loads(lines[1])
    found = {which: expect(problem, which, p) for which, p in programs.items()}
    head = json.dumps({which: times for which, (times, values) in found.items()}).encode()
    return base64.b64encode(pack(b"\n".join([head] + [v for _, values in found.values() for v in values])))


def do_evalplus(order, lines, programs):
    problem = json.loads(lines[1])
    head, *known = unpack(base64.b64decode(lines[2])).split(b"\n")
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
