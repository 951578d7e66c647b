/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named columns of devices, processes or buffers, one row each, as CSV or JSON.
 *
 * Names are those of the JSON (api/fields.h), with the memory type in front
 * ("dram.free_bytes"); nvidia-smi's names are aliases for the nearest honest
 * meaning. So CSV, JSON, help and the columns of dmon and pmon are the same
 * fields, and none can disagree with the others.
 */
#ifndef TTMEM_VIEW_QUERY_H
#define TTMEM_VIEW_QUERY_H

#include "api/fields.h"
#include "base/buffer.h"

enum query_kind {
	QUERY_DEVICES,	 /* a row for each chip */
	QUERY_PROCESSES, /* a row for each chip that a process uses */
	QUERY_BUFFERS,	 /* a row for each live buffer */
};

enum query_origin {
	FROM_DEVICE,
	FROM_CARD,
	FROM_MEMORY,
	FROM_PROCESS,
	FROM_BUFFER,
	FROM_ALLOCATOR,
	FROM_SITE,
	FROM_SPECIAL, /* made of more than one field, see query_values.c */
};

enum query_special {
	SPECIAL_NONE, /* a name of nvidia-smi for something that is not there */
	SPECIAL_TIMESTAMP,
	SPECIAL_DRIVER_VERSION,
	SPECIAL_COUNT,
	SPECIAL_DEVICE_NAME,
	SPECIAL_RESERVED,
	SPECIAL_PCI_DOMAIN,
	SPECIAL_PCI_BUS,
	SPECIAL_PCI_DEVICE,
};

enum query_unit { UNIT_OWN, UNIT_MIB, UNIT_HUNDREDTHS };

#define QUERY_COLUMNS_MAX 64u
#define QUERY_NAME_MAX	  48u

struct query_column {
	char name[QUERY_NAME_MAX]; /* as it is printed in the header */
	enum query_origin origin;
	const struct field *field; /* NULL: special */
	enum memory_type type;	   /* FROM_MEMORY */
	enum query_special special;
	enum query_unit unit;
};

struct query {
	enum query_kind kind;
	struct query_column columns[QUERY_COLUMNS_MAX];
	uint32_t count;
};

/* One row's objects; those that a row does not have are NULL. */
struct query_row {
	const struct snapshot *snapshot;
	const struct device *device;  /* the machine's */
	const struct device *share;   /* the process's own figures of that chip */
	const struct process *process;
	const struct buffer *buffer;
};

struct query_value {
	enum { VALUE_MISSING, VALUE_NUMBER, VALUE_SIGNED, VALUE_FLAG, VALUE_TEXT } kind;
	struct fact fact;	  /* of a number: in the column's unit; of what is missing: why */
	const char *text;	  /* not escaped */
	char buffer[40];	  /* where text may lie */
	const char *unit;	  /* "" none */
	bool hundredths;	  /* a number with two decimals */
};

/*
 * query_parse - a list of names with commas. Return: 0; -EINVAL with the first name that is not
 * known (or "" for none at all) in bad_name; -E2BIG for too many.
 */
int query_parse(enum query_kind kind, const char *list, struct query *ret_query,
		char bad_name[QUERY_NAME_MAX]);
/* query_help - every name of a kind with unit and meaning, then the aliases */
void query_help(struct text *text, enum query_kind kind);

/* query_value_of - one cell */
void query_value_of(const struct query_row *row, const struct query_column *column,
		    struct query_value *ret_value);
/* query_unit_of - the unit that stands in the header, "" for none */
const char *query_unit_of(const struct query_column *column);

typedef void query_visitor(void *context, const struct query_row *row);
/* query_visit - every row of a kind, in the order of the picture */
void query_visit(const struct snapshot *snapshot, enum query_kind kind, query_visitor *visit,
		 void *context);

struct query_csv {
	bool no_header, no_units;
};

/* query_write_csv - RFC 4180 quotes where needed; ", " between cells, as nvidia-smi writes it */
void query_write_csv(struct text *text, const struct snapshot *snapshot, const struct query *query,
		     const struct query_csv *csv);
/* query_write_json - one document, or with `lines` one object a line for each row */
void query_write_json(struct text *text, const struct snapshot *snapshot,
		      const struct query *query, bool lines);
/* query_put_cell - a value as CSV shows it, without quotes; for columns of text as well */
void query_put_cell(struct text *text, const struct query_value *value, bool units);
/* query_put_quoted - one cell of CSV, in quotes where it needs them */
void query_put_quoted(struct text *text, const struct text *cell);

#endif
