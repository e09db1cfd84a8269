#!/bin/sh
# Hugging Face folders of every family and way to store weights, through the
# whole program: the folder, the GGUF file made of it and the folder exported
# from that give the same text. usage: hf_commands.sh TERNMARK HF_FOLDER TESTS
set -eu
ternmark=$1 make_folder=$2 tests=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failed=0

complain() {
  echo "$*"
  cat said 2>/dev/null || true
  failed=1
}

run() { # MODEL
  "$ternmark" run "$1" -p "Hello world, it is" -n 6 --no-tune --threads 1 2>said || complain "run $1"
}

for class in $("$make_folder" --list); do
  for store in dense packed divides online; do
    name=$class-$store
    "$make_folder" "$class" "$store" "$name" "$tests/fixtures/tokenizers/llama3.json"
    run "$name" >folder.txt
    "$ternmark" convert "$name" "$name.gguf" --verify >said 2>&1 || complain "convert $name"
    ! grep -q "CHANGED" said || complain "convert $name changed codes"
    run "$name.gguf" >file.txt
    cmp -s folder.txt file.txt || complain "$name and its GGUF file give different texts"
    "$ternmark" convert "$name.gguf" "$name-exported" --type hf --verify >said 2>&1 || complain "export $name"
    run "$name-exported" >exported.txt
    cmp -s folder.txt exported.txt || complain "$name and its export give different texts"
    [ -s folder.txt ] || complain "$name gives no text"
    rm -rf "$name" "$name.gguf" "$name-exported"
  done
done

# What a user does wrong is told in one line.
expect() { # PIECE COMMAND...
  piece=$1
  shift
  got=0
  "$@" >said 2>&1 || got=$?
  if [ $got = 0 ] || ! grep -qF -- "$piece" said; then complain "$*: exit code $got, want '$piece' in:"; fi
}
"$make_folder" LlamaForCausalLM dense model "$tests/fixtures/tokenizers/llama3.json"
expect "give the folder" "$ternmark" run model/model.safetensors -p x
expect "not a Hugging Face model folder" "$ternmark" run . -p x
expect "--absmean" "$ternmark" convert model out.gguf --type i2_s
expect "cannot hold" "$ternmark" convert model out.gguf --type tq2_0
expect "generated for one shape" "$ternmark" convert model out.gguf --type tl1
"$ternmark" convert model out.gguf --type i2_s --absmean --verify >said 2>&1 || complain "--absmean"
"$ternmark" inspect model >said 2>&1 || complain "inspect"
grep -q "memory plan: " said || complain "inspect tells no memory plan"
"$ternmark" inspect model --json >said 2>&1 || complain "inspect --json"
grep -q '"embedding": ' said || complain "inspect --json tells no memory plan"
# Fewer rows than the tokenizer has tokens: ids that could not be looked up.
"$make_folder" LlamaForCausalLM dense narrow
cp "$tests/fixtures/tokenizers/llama3.json" narrow/tokenizer.json
expect "4 rows" "$ternmark" run narrow -p x
expect "embedding has 4 rows" "$ternmark" convert narrow out2.gguf
[ ! -e out2.gguf ] || complain "a refused convert wrote a file"
exit $failed
