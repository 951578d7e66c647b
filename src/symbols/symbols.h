/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From (file, offset) to the name of a function, outside the process that ran it.
 *
 * A file is found as its process sees it (/proc/PID/root), else under the same
 * path here, else among the debugging information here; it has to have the build
 * id that the process gave. So a process id that has become somebody else's does
 * no harm. A file without a build id has no names: nobody could tell that it is
 * the same one.
 *
 * What was found out is kept in the cache, by the file (not by the build id: a
 * stranger's file may claim any), bounded, for one thread.
 */
#ifndef TTMEM_SYMBOLS_SYMBOLS_H
#define TTMEM_SYMBOLS_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

struct symbol_cache;
struct symbol_file;

/* A function, as it is shown; its strings live as long as the source that it came from is open. */
struct symbol {
	const char *name; /* "ttnn::prim::matmul"; "" when it is not known */
	const char *op;	  /* "ttnn.matmul", of the bindings of ttnn only; else "" */
};

/* symbol_cache_shared - the one of this process, made when it is first asked for; NULL: no memory */
struct symbol_cache *symbol_cache_shared(void);
/* symbol_cache_new, symbol_cache_free - one of one's own */
struct symbol_cache *symbol_cache_new(void);
void symbol_cache_free(struct symbol_cache *cache);

/* A file for as long as names are asked of it. */
struct symbol_source {
	struct symbol_cache *cache;
	struct symbol_file *file; /* NULL: it was not found */
	int fd, names_fd; /* the file itself, and the one with the names */
};

/*
 * symbol_source_open - looks for a file. `pid` 0: of a process that has ended. Never fails: a file
 * that is not there has no names.
 */
void symbol_source_open(struct symbol_source *source, struct symbol_cache *cache, uint32_t pid,
			const char *path, const uint8_t *build_id, uint32_t build_id_bytes);
void symbol_source_close(struct symbol_source *source);
/* symbol_find - the function at an offset of the file */
struct symbol symbol_find(struct symbol_source *source, uint64_t offset);

#endif
