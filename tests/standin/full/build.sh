#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build.sh DIRECTORY NAME SOURCE... [+ SOURCE...]... [-- FLAG...]
#
# Makes DIRECTORY/NAME, a shared library bound as those of TT-Metal are: default visibility, no
# -Bsymbolic, lazy binding, partial RELRO. Name and SONAME are the same in every generation, so
# each needs a directory of its own, which meson's shared_library() cannot give it.
#
# Sources up to a + are compiled as one, which saves half the time. A function that hooks step
# into and its caller belong into different groups: a call that is inlined cannot be stepped into.
set -eu
directory=$1 name=$2
shift 2
mkdir -p "$directory"

compile() { # OBJECT, the source on standard input
	# shellcheck disable=SC2086 # lists of words
	${CXX:-c++} -std=c++17 -O1 -fPIC -Wall -Wextra -pthread ${CXXFLAGS:-} $flags \
		-x c++ -c - -o "$1"
}

# flags stand last but are needed first
flags= after=
for word; do
	[ -n "$after" ] && case $word in -Wl,* | -L* | -l*) ;; *) flags="$flags $word" ;; esac
	[ "$word" = -- ] && after=1
done

objects= group= count=0
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	if [ "$1" != + ]; then
		group="$group#include \"$(realpath "$1")\"
"
	fi
	if [ "$1" = + ] || [ $# -eq 1 ] || [ "$2" = -- ]; then
		count=$((count + 1))
		object=$directory/$count.o
		printf '%s' "$group" | compile "$object"
		objects="$objects $object" group=
	fi
	shift
done
[ $# -gt 0 ] && shift
# shellcheck disable=SC2086 # lists of words
${CXX:-c++} -shared -pthread ${CXXFLAGS:-} $objects -o "$directory/$name" -Wl,-soname,"$name" \
	-Wl,-z,lazy -Wl,-z,relro -Wl,--build-id -Wl,--no-undefined "$@"
# shellcheck disable=SC2086
rm -f $objects
touch "$directory" # what meson looks at
