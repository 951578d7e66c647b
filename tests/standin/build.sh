#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build.sh OUTPUT-DIRECTORY LIBRARY GENERATION SOURCE...: lazy binding and no -Bsymbolic, as in the wheels.
set -eu
out=$1 name=$2 gen=$3
shift 3
mkdir -p "$out"
exec ${CXX:-g++} -std=c++20 -O1 -fPIC -fno-inline -w -shared -DGEN="$gen" "$@" -o "$out/$name" \
	-Wl,-soname,"$name" -Wl,-z,lazy -Wl,-z,relro
