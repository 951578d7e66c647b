/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the frames of this thread to a site: outwards, past the framework's own
 * code, to the first frame of the user.
 *
 * What was found out about (code, instruction, operation) is remembered, and
 * believed only while it describes the same code (python_identity.h). The
 * operation is known by its name's characters, for the same reason. The way
 * that most events come is remembered as a whole (python_trail.h).
 */
#include "hook/python_cache.h"
#include "hook/python_lines.h"
#include "hook/python_op.h"
#include "hook/python_text.h"
#include "hook/python_trail.h"

#include <errno.h>
#include <unistd.h>

#define FRAMES_MAX	16u /* further out nobody looks: then it is the innermost one's */
/* in `lasti` of a place: the innermost frame, whoever's it is */
#define INNERMOST (INT64_C(1) << 40)

/* What is known of the event so far. */
struct walk {
	struct python *python;
	struct region_writer *writer;
	uint64_t op_name; /* str; 0: no operation was met */
	uint64_t op;	  /* its identity */
};

/* Python hashes the line table of what it compiles; what it loads from a file stays unhashed. */
static inline bool has_lines_hash(const struct python *python, uint64_t code)
{
	return python_word(python_word(code + python->at.code_lines) + PYTHON_TEXT_HASH) !=
	       PYTHON_NO_HASH;
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
	int saved_errno = errno;

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

		/* of another class of objects the same code may run no operation, or one */
		if (read_text(walk, frame->code, python->at.code_name, false, &name) &&
		    strcmp(name.utf8, "__call__") == 0) {
			type = python_op_class(python, frame);
			place->type = type ? type : python_self_class(python, frame);
		}
		place->kind = type ? PYTHON_PLACE_OP : PYTHON_PLACE_INNER;
	} else {
		place->site = intern(walk, frame, &file, place);
	}
	if (place->kind != PYTHON_PLACE_USER)
		place->op = 0;
	/* what runs an operation is known by the class of that */
	if (place->identity && !type && !python_has_version(python, frame->code))
		place->content = python_content(python, frame->code, place->lines_bytes);
	python_cache_add(python->cache, place);
	errno = saved_errno;
}

/* Known, and still what it was? */
static inline bool find(const struct walk *walk, const struct python_frame *frame,
			struct python_place *place)
{
	const struct python *python = walk->python;

	return python_cache_find(python->cache, place) &&
	       (place->type == 0 || place->type == python_self_class(python, frame)) &&
	       (place->content == 0 ||
		place->content == python_content(python, place->code, place->lines_bytes));
}

static inline void look_up(const struct walk *walk, const struct python_frame *frame,
			   struct python_place *place)
{
	*place = (struct python_place){
		.code = frame->code,
		.identity = python_identity(walk->python, frame->code),
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
		.identity = python_identity(walk->python, frame->code),
		.lasti = frame->lasti | INNERMOST,
		.op = walk->op,
	};

	if (frame->lasti < 0)
		apart.lasti = place.lasti = 0;
	if (!find(walk, frame, &place))
		resolve(walk, &apart, true, &place);
	return place.site;
}

/* Outwards from this frame, one after the other. Apart, so that a trail needs no room for places. */
__attribute__((noinline)) static uint32_t follow(struct python *python, struct region_writer *writer, uint64_t at)
{
	struct walk walk = {.python = python, .writer = writer};
	struct python_frame frame, first = {0};
	struct python_place inner = {0}, place;

	for (unsigned i = 0; i < FRAMES_MAX && python_frame_read(python, at, &frame); i++) {
		look_up(&walk, &frame, &place);
		if (place.kind == PYTHON_PLACE_USER) {
			if (i == 1 && walk.op)
				python_trail_add(python, &first, &inner, &place);
			return place.site;
		}
		if (i == 0) {
			first = frame;
			inner = place;
		}
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

uint32_t python_site(struct python *python, struct region_writer *writer)
{
	struct python_frame inner, user;
	uint64_t thread = python_thread(python);

	if (thread == 0)
		return REGION_SITE_UNKNOWN;
	uint64_t at = python_top(python, thread);

	if (python_frame_read(python, at, &inner) && python_trail_begins(python, &inner) &&
	    python_frame_read(python, python_back(python, inner.frame), &user)) {
		uint32_t site = python_trail_find(python, &inner, &user);

		if (site != REGION_SITE_UNKNOWN)
			return site;
	}
	return follow(python, writer, at);
}
