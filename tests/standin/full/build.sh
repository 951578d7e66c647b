#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build.sh DIRECTORY NAME SOURCE... [-- FLAG...]
#
# Makes DIRECTORY/NAME, a shared library bound as those of TT-Metal are: default visibility, no
# -Bsymbolic, lazy binding, partial RELRO. Name and SONAME are the same in every generation, so
# each needs a directory of its own, which meson's shared_library() cannot give it. The sources
# are compiled apart and never as a whole: a call that is inlined is no call to step into.
set -eu
directory=$1 name=$2
shift 2
sources=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	sources="$sources $1"
	shift
done
[ $# -gt 0 ] && shift
mkdir -p "$directory"
# shellcheck disable=SC2086 # a list of files
${CXX:-c++} -std=c++17 -O1 -fPIC -Wall -Wextra -pthread ${CXXFLAGS:-} $sources -shared \
	-o "$directory/$name" -Wl,-soname,"$name" -Wl,-z,lazy -Wl,-z,relro -Wl,--build-id \
	-Wl,--no-undefined "$@"
touch "$directory" # what meson looks at
