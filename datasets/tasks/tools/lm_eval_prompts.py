#!/usr/bin/env python3
"""Makes tests/fixtures/eval-prompts.json: what lm-eval 0.4.13 asks on the rows of
../shared/data and of tests/fixtures/eval-rows, as SHA-256, never as text.

    python3 datasets/tasks/tools/lm_eval_prompts.py ../shared/data > tests/fixtures/eval-prompts.json

Tasks are lm-eval's own YAML with its own functions; only the rows come from here,
in the form of the Hugging Face set that the task names. Prompts and shots are made
by its build_all_requests. "prompts" is the hash over all asks in order, context,
NUL, continuation, NUL; "answers" over the documents' gold index or references, a
NUL behind each. In cases with "stand_in" others' shots and primer are replaced by
those of eval-rows/shots, on both sides. Cases with "chat" are in the chat form: all
shots in one user's turn, or each a turn ("turns"); of the first "limit" rows.
PART=chat or PART=plain in the environment makes only those."""
import gzip, hashlib, importlib.metadata, json, os, re, sys
import logging
STDOUT, sys.stdout = sys.stdout, sys.stderr  # lm-eval prints
import datasets
import lm_eval
from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks._yaml_loader import load_yaml

logging.disable(logging.WARNING)
SHARED = sys.argv[1]
ROWS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../tests/fixtures/eval-rows")
TASKS = os.path.join(os.path.dirname(lm_eval.__file__), "tasks")
FIRST = 10


def read(path, root=SHARED):
    path = os.path.join(root, path)
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8", newline="") as file:
        text = file.read()
    return json.loads(text) if re.search(r"\.json(\.gz)?$", path) else [json.loads(l) for l in text.split("\n") if l]


def own(path):
    return read(path, ROWS)


def lines(path):
    with open(os.path.join(ROWS, path), encoding="utf-8") as file:
        return file.read().split()


def choices(rows):
    return [{**r, "choices": {"text": r["choices"], "label": list("ABCDE")[:len(r["choices"])]},
             "answerKey": "ABCDE"[r["gold"]]} for r in rows]


def openbook(rows):
    return [{"id": r["id"], "question_stem": r["question"]["stem"],
             "choices": {k: [c[k] for c in r["question"]["choices"]] for k in ("text", "label")},
             "answerKey": r["answerKey"]} for r in rows]


def labelled(folder, part, number):
    return [{**r, "label": number(l)} for r, l in zip(own(f"{folder}/{part}.jsonl"), lines(f"{folder}/{part}-labels.lst"))]


def csqa_train(rows):
    out = []
    for r in rows:
        head, *texts = re.split(r"\n [A-E]\. ", r["query"][:-len("\nAnswer:")])
        assert len(texts) == 5 and head.startswith("Question: ") and r["query"].endswith("\nAnswer:")
        out.append({"question": head[len("Question: "):], "choices": {"text": texts, "label": list("ABCDE")},
                    "answerKey": "ABCDE"[r["gold"]]})
    return out


def targets(rows):
    return [{"question": r["question"], **{k: {"choices": list(r[k]), "labels": list(r[k].values())}
                                           for k in ("mc1_targets", "mc2_targets")}} for r in rows]


def trivia(rows):
    return [{"question": r["context"][len("Question: "):-len("\nAnswer:")], "answer": {"aliases": r["aliases"]}} for r in rows]


def mmlu(rows, subject):
    return [{**r, "answer": "ABCD".index(r["answer"])} for r in rows if r["subject"] == subject]


def pages(text):
    """As lm-eval's WikiText script cut the file (its history, commit 7c9da7144)."""
    out, part = [], []
    for line in text.split("\n"):
        plain = line.replace("= = =", "===").replace("= =", "==").strip()
        if plain.startswith("= ") and plain.endswith(" ="):
            if "\n".join(part).strip():
                out.append({"page": "\n".join(part)})
            part = []
        part.append(line)
    return out + [{"page": "\n".join(part)}]


def wiki():
    with gzip.open(os.path.join(SHARED, "wikitext2/wiki.test.raw.gz"), "rt", encoding="utf-8", newline="") as file:
        return pages(file.read())


def primed(config):
    text = own("shots/truthfulqa_primer.jsonl")[0]["text"]
    raw = "{% raw %}" + text + "{% endraw %}"
    head, tail = config["doc_to_text"].split("{% set prompt_qa = '", 1)
    config["doc_to_text"] = head + raw + "{{'\n\nQ: ' + question + '\nA:'}}"
    assert "prompt_qa + '" in tail


def shot_rows(name):
    def change(config):
        rows = own(f"shots/{name}.jsonl")
        if name == "minerva_math":
            rows = [{**r, "few_shot": "1"} for r in rows]
        config["fewshot_config"] = {"sampler": "first_n", "samples": rows}
    return change




def chatml(messages, add_generation_prompt=True):
    text = "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages)
    return text + "<|im_start|>assistant\n" * add_generation_prompt


def build(yaml, splits, shots, change=None, pop=(), chat=None, limit=None):
    config = load_yaml(os.path.join(TASKS, yaml), resolve_func="humaneval" not in yaml)
    for key in ("group", "tag", "dataset_path", "dataset_name", "should_decontaminate", *pop):
        config.pop(key, None)
    if change:
        change(config)
    data = datasets.DatasetDict({k: datasets.Dataset.from_list(v) for k, v in splits.items()})
    config["custom_dataset"] = lambda **_: data
    for key in ("training_split", "validation_split"):
        if config.get(key) not in data:
            config[key] = None
    if shots is not None:
        config["num_fewshot"] = shots
    config["metadata"] = {"version": 0}
    task = ConfigurableTask(config=config)
    task.set_fewshot_seed(1234)
    task.build_all_requests(limit=limit, apply_chat_template=chat is not None, fewshot_as_multiturn=chat == "turns",
                            chat_template=chatml if chat else None)
    return task


def answers_of(task, doc):
    target = task.doc_to_text(doc) if task.multiple_input else task.doc_to_target(doc)
    if isinstance(target, str) and task.OUTPUT_TYPE == "multiple_choice":
        choices = task.doc_to_choice(doc)
        target = choices.index(target)
    return [str(t) for t in (target if isinstance(target, list) else [target])]


def case(name, tasks, answers, **more):
    """tasks: [(subtask, task)], in the order of the file."""
    prompts, golds, first, documents, asks = hashlib.sha256(), hashlib.sha256(), [], 0, 0
    for _, task in tasks:
        for _, doc in task.doc_iterator(limit=more.get("limit")):
            documents += 1
            if answers:
                for a in answers_of(task, doc):
                    golds.update(a.encode() + b"\0")
        for i in task.instances:
            asks += 1
            context, continuation = (i.args[0], "") if i.request_type == "generate_until" else \
                ("", i.args[0]) if i.request_type == "loglikelihood_rolling" else i.args[:2]
            text = context.encode() + b"\0" + continuation.encode() + b"\0"
            prompts.update(text)
            if asks <= FIRST:
                first.append(hashlib.sha256(text).hexdigest()[:16])
    print(f"{name} {more}: {documents} documents, {asks} asks", file=sys.stderr)
    return {"task": name, **more, "shots": tasks[0][1].config.num_fewshot or 0, "documents": documents, "asks": asks,
            "prompts": prompts.hexdigest(), "answers": golds.hexdigest() if answers else None, "first": first}


def main():
    out, part = [], os.environ.get("PART", "")

    def add(name, yaml, splits, shots=None, answers=True, change=None, pop=(), **more):
        if part == ("plain" if "chat" in more else "chat"):
            return
        task = build(yaml, splits, shots, change, pop, more.get("chat"), more.get("limit"))
        out.append(case(name, [(None, task)], answers, **more))

    add("arc_challenge", "arc/arc_challenge.yaml", {"test": choices(read("arc_challenge/test.jsonl"))})
    add("arc_easy", "arc/arc_easy.yaml", {"test": choices(read("arc_easy/test.jsonl"))})
    add("boolq", "super_glue/boolq/default.yaml", {"validation": read("boolq/dev.jsonl.gz")})
    add("hellaswag_sample", "hellaswag/hellaswag.yaml", {"validation": read("hellaswag/hellaswag_val_sample1000.jsonl")})
    add("hellaswag", "hellaswag/hellaswag.yaml",
        {"validation": [{**r, "label": r["gold"]} for r in read("hellaswag/hellaswag_val_lmeval_query.jsonl.gz")]},
        pop=("process_docs",))
    for shots in (None, 2):
        add("openbookqa", "openbookqa/openbookqa.yaml",
            {"train": openbook(own("openbookqa/train.jsonl")), "test": openbook(own("openbookqa/test.jsonl"))}, shots)
        add("piqa", "piqa/piqa.yaml",
            {"train": labelled("piqa", "train", int), "validation": labelled("piqa", "dev", int)}, shots)
        add("social_iqa", "siqa/siqa.yaml",
            {"train": labelled("social_iqa", "train", str), "validation": labelled("social_iqa", "dev", str)}, shots)
    add("winogrande", "winogrande/default.yaml", {"validation": read("winogrande/dev.jsonl")})
    add("winogrande_own_shots", "winogrande/default.yaml", {"validation": read("winogrande/dev.jsonl")}, 3)
    dev, train = read("commonsenseqa/dev_rand_split.jsonl"), csqa_train(read("commonsenseqa/olmo_train_mc_docs.jsonl.gz"))
    for shots in (None, 10):
        add("commonsense_qa", "commonsense_qa/default.yaml", {"train": train, "validation": dev}, shots)
    rows = targets(read("truthfulqa/mc_task.json"))
    for name in ("truthfulqa_mc1", "truthfulqa_mc2"):
        for shots in (None, 10):
            add(name, f"truthfulqa/{name}.yaml", {"validation": rows}, shots, change=primed, stand_in=True)
            add(name, f"truthfulqa/{name}.yaml", {"validation": rows}, shots, stand_in=False)
        add(name, f"truthfulqa/{name}.yaml", {"validation": rows}, 10, change=primed, stand_in=True, chat="single",
            limit=100)
    rows = trivia(read("triviaqa/llmfoundry_triviaqa_sm_sub.jsonl.gz"))
    for shots in (None, 5):
        add("triviaqa", "triviaqa/default.yaml", {"validation": rows}, shots)
    train, rows = read("gsm8k/train.jsonl.gz"), read("gsm8k/test.jsonl")
    for shots in (None, 4, 0):
        add("gsm8k", "gsm8k/gsm8k.yaml", {"train": train, "test": rows}, shots)
    add("gsm8k_cot", "gsm8k/gsm8k-cot.yaml", {"test": rows}, change=shot_rows("gsm8k_cot"), stand_in=True)
    add("gsm8k_cot", "gsm8k/gsm8k-cot.yaml", {"test": rows}, stand_in=False)
    add("gsm8k_cot_zeroshot", "gsm8k/gsm8k-cot-zeroshot.yaml", {"train": train, "test": rows})
    for chat in ("single", "turns"):
        add("gsm8k", "gsm8k/gsm8k.yaml", {"train": train, "test": rows}, 4, chat=chat, limit=200)
        add("gsm8k_cot", "gsm8k/gsm8k-cot.yaml", {"test": rows}, change=shot_rows("gsm8k_cot"), stand_in=True, chat=chat,
            limit=100)
        add("winogrande_own_shots", "winogrande/default.yaml", {"validation": read("winogrande/dev.jsonl")}, 3, chat=chat,
            limit=200)
        add("arc_challenge", "arc/arc_challenge.yaml", {"test": choices(read("arc_challenge/test.jsonl"))}, chat=chat,
            limit=200)
    rows = read("math500/math500_test.jsonl")
    add("minerva_math500", "minerva_math/minerva_math500.yaml", {"test": rows}, answers=False,
        change=shot_rows("minerva_math"), stand_in=True)
    add("minerva_math500", "minerva_math/minerva_math500.yaml", {"test": rows}, answers=False, stand_in=False)
    add("minerva_math500", "minerva_math/minerva_math500.yaml", {"test": rows}, 0, answers=False, stand_in=False)
    add("hendrycks_math500", "hendrycks_math/hendrycks_math500.yaml", {"test": rows}, answers=False)
    code = ("metric_list", "filter_list", "process_docs")
    add("humaneval", "humaneval/humaneval.yaml", {"test": read("humaneval/HumanEval.jsonl.gz")}, pop=code)
    add("humaneval_plus", "humaneval/humaneval_plus.yaml",
        {"test": read("humanevalplus/HumanEvalPlus-OriginFmt.jsonl.gz")}, pop=code)
    rows = [{"key": r["key"], "prompt": r["prompt"]} for r in read("ifeval/input_data.jsonl")]
    add("ifeval", "ifeval/ifeval.yaml", {"train": rows}, answers=False, pop=("process_results",))
    add("ifeval", "ifeval/ifeval.yaml", {"train": rows}, answers=False, pop=("process_results",), chat="single", limit=541)
    add("wikitext", "wikitext/wikitext.yaml", {"test": wiki()}, answers=False)
    test, dev = read("mmlu/mmlu_test.jsonl.gz"), read("mmlu/mmlu_dev.jsonl.gz")
    subjects = list(dict.fromkeys(r["subject"] for r in test))
    for shots, more in ((None, {}), (5, {}), (5, {"chat": "single", "limit": 4}), (2, {"chat": "turns", "limit": 4})):
        if part != ("plain" if more else "chat"):
            out.append(case("mmlu", [(s, build(f"mmlu/default/mmlu_{s}.yaml", {"test": mmlu(test, s), "dev": mmlu(dev, s)},
                                               shots, **more)) for s in subjects], True, **more))
    made = "lm-eval " + importlib.metadata.version("lm-eval") + " by datasets/tasks/tools/lm_eval_prompts.py"
    json.dump({"made_with": made, "cases": out}, STDOUT, indent=1)
    STDOUT.write("\n")


main()
