/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two functions of the unwinder that a frame with a cleanup needs.
 *
 * The compiler refers to them by name, which would link libgcc_s into a
 * library that every compiler call of the build inherits. An exception can
 * only pass where C++ is loaded already, so they are looked up then. Nobody
 * else sees them: hook.map exports TT-Metal's names and nothing else.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>
#include <unwind.h>

typedef _Unwind_Reason_Code (*personality)(int, _Unwind_Action, _Unwind_Exception_Class,
					   struct _Unwind_Exception *, struct _Unwind_Context *);
typedef void (*resume)(struct _Unwind_Exception *);

static void *find(const char *name)
{
	void *libgcc = dlopen("libgcc_s.so.1", RTLD_NOLOAD | RTLD_LAZY);

	if (!libgcc) /* a statically linked unwinder in the program itself */
		return dlsym(RTLD_NEXT, name);
	void *address = dlsym(libgcc, name);

	(void)dlclose(libgcc);
	return address;
}

__attribute__((visibility("hidden"))) _Unwind_Reason_Code
__gcc_personality_v0(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
		     struct _Unwind_Exception *exception, struct _Unwind_Context *context);
_Unwind_Reason_Code __gcc_personality_v0(int version, _Unwind_Action actions,
					 _Unwind_Exception_Class class,
					 struct _Unwind_Exception *exception,
					 struct _Unwind_Context *context)
{
	void *address = find("__gcc_personality_v0");
	personality real;

	/* without it the frame is passed over: the failure goes uncounted, nothing else changes */
	if (!address)
		return _URC_CONTINUE_UNWIND;
	memcpy(&real, &address, sizeof real);
	return real(version, actions, class, exception, context);
}

void _Unwind_Resume(struct _Unwind_Exception *exception)
{
	void *address = find("_Unwind_Resume");
	resume real;

	memcpy(&real, &address, sizeof real);
	real(exception);
	__builtin_unreachable();
}
