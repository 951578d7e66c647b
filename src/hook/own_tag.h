/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program says that its allocations are for: one name for a thread,
 * which it sets and takes away (`with ttmem.tag("kv-cache")` in Python). It
 * becomes part of the site of what that thread allocates meanwhile.
 */
#ifndef TTMEM_HOOK_OWN_TAG_H
#define TTMEM_HOOK_OWN_TAG_H

#include <stddef.h>
#include <stdint.h>

#define OWN_TAG_BYTES 64u /* with its NUL; a longer name is cut */

/* initial-exec, as in hook.c: no allocation at the first touch */
extern __thread __attribute__((tls_model("initial-exec"))) struct own_tag {
	uint32_t serial;
	char name[OWN_TAG_BYTES];
} own_tag_here;

/* own_tag - of this thread; NULL: none. One load in a thread without one. */
static inline const char *own_tag(void)
{
	return own_tag_here.name[0] ? own_tag_here.name : NULL;
}

/* own_tag_serial - a number that is another one whenever the tag of this thread is another one */
static inline uint32_t own_tag_serial(void)
{
	return own_tag_here.serial;
}

#endif
