"""Local task files for lm-evaluation-harness over staged data (tests/lm_eval, docs/evals.md).

usage: make_tasks.py DATA OUT
Each file includes the task of the installed lm-eval and replaces where its rows
come from: rows of DATA put into the form that the task reads, none left out,
none reworded. Run with the Python that has lm-eval; nothing is fetched.
"""
import gzip
import json
import os
import sys

import lm_eval.tasks

DATA, OUT = sys.argv[1], os.path.abspath(sys.argv[2])
PACKAGE = os.path.dirname(lm_eval.tasks.__file__)
LETTERS = "ABCDE"


def rows(name):
    opener = gzip.open if name.endswith(".gz") else open
    with opener(os.path.join(DATA, name), "rt", encoding="utf-8", newline="\n") as f:
        if name.endswith(".json"):
            return json.load(f)
        return [json.loads(line) for line in f if line.strip()]


def put(name, items):
    path = os.path.join(OUT, "data", name + ".jsonl")
    with open(path, "w", encoding="utf-8") as f:
        for item in items:
            f.write(json.dumps(item, ensure_ascii=False) + "\n")
    return path


def task(name, include, splits, more=()):
    """splits: {split of the task: rows}; each is one JSON-lines file."""
    files = {split: put(f"{name}_{split}", items) for split, items in splits.items()}
    lines = [f"include: {PACKAGE}/{include}", f"task: {name}", "dataset_path: json", "dataset_name: null",
             "dataset_kwargs:", "  data_files:"]
    lines += [f"    {split}: {path}" for split, path in files.items()]
    lines += [f"{split}_split: {split if split in files else 'null'}" for split in ("training", "validation", "test")
              if not any(line.startswith(split + "_split") for line in more)]
    with open(os.path.join(OUT, name + ".yaml"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines + list(more)) + "\n")


def arc(name):
    return [{"id": r["id"], "question": r["question"], "answerKey": LETTERS[r["gold"]],
             "choices": {"text": r["choices"], "label": list(LETTERS[: len(r["choices"])])}}
            for r in rows(f"{name}/test.jsonl")]


def truthful():
    out = []
    for r in rows("truthfulqa/mc_task.json"):
        row = {"question": r["question"]}
        for key in ("mc1_targets", "mc2_targets"):
            row[key] = {"choices": list(r[key]), "labels": list(r[key].values())}
        out.append(row)
    return out


def trivia():
    out = []
    for r in rows("triviaqa/llmfoundry_triviaqa_sm_sub.jsonl.gz"):
        question = r["context"].removeprefix("Question: ").removesuffix("\nAnswer:")
        out.append({"question": question, "answer": {"value": r["answer"], "aliases": r["aliases"]}})
    return out


def mmlu_row(r):
    return {"question": r["question"], "choices": r["choices"], "answer": LETTERS.index(r["answer"])}


def hellaswag(r):
    return {**{k: r[k] for k in ("ind", "activity_label", "ctx_a", "ctx_b", "ctx", "endings")}, "label": str(r["label"])}


def wikitext_pages():
    """The cut of EleutherAI/wikitext_document_level: a page begins at a title of the first level."""
    page = []
    with gzip.open(os.path.join(DATA, "wikitext2/wiki.test.raw.gz"), "rt", encoding="utf-8", newline="\n") as f:
        lines = f.read().split("\n")
    for line in lines:
        flat = line.replace("= = =", "===").replace("= =", "==").strip()
        if flat.startswith("= ") and flat.endswith(" ="):
            if "".join(page).strip():
                yield {"page": "\n".join(page)}
            page = []
        page.append(line)
    yield {"page": "\n".join(page)}


def main():
    os.makedirs(os.path.join(OUT, "data"), exist_ok=True)
    test = ("test_split: test", "validation_split: null", "training_split: null")
    for name in ("arc_challenge", "arc_easy"):
        task(name, f"arc/{name}.yaml", {"test": arc(name)}, test)
    task("boolq", "super_glue/boolq/default.yaml",
         {"validation": [{k: r[k] for k in ("passage", "question", "label")} for r in rows("boolq/dev.jsonl.gz")]})
    task("hellaswag", "hellaswag/hellaswag.yaml",
         {"validation": [hellaswag(r) for r in rows("hellaswag/hellaswag_val_sample1000.jsonl")]})
    task("winogrande", "winogrande/default.yaml", {"validation": rows("winogrande/dev.jsonl")})
    task("commonsense_qa", "commonsense_qa/default.yaml", {"validation": rows("commonsenseqa/dev_rand_split.jsonl")})
    for name in ("truthfulqa_mc1", "truthfulqa_mc2"):
        task(name, f"truthfulqa/{name}.yaml", {"validation": truthful()})
    task("triviaqa", "triviaqa/default.yaml", {"validation": trivia()})
    task("gsm8k", "gsm8k/gsm8k.yaml", {"train": rows("gsm8k/train.jsonl.gz"), "test": rows("gsm8k/test.jsonl")},
         ("training_split: train", "test_split: test", "validation_split: null"))
    task("gsm8k_cot", "gsm8k/gsm8k-cot.yaml", {"test": rows("gsm8k/test.jsonl")}, test)
    for name in ("minerva_math/minerva_math500", "hendrycks_math/hendrycks_math500"):
        task(os.path.basename(name), name + ".yaml", {"test": rows("math500/math500_test.jsonl")}, test)
    task("humaneval", "humaneval/humaneval.yaml", {"test": rows("humaneval/HumanEval.jsonl.gz")}, test)
    # rows of IFEval have arguments of many kinds: only the prompt decides what is asked
    task("ifeval", "ifeval/ifeval.yaml", {"train": [{"key": r["key"], "prompt": r["prompt"]}
                                                     for r in rows("ifeval/input_data.jsonl")]},
         ("training_split: null", "validation_split: null", "test_split: train"))
    task("wikitext", "wikitext/wikitext.yaml", {"test": list(wikitext_pages())}, test)
    subjects = {}
    for split, name in (("dev", "mmlu_dev"), ("test", "mmlu_test")):
        for r in rows(f"mmlu/{name}.jsonl.gz"):
            subjects.setdefault(r["subject"], {"dev": [], "test": []})[split].append(mmlu_row(r))
    for subject, splits in subjects.items():
        task(f"mmlu_{subject}", f"mmlu/default/mmlu_{subject}.yaml", splits, test + ("fewshot_split: dev",))
    print(f"{len(subjects)} subjects of MMLU and the other tasks: {OUT}")


main()
