/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/sites.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hook/own_tag.h"
#include "hook/python.h"
#include "hook/stack.h"

#define MODE_READ   0x100u
#define MODE_STRANGE 0x200u /* of a value that does not exist */

static uint32_t mode_word; /* 0: not read yet */

static uint32_t read_mode(void)
{
	static const struct {
		const char *name;
		enum sites_mode mode;
	} modes[] = {
		{"off", SITES_OFF},
		{"python", SITES_PYTHON},
		{"native", SITES_NATIVE},
		{"all", SITES_ALL},
	};
	const char *value = getenv("TTMEM_SITES");

	for (unsigned i = 0; value && i < sizeof modes / sizeof modes[0]; i++)
		if (strcmp(value, modes[i].name) == 0)
			return MODE_READ | modes[i].mode;
	return MODE_READ | SITES_PYTHON | (value && *value ? MODE_STRANGE : 0);
}

static inline uint32_t mode(void)
{
	uint32_t word = __atomic_load_n(&mode_word, __ATOMIC_RELAXED);

	if (__builtin_expect(word == 0, 0)) {
		word = read_mode();
		__atomic_store_n(&mode_word, word, __ATOMIC_RELAXED);
	}
	return word;
}

enum sites_mode sites_mode(void)
{
	return (enum sites_mode)(mode() & SITES_ALL);
}

static void say(struct region_writer *writer, enum capability_state state, const char *reason)
{
	const char *strange = mode() & MODE_STRANGE
				      ? "TTMEM_SITES is none of off, python, native, all: python"
				      : NULL;
	char text[96];

	if (strange && reason)
		(void)snprintf(text, sizeof text, "%s; TTMEM_SITES is not understood", reason);
	region_writer_capability(writer, "sites", state,
				 strange && reason ? text : reason ? reason : strange);
}

void sites_publish(struct region_writer *writer)
{
	const struct python *python;
	char text[96];

	if (sites_mode() == SITES_OFF) {
		say(writer, CAPABILITY_OFF, "TTMEM_SITES=off");
		return;
	}
	python = sites_mode() & SITES_PYTHON ? python_get() : NULL;
	if (!python) {
		say(writer, CAPABILITY_PRESENT,
		    sites_mode() & SITES_PYTHON ? "native stacks: no Python in this process" : NULL);
		return;
	}
	switch (python_state(python)) {
	case PYTHON_OFF:
		(void)snprintf(text, sizeof text, "%s%s%s", python->version,
			       *python->version ? ": " : "", python->reason);
		say(writer, CAPABILITY_FAILED, text);
		break;
	case PYTHON_CHECKED:
		say(writer, CAPABILITY_PRESENT, NULL);
		break;
	default:
		say(writer, CAPABILITY_PRESENT, "not compared with Python's own answer yet");
	}
}

/* Looks that are made at every event; later only at some, if no frame was ever met. */
#define EAGER_LOOKS   64u
#define EVENTS_A_LOOK 16u

/* Until Python has been found, looked at and compared: all that happens once. */
__attribute__((noinline, cold)) static uint32_t advance(struct python *python,
							 struct region_writer *writer,
							 bool is_found_now)
{
	static uint32_t looks;
	uint32_t before = python_state(python);
	int saved_errno = errno;

	if (before == PYTHON_UNSEEN) {
		uint32_t look = __atomic_fetch_add(&looks, 1, __ATOMIC_RELAXED);

		if (look < EAGER_LOOKS || look % EVENTS_A_LOOK == 0)
			(void)python_look(python);
	}
	if (python_state(python) == PYTHON_SEEN)
		(void)python_compare(python);
	if (is_found_now || python_state(python) != before)
		sites_publish(writer);
	errno = saved_errno;
	return python_state(python);
}

static uint32_t from_python(struct region_writer *writer)
{
	static uint32_t is_found;
	struct python *python = python_get();

	if (!python)
		return REGION_SITE_UNKNOWN;
	uint32_t state = python_state(python);

	if (__builtin_expect(state != PYTHON_CHECKED, 0)) {
		if (state == PYTHON_OFF && __atomic_load_n(&is_found, __ATOMIC_RELAXED))
			return REGION_SITE_UNKNOWN;
		state = advance(python, writer,
				!__atomic_exchange_n(&is_found, 1, __ATOMIC_RELAXED));
	}
	return state == PYTHON_SEEN || state == PYTHON_CHECKED ? python_site(python, writer)
							       : REGION_SITE_UNKNOWN;
}

/*
 * The site with this thread's tag added. The last answer of a thread is kept: a tag stands around many
 * allocations. By the table's file, so that a forked child asks its own table: in a PID namespace of
 * its own it may have the pid of its parent.
 */
static __attribute__((noinline)) uint32_t with_tag(struct region_writer *writer, uint32_t site,
						    const char *tag)
{
	static __thread __attribute__((tls_model("initial-exec"))) struct {
		uint64_t table_inode;
		uint32_t serial, site, tagged;
	} last;

	if (last.table_inode == writer->table_inode && last.serial == own_tag_serial() && last.site == site)
		return last.tagged;
	const struct region_text text = {.start = tag, .bytes = (uint32_t)strlen(tag)};
	uint32_t tagged = region_writer_site_tag(writer, site, text);

	last.table_inode = writer->table_inode;
	last.serial = own_tag_serial();
	last.site = site;
	last.tagged = tagged;
	return tagged;
}

/* Apart: where nothing is called, errno need not be kept. */
static __attribute__((noinline)) uint32_t add_to(struct region_writer *writer, uint32_t site,
						  bool is_stack_wanted)
{
	int saved_errno = errno;

	if (is_stack_wanted)
		site = stack_site(writer, site);
	if (own_tag())
		site = with_tag(writer, site, own_tag());
	errno = saved_errno;
	return site;
}

uint32_t sites_here(struct region_writer *writer)
{
	enum sites_mode wanted = sites_mode();
	uint32_t site = REGION_SITE_UNKNOWN;

	if (wanted == SITES_OFF)
		return REGION_SITE_UNKNOWN;
	if (wanted & SITES_PYTHON)
		site = from_python(writer);
	/* a thread that Python does not know, or a process without it, has its stack all the same */
	bool is_stack_wanted = wanted & SITES_NATIVE || site == REGION_SITE_UNKNOWN;

	if (__builtin_expect(is_stack_wanted || own_tag(), 0))
		site = add_to(writer, site, is_stack_wanted);
	return site;
}

void sites_freed(struct region_writer *writer)
{
	struct python *python = sites_mode() & SITES_PYTHON ? python_get() : NULL;

	if (__builtin_expect(!python || python_state(python) != PYTHON_SEEN, 1))
		return;
	(void)advance(python, writer, false);
}
