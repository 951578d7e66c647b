/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of C++ functions for people: the qualified name out of a mangled one,
 * without parameters, and of template arguments only the first class.
 *
 * Not a demangler. Those write out everything, which for TT-Metal is pages, and
 * on a name that was made to hurt them they take ages or overflow the stack. This
 * one takes a bounded number of steps, and where it does not understand a part it
 * says "..." for what is left.
 */
#ifndef TTMEM_SYMBOLS_NAMES_H
#define TTMEM_SYMBOLS_NAMES_H

#include <stddef.h>

#define NAME_SHORT_BYTES 256

/* name_short - "ttnn::prim::matmul" of "_ZN4ttnn4prim6matmul..."; a name that is none of C++ as it is */
void name_short(const char *mangled, char ret_name[NAME_SHORT_BYTES]);

#endif
