/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/own_tag.h"

#include <string.h>

/* initial-exec, as in hook.c: no allocation at the first touch */
static __thread __attribute__((tls_model("initial-exec"))) struct {
	uint32_t serial;
	char name[OWN_TAG_BYTES];
} tag;

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
	memcpy(tag.name, name ? name : "", bytes);
	tag.name[bytes] = '\0';
	tag.serial++;
}

const char *own_tag(void)
{
	return tag.name[0] ? tag.name : NULL;
}

uint32_t own_tag_serial(void)
{
	return tag.serial;
}
