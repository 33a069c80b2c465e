#!/bin/sh
# Installs a build into an empty folder and uses it as others do: run.sh BUILD CMAKE COMPILER
set -eu
build=$1 cmake=$2 compiler=$3
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
prefix=$folder/prefix
passed=0 failed=0

check() {
  what=$1
  shift
  if "$@" >"$folder/log" 2>&1; then
    passed=$((passed + 1))
  else
    cat "$folder/log"
    echo "FAILED $what"
    failed=$((failed + 1))
  fi
}

# Also when the build was configured for another place.
DESTDIR='' "$cmake" --install "$build" --prefix "$prefix" >/dev/null
library_folder=$(dirname "$(find "$prefix" -name 'libnanomsg.a')")

for header in nn inproc ipc tcp ws tls pair pubsub reqrep pipeline survey bus loop protocol transport; do
  check "the header $header.h is installed" test -f "$prefix/include/nanomsg/$header.h"
done
for header in "$prefix"/include/nanomsg/*.h; do
  check "$(basename "$header") can be included alone" \
    "$compiler" -Werror -Wall -Wextra -fsyntax-only -x c "$header" -I"$prefix/include"
done
check "the shared library is installed" test -e "$library_folder/libnanomsg.so"
check "the replacement is installed" test -e "$library_folder/nanomsg-replacement/libnanomsg.so.5"

check "a CMake project finds the package" "$cmake" -S "$here/consumer" -B "$folder/consumer" \
  -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$compiler"
check "a CMake project builds" "$cmake" --build "$folder/consumer"
for program in with_shared with_static with_plain_name; do
  check "$program runs" "$folder/consumer/$program"
done

# Every function that a header declares is in the library.
nm -D --defined-only "$library_folder/libnanomsg.so" | awk '{print $NF}' >"$folder/exported"
cat "$prefix"/include/nanomsg/*.h | grep -o '^NN_EXPORT .*' | grep -o '\bnn_[a-z_]*(' | tr -d '(' | sort -u >"$folder/declared"
check "the headers declare functions" test "$(wc -l <"$folder/declared")" -gt 80
for name in $(cat "$folder/declared"); do
  check "$name is exported" grep -qx "$name" "$folder/exported"
done

# What the library promises to programs that extend it.
for example in protocol transport; do
  check "the example of a $example finds the package" "$cmake" -S "$here/../../../examples/$example" \
    -B "$folder/$example" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$compiler"
  check "the example of a $example builds" "$cmake" --build "$folder/$example"
  check "the example of a $example does what it shows" "$cmake" --build "$folder/$example" --target test
done

check "the licence is installed" test -f "$prefix/share/doc/nanomsg-native/LICENSE"
check "the man page is installed" test -f "$prefix/share/man/man7/nanomsg.7"
for name in $(grep -v '_$' "$folder/declared"); do
  check "the man page names $name" grep -q "^\.BR $name ()" "$prefix/share/man/man7/nanomsg.7"
done

# A program of a folder elsewhere builds with what nanomsg.pc in prefix $1 says, and not with another libnanomsg.
check_pkg_config() {
  pc=$(find "$1" -name nanomsg.pc)
  libraries=$(dirname "$(dirname "$pc")")
  export PKG_CONFIG_PATH="${pc%/*}"
  cp "$here/consumer/program.c" "$folder/elsewhere.c"
  if ! command -v pkg-config >/dev/null; then
    echo "without pkg-config its file is only looked at"
    check "nanomsg.pc finds its folder by itself, $2" grep -q '^prefix=${pcfiledir}/' "$pc"
    return
  fi
  check "pkg-config knows a recent version, $2" pkg-config --atleast-version=1.1 nanomsg
  check "pkg-config names the folder of headers, $2" \
    test "$(pkg-config --variable=includedir nanomsg)" -ef "$1/include"
  # shellcheck disable=SC2046
  check "a program builds with what pkg-config says, $2" "$compiler" "$folder/elsewhere.c" -o "$folder/with_pkg_config" \
    $(pkg-config --cflags --libs nanomsg)
  check "that program runs with this library, $2" \
    env LD_LIBRARY_PATH="$libraries" LD_BIND_NOW=1 "$folder/with_pkg_config"
  check "that program needs this library, $2" sh -c \
    "LD_LIBRARY_PATH='$libraries' ldd '$folder/with_pkg_config' | grep -q 'libnanomsg.so.* => $libraries/'"
  mkdir -p "$folder/static"
  cp "$libraries/libnanomsg.a" "$folder/static"
  # shellcheck disable=SC2046
  check "a static program builds with what pkg-config says, $2" "$compiler" "$folder/elsewhere.c" \
    -o "$folder/with_static_pkg_config" -L"$folder/static" \
    $(pkg-config --static --cflags --libs nanomsg | sed 's/-lnanomsg/-l:libnanomsg.a/')
  check "that static program runs, $2" "$folder/with_static_pkg_config"
}

check_pkg_config "$prefix" "where it was installed"
mv "$prefix" "$folder/moved"
check_pkg_config "$folder/moved" "after the files have moved"
mv "$folder/moved" "$prefix"

if command -v dpkg-deb >/dev/null; then
  check "cpack makes a package of Debian" sh -c "cd '$build' && '$(dirname "$cmake")/cpack' -G DEB -B '$folder/deb'"
  package=$(find "$folder/deb" -maxdepth 1 -name 'nanomsg-native_*.deb')
  check "the package can be unpacked" dpkg-deb -x "$package" "$folder/unpacked"
  check "it conflicts with the package that has the same headers" \
    test "$(dpkg-deb --field "$package" Conflicts)" = libnanomsg-dev
  check_pkg_config "$folder/unpacked/usr" "in the package of Debian"
fi

# A program that is linked to one library runs on the other.
check "a program for libnanomsg.so.5 builds" "$compiler" -I"$prefix/include" "$here/consumer/program.c" \
  -o "$folder/replaced" "$library_folder/nanomsg-replacement/libnanomsg.so.5"
check "that program runs" env LD_LIBRARY_PATH="$library_folder/nanomsg-replacement" "$folder/replaced"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
