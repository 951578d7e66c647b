#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build.sh OUTPUT-DIRECTORY LIBRARY GENERATION LACKS SOURCE...: LACKS is what it leaves out, or -; lazy binding and no -Bsymbolic, as in the wheels.
set -eu
out=$1 name=$2 gen=$3 lacks=
[ "$4" = - ] || lacks=-DLACKS_$4
shift 4
mkdir -p "$out"
exec ${CXX:-g++} -std=c++20 -O1 -fPIC -fno-inline -w -shared -DGEN="$gen" $lacks "$@" -o "$out/$name" \
	-Wl,-soname,"$name" -Wl,-z,lazy -Wl,-z,relro
