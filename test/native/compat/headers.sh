#!/bin/sh
# What programs see in the headers: every macro of libnanomsg's has the same value in ours, and structures and functions
# are laid out and declared alike.
# usage: headers.sh COMPILER OURS THEIRS LAYOUTS
set -eu
compiler=$1 ours=$2 theirs=$3 layouts=$4
passed=0 failed=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The macros without arguments that a header brings, but for its own guard.
names() {
  "$compiler" -I"$theirs" -E -dM -include "nanomsg/$1.h" - </dev/null | awk '$2 !~ /\(/ && NF > 2 {print $2}' |
    grep -E '^(NN_|AF_SP|PROTO_SP|SP_HDR|E[A-Z]+$)' | grep -v -E '_INCLUDED$|^NN_EXPORT$' | sort -u
}

# Prints the values that a folder of headers gives to them.
values() {
  {
    echo '#include <stdio.h>'
    echo '#include <nanomsg/nn.h>'
    echo "#include <nanomsg/$2.h>"
    echo 'int main(void) {'
    for name in $(cat "$folder/names"); do
      printf '#ifdef %s\nprintf("%%s %%lld\\n", "%s", (long long)(%s));\n#endif\n' "$name" "$name" "$name"
    done
    echo 'return 0; }'
  } >"$folder/values.c"
  "$compiler" -w -I"$1" "$folder/values.c" -o "$folder/values"
  "$folder/values"
}

judge() {
  if diff "$folder/theirs" "$folder/ours"; then
    passed=$((passed + 1))
  else
    echo "$1: libnanomsg (<) and ours (>) differ"
    failed=$((failed + 1))
  fi
}

for header in nn inproc ipc tcp ws pair pubsub reqrep pipeline survey bus; do
  names "$header" >"$folder/names"
  [ -s "$folder/names" ] || { echo "$header.h: no macro was found"; failed=$((failed + 1)); }
  values "$theirs" "$header" >"$folder/theirs"
  values "$ours" "$header" >"$folder/ours"
  judge "$header.h"
done

"$compiler" -I"$theirs" "$layouts" -o "$folder/layouts"
"$folder/layouts" >"$folder/theirs"
"$compiler" -I"$ours" "$layouts" -o "$folder/layouts"
"$folder/layouts" >"$folder/ours"
judge "structures and functions"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
