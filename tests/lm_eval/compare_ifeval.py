"""IFEval's verdicts beside lm-eval's own functions.

  python tests/lm_eval/compare_ifeval.py EVAL_VERDICTS DATA [ROUNDS]

EVAL_VERDICTS: build/release/tests/eval_verdicts; DATA has ifeval/input_data.jsonl
and nltk/punkt_tab/english (NLTK is shown the same tables). For each instruction of
each prompt ROUNDS responses are made of our own sentences, that follow it, nearly
follow it or don't; both sides check every instruction of the prompt, strict and
loose. Then sentences and words of many texts beside NLTK's. Prints a line a type.
"""

import collections
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

PROGRAM, DATA = sys.argv[1:3]
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 3
PUNKT = os.path.join(DATA, "nltk", "punkt_tab")

# NLTK looks for its tables under tokenizers/, and takes no links out of its folder
nltk_data = tempfile.TemporaryDirectory()
shutil.copytree(PUNKT, os.path.join(nltk_data.name, "tokenizers", "punkt_tab"))
os.environ["NLTK_DATA"] = nltk_data.name

import langdetect
import nltk
from lm_eval.tasks.ifeval import utils

langdetect.DetectorFactory.seed = 0
R = random.Random(7)
DRAWN_AT_RANDOM = {1122, 1129}  # their letter is none: lm-eval draws another one each time
WITH_LANGUAGE = {"response_language", "english_capital", "english_lowercase"}

WHO = ("The miller|Our old dog|A careful nurse|Dr. Vale|Mr. Oakes|My sister-in-law|The U.S. team|Inspector J. Marsh|"
       "Nobody|A ship from Cork|Prof. Ada Lind|The committee").split("|")
DOES = ("keeps|paints|carries|forgets|measures|repairs|cannot find|is gonna sell|doesn't trust|praises").split("|")
WHAT = ("a red lantern|three (small) boxes|the 3.14 kg stone|an unread letter|some bread, butter and salt|the map of "
        "St. Ives|a 7 a.m. train|\u201cthe long road\u201d|the blue bicycle|No. 5 violin|what she called 'home'|"
        "\u00ablune\u00bb").split("|")
ENDS = [". ", ". ", ". ", "! ", "? ", "... ", "; ", ": ", ".\n", ".\n\n", '." ', ".) ", "?! ", "!!! ", ".\u201d ",
        " \u2014 ", ". . . "]
OTHER = {"es": "El molinero guarda una linterna roja cerca de la puerta y canta por la noche. ",
         "fr": "La vieille dame garde une lanterne rouge pr\u00e8s de la porte et chante le soir. ",
         "de": "Der alte M\u00fcller bewahrt eine rote Laterne neben der T\u00fcr auf und singt am Abend. "}


def sentence():
    return "%s %s %s%s" % (R.choice(WHO), R.choice(DOES), R.choice(WHAT), R.choice(ENDS))


def text(count):
    return "".join(sentence() for _ in range(count)).strip()


def pieces(count, *choices):
    return "".join(R.choice(choices) + R.choice([" ", "", "\n"]) for _ in range(count))


def aim(name, k):
    """A response made for one instruction."""
    def near(key):
        return max(0, int(k.get(key, 3)) + R.choice([-1, 0, 0, 1]))
    t = text(R.randint(1, 6))
    if name == "existence":
        return t + " ".join(R.choice([w, w, w.upper(), ""]) for w in k["keywords"])
    if name == "forbidden_words":
        return t + " " + R.choice(["", R.choice(k["forbidden_words"])]) + R.choice(["", ".", "s", "_"])
    if name == "frequency":
        return t + pieces(near("frequency"), k["keyword"], " " + k["keyword"].upper() + "s", "x" + k["keyword"])
    if name == "letter_frequency":
        return R.choice(["", "12 34 ", t]) + pieces(near("let_frequency"), k["letter"])
    if name == "response_language":
        return R.choice([OTHER.get(k["language"], t), *OTHER.values(), t, "12345 6789", "..."]) * R.randint(1, 3)
    if name == "number_sentences":
        return "".join(sentence() for _ in range(max(1, near("num_sentences"))))
    if name == "number_paragraphs":
        cut = R.choice(["\n***\n", "***", " *** ", "\n\n***\n\n", "\n*** ***\n"])
        return R.choice(["", "***\n"]) + cut.join(text(2) for _ in range(max(1, near("num_paragraphs")))) + R.choice(["", cut])
    if name == "number_words":
        return " ".join((text(120) * 12).split()[:max(1, int(near("num_words") * R.choice([1, 1, 1, .5, 2])))])
    if name == "nth_paragraph_first_word":
        p = [text(2).replace("\n\n", " ") for _ in range(max(1, near("num_paragraphs")))]
        i = min(len(p), k["nth_paragraph"]) - 1
        p[i] = R.choice(["", "'", '"', "\"'", "'\"", " "]) + R.choice([k["first_word"], k["first_word"].upper()]) + \
            R.choice(["", ",", ".", "'s", '"', "s"]) + " " + p[i]
        return R.choice(["\n\n", "\n\n", "\n\n\n", "\n\n \n\n", "\n"]).join(p)
    if name == "number_placeholders":
        return t + pieces(near("num_placeholders"), "[name]", "[a [b]", "[]", "[x\ny]")
    if name == "postscript":
        return t + "\n\n" + R.choice([k["postscript_marker"], k["postscript_marker"].lower(), "P. S.", "P.P. S.", "p.s", "PS:"])
    if name == "number_bullet_lists":
        return "".join(R.choice(["* ", "- ", "  * ", "\t-", "** ", "*", "-- ", "+ "]) + sentence() + "\n"
                       for _ in range(near("num_bullets")))
    if name == "constrained_response":
        return R.choice(["My answer is yes.", "My answer is no", "my answer is maybe.", ' "My answer is maybe."', t])
    if name == "number_highlighted_sections":
        return t + pieces(near("num_highlights"), "*one part*", "**two parts**", "* *", "****", "*a\nb*", "***all***", "** **")
    if name == "multiple_sections":
        s = k["section_spliter"]
        return "".join(R.choice([s, s.lower(), s.upper(), " " + s]) + R.choice([" ", "", "\n", "  ", "\u00a0"]) +
                       R.choice([str(i), "\u0664", "X"]) + "\n" + sentence() for i in range(near("num_sections")))
    if name == "json_format":
        return R.choice(["", "```json\n", "```\n", "```JSON", " \n", "json "]) + R.choice([
            '{"a": [1, 2.5e3, "\\u00e9\\ud800"]}', "[1,]", '{"a" 1}', "NaN", "[-Infinity, true]", '{"a": "\t"}', "01",
            '"x"', "-", '{"a": 1, "a": 2}', "[1] x", "", "{'a': 1}", "1e999", "[1.]", "9" * 4301, '"\\x41"', "nulls",
        ]) + R.choice(["", "\n```", "```\n", "\n"])
    if name == "title":
        return R.choice(["<<a song>>", "<<>>", "<< >>", "<<<a>>>", "<<a\nb>>", "<a>", "<<>>>>", "<<< >"]) + "\n" + t
    if name == "two_responses":
        return R.choice(["", "******", "\n"]).join(
            ["", R.choice(["******", "\n******\n", "****** ******", "*******"]).join([t, R.choice([t, text(2)])]), ""])
    if name == "repeat_prompt":
        p = k["prompt_to_repeat"]
        return R.choice(["", " ", "\n", '"', "Sure. "]) + R.choice([p, p.upper(), p[:-1], p[1:]]) + "\n\n" + t
    if name == "end_checker":
        p = k["end_phrase"]
        return t + " " + R.choice([p, p.upper(), p + '"', p + '\n "', p[:-1], p + " ok"])
    if name == "quotation":
        return R.choice(['"', "", "\u201c", ' "']) + t + R.choice(['"', "", "\u201d", '" ', '"\n*'])
    if name == "capital_word_frequency":
        return t + pieces(near("capital_frequency"), "NASA", "U.S.", "A-B", '"HELLO"', "DON'T", "CANNOT", "X1", "(YES)",
                          "\u00c9T\u00c9", "Ab", "WHO?", "SO,THEN", "NO--YES")
    if name == "english_capital":
        return R.choice([t.upper(), t.upper() + "x", OTHER["es"].upper(), "1234", t.upper() + " \u01c5"])
    if name == "english_lowercase":
        return R.choice([t.lower(), t.lower() + "X", OTHER["fr"].lower(), "1234 ...", t.lower() + " \u2170"])
    return R.choice([t, t.replace(",", "")])


def wrap(t):
    return R.choice([t] * 6 + ["Here you are:\n" + t, t + "\nHope this helps, friend", "Sure!\n\n" + t + "\n\nBye.", "",
                               "**" + t.replace("\n", "**\n**") + "**", " \n", t + "\x1c", "*" + t + "*"])


def languages(response):
    lines = response.split("\n")
    forms = [response] + ["\n".join(x).strip() for x in (lines[1:], lines[:-1], lines[1:-1])]
    found = {}
    for form in forms + [f.replace("*", "") for f in forms]:
        try:
            found[form] = langdetect.detect(form)
        except langdetect.LangDetectException:
            found[form] = ""
    return found


def ask(mode, lines):
    out = subprocess.run([PROGRAM, mode, os.path.join(PUNKT, "english")], check=True, capture_output=True, text=True,
                         input="".join(json.dumps(line) + "\n" for line in lines)).stdout
    return [json.loads(line) for line in out.split("\n") if line]


def compare_verdicts(rows):
    lines, wanted = [], []
    for row in rows:
        if row["key"] in DRAWN_AT_RANDOM:
            continue
        names = [i.split(":")[1] for i in row["instruction_id_list"]]
        for name, k in zip(names * ROUNDS, row["kwargs"] * ROUNDS):
            response = wrap(aim(name, k))
            theirs = utils.process_results(row, [response])
            lines.append({"row": {"instruction_id_list": row["instruction_id_list"], "kwargs": row["kwargs"]},
                          "response": response, "languages": languages(response) if WITH_LANGUAGE & set(names) else {}})
            wanted.append((row["instruction_id_list"], theirs["inst_level_strict_acc"], theirs["inst_level_loose_acc"]))
    table = collections.defaultdict(lambda: [0, 0, 0, 0])
    for ours, (ids, strict, loose) in zip(ask("ifeval", lines), wanted):
        for i, name in enumerate(ids):
            t = table[name]
            t[0] += 1
            t[1] += strict[i]
            t[2] += loose[i]
            t[3] += ours["strict"][i] != strict[i] or ours["loose"][i] != loose[i]
    print("| instruction | pairs | followed strictly | loosely | different |\n|---|---|---|---|---|")
    for name in sorted(table):
        print("| %s | %d | %d | %d | %d |" % (name, *table[name]))
    print("| all, %d responses | %d | %d | %d | %d |" % (len(lines), *map(sum, zip(*table.values()))))
    return [line["response"] for line in lines]


def compare_sentences(texts):
    sentences = words = different = 0
    for t, ours in zip(texts, ask("sentences", [{"text": t} for t in texts])):
        theirs = {"sentences": nltk.sent_tokenize(t), "words": nltk.word_tokenize(t)}
        sentences += len(theirs["sentences"])
        words += len(theirs["words"])
        different += ours != theirs
    print("%d texts, %d sentences, %d words: %d texts different" % (len(texts), sentences, words, different))


def main():
    with open(os.path.join(DATA, "ifeval", "input_data.jsonl"), encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    responses = compare_verdicts(rows)
    compare_sentences([row["prompt"] for row in rows] + responses)


main()
