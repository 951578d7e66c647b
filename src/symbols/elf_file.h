/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of one ELF file: a sorted index of where they begin, made once;
 * names stay in the file until somebody asks for one.
 *
 * The file is a stranger's and may change while it is read. So it is read by
 * pread(2) and not mapped: a file that shrinks under a mapping kills the reader.
 * Every number in it is bounded before it is used.
 */
#ifndef TTMEM_SYMBOLS_ELF_FILE_H
#define TTMEM_SYMBOLS_ELF_FILE_H

#include <stddef.h>
#include <stdint.h>

#define ELF_BUILD_ID_BYTES 32
#define ELF_SEGMENTS_MAX   32

struct elf_segment {
	uint64_t offset, address, bytes;
};

struct elf_function {
	uint64_t address;
	uint32_t bytes, name; /* name: offset into the strings */
};

struct elf_file {
	uint8_t	 build_id[ELF_BUILD_ID_BYTES];
	uint32_t build_id_bytes; /* 0: it has none */
	uint32_t segment_count;
	struct elf_segment segments[ELF_SEGMENTS_MAX];
	/* filled by elf_read_functions */
	struct elf_function *functions; /* by address */
	uint32_t function_count;
	uint32_t symbol_count; /* that were read for them: what it has cost */
	uint64_t strings_offset, strings_bytes; /* in the file that the functions were read from */
};

/* elf_read_head - build id and segments. Return: 0; -ENOEXEC; -errno of pread(2). */
int elf_read_head(int fd, struct elf_file *ret_file);
/*
 * elf_read_functions - from .symtab, else .dynsym, of the same file or of one with its debugging
 * information. Return: 0; -ENOENT: there are none; -ENOEXEC; -EFBIG; -ENOMEM; -errno.
 */
int elf_read_functions(int fd, struct elf_file *file);
/* elf_find - the function at an offset of the file (not an address); NULL: none is known */
const struct elf_function *elf_find(const struct elf_file *file, uint64_t offset);
/* elf_read_name - at most size - 1 bytes of it and a NUL. Return: 0; -ENOEXEC; -errno. */
int elf_read_name(int fd, const struct elf_file *file, const struct elf_function *function,
		  char *ret_name, size_t size);
void elf_clear(struct elf_file *file);

#endif
