"""The language of texts, as langdetect's detect() names it, with a fixed seed: a
text has one answer, whatever was asked before it. Run by Ternmark in its sandbox;
a JSON line in, a JSON line out.

in   {"n": 0, "text": ...}
out  {"about": {"langdetect": version}}  first; {"error": ...} when it is not there
     {"n": 0, "is": "en"}                "": no language can be seen
"""

import importlib.metadata
import json
import os
import sys


def main():
    out = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    about = {"python": sys.version.split()[0]}
    try:
        import langdetect

        about["langdetect"] = importlib.metadata.version("langdetect")
    except ImportError:
        print(json.dumps({"about": about, "error": "'%s -m pip install langdetect', or name another Python by "
                                                   "TERN_PYTHON" % sys.executable}), file=out)
        return
    langdetect.DetectorFactory.seed = 0
    print(json.dumps({"about": about}), file=out)
    for line in sys.stdin.buffer:
        ask = json.loads(line)
        try:
            code = langdetect.detect(ask["text"])
        except langdetect.LangDetectException:
            code = ""
        print(json.dumps({"n": ask["n"], "is": code}), file=out)


main()
