# Sourced by tests of the command line, in a folder of their own: they set
# `failed` to 0 and end on it. CODE PIECE COMMAND...: exit code, and a piece of what is said.
expect() {
  code=$1 piece=$2
  shift 2
  got=0
  "$@" >said 2>&1 </dev/null || got=$?
  if [ "$got" != "$code" ] || ! grep -qF -- "$piece" said; then
    echo "$*: exit code $got, want $code, with '$piece' in:"
    cat said
    failed=1
  fi
}
