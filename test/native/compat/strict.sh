#!/bin/sh
# What strict programs see in the headers: each can be included alone, twice, and without a warning, in C99 and in C++11.
# Those for extensions of the engine are C11.
# usage: strict.sh COMPILER HEADERS
set -eu
compiler=$1 headers=$2
passed=0 failed=0

judge() {
  header=$1
  shift
  if printf '#include <nanomsg/%s>\n#include <nanomsg/%s>\nextern int nothing;\n' "$header" "$header" |
    "$@" -I"$headers" -Wall -Wextra -Wshadow -Wconversion -pedantic -Werror -fsyntax-only -; then
    passed=$((passed + 1))
  else
    echo "$header is not for: $*"
    failed=$((failed + 1))
  fi
}

for path in "$headers"/nanomsg/*.h; do
  header=${path##*/}
  case $header in
    protocol.h | transport.h) standard=c11 ;;
    *) standard=c99 ;;
  esac
  judge "$header" "$compiler" -x c -std="$standard"
  if command -v c++ >/dev/null; then
    judge "$header" c++ -x c++ -std=c++11
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 10 ]
