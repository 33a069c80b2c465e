#!/bin/sh
# What our libnanomsg.so.5 exports: every function that the headers of libnanomsg declare, nn_init, and nothing else.
# usage: exports.sh OURS THEIRS HEADERS
set -eu
ours=$1 theirs=$2 headers=$3
failed=0

exported() { nm -D --defined-only "$1" | awk '{print $NF}' | sort -u; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
exported "$ours" >"$folder/ours"
exported "$theirs" >"$folder/theirs"
# Of what the original exports, the names that stand in its headers: it exports its insides too.
cat "$headers"/*.h | grep -o '\bnn_[a-z_]*' | sort -u >"$folder/named"
{ comm -12 "$folder/theirs" "$folder/named"; echo nn_init; } | sort -u >"$folder/expected"

if [ "$(wc -l <"$folder/expected")" -lt 24 ]; then
  echo "only $(wc -l <"$folder/expected") functions of libnanomsg were found"
  failed=1
fi
if ! diff "$folder/expected" "$folder/ours"; then
  echo "exported by libnanomsg to its users (<) or by us (>) only"
  failed=1
fi
if ! readelf -d "$ours" | grep -q 'SONAME.*\[libnanomsg\.so\.5\]'; then
  echo "the name of the library is another one"
  failed=1
fi
echo "$((1 - failed)) passed, $failed failed"
exit "$failed"
