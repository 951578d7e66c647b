/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program says that its allocations are for: one name for a thread,
 * which it sets and takes away (`with ttmem.tag("kv-cache")` in Python). It
 * becomes part of the site of what that thread allocates meanwhile.
 */
#ifndef TTMEM_HOOK_OWN_TAG_H
#define TTMEM_HOOK_OWN_TAG_H

#include <stdint.h>

#define OWN_TAG_BYTES 64u /* with its NUL; a longer name is cut */

/* own_tag - of this thread; NULL: none. One load in a thread without one. */
const char *own_tag(void);
/* own_tag_serial - a number that is another one whenever the tag of this thread is another one */
uint32_t own_tag_serial(void);

#endif
