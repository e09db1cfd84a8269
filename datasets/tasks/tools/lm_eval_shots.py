#!/usr/bin/env python3
"""Writes the fixed shots and primers that others wrote, which are not kept in this
repository, from an installation of lm-eval into DATA/shots/:

    python3 lm_eval_shots.py DATA        # needs: pip install lm-eval

Beside them SOURCES.json: of each file its origin, lm-eval's version and licence,
the SHA-256, and whether that is the one that tasks here were compared with.
lm-eval is read as text and YAML; nothing of it is run."""
import ast, hashlib, importlib.metadata, importlib.util, json, os, sys

KNOWN = {  # of lm-eval 0.4.13
    "gsm8k_cot": "834e15ff15ab7058dfb6d1d928a6263a3637cfbf9a2f9240eea3753c2e3463c6",
    "minerva_math": "93a2fe3ae1f79d1e5dc34f7c4a90f1ea1adf4759fb4563be2350604c612b43d7",
    "truthfulqa_primer": "743bab2c0d04955ef5d9f939000a8520a9ff5d8e40e2673a22102bdad35937b0",
}
YAML = None


def load(path):
    class Loader(YAML.SafeLoader):
        pass
    Loader.add_constructor("!function", lambda loader, node: None)
    with open(path, encoding="utf-8") as file:
        return YAML.load(file, Loader)


def minerva_math(tasks):
    """The list that list_fewshot_samples returns."""
    path = os.path.join(tasks, "minerva_math", "utils.py")
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "list_fewshot_samples":
            rows = ast.literal_eval(node.body[-1].value)
            return rows, path
    raise SystemExit(f"{path}: no list_fewshot_samples; lm-eval changed")


def gsm8k_cot(tasks):
    path = os.path.join(tasks, "gsm8k", "gsm8k-cot.yaml")
    rows = load(path)["fewshot_config"]["samples"]
    return [{"question": row["question"], "target": row["target"]} for row in rows], path


def truthfulqa_primer(tasks):
    """The text that doc_to_text sets as prompt_qa."""
    path = os.path.join(tasks, "truthfulqa", "truthfulqa_mc1.yaml")
    template = load(path)["doc_to_text"]
    head, mark = "set prompt_qa = '", "'%}"
    if head not in template or mark not in template:
        raise SystemExit(f"{path}: no prompt_qa; lm-eval changed")
    text = template.split(head, 1)[1].split(mark, 1)[0]
    return [{"text": text}], path


def main():
    global YAML
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        raise SystemExit(__doc__)
    try:
        import yaml
        version = importlib.metadata.version("lm-eval")
        package = importlib.util.find_spec("lm_eval").submodule_search_locations[0]
    except (ImportError, AttributeError):
        raise SystemExit("lm-eval is not installed for this Python: pip install lm-eval")
    YAML = yaml
    folder = os.path.join(sys.argv[1], "shots")
    os.makedirs(folder, exist_ok=True)
    sources = {}
    for make in (gsm8k_cot, minerva_math, truthfulqa_primer):
        rows, path = make(os.path.join(package, "tasks"))
        data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
        digest = hashlib.sha256(data).hexdigest()
        name = make.__name__ + ".jsonl"
        with open(os.path.join(folder, name + ".part"), "wb") as file:
            file.write(data)
        os.replace(os.path.join(folder, name + ".part"), os.path.join(folder, name))
        sources[name] = {
            "source": "EleutherAI/lm-evaluation-harness " + version + ", lm_eval/tasks/" +
                      os.path.relpath(path, os.path.join(package, "tasks")),
            "licence": "MIT",
            "sha256": digest,
            "as_compared": digest == KNOWN[make.__name__],
        }
        print(f"{name}: {len(rows)} row{'s' if len(rows) > 1 else ''}, SHA-256 {digest}"
              + ("" if sources[name]["as_compared"] else " (not the one of lm-eval 0.4.13)"))
    with open(os.path.join(folder, "SOURCES.json"), "w", encoding="utf-8") as file:
        json.dump(sources, file, indent=2)
        file.write("\n")


main()
