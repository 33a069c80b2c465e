#!/bin/sh
# Whether every test that a page names is there: table.sh PAGE ROOT
# A name is `FILE : CASE`, of a file in a folder of test/native, or `FILE` alone for a script or program of tests.
set -eu
page=$1 root=$2
native=$root/test/native
passed=0 failed=0

has_case() {
  sources=$(find "$native" -name "${1##*/}" -path "*/$1")
  [ -n "$sources" ] || return 1
  # shellcheck disable=SC2086
  grep -qE "^TEST[A-Z_]*\($2\)" $sources
}

names=$(mktemp)
trap 'rm -f "$names"' EXIT
grep -oE '`[a-z_/]+_test\.c : [A-Za-z0-9_]+`|`(compat|install|test/[a-z]+)/[a-z_.-]+`' "$page" | tr -d '` ' | sort -u >"$names"
while IFS=: read -r file case; do
  if [ -n "$case" ] && has_case "$file" "$case"; then
    passed=$((passed + 1))
  elif [ -z "$case" ] && { [ -e "$native/$file" ] || [ -e "$root/$file" ]; }; then
    passed=$((passed + 1))
  else
    echo "FAILED $file${case:+ : $case} is not there"
    failed=$((failed + 1))
  fi
done <"$names"

# So that a change of the notation does not go unnoticed.
if [ "$passed" -lt 200 ]; then
  echo "FAILED only $passed tests are named"
  failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
