/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/stacks.h"

#include <string.h>

/* Where the operations are: whoever calls in from outside calls one. */
#define OPERATIONS "_ttnncpp.so"

void table_stacks_init(struct table_stacks *stacks, uint32_t pid)
{
	stacks->pid = pid;
	memset(stacks->is_open, 0, sizeof stacks->is_open);
}

void table_stacks_clear(struct table_stacks *stacks)
{
	for (unsigned i = 0; i < REGION_SITE_MODULES_MAX; i++)
		if (stacks->is_open[i])
			symbol_source_close(&stacks->sources[i]);
	memset(stacks->is_open, 0, sizeof stacks->is_open);
}

static struct symbol find(struct table_stacks *stacks, const struct region_sites *raw,
			  uint64_t frame)
{
	uint32_t number = region_stack_module(frame);

	if (number >= raw->module_count)
		return (struct symbol){"", ""};
	struct symbol_source *source = &stacks->sources[number];
	const struct region_site_module *module = &raw->modules[number];

	if (!stacks->is_open[number])
		symbol_source_open(source, symbol_cache_shared(), stacks->pid,
				   region_sites_string(raw, module->path), module->build_id,
				   module->build_id_bytes);
	stacks->is_open[number] = true;
	return symbol_find(source, region_stack_offset(frame));
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Code that is nobody's own: TT-Metal, what it is built on, the interpreter. */
static bool is_framework(const char *module)
{
	static const char *const starts[] = {
		"libtt_metal.", "_ttnn", "libtt_stl.", "libtt-umd.", "libtracy.", "libc.", "libm.",
		"libstdc++.", "libc++", "libgcc_s.", "libpthread.", "ld-linux", "libpython",
		"python"};
	const char *name = base_name(module);

	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
		if (strncmp(name, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

/* The name under which the bindings know it, else the outermost function of the operations. */
static const char *op_of(const struct site_texts *texts, const char *const *ops)
{
	const char *outermost = "";

	for (uint32_t i = 0; i < texts->frame_count; i++) {
		if (*ops[i])
			return ops[i];
		if (*texts->frames[i].symbol &&
		    strcmp(base_name(texts->frames[i].module), OPERATIONS) == 0)
			outermost = texts->frames[i].symbol;
	}
	return outermost;
}

static void find_caller(struct site_texts *texts)
{
	for (uint32_t i = 0; i < texts->frame_count; i++)
		if (*texts->frames[i].module && !is_framework(texts->frames[i].module)) {
			texts->file = texts->frames[i].module;
			texts->function = texts->frames[i].symbol;
			return;
		}
}

/* Whose functions' names are needed to tell operation and caller. */
static bool tells(const char *module)
{
	return !is_framework(module) || strncmp(base_name(module), "_ttnn", 5) == 0;
}

void table_stacks_add(struct table_stacks *stacks, const struct region_sites *raw,
		      const struct region_site *site, bool all_names, struct site_texts *texts)
{
	const char *ops[SITE_DEPTH_MAX];
	const uint64_t *frames;
	uint32_t depth = region_sites_stack(raw, site, &frames);

	texts->frame_count = depth < SITE_DEPTH_MAX ? depth : SITE_DEPTH_MAX;
	for (uint32_t i = 0; i < texts->frame_count; i++) {
		uint32_t module = region_stack_module(frames[i]);
		const char *path = module < raw->module_count
					   ? region_sites_string(raw, raw->modules[module].path)
					   : "";
		struct symbol symbol = {"", ""};

		if (all_names || tells(path))
			symbol = find(stacks, raw, frames[i]);
		texts->frames[i].module = path;
		texts->frames[i].symbol = symbol.name;
		texts->frames[i].offset = region_stack_offset(frames[i]);
		ops[i] = symbol.op;
	}
	if (!*texts->op)
		texts->op = op_of(texts, ops);
	if (!*texts->file && !*texts->function)
		find_caller(texts);
}
