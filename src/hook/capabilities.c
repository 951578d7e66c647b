/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/capabilities.h"

#include "hook/sites.h"
#include "metal/program_layouts.h"

/* A kind of fact and the functions it takes, all of them; the handlers where one of them is enough. */
struct requirement {
	const char	 *name;
	enum metal_symbol symbols[5];
	unsigned	  symbol_count;
	enum metal_handler handlers[2];
	unsigned	   handler_count;
};

#define S(id) METAL_SYMBOL_##id
#define H(id) METAL_HANDLER_##id

static const struct requirement requirements[] = {
	{"buffers",
	 {S(buffer_address), S(buffer_bank_bytes), S(buffer_page_size)},
	 3,
	 {H(track_allocate)},
	 1},
	{"frees", {0}, 0, {H(track_deallocate)}, 1},
	{"failures", {0}, 0, {H(allocator_impl_allocate), H(allocator_allocate)}, 2},
	{"cores", {S(buffer_num_cores)}, 1, {0}, 0},
	{"geometry", {S(allocator_statistics), S(allocator_num_banks), S(allocator_base)}, 3, {0}, 0},
	{"verify", {S(allocator_statistics)}, 1, {0}, 0},
	{"chips", {S(mesh_devices)}, 1, {0}, 0},
	{"parent", {S(mesh_parent)}, 1, {0}, 0},
	{"unique_ids",
	 {S(context_instance), S(context_cluster), S(cluster_description), S(chip_unique_ids)},
	 4,
	 {0},
	 0},
	{"open", {S(mesh_allocator)}, 1, {H(mesh_initialize_impl)}, 1},
	{"close", {0}, 0, {H(device_close), H(mesh_close)}, 2},
	{"programs",
	 {S(workload_programs), S(program_kernels), S(kernel_cores)},
	 3,
	 {H(enqueue_fast), H(enqueue_slow)},
	 2},
	{"kernels", {S(program_kernels), S(kernel_name)}, 2, {0}, 0},
	{"ring", {S(program_config), S(program_config_size)}, 2, {0}, 0},
	{"circular_buffers",
	 {S(program_cbs), S(cb_address), S(cb_size), S(cb_global), S(cb_cores)},
	 5,
	 {0},
	 0},
};

/* The first name that is not there, or NULL. */
static const char *missing(const struct metal *metal, const struct requirement *r)
{
	for (unsigned i = 0; i < r->symbol_count; i++)
		if (!metal->symbol[r->symbols[i]] &&
		    !(r->symbols[i] == S(cluster_description) && metal->cluster_description_offset))
			return metal_symbol_name(r->symbols[i]);
	for (unsigned i = 0; i < r->handler_count; i++)
		if (metal->real[r->handlers[i]])
			return NULL;
	return r->handler_count ? metal_handler_name(r->handlers[0]) : NULL;
}

/*
 * What is read by offsets: an unknown build has to show first that it keeps to one of them. Neither
 * scratchpads nor binaries occur on a mock cluster, so that no real one was ever seen by us.
 */
static void publish_program_parts(const struct metal *metal, struct region_writer *writer)
{
	bool has_dfbs = metal->symbol[S(program_dfbs)], has_pads = metal->symbol[S(program_scratchpads)];
	const struct metal_program_layout *layout = metal->program_layout;

	bool has_sizes = layout ? layout->kernel_binaries != 0 : !metal->version;

	region_writer_capability(writer, "kernel_sizes",
				 !has_sizes ? CAPABILITY_MISSING
				 : layout   ? CAPABILITY_PRESENT
					    : CAPABILITY_UNKNOWN,
				 has_sizes ? NULL : "where a kernel keeps its binaries is not known");
	if (!has_dfbs || (metal->version && !(layout && layout->dfb_groups)))
		region_writer_capability(writer, "dataflow_buffers", CAPABILITY_MISSING,
					 has_dfbs ? "their fields are not known for this release"
						  : metal_symbol_name(S(program_dfbs)));
	else
		region_writer_capability(writer, "dataflow_buffers",
					 layout ? CAPABILITY_PRESENT : CAPABILITY_UNKNOWN, NULL);
	if (!has_pads || !layout || !layout->scratch_vector)
		region_writer_capability(writer, "scratchpads", CAPABILITY_MISSING,
					 has_pads ? "their place is not known for this build"
						  : metal_symbol_name(S(program_scratchpads)));
	else
		region_writer_capability(writer, "scratchpads", CAPABILITY_PRESENT,
					 "proved on a stand-in only: no operation tried uses them");
	region_writer_capability(writer, "binaries_dram",
				 metal->symbol[S(program_binaries)] ? CAPABILITY_PRESENT
								    : CAPABILITY_MISSING,
				 metal->symbol[S(program_binaries)]
					 ? "proved on a stand-in only: a mock cluster has none"
					 : metal_symbol_name(S(program_binaries)));
}

void capabilities_publish(const struct metal *metal, struct region_writer *writer)
{
	for (unsigned i = 0; i < sizeof requirements / sizeof requirements[0]; i++) {
		const char *name = missing(metal, &requirements[i]);

		region_writer_capability(writer, requirements[i].name,
					 name ? CAPABILITY_MISSING : CAPABILITY_PRESENT, name);
	}
	publish_program_parts(metal, writer);
	sites_publish(writer);
	capabilities_report_fields(metal, writer);
}

void capabilities_of_allocator(struct region_writer *writer, const struct region_allocator *row)
{
	if (row->chip_count == 0)
		region_writer_capability(writer, "chips", CAPABILITY_FAILED,
					 "the device object is of no known class");
	else if (!(row->chips[0].flags & REGION_CHIP_HAS_UNIQUE_ID) && row->chips[0].chip_id < 64)
		region_writer_capability(writer, "unique_ids", CAPABILITY_MISSING,
					 "the cluster description has none for this chip");
}

void capabilities_of_program(const struct metal *metal, struct region_writer *writer,
			     const struct region_program_found *found)
{
	static const char by_sense[] = "an unknown build: believed where all known layouts agree";
	bool has_dfb = false, has_sizes = false;

	for (uint32_t i = 0; i < found->row.range_count; i++)
		has_dfb |= found->ranges[i].kind == REGION_RANGE_DATAFLOW_BUFFER;
	for (uint32_t i = 0; i < found->row.kernel_count; i++)
		has_sizes |= found->kernels[i].packed_bytes[0] != REGION_NONE;
	if (found->row.flags & REGION_PROGRAM_NO_DFB)
		region_writer_capability(writer, "dataflow_buffers", CAPABILITY_FAILED,
					 "some of them are not where known releases have them");
	else if (!metal->version && has_dfb)
		region_writer_capability(writer, "dataflow_buffers", CAPABILITY_PRESENT, by_sense);
	if (!metal->version && has_sizes)
		region_writer_capability(writer, "kernel_sizes", CAPABILITY_PRESENT, by_sense);
}

void capabilities_report_fields(const struct metal *metal, struct region_writer *writer)
{
	if (writer && __atomic_load_n(&metal->fields, __ATOMIC_RELAXED) == METAL_FIELDS_BAD)
		region_writer_capability(writer, "buffers", CAPABILITY_FAILED,
					 "unknown build: the fields of Buffer are elsewhere");
}
