#!/usr/bin/env python3
"""Makes tests/fixtures/eval-prompts-evalplus.json: what EvalPlus asks a model that
has a chat template, as SHA-256, in the form of lm_eval_prompts.py. Its two
sentences are replaced by those of tests/fixtures/eval-rows/shots.

    python3 datasets/tasks/tools/evalplus_prompts.py ../shared/data > tests/fixtures/eval-prompts-evalplus.json"""
import gzip, hashlib, importlib.metadata, json, os, sys
from evalplus.provider.utility import make_raw_chat_prompt

SHOTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../tests/fixtures/eval-rows/shots")
FIRST = 10


class ChatML:
    chat_template = "ChatML"

    def apply_chat_template(self, messages, tokenize):
        return "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages)


def text(name):
    with open(os.path.join(SHOTS, name + ".jsonl"), encoding="utf-8") as file:
        return json.loads(file.readline())["text"]


with gzip.open(os.path.join(sys.argv[1], "humanevalplus/HumanEvalPlus.jsonl.gz"), "rt", encoding="utf-8") as file:
    rows = [json.loads(line) for line in file]
ask, reply = text("evalplus_instruction"), text("evalplus_response")
prompts, answers, first = hashlib.sha256(), hashlib.sha256(), []
for row in rows:
    prompt = make_raw_chat_prompt(row["prompt"].strip() + "\n", ask, reply, ChatML())
    one = prompt.encode() + b"\0\0"
    prompts.update(one)
    answers.update(row["canonical_solution"].encode() + b"\0")
    if len(first) < FIRST:
        first.append(hashlib.sha256(one).hexdigest()[:16])
case = {"task": "evalplus_humaneval_chat", "chat": "single", "shots": 0, "documents": len(rows), "asks": len(rows),
        "prompts": prompts.hexdigest(), "answers": answers.hexdigest(), "first": first}
print(json.dumps({"made_with": f"evalplus {importlib.metadata.version('evalplus')}", "cases": [case]}, indent=1))
