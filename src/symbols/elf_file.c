/* SPDX-License-Identifier: Apache-2.0 */
#include "symbols/elf_file.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADERS_MAX  256u /* of a program; this is read at every look, not once a file */
#define NOTES_BYTES  4096u
#define SYMBOLS_MAX  (UINT32_C(1) << 20) /* 24 MiB of file, 16 MiB of index */
#define SYMBOLS_READ 2048u		 /* at once */
/* aliases and functions within others: how many are looked at before the nearest one is given up */
#define LOOK_BACK 16u

static int read_at(int fd, uint64_t offset, void *to, size_t bytes)
{
	if (offset > INT64_MAX - bytes)
		return -ENOEXEC;
	ssize_t n = pread(fd, to, bytes, (off_t)offset);

	return n < 0 ? -errno : (size_t)n == bytes ? 0 : -ENOEXEC;
}

static int read_header(int fd, Elf64_Ehdr *ret_header)
{
	int r = read_at(fd, 0, ret_header, sizeof *ret_header);

	if (r == 0 && (memcmp(ret_header->e_ident, ELFMAG, SELFMAG) != 0 ||
		       ret_header->e_ident[EI_CLASS] != ELFCLASS64 ||
		       ret_header->e_ident[EI_DATA] != ELFDATA2LSB))
		r = -ENOEXEC;
	return r;
}

static void find_build_id(struct elf_file *file, const uint8_t *notes, size_t bytes)
{
	Elf64_Nhdr note;

	while (bytes >= sizeof note) {
		memcpy(&note, notes, sizeof note);
		uint64_t name = (note.n_namesz + UINT64_C(3)) & ~UINT64_C(3);
		uint64_t desc = (note.n_descsz + UINT64_C(3)) & ~UINT64_C(3);

		if (name + desc > bytes - sizeof note)
			return;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    memcmp(notes + sizeof note, "GNU", 4) == 0 &&
		    note.n_descsz <= sizeof file->build_id) {
			memcpy(file->build_id, notes + sizeof note + name, note.n_descsz);
			file->build_id_bytes = note.n_descsz;
			return;
		}
		notes += sizeof note + name + desc;
		bytes -= sizeof note + name + desc;
	}
}

static void add_segment(struct elf_file *file, const Elf64_Phdr *p)
{
	if (file->segment_count < ELF_SEGMENTS_MAX)
		file->segments[file->segment_count++] =
			(struct elf_segment){p->p_offset, p->p_vaddr, p->p_filesz};
}

int elf_read_head(int fd, struct elf_file *ret_file)
{
	struct elf_file file = {0};
	uint8_t notes[NOTES_BYTES];
	Elf64_Ehdr header;
	int r = read_header(fd, &header);

	if (r == 0 && (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > HEADERS_MAX))
		r = -ENOEXEC;
	for (uint32_t i = 0; r == 0 && i < header.e_phnum; i++) {
		Elf64_Phdr p;

		r = read_at(fd, header.e_phoff + i * sizeof p, &p, sizeof p);
		if (r == 0 && p.p_type == PT_LOAD)
			add_segment(&file, &p);
		if (r < 0 || p.p_type != PT_NOTE || file.build_id_bytes)
			continue;
		size_t bytes = p.p_filesz < sizeof notes ? (size_t)p.p_filesz : sizeof notes;

		if (read_at(fd, p.p_offset, notes, bytes) == 0)
			find_build_id(&file, notes, bytes);
	}
	if (r == 0)
		*ret_file = file;
	return r;
}

/* The table of symbols, and of their names. -ENOENT: there is none. */
static int find_tables(int fd, Elf64_Shdr *ret_symbols, Elf64_Shdr *ret_strings)
{
	Elf64_Ehdr header;
	Elf64_Shdr section, found = {0};
	int r = read_header(fd, &header);

	if (r == 0 && (header.e_shoff == 0 || header.e_shentsize != sizeof section))
		r = header.e_shoff == 0 ? -ENOENT : -ENOEXEC;
	for (uint32_t i = 0; r == 0 && i < header.e_shnum; i++) {
		r = read_at(fd, header.e_shoff + i * sizeof section, &section, sizeof section);
		if (r == 0 && (section.sh_type == SHT_SYMTAB ||
			       (section.sh_type == SHT_DYNSYM && found.sh_type != SHT_SYMTAB)))
			found = section;
	}
	if (r < 0)
		return r;
	if (found.sh_type == 0 || found.sh_size == 0)
		return -ENOENT;
	if (found.sh_entsize != sizeof(Elf64_Sym) || found.sh_link >= header.e_shnum)
		return -ENOEXEC;
	if (found.sh_size / sizeof(Elf64_Sym) > SYMBOLS_MAX)
		return -EFBIG;
	*ret_symbols = found;
	return read_at(fd, header.e_shoff + found.sh_link * sizeof section, ret_strings,
		       sizeof *ret_strings);
}

static bool is_function(const Elf64_Sym *symbol)
{
	unsigned type = ELF64_ST_TYPE(symbol->st_info);

	return (type == STT_FUNC || type == STT_GNU_IFUNC) && symbol->st_shndx != SHN_UNDEF &&
	       symbol->st_size != 0 && symbol->st_size <= UINT32_MAX && symbol->st_name != 0;
}

static int compare(const void *a, const void *b)
{
	const struct elf_function *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? -1 : 1;
	/* the same order each time: of aliases the one that comes last in the table of names */
	return x->name < y->name ? -1 : x->name > y->name;
}

/* Counted by the file's own size: a table that claims more than is there is refused before. */
static int read_symbols(int fd, const Elf64_Shdr *table, struct elf_file *file)
{
	uint64_t count = table->sh_size / sizeof(Elf64_Sym);
	Elf64_Sym symbols[SYMBOLS_READ], last;
	int r = read_at(fd, table->sh_offset + (count - 1) * sizeof last, &last, sizeof last);

	if (r < 0)
		return r;
	file->symbol_count += (uint32_t)count;
	file->functions = malloc(count * sizeof *file->functions);
	if (!file->functions)
		return -ENOMEM;
	for (uint64_t i = 0; i < count; i += SYMBOLS_READ) {
		size_t n = count - i < SYMBOLS_READ ? (size_t)(count - i) : SYMBOLS_READ;

		r = read_at(fd, table->sh_offset + i * sizeof last, symbols, n * sizeof last);
		if (r < 0)
			return r;
		for (size_t s = 0; s < n; s++)
			if (is_function(&symbols[s]))
				file->functions[file->function_count++] = (struct elf_function){
					symbols[s].st_value, (uint32_t)symbols[s].st_size,
					symbols[s].st_name};
	}
	qsort(file->functions, file->function_count, sizeof *file->functions, compare);
	return 0;
}

int elf_read_functions(int fd, struct elf_file *file)
{
	Elf64_Shdr symbols, strings;
	int r = find_tables(fd, &symbols, &strings);

	if (r < 0)
		return r;
	if (strings.sh_type != SHT_STRTAB || symbols.sh_offset > INT64_MAX / 2)
		return -ENOEXEC;
	r = read_symbols(fd, &symbols, file);
	if (r < 0) {
		elf_clear(file);
		return r;
	}
	file->strings_offset = strings.sh_offset;
	file->strings_bytes = strings.sh_size;
	/* most symbols of a library are not functions */
	struct elf_function *less = realloc(
		file->functions, (file->function_count + 1) * sizeof *file->functions);

	if (less)
		file->functions = less;
	return file->function_count ? 0 : -ENOENT;
}

const struct elf_function *elf_find(const struct elf_file *file, uint64_t offset)
{
	uint64_t address = UINT64_MAX;
	uint32_t low = 0, high = file->function_count;

	for (uint32_t i = 0; i < file->segment_count; i++) {
		const struct elf_segment *segment = &file->segments[i];

		if (offset >= segment->offset && offset - segment->offset < segment->bytes)
			address = segment->address + (offset - segment->offset);
	}
	while (low < high) { /* the first one behind it */
		uint32_t middle = low + (high - low) / 2;

		if (file->functions[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (uint32_t back = 0; low-- > 0 && back < LOOK_BACK; back++)
		if (address - file->functions[low].address < file->functions[low].bytes)
			return &file->functions[low];
	return NULL;
}

int elf_read_name(int fd, const struct elf_file *file, const struct elf_function *function,
		  char *ret_name, size_t size)
{
	if (function->name >= file->strings_bytes ||
	    file->strings_offset > INT64_MAX - file->strings_bytes)
		return -ENOEXEC;
	uint64_t room = file->strings_bytes - function->name;
	size_t wanted = room < size - 1 ? (size_t)room : size - 1;
	ssize_t n = pread(fd, ret_name, wanted, (off_t)(file->strings_offset + function->name));

	if (n < 0)
		return -errno;
	ret_name[n] = '\0';
	return ret_name[0] ? 0 : -ENOEXEC;
}

void elf_clear(struct elf_file *file)
{
	free(file->functions);
	file->functions = NULL;
	file->function_count = 0;
}
