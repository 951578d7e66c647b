/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/stack_rules.h"

#include <errno.h>
#include <string.h>

#define REGISTER_RBP 6u
#define REGISTER_RSP 7u
#define REGISTER_RA  16u

#define STATES_MAX 8 /* remembered; compilers use one */

/* Bytes that are read from the front; a read beyond the end gives zeros and is remembered. */
struct bytes {
	const uint8_t *at, *end;
	bool is_short;
};

static uint64_t take(struct bytes *bytes, size_t size)
{
	uint64_t value = 0;

	if ((size_t)(bytes->end - bytes->at) < size) {
		bytes->is_short = true;
		bytes->at = bytes->end;
		return 0;
	}
	memcpy(&value, bytes->at, size);
	bytes->at += size;
	return value;
}

/* Seven bits a byte, lowest first. `ret_bits`: how many there were; the highest one is a sign. */
static uint64_t take_leb(struct bytes *bytes, unsigned *ret_bits)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = (uint8_t)take(bytes, 1);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	*ret_bits = shift;
	return value;
}

static uint64_t take_uleb(struct bytes *bytes)
{
	unsigned bits;

	return take_leb(bytes, &bits);
}

static int64_t take_sleb(struct bytes *bytes)
{
	unsigned bits;
	uint64_t value = take_leb(bytes, &bits);

	if (bits < 64 && value >> (bits - 1) & 1)
		value |= UINT64_MAX << bits;
	return (int64_t)value;
}

/* Bytes of a pointer in this encoding (DW_EH_PE_*); 0: not understood. */
static size_t encoded_bytes(uint8_t encoding)
{
	static const uint8_t sizes[16] = {
		[0x0] = 8, [0x2] = 2, [0x3] = 4, [0x4] = 8, [0xa] = 2, [0xb] = 4, [0xc] = 8};

	return encoding == 0xff || (encoding & 0x70) == 0x50 ? 0 : sizes[encoding & 0x0f];
}

/* A length and what it covers; 64-bit DWARF does not occur. */
static int open_record(const uint8_t *record, struct bytes *ret_bytes)
{
	uint32_t length;

	memcpy(&length, record, sizeof length);
	if (length == 0 || length == UINT32_MAX)
		return -ENOTSUP;
	*ret_bytes = (struct bytes){record + sizeof length, record + sizeof length + length, false};
	return 0;
}

struct common { /* a CIE */
	struct bytes program;
	uint64_t code_factor;
	int64_t data_factor;
	uint8_t encoding;
	bool has_data; /* its FDEs carry augmentation data */
};

static int read_augmentation(const char *names, struct bytes *bytes, struct common *common)
{
	uint64_t length = take_uleb(bytes);
	struct bytes data = *bytes;

	if (length > (uint64_t)(bytes->end - bytes->at))
		return -ENOTSUP;
	data.end = data.at + length;
	for (; *names; names++) {
		uint8_t encoding;

		switch (*names) {
		case 'R':
			common->encoding = (uint8_t)take(&data, 1);
			break;
		case 'L':
			(void)take(&data, 1);
			break;
		case 'P':
			encoding = (uint8_t)take(&data, 1);
			if (!encoded_bytes(encoding))
				return -ENOTSUP;
			(void)take(&data, encoded_bytes(encoding));
			break;
		default: /* 'S', a signal's frame, among them */
			return -ENOTSUP;
		}
	}
	bytes->at += length;
	return data.is_short ? -ENOTSUP : 0;
}

static int read_common(const uint8_t *cie, struct common *ret_common)
{
	struct common common = {0};
	struct bytes bytes;
	int r = open_record(cie, &bytes);

	if (r < 0)
		return r;
	uint64_t id = take(&bytes, 4), version = take(&bytes, 1);
	const char *names = (const char *)bytes.at;
	size_t length = strnlen(names, (size_t)(bytes.end - bytes.at));

	if (id != 0 || (version != 1 && version != 3) || names + length == (const char *)bytes.end)
		return -ENOTSUP;
	bytes.at += length + 1;
	common.code_factor = take_uleb(&bytes);
	common.data_factor = take_sleb(&bytes);
	uint64_t ra = version == 1 ? take(&bytes, 1) : take_uleb(&bytes);

	if (ra != REGISTER_RA || (*names && *names != 'z'))
		return -ENOTSUP;
	common.has_data = *names == 'z';
	r = common.has_data ? read_augmentation(names + 1, &bytes, &common) : 0;
	common.program = bytes;
	*ret_common = common;
	return bytes.is_short ? -ENOTSUP : r;
}

struct state {
	struct stack_rule rule;
	bool has_ra; /* the return address lies at CFA - 8 */
	bool is_end; /* there is none */
	bool is_lost; /* a register was put where we do not follow */
	bool cfa_is_lost; /* likewise, until the next rule for the CFA */
};

struct machine {
	const struct common *common;
	struct state now, initial, kept[STATES_MAX];
	unsigned kept_count;
	uint64_t location, wanted;
};

static void set_cfa(struct state *state, uint64_t reg, int64_t offset)
{
	state->rule.cfa = reg == REGISTER_RSP ? STACK_CFA_RSP
			  : reg == REGISTER_RBP ? STACK_CFA_RBP
						: STACK_CFA_NONE;
	state->cfa_is_lost = state->rule.cfa == STACK_CFA_NONE || offset < INT32_MIN ||
			     offset > INT32_MAX;
	state->rule.cfa_offset = (int32_t)offset;
}

static void saved_at_cfa(struct state *state, uint64_t reg, int64_t offset)
{
	if (reg == REGISTER_RA) {
		state->has_ra = offset == -8;
		state->is_end = false;
	} else if (reg == REGISTER_RBP) {
		state->rule.rbp = STACK_RBP_AT_CFA;
		state->rule.rbp_offset = (int32_t)offset;
		state->is_lost |= offset < INT32_MIN || offset > INT32_MAX;
	}
}

static void restore(struct machine *machine, uint64_t reg)
{
	if (reg == REGISTER_RBP) {
		machine->now.rule.rbp = machine->initial.rule.rbp;
		machine->now.rule.rbp_offset = machine->initial.rule.rbp_offset;
	} else if (reg == REGISTER_RA) {
		machine->now.has_ra = machine->initial.has_ra;
		machine->now.is_end = machine->initial.is_end;
	}
}

/* Expressions: rbp + n, and with `deref` what lies there. Everything else is not understood. */
static bool is_by_rbp(struct bytes *bytes, bool deref, int32_t *ret_offset)
{
	uint64_t length = take_uleb(bytes);
	struct bytes inner = *bytes;

	if (length > (uint64_t)(bytes->end - bytes->at)) {
		bytes->is_short = true;
		return false;
	}
	bytes->at += length;
	inner.end = inner.at + length;
	bool is_breg = take(&inner, 1) == 0x70 + REGISTER_RBP;
	int64_t offset = take_sleb(&inner);

	*ret_offset = (int32_t)offset;
	return is_breg && offset >= INT32_MIN && offset <= INT32_MAX &&
	       (!deref || take(&inner, 1) == 0x06) && !inner.is_short && inner.at == inner.end;
}

static void advance(struct machine *machine, uint64_t delta)
{
	machine->location += delta * machine->common->code_factor;
}

/* What names a register and nothing else of interest. Return: it was one of these. */
static bool step_register(struct machine *machine, uint8_t op, struct bytes *bytes)
{
	struct state *now = &machine->now;
	int64_t factor = machine->common->data_factor;
	uint64_t reg;
	int32_t offset;
	bool by_rbp;

	switch (op) {
	case 0x05: /* offset_extended */
		reg = take_uleb(bytes);
		saved_at_cfa(now, reg, (int64_t)take_uleb(bytes) * factor);
		return true;
	case 0x11: /* offset_extended_sf */
		reg = take_uleb(bytes);
		saved_at_cfa(now, reg, take_sleb(bytes) * factor);
		return true;
	case 0x06: /* restore_extended */
		restore(machine, take_uleb(bytes));
		return true;
	case 0x07: /* undefined */
		reg = take_uleb(bytes);
		now->is_end |= reg == REGISTER_RA;
		now->is_lost |= reg == REGISTER_RBP && !now->is_end;
		return true;
	case 0x08: /* same_value */
		if (take_uleb(bytes) == REGISTER_RBP)
			now->rule.rbp = STACK_RBP_SAME;
		return true;
	case 0x09: /* register */
		reg = take_uleb(bytes);
		(void)take_uleb(bytes);
		now->is_lost |= reg == REGISTER_RA || reg == REGISTER_RBP;
		return true;
	case 0x10: /* expression */
		reg = take_uleb(bytes);
		by_rbp = is_by_rbp(bytes, false, &offset);

		if (reg == REGISTER_RBP && by_rbp) {
			now->rule.rbp = STACK_RBP_AT_RBP;
			now->rule.rbp_offset = offset;
		}
		now->is_lost |= reg == REGISTER_RA || (reg == REGISTER_RBP && !by_rbp);
		return true;
	default:
		return false;
	}
}

static bool step_cfa(struct machine *machine, uint8_t op, struct bytes *bytes)
{
	struct state *now = &machine->now;
	int64_t factor = machine->common->data_factor;
	uint64_t reg;

	switch (op) {
	case 0x0c: /* def_cfa */
		reg = take_uleb(bytes);
		set_cfa(now, reg, (int64_t)take_uleb(bytes));
		return true;
	case 0x12: /* def_cfa_sf */
		reg = take_uleb(bytes);
		set_cfa(now, reg, take_sleb(bytes) * factor);
		return true;
	case 0x0d: /* def_cfa_register */
		set_cfa(now, take_uleb(bytes), now->rule.cfa_offset);
		return true;
	case 0x0e: /* def_cfa_offset */
		now->rule.cfa_offset = (int32_t)take_uleb(bytes);
		return true;
	case 0x13: /* def_cfa_offset_sf */
		now->rule.cfa_offset = (int32_t)(take_sleb(bytes) * factor);
		return true;
	case 0x0f: /* def_cfa_expression */
		now->rule.cfa = STACK_CFA_AT_RBP;
		now->cfa_is_lost = !is_by_rbp(bytes, true, &now->rule.cfa_offset);
		return true;
	default:
		return false;
	}
}

static int step_state(struct machine *machine, uint8_t op, struct bytes *bytes)
{
	switch (op) {
	case 0x00: /* nop */
		return 0;
	case 0x02:
		advance(machine, take(bytes, 1));
		return 0;
	case 0x03:
		advance(machine, take(bytes, 2));
		return 0;
	case 0x04:
		advance(machine, take(bytes, 4));
		return 0;
	case 0x0a: /* remember_state */
		if (machine->kept_count == STATES_MAX)
			return -ENOTSUP;
		machine->kept[machine->kept_count++] = machine->now;
		return 0;
	case 0x0b: /* restore_state */
		if (machine->kept_count == 0)
			return -ENOTSUP;
		machine->now = machine->kept[--machine->kept_count];
		return 0;
	case 0x2e: /* GNU_args_size: for exceptions only */
		(void)take_uleb(bytes);
		return 0;
	default:
		return -ENOTSUP;
	}
}

/* Runs a program up to the wanted address. */
static int run(struct machine *machine, struct bytes bytes)
{
	while (bytes.at < bytes.end) {
		uint8_t op = (uint8_t)take(&bytes, 1), low = op & 0x3f;
		int r = 0;

		switch (op >> 6) {
		case 1:
			advance(machine, low);
			break;
		case 2:
			saved_at_cfa(&machine->now, low,
				     (int64_t)take_uleb(&bytes) * machine->common->data_factor);
			break;
		case 3:
			restore(machine, low);
			break;
		default:
			if (!step_register(machine, op, &bytes) && !step_cfa(machine, op, &bytes))
				r = step_state(machine, op, &bytes);
		}
		/* the rest is for addresses behind the wanted one */
		if (machine->location > machine->wanted)
			return 0;
		if (r < 0 || bytes.is_short)
			return -ENOTSUP;
	}
	return 0;
}

int stack_rule_build(const uint8_t *fde, uint64_t start, uint64_t address,
		     struct stack_rule *ret_rule)
{
	struct common common;
	struct bytes bytes;
	int r = open_record(fde, &bytes);

	if (r < 0)
		return r;
	const uint8_t *delta_at = bytes.at;
	uint32_t delta = (uint32_t)take(&bytes, 4);

	r = delta ? read_common(delta_at - delta, &common) : -ENOTSUP;
	size_t pointer = r == 0 ? encoded_bytes(common.encoding) : 0;

	if (pointer == 0)
		return -ENOTSUP;
	(void)take(&bytes, pointer); /* where it begins: known; then its length in the same form */
	(void)take(&bytes, pointer);
	if (common.has_data) {
		uint64_t length = take_uleb(&bytes);

		if (length > (uint64_t)(bytes.end - bytes.at))
			return -ENOTSUP;
		bytes.at += length;
	}
	struct machine machine = {.common = &common, .location = start, .wanted = address};

	r = run(&machine, common.program);
	machine.initial = machine.now;
	machine.location = start;
	if (r == 0)
		r = run(&machine, bytes);
	if (r < 0)
		return r;
	if (machine.now.is_end)
		machine.now.rule = (struct stack_rule){.cfa = STACK_CFA_NONE};
	else if (machine.now.is_lost || machine.now.cfa_is_lost || !machine.now.has_ra ||
		 machine.now.rule.cfa == STACK_CFA_NONE)
		return -ENOTSUP;
	*ret_rule = machine.now.rule;
	return 0;
}
