/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/own_tag.h"

#include <string.h>

__thread __attribute__((tls_model("initial-exec"))) struct own_tag own_tag_here;

/*
 * ttmem_hook_tag - called by our own package, by this name: the tag of this thread from now on; NULL
 * or "" takes it away. The text is copied.
 */
__attribute__((visibility("default"))) void ttmem_hook_tag(const char *name);

void ttmem_hook_tag(const char *name)
{
	size_t bytes = name ? strnlen(name, OWN_TAG_BYTES - 1) : 0;

	/* when it is cut: not in the middle of a character of several bytes */
	while (bytes > 0 && ((unsigned char)name[bytes] & 0xc0) == 0x80)
		bytes--;
	memcpy(own_tag_here.name, name ? name : "", bytes);
	own_tag_here.name[bytes] = '\0';
	own_tag_here.serial++;
}
