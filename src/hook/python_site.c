/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the frames of this thread to a site: outwards, past the framework's own
 * code, to the first frame of the user.
 *
 * What was found out about (code, instruction, operation) is remembered, and
 * believed only while it describes the same code. From 3.12 on a code object
 * has a number of its own. Before, what a site is made of is compared by hash
 * at every event, as addresses of names and tables are used again too: file,
 * function, first line, and the line table, or as much of it as led to the
 * line. The operation is known by its name's characters, for the same reason.
 */
#include "hook/python_cache.h"
#include "hook/python_lines.h"
#include "hook/python_op.h"
#include "hook/python_text.h"

#include <unistd.h>

#define FRAMES_MAX	16u /* further out nobody looks: then it is the innermost one's */
#define LINES_BYTES_MAX 1024u
/* in `lasti` of a place: the innermost frame, whoever's it is */
#define INNERMOST (INT64_C(1) << 40)

/* What is known of the event so far. */
struct walk {
	struct python *python;
	struct region_writer *writer;
	uint64_t op_name; /* str; 0: no operation was met */
	uint64_t op;	  /* its identity */
};

static inline bool has_version(const struct python *python, uint64_t code)
{
	return python->at.code_version != PYTHON_NO_OFFSET &&
	       python_half(code + python->at.code_version) != 0;
}

/* Python hashes the line table of what it compiles; what it loads from a file stays unhashed. */
static inline bool has_lines_hash(const struct python *python, uint64_t code)
{
	return python_word(python_word(code + python->at.code_lines) + PYTHON_TEXT_HASH) !=
	       PYTHON_NO_HASH;
}

/*
 * From 3.12 on the same for as long as this code object lives, and never again for another one.
 * Before, all that lies near: see also content_of.
 */
static inline uint64_t identity_of(const struct python *python, uint64_t code)
{
	const struct python_layout *at = &python->at;
	uint64_t first = python_half(code + at->code_first_line);
	uint16_t name = at->code_qualname != PYTHON_NO_OFFSET ? at->code_qualname : at->code_name;

	if (has_version(python, code))
		return first << 32 | python_half(code + at->code_version);
	/* what a frame executes is not always code; then it has no number either */
	if (at->code_version != PYTHON_NO_OFFSET &&
	    python_word(code + PYTHON_OBJECT_TYPE) != python->code_type)
		return 0;
	uint64_t table = python_word(code + at->code_lines);

	return python_mix(python_text_identity(python, python_word(code + name)) ^
				  python_word(table + PYTHON_TEXT_HASH),
			  first << 32 ^ python_word(table + PYTHON_BYTES_LENGTH));
}

/*
 * What the identity of a code object without a number leaves out: its file, and as much of its line
 * table as led to a line, of a long one both ends. Never 0.
 */
static uint64_t content_of(const struct python *python, uint64_t code, uint64_t lines_bytes)
{
	uint64_t table = python_word(code + python->at.code_lines);
	const uint8_t *p = (const uint8_t *)(uintptr_t)(table + PYTHON_BYTES_DATA);
	uint64_t file = python_text_identity(python, python_word(code + python->at.code_file));
	uint64_t lines = 0;

	if (lines_bytes > python_word(table + PYTHON_BYTES_LENGTH))
		return 1;
	if (lines_bytes > LINES_BYTES_MAX)
		lines = python_mix(python_hash_bytes(p, LINES_BYTES_MAX / 2),
				   python_hash_bytes(p + lines_bytes - LINES_BYTES_MAX / 2,
						     LINES_BYTES_MAX / 2));
	else if (lines_bytes)
		lines = python_hash_bytes(p, lines_bytes);
	return python_mix(file, lines) | 1;
}

/* Is it a file of ttnn: installed, or the package directory of its sources? */
static bool is_framework(const struct python_text *file)
{
	static const char *const installed[] = {"/site-packages/ttnn/", "/dist-packages/ttnn/"};
	static const char in_sources[] = "/ttnn/ttnn/";
	char path[sizeof file->utf8 + sizeof "decorators.py"];

	for (unsigned i = 0; i < sizeof installed / sizeof installed[0]; i++)
		if (strstr(file->utf8, installed[i]))
			return true;
	const char *found = strstr(file->utf8, in_sources);

	if (!found)
		return false;
	/* anybody may call directories like that */
	size_t bytes = (size_t)(found - file->utf8) + sizeof in_sources - 1;

	memcpy(path, file->utf8, bytes);
	memcpy(path + bytes, "decorators.py", sizeof "decorators.py");
	return access(path, F_OK) == 0;
}

static bool read_text(const struct walk *walk, uint64_t code, uint16_t at, bool keep_end,
		      struct python_text *ret_text)
{
	return python_text_read(walk->python, python_word(code + at), keep_end, ret_text);
}

/* Met for the first time. 0: it says nothing. */
static uint32_t intern(const struct walk *walk, const struct python_frame *frame,
		       const struct python_text *file, struct python_place *place)
{
	const struct python_layout *at = &walk->python->at;
	struct python_text function = {0}, op = {0};
	struct python_line line = {0};

	(void)read_text(walk, frame->code,
			at->code_qualname != PYTHON_NO_OFFSET ? at->code_qualname : at->code_name,
			false, &function);
	if (walk->op_name)
		(void)python_text_read(walk->python, walk->op_name, false, &op);
	if (python_line_find(walk->python, frame->code, frame->lasti, &line) &&
	    !has_lines_hash(walk->python, frame->code))
		place->lines_bytes = line.table_bytes;
	const struct region_site_found found = {
		.op = {.start = op.utf8, .bytes = op.bytes},
		.file = {.start = file->utf8, .bytes = file->bytes},
		.function = {.start = function.utf8, .bytes = function.bytes},
		.line = line.line,
	};

	return region_writer_site(walk->writer, &found);
}

/* Cold, and with two long names on the stack: not to be inlined into the hot path. */
__attribute__((noinline, cold)) static void resolve(const struct walk *walk,
						    const struct python_frame *frame,
						    bool is_innermost, struct python_place *place)
{
	const struct python *python = walk->python;
	struct python_text file = {0};
	uint64_t type = 0;

	place->content = 0;
	place->lines_bytes = 0;
	place->type = 0;
	place->site = REGION_SITE_UNKNOWN;
	place->kind = PYTHON_PLACE_USER;
	if (python_word(frame->code + PYTHON_OBJECT_TYPE) != python->code_type ||
	    (!is_innermost && !python_frame_is_complete(python, frame))) {
		place->kind = PYTHON_PLACE_INNER;
	} else if (!read_text(walk, frame->code, python->at.code_file, true, &file)) {
		place->kind = PYTHON_PLACE_INNER;
	} else if (!is_innermost && is_framework(&file)) {
		struct python_text name = {0};

		if (read_text(walk, frame->code, python->at.code_name, false, &name) &&
		    strcmp(name.utf8, "__call__") == 0)
			type = python_op_class(python, frame);
		place->type = type;
		place->kind = type ? PYTHON_PLACE_OP : PYTHON_PLACE_INNER;
	} else {
		place->site = intern(walk, frame, &file, place);
	}
	if (place->kind != PYTHON_PLACE_USER)
		place->op = 0;
	/* what runs an operation is known by the class of that */
	if (place->identity && !type && !has_version(python, frame->code))
		place->content = content_of(python, frame->code, place->lines_bytes);
	python_cache_add(python->cache, place);
}

/* Known, and still what it was? */
static inline bool find(const struct walk *walk, const struct python_frame *frame,
			struct python_place *place)
{
	const struct python *python = walk->python;

	return python_cache_find(python->cache, place) &&
	       (place->type == 0 || place->type == python_self_class(python, frame)) &&
	       (place->content == 0 ||
		place->content == content_of(python, place->code, place->lines_bytes));
}

static inline void look_up(const struct walk *walk, const struct python_frame *frame,
			   struct python_place *place)
{
	*place = (struct python_place){
		.code = frame->code,
		.identity = identity_of(walk->python, frame->code),
		.lasti = frame->lasti,
		.op = walk->op,
	};
	if (find(walk, frame, place))
		return;
	/* the framework's own frames are remembered without an operation */
	place->op = 0;
	if (walk->op && find(walk, frame, place) && place->kind != PYTHON_PLACE_USER)
		return;
	place->op = walk->op;
	resolve(walk, frame, false, place);
}

/* All of the frames were the framework's own. */
static uint32_t innermost(const struct walk *walk, const struct python_frame *frame)
{
	struct python_frame apart = *frame;
	struct python_place place = {
		.code = frame->code,
		.identity = identity_of(walk->python, frame->code),
		.lasti = frame->lasti | INNERMOST,
		.op = walk->op,
	};

	if (frame->lasti < 0)
		apart.lasti = place.lasti = 0;
	if (!find(walk, frame, &place))
		resolve(walk, &apart, true, &place);
	return place.site;
}

uint32_t python_site(struct python *python, struct region_writer *writer)
{
	struct walk walk = {.python = python, .writer = writer};
	struct python_frame frame, first = {0};
	uint64_t thread = python_thread(python);

	if (thread == 0)
		return REGION_SITE_UNKNOWN;
	uint64_t at = python_top(python, thread);

	for (unsigned i = 0; i < FRAMES_MAX && python_frame_read(python, at, &frame); i++) {
		struct python_place place;

		if (i == 0)
			first = frame;
		look_up(&walk, &frame, &place);
		if (place.kind == PYTHON_PLACE_USER)
			return place.site;
		/* the innermost one, as of an operation that is made of others in Python */
		uint64_t name = place.kind == PYTHON_PLACE_OP && walk.op == 0
					? python_op_name(python, &frame, place.type)
					: 0;

		if (name) {
			walk.op_name = name;
			walk.op = python_text_identity(python, name);
		}
		at = python_back(python, frame.frame);
	}
	return first.code ? innermost(&walk, &first) : REGION_SITE_UNKNOWN;
}
