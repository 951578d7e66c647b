/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that a process names as the ones its stacks lead through.
 * Reason: a server reads them as root. Whatever is in one: nothing outside it is
 * read, the index is in order, and a function that is found covers the place
 * that was asked for. Their names are strangers' as well: whatever they are, the
 * short one ends within its bounds, and soon.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "symbols/elf_file.h"
#include "symbols/names.h"
#include "symbols/op_names.h"

static void check_name(const char *mangled)
{
	char name[NAME_SHORT_BYTES], op[OP_NAME_BYTES];

	name_short(mangled, name);
	FUZZ_CHECK(strnlen(name, sizeof name) < sizeof name);
	FUZZ_CHECK(!*mangled || *mangled == '@' || *name);
	if (op_name(mangled, op))
		FUZZ_CHECK(*op && strnlen(op, sizeof op) < sizeof op);
}

static void check_place(int fd, const struct elf_file *file, uint64_t offset)
{
	const struct elf_function *function = elf_find(file, offset);
	char name[300];

	if (!function)
		return;
	FUZZ_CHECK(function >= file->functions &&
		   function < file->functions + file->function_count);
	if (elf_read_name(fd, file, function, name, sizeof name) == 0)
		check_name(name);
}

static void check_file(int fd)
{
	struct elf_file file;

	if (elf_read_head(fd, &file) < 0)
		return;
	FUZZ_CHECK(file.build_id_bytes <= sizeof file.build_id);
	FUZZ_CHECK(file.segment_count <= ELF_SEGMENTS_MAX);
	if (elf_read_functions(fd, &file) == 0) {
		for (uint32_t i = 1; i < file.function_count; i++)
			FUZZ_CHECK(file.functions[i - 1].address <= file.functions[i].address);
		for (uint32_t i = 0; i < file.segment_count; i++)
			for (uint64_t step = 0; step < 64; step++)
				check_place(fd, &file, file.segments[i].offset +
							       file.segments[i].bytes / 64 * step);
		check_place(fd, &file, UINT64_MAX);
	}
	elf_clear(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	static char text[8192];
	size_t length = size < sizeof text - 1 ? size : sizeof text - 1;

	if (length)
		memcpy(text, data, length);
	text[length] = '\0';
	check_name(text);
	if (fd < 0)
		fd = memfd_create("fuzz-elf", MFD_CLOEXEC);
	FUZZ_CHECK(fd >= 0 && ftruncate(fd, 0) == 0 &&
		   pwrite(fd, data, size, 0) == (ssize_t)size);
	check_file(fd);
	return 0;
}
