/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded, an interpreter that is not what it says. With LYING it stands before a real one and
 * answers differently from what its frames hold; else it is all there is: FAKE_PYTHON is its
 * version, and its memory is nonsense.
 */
#include <stdlib.h>
#include <string.h>

#ifdef LYING
int PyCode_Addr2Line(void *code, int lasti)
{
	(void)code;
	(void)lasti;
	return 12345;
}
#else
static char nonsense[65536];
char PyCode_Type[512], PyUnicode_Type[512], PyBytes_Type[512];

const char *Py_GetVersion(void)
{
	return getenv("FAKE_PYTHON");
}

void *PyGILState_GetThisThreadState(void)
{
	memset(nonsense, 0x41, sizeof nonsense);
	return nonsense;
}

#define STUB(name)                                                                                 \
	int name(void);                                                                            \
	int name(void)                                                                             \
	{                                                                                          \
		return 0;                                                                          \
	}

STUB(_PyThreadState_UncheckedGet)
STUB(PyErr_Occurred)
STUB(PyGC_Disable)
STUB(PyGC_Enable)
STUB(PyEval_GetFrame)
STUB(PyFrame_GetCode)
STUB(PyFrame_GetBack)
STUB(PyFrame_GetLineNumber)
STUB(PyCode_Addr2Line)
STUB(Py_DecRef)
#ifndef UNFINISHED
STUB(_Py_IsFinalizing)
#endif
#endif
