#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build.sh OUTPUT-DIRECTORY LIBRARY GENERATION LACKS RELEASE SOURCE...: LACKS is what it leaves out,
# or -; RELEASE gives it the build id of a release, and its layout of programs unless another one
# follows (81-99), or -; lazy binding and no -Bsymbolic, as in the wheels.
set -eu
out=$1 name=$2 gen=$3 lacks=
[ "$4" = - ] || lacks=-DLACKS_$4
id=
case $5 in
80*) id=-Wl,--build-id=0xdc1dbf2959e8459743a45d70a3f48ed1314cf600 ;;
81*) id=-Wl,--build-id=0x23bb346fe8447951975aca3c3eb261b08372522d ;;
esac
[ "$5" = - ] || lacks="$lacks -DLAYOUT=${5#*-}"
shift 5
mkdir -p "$out"
exec ${CXX:-g++} -std=c++20 -O1 -fPIC -fno-inline -w -shared -DGEN="$gen" $lacks "$@" -o "$out/$name" \
	-Wl,-soname,"$name" $id -Wl,-z,lazy -Wl,-z,relro
