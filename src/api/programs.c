/* SPDX-License-Identifier: Apache-2.0 */
/* Programs as JSON: {"schema":"ttmem.programs/1","consistent","processes":[...]}. */
#include "api/programs.h"

#include <inttypes.h>

#include "api/encode.h"
#include "base/clock.h"

static void put_pair(struct text *text, uint64_t a, uint64_t b)
{
	text_printf(text, "[%" PRIu64 ",%" PRIu64 "]", a, b);
}

static void encode_pair(struct encoded *object, const char *name, uint64_t a, uint64_t b)
{
	encode_key(object, name);
	put_pair(object->text, a, b);
}

static void encode_word(struct encoded *object, const char *name, const char *word)
{
	encode_key(object, name);
	(void)encode_text(object->text, word ? word : "");
}

static void put_dispatch_cores(struct encoded *object, const struct l1_terms *l1)
{
	uint64_t count = fact_is_known(l1->dispatch_cores) ? l1->dispatch_cores.value : 0;

	encode_key(object, "dispatch_at");
	text_putc(object->text, '[');
	for (uint64_t i = 0; i < count && i < DISPATCH_CORES_MAX; i++) {
		if (i)
			text_putc(object->text, ',');
		put_pair(object->text, l1->dispatch_at[i][0], l1->dispatch_at[i][1]);
	}
	text_putc(object->text, ']');
}

static void put_l1(struct encoded *parent, const struct allocator *allocator)
{
	static const char *const sources[] = {NULL, "dispatcher", "hal"};
	const struct l1_terms *l1 = &allocator->l1;
	struct encoded o, pieces;

	encode_key(parent, "l1");
	encode_begin(&o, parent->text, parent->snapshot);
	encode_fact(&o, "core_bytes", allocator->l1_bytes_per_core);
	encode_fact(&o, "reserved_bytes", l1->reserved_bytes);
	encode_fact(&o, "ring_bytes", l1->ring_bytes);
	encode_fact(&o, "unreserved_base", l1->unreserved_base);
	encode_fact(&o, "l1_small_bytes", l1->small_bytes);
	encode_fact(&o, "program_peak_bytes", l1->program_peak_bytes);
	encode_word(&o, "source", l1->source <= L1_SOURCE_HAL ? sources[l1->source] : NULL);
	encode_pair(&o, "compute_grid", allocator->grid_x, allocator->grid_y);
	encode_pair(&o, "worker_grid", l1->worker_x, l1->worker_y);
	encode_fact(&o, "dispatch_cores", l1->dispatch_cores);
	encode_fact(&o, "dispatch_cores_used", l1->dispatch_cores_used);
	put_dispatch_cores(&o, l1);
	encode_key(&o, "pieces");
	encode_begin(&pieces, o.text, NULL);
	for (enum l1_piece i = 0; i < L1_PIECES; i++)
		if (l1->pieces[i].bytes)
			encode_pair(&pieces, l1_piece_name(i), l1->pieces[i].base,
				    l1->pieces[i].bytes);
	encode_end(&pieces);
	encode_end(&o);
}

static void put_binaries(struct encoded *o, const struct program_kernel *kernel)
{
	unsigned bit = 0;

	encode_key(o, "binaries");
	text_putc(o->text, '[');
	for (uint32_t i = 0; i < kernel->binaries; i++) {
		struct encoded binary;

		while (bit < 5 && !(kernel->riscs >> bit & 1))
			bit++;
		if (i)
			text_putc(o->text, ',');
		encode_begin(&binary, o->text, NULL);
		encode_word(&binary, "risc", risc_name(bit++));
		encode_fact(&binary, "packed_bytes", kernel->packed_bytes[i]);
		encode_fact(&binary, "text_bytes", kernel->text_bytes[i]);
		encode_end(&binary);
	}
	text_putc(o->text, ']');
}

static void put_kernels(struct encoded *parent, const struct program *program)
{
	const struct snapshot *snapshot = parent->snapshot;

	encode_key(parent, "kernels");
	text_putc(parent->text, '[');
	for (uint32_t i = 0; i < program->kernel_count; i++) {
		const struct program_kernel *kernel =
			&snapshot->program_kernels[program->first_kernel + i];
		struct encoded o;

		if (i)
			text_putc(parent->text, ',');
		encode_begin(&o, parent->text, snapshot);
		encode_word(&o, "name", snapshot_text(snapshot, kernel->name));
		encode_word(&o, "kind", kernel_kind_name(kernel->kind));
		put_binaries(&o, kernel);
		encode_end(&o);
	}
	text_putc(parent->text, ']');
}

static void put_ranges(struct encoded *parent, const struct program *program)
{
	encode_key(parent, "ranges");
	text_putc(parent->text, '[');
	for (uint32_t i = 0; i < program->range_count; i++) {
		const struct program_range *range =
			&parent->snapshot->program_ranges[program->first_range + i];
		struct encoded o;

		if (i)
			text_putc(parent->text, ',');
		encode_begin(&o, parent->text, NULL);
		encode_word(&o, "kind", range_kind_name(range->kind));
		encode_fact(&o, "object", fact_of(range->object));
		encode_fact(&o, "address", range->address);
		encode_fact(&o, "bytes", fact_of(range->bytes));
		encode_flag(&o, "borrowed", range->is_borrowed);
		encode_flag(&o, "alias", range->is_alias);
		encode_pair(&o, "start", range->x0, range->y0);
		encode_pair(&o, "end", range->x1, range->y1);
		encode_end(&o);
	}
	text_putc(parent->text, ']');
}

static void put_ring(struct encoded *parent, const struct program *program)
{
	struct encoded ring;

	encode_key(parent, "ring");
	encode_begin(&ring, parent->text, NULL);
	encode_fact(&ring, "bytes", program->ring_bytes);
	encode_fact(&ring, "text_bytes", program->text_bytes);
	encode_fact(&ring, "runtime_args_bytes", program->runtime_args_bytes);
	encode_fact(&ring, "semaphore_bytes", program->semaphore_bytes);
	encode_fact(&ring, "cb_config_bytes", program->cb_config_bytes);
	encode_fact(&ring, "dfb_config_bytes", program->dfb_config_bytes);
	encode_end(&ring);
}

static void put_chips(struct encoded *o, const struct program *program)
{
	const struct allocator *a = &o->snapshot->allocators[program->allocator];
	bool any = false;

	encode_key(o, "chip_ids");
	text_putc(o->text, '[');
	for (uint32_t i = 0; i < a->chips.count && i < 64; i++) {
		if (!(program->chips >> i & 1))
			continue;
		if (any)
			text_putc(o->text, ',');
		any = true;
		encode_number(o->text, o->snapshot->chips[a->chips.first + i].chip_id);
	}
	text_putc(o->text, ']');
}

static void put_program(struct text *text, const struct snapshot *snapshot,
			const struct program *program)
{
	struct encoded o;

	encode_begin(&o, text, snapshot);
	encode_fact(&o, "id", fact_of(program->id));
	encode_fact(&o, "allocator", fact_of(snapshot->allocators[program->allocator].id));
	encode_word(&o, "op", snapshot_text(snapshot, program->op));
	put_chips(&o, program);
	encode_fact(&o, "last_dispatch", fact_of(program->last_dispatch));
	encode_fact(&o, "dispatches", fact_of(program->dispatches));
	encode_fact(&o, "age_ns", fact_of(program->age_ns));
	encode_fact(&o, "last_age_ns", fact_of(program->last_age_ns));
	encode_fact(&o, "cores", fact_of(program->cores));
	encode_fact(&o, "resident_cores", program->resident_cores);
	encode_fact(&o, "core_bytes", fact_of(program->core_bytes));
	encode_fact(&o, "dram_bytes", program->dram_bytes);
	put_ring(&o, program);
	encode_flag(&o, "complete", !program->is_cut && !program->lacks_dataflow);
	put_kernels(&o, program);
	put_ranges(&o, program);
	encode_end(&o);
}

static void put_allocators(struct encoded *parent, const struct process *process)
{
	const struct snapshot *snapshot = parent->snapshot;

	encode_key(parent, "allocators");
	text_putc(parent->text, '[');
	for (uint32_t i = 0; i < process->allocators.count; i++) {
		const struct allocator *a =
			&snapshot->allocators[process->allocators.first + i];
		struct encoded o;

		if (i)
			text_putc(parent->text, ',');
		encode_begin(&o, parent->text, snapshot);
		encode_fact(&o, "id", fact_of(a->id));
		encode_flag(&o, "open", !fact_is_known(a->closed_ns));
		put_l1(&o, a);
		encode_end(&o);
	}
	text_putc(parent->text, ']');
}

static void put_process(struct text *text, const struct snapshot *snapshot,
			const struct process *process)
{
	struct encoded o;

	encode_begin(&o, text, snapshot);
	encode_fact(&o, "pid", fact_of(process->pid));
	encode_fact(&o, "dispatches", fact_of(process->dispatches));
	encode_fact(&o, "dropped", fact_of(process->programs_dropped));
	encode_fact(&o, "unknown", fact_of(process->programs_unknown));
	put_allocators(&o, process);
	encode_key(&o, "programs");
	text_putc(text, '[');
	for (uint32_t i = 0; i < process->programs.count; i++) {
		if (i)
			text_putc(text, ',');
		put_program(text, snapshot, &snapshot->programs[process->programs.first + i]);
	}
	text_putc(text, ']');
	encode_end(&o);
}

void json_write_programs(struct text *text, const struct snapshot *snapshot)
{
	char time[40];

	clock_rfc3339(snapshot->time_ns, time, sizeof time);
	text_printf(text,
		    "{\"schema\":\"ttmem.programs/1\",\"time\":\"%s\",\"consistent\":%s,"
		    "\"processes\":[",
		    time, snapshot->consistent ? "true" : "false");
	for (uint32_t i = 0; i < snapshot->process_count; i++) {
		if (i)
			text_putc(text, ',');
		put_process(text, snapshot, &snapshot->processes[i]);
	}
	text_puts(text, "]}");
}
