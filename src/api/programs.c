/* SPDX-License-Identifier: Apache-2.0 */
/* Programs as JSON: {"schema":"ttmem.programs/1","consistent","processes":[...]}. */
#include "api/programs.h"

#include <stdlib.h>

#include "api/encode.h"
#include "base/clock.h"

static void add_fact(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *name, struct fact fact)
{
	yyjson_mut_obj_add_val(doc, object, name,
			       fact_is_known(fact) ? yyjson_mut_uint(doc, fact.value)
						   : yyjson_mut_null(doc));
}

static yyjson_mut_val *pair(yyjson_mut_doc *doc, uint64_t a, uint64_t b)
{
	yyjson_mut_val *both = yyjson_mut_arr(doc);

	yyjson_mut_arr_add_uint(doc, both, a);
	yyjson_mut_arr_add_uint(doc, both, b);
	return both;
}

static yyjson_mut_val *l1_value(yyjson_mut_doc *doc, const struct allocator *allocator)
{
	static const char *const sources[] = {NULL, "dispatcher", "hal"};
	const struct l1_terms *l1 = &allocator->l1;
	yyjson_mut_val *o = yyjson_mut_obj(doc), *pieces = yyjson_mut_obj(doc),
		       *at = yyjson_mut_arr(doc);

	add_fact(doc, o, "core_bytes", allocator->l1_bytes_per_core);
	add_fact(doc, o, "reserved_bytes", l1->reserved_bytes);
	add_fact(doc, o, "ring_bytes", l1->ring_bytes);
	add_fact(doc, o, "unreserved_base", l1->unreserved_base);
	add_fact(doc, o, "l1_small_bytes", l1->small_bytes);
	add_fact(doc, o, "program_peak_bytes", l1->program_peak_bytes);
	yyjson_mut_obj_add_val(doc, o, "source",
			       l1->source ? yyjson_mut_str(doc, sources[l1->source])
					  : yyjson_mut_null(doc));
	yyjson_mut_obj_add_val(doc, o, "compute_grid",
			       pair(doc, allocator->grid_x, allocator->grid_y));
	yyjson_mut_obj_add_val(doc, o, "worker_grid", pair(doc, l1->worker_x, l1->worker_y));
	add_fact(doc, o, "dispatch_cores", l1->dispatch_cores);
	add_fact(doc, o, "dispatch_cores_used", l1->dispatch_cores_used);
	for (uint64_t i = 0; fact_is_known(l1->dispatch_cores) && i < l1->dispatch_cores.value &&
			     i < DISPATCH_CORES_MAX;
	     i++)
		yyjson_mut_arr_append(at, pair(doc, l1->dispatch_at[i][0], l1->dispatch_at[i][1]));
	yyjson_mut_obj_add_val(doc, o, "dispatch_at", at);
	for (enum l1_piece i = 0; i < L1_PIECES; i++)
		if (l1->pieces[i].bytes)
			yyjson_mut_obj_add_val(
				doc, pieces, l1_piece_name(i),
				pair(doc, l1->pieces[i].base, l1->pieces[i].bytes));
	yyjson_mut_obj_add_val(doc, o, "pieces", pieces);
	return o;
}

static yyjson_mut_val *kernel_value(yyjson_mut_doc *doc, const struct snapshot *snapshot,
				    const struct program_kernel *kernel)
{
	yyjson_mut_val *o = yyjson_mut_obj(doc), *binaries = yyjson_mut_arr(doc);
	unsigned bit = 0;

	yyjson_mut_obj_add_val(doc, o, "name",
			       encode_text(doc, snapshot_text(snapshot, kernel->name)));
	yyjson_mut_obj_add_str(doc, o, "kind", kernel_kind_name(kernel->kind));
	for (uint32_t i = 0; i < kernel->binaries; i++) {
		yyjson_mut_val *b = yyjson_mut_obj(doc);

		while (bit < 5 && !(kernel->riscs >> bit & 1))
			bit++;
		const char *name = risc_name(bit++);

		yyjson_mut_obj_add_val(doc, b, "risc",
				       name ? yyjson_mut_str(doc, name) : yyjson_mut_null(doc));
		add_fact(doc, b, "packed_bytes", kernel->packed_bytes[i]);
		add_fact(doc, b, "text_bytes", kernel->text_bytes[i]);
		yyjson_mut_arr_append(binaries, b);
	}
	yyjson_mut_obj_add_val(doc, o, "binaries", binaries);
	return o;
}

static yyjson_mut_val *range_value(yyjson_mut_doc *doc, const struct program_range *range)
{
	yyjson_mut_val *o = yyjson_mut_obj(doc);

	yyjson_mut_obj_add_str(doc, o, "kind", range_kind_name(range->kind));
	yyjson_mut_obj_add_uint(doc, o, "object", range->object);
	add_fact(doc, o, "address", range->address);
	yyjson_mut_obj_add_uint(doc, o, "bytes", range->bytes);
	yyjson_mut_obj_add_bool(doc, o, "borrowed", range->is_borrowed);
	yyjson_mut_obj_add_bool(doc, o, "alias", range->is_alias);
	yyjson_mut_obj_add_val(doc, o, "start", pair(doc, range->x0, range->y0));
	yyjson_mut_obj_add_val(doc, o, "end", pair(doc, range->x1, range->y1));
	return o;
}

static void add_config(yyjson_mut_doc *doc, yyjson_mut_val *o, const struct program *program)
{
	yyjson_mut_val *ring = yyjson_mut_obj(doc);

	add_fact(doc, ring, "bytes", program->ring_bytes);
	add_fact(doc, ring, "text_bytes", program->text_bytes);
	add_fact(doc, ring, "runtime_args_bytes", program->runtime_args_bytes);
	add_fact(doc, ring, "semaphore_bytes", program->semaphore_bytes);
	add_fact(doc, ring, "cb_config_bytes", program->cb_config_bytes);
	add_fact(doc, ring, "dfb_config_bytes", program->dfb_config_bytes);
	yyjson_mut_obj_add_val(doc, o, "ring", ring);
}

static yyjson_mut_val *program_value(yyjson_mut_doc *doc, const struct snapshot *snapshot,
				     const struct program *program)
{
	const struct allocator *a = &snapshot->allocators[program->allocator];
	yyjson_mut_val *o = yyjson_mut_obj(doc), *kernels = yyjson_mut_arr(doc),
		       *ranges = yyjson_mut_arr(doc), *chips = yyjson_mut_arr(doc);

	yyjson_mut_obj_add_uint(doc, o, "id", program->id);
	yyjson_mut_obj_add_uint(doc, o, "allocator", a->id);
	yyjson_mut_obj_add_val(doc, o, "op", encode_text(doc, snapshot_text(snapshot, program->op)));
	for (uint32_t i = 0; i < a->chips.count && i < 64; i++)
		if (program->chips >> i & 1)
			yyjson_mut_arr_add_uint(doc, chips,
						snapshot->chips[a->chips.first + i].chip_id);
	yyjson_mut_obj_add_val(doc, o, "chip_ids", chips);
	yyjson_mut_obj_add_uint(doc, o, "last_dispatch", program->last_dispatch);
	yyjson_mut_obj_add_uint(doc, o, "dispatches", program->dispatches);
	yyjson_mut_obj_add_uint(doc, o, "age_ns", program->age_ns);
	yyjson_mut_obj_add_uint(doc, o, "last_age_ns", program->last_age_ns);
	yyjson_mut_obj_add_uint(doc, o, "cores", program->cores);
	add_fact(doc, o, "resident_cores", program->resident_cores);
	yyjson_mut_obj_add_uint(doc, o, "core_bytes", program->core_bytes);
	add_fact(doc, o, "dram_bytes", program->dram_bytes);
	add_config(doc, o, program);
	yyjson_mut_obj_add_bool(doc, o, "complete", !program->is_cut && !program->lacks_dataflow);
	for (uint32_t i = 0; i < program->kernel_count; i++)
		yyjson_mut_arr_append(kernels,
				      kernel_value(doc, snapshot,
						   &snapshot->program_kernels
							    [program->first_kernel + i]));
	for (uint32_t i = 0; i < program->range_count; i++)
		yyjson_mut_arr_append(
			ranges,
			range_value(doc, &snapshot->program_ranges[program->first_range + i]));
	yyjson_mut_obj_add_val(doc, o, "kernels", kernels);
	yyjson_mut_obj_add_val(doc, o, "ranges", ranges);
	return o;
}

static yyjson_mut_val *process_value(yyjson_mut_doc *doc, const struct snapshot *snapshot,
				     const struct process *process)
{
	yyjson_mut_val *o = yyjson_mut_obj(doc), *allocators = yyjson_mut_arr(doc),
		       *programs = yyjson_mut_arr(doc);

	yyjson_mut_obj_add_uint(doc, o, "pid", process->pid);
	yyjson_mut_obj_add_uint(doc, o, "dispatches", process->dispatches);
	yyjson_mut_obj_add_uint(doc, o, "dropped", process->programs_dropped);
	yyjson_mut_obj_add_uint(doc, o, "unknown", process->programs_unknown);
	for (uint32_t i = 0; i < process->allocators.count; i++) {
		const struct allocator *a =
			&snapshot->allocators[process->allocators.first + i];
		yyjson_mut_val *one = yyjson_mut_obj(doc);

		yyjson_mut_obj_add_uint(doc, one, "id", a->id);
		yyjson_mut_obj_add_bool(doc, one, "open", !fact_is_known(a->closed_ns));
		yyjson_mut_obj_add_val(doc, one, "l1", l1_value(doc, a));
		yyjson_mut_arr_append(allocators, one);
	}
	for (uint32_t i = 0; i < process->programs.count; i++)
		yyjson_mut_arr_append(programs,
				      program_value(doc, snapshot,
						    &snapshot->programs[process->programs.first +
									i]));
	yyjson_mut_obj_add_val(doc, o, "allocators", allocators);
	yyjson_mut_obj_add_val(doc, o, "programs", programs);
	return o;
}

void json_write_programs(struct text *text, const struct snapshot *snapshot)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	char time[40];
	size_t length = 0;

	if (!doc) {
		text->failed = true;
		return;
	}
	yyjson_mut_val *root = yyjson_mut_obj(doc), *processes = yyjson_mut_arr(doc);

	clock_rfc3339(snapshot->time_ns, time, sizeof time);
	yyjson_mut_obj_add_str(doc, root, "schema", "ttmem.programs/1");
	yyjson_mut_obj_add_str(doc, root, "time", time);
	yyjson_mut_obj_add_bool(doc, root, "consistent", snapshot->consistent);
	for (uint32_t i = 0; i < snapshot->process_count; i++)
		yyjson_mut_arr_append(processes,
				      process_value(doc, snapshot, &snapshot->processes[i]));
	yyjson_mut_obj_add_val(doc, root, "processes", processes);
	yyjson_mut_doc_set_root(doc, root);
	char *json = yyjson_mut_write(doc, 0, &length);

	if (json)
		text_append(text, json, length);
	else
		text->failed = true;
	free(json);
	yyjson_mut_doc_free(doc);
}
