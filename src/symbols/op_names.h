/* SPDX-License-Identifier: Apache-2.0 */
/* What a function's mangled name says of the operation it belongs to. */
#ifndef TTMEM_SYMBOLS_OP_NAMES_H
#define TTMEM_SYMBOLS_OP_NAMES_H

#include <stdbool.h>

#define OP_NAME_BYTES 128

/*
 * op_name - "ttnn.matmul": the name under which ttnn's bindings registered the operation. It stands
 * in the template arguments of their make_method_wrapper, character by character.
 * Return: is there one?
 */
bool op_name(const char *mangled, char ret_op[OP_NAME_BYTES]);

#endif
