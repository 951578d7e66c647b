/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model that is not there: what a language model would hold on two cards, said through the report
 * interface. Weights that stay, a cache that grows with each token and starts again, activations in
 * L1 that come and go, and a small leak: one semaphore for each new length of a prompt.
 *
 *     workload UNIQUE_ID UNIQUE_ID     the chips, as UMD would name them (0: not known)
 *
 * It says "holding" when it has got going, and goes on until its standard input ends.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ttmem/ttmem.h>

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

#define CARDS	      2
#define LAYERS	      16
#define TOKENS	      64 /* of one answer */
#define BLOCKS_MAX    1024
#define STEP_MS	      20
#define STEPS_WARM_UP 96

/* An allocation and where it lies in each bank. */
struct block {
	uint64_t key, start, bytes;
};

/* One memory type of a card, blocks sorted by address: first fit from the bottom, L1 from the top. */
struct bank {
	uint64_t base, size, alignment, banks;
	uint32_t type, used;
	struct block blocks[BLOCKS_MAX];
};

struct card {
	ttmemReport_t report;
	uint32_t allocator;
	struct bank dram, l1;
	uint64_t hidden; /* the activations that the last layer left */
};

static uint64_t last_key;

static void tell_failure(const struct card *card, const struct bank *bank, uint64_t bytes)
{
	ttmemReportFailure_t failure;
	uint64_t free_bytes = bank->size, largest = 0, at = bank->base;
	uint32_t i;

	for (i = 0; i <= bank->used; i++) {
		uint64_t next = i < bank->used ? bank->blocks[i].start : bank->base + bank->size;

		largest = next - at > largest ? next - at : largest;
		if (i < bank->used) {
			free_bytes -= bank->blocks[i].bytes;
			at = bank->blocks[i].start + bank->blocks[i].bytes;
		}
	}
	memset(&failure, 0, sizeof failure);
	failure.version = TTMEM_REPORT_FAILURE_VERSION;
	failure.allocator = card->allocator;
	failure.type = bank->type;
	failure.requested_bytes = bytes;
	failure.page_bytes = 2 * KIB;
	failure.bank_free_bytes = free_bytes;
	failure.bank_largest_free_bytes = largest;
	ttmemReportFailure(card->report, &failure);
}

/* Where a block of so many bytes a bank fits; `*place` is its place in the list. 0: nowhere. */
static int find_hole(const struct bank *bank, uint64_t bytes, uint32_t *place, uint64_t *start)
{
	uint64_t at = bank->base;
	uint32_t i;
	int found = 0;

	for (i = 0; i <= bank->used && bank->used < BLOCKS_MAX; i++) {
		uint64_t next = i < bank->used ? bank->blocks[i].start : bank->base + bank->size;

		if (next - at >= bytes) {
			*place = i;
			*start = bank->type == TTMEM_MEMORY_L1 ? next - bytes : at;
			found = 1;
			if (bank->type != TTMEM_MEMORY_L1)
				break;
		}
		if (i < bank->used)
			at = next + bank->blocks[i].bytes;
	}
	return found;
}

/* Interleaved over all banks. Gives the key; 0: it did not fit. */
static uint64_t allocate(struct card *card, struct bank *bank, uint64_t bytes, uint32_t site)
{
	uint64_t share = (bytes + bank->banks - 1) / bank->banks, start;
	uint64_t bank_bytes = (share + bank->alignment - 1) / bank->alignment * bank->alignment;
	ttmemReportBuffer_t buffer;
	uint32_t i;

	if (!find_hole(bank, bank_bytes, &i, &start)) {
		tell_failure(card, bank, bytes);
		return 0;
	}
	memset(&buffer, 0, sizeof buffer);
	buffer.version = TTMEM_REPORT_BUFFER_VERSION;
	buffer.allocator = card->allocator;
	buffer.key = ++last_key;
	buffer.address = start;
	buffer.requested_bytes = bytes;
	buffer.bank_bytes = bank_bytes;
	buffer.page_bytes = bytes < 2 * KIB ? bytes : 2 * KIB;
	buffer.pages = (uint32_t)(bytes / buffer.page_bytes);
	buffer.cores = TTMEM_NONE;
	buffer.type = bank->type;
	buffer.site = site;
	if (ttmemReportAlloc(card->report, &buffer) != TTMEM_SUCCESS)
		return 0;
	memmove(&bank->blocks[i + 1], &bank->blocks[i], (bank->used - i) * sizeof *bank->blocks);
	bank->blocks[i].key = last_key;
	bank->blocks[i].start = start;
	bank->blocks[i].bytes = bank_bytes;
	bank->used++;
	return last_key;
}

static void release(struct card *card, struct bank *bank, uint64_t key)
{
	uint32_t i = 0;

	while (i < bank->used && bank->blocks[i].key != key)
		i++;
	if (key == 0 || i == bank->used)
		return;
	bank->used--;
	memmove(&bank->blocks[i], &bank->blocks[i + 1], (bank->used - i) * sizeof *bank->blocks);
	ttmemReportFree(card->report, key);
}

static void geometry_of(const struct bank *bank, ttmemReportAllocator_t *allocator)
{
	ttmemGeometry_t *geometry = &allocator->geometry[bank->type];

	geometry->banks = (uint32_t)bank->banks;
	geometry->alignment_bytes = (uint32_t)bank->alignment;
	geometry->bank_bytes = bank->size;
	geometry->base_address = bank->base;
}

/* A Blackhole card: eight banks of DRAM, the L1 of 110 cores. */
static ttmemReturn_t card_open(struct card *card, ttmemReport_t report, uint32_t number,
			       uint64_t unique_id)
{
	ttmemReportAllocator_t allocator;
	ttmemReportChip_t chip;

	memset(card, 0, sizeof *card);
	card->report = report;
	card->dram.type = TTMEM_MEMORY_DRAM;
	card->dram.base = 1048704;
	card->dram.size = UINT64_C(4278190080) - 1048704;
	card->dram.alignment = 64;
	card->dram.banks = 8;
	card->l1.type = TTMEM_MEMORY_L1;
	card->l1.base = 111744;
	card->l1.size = 1461120;
	card->l1.alignment = 16;
	card->l1.banks = 110;

	memset(&chip, 0, sizeof chip);
	chip.unique_id = unique_id;
	chip.chip_id = number;
	memset(&allocator, 0, sizeof allocator);
	allocator.version = TTMEM_REPORT_ALLOCATOR_VERSION;
	allocator.arch = TTMEM_ARCH_BLACKHOLE;
	allocator.grid_x = 11;
	allocator.grid_y = 10;
	allocator.l1_bytes_per_core = 1536 * KIB;
	allocator.parent = TTMEM_NONE;
	allocator.chip_count = 1;
	allocator.chips = &chip;
	geometry_of(&card->dram, &allocator);
	geometry_of(&card->l1, &allocator);
	return ttmemReportAllocatorAdd(report, &allocator, &card->allocator);
}

static uint32_t site_of(ttmemReport_t report, const char *op, const char *function, uint32_t line,
			const char *tag)
{
	ttmemReportSite_t site;
	uint32_t id = 0;

	memset(&site, 0, sizeof site);
	site.version = TTMEM_REPORT_SITE_VERSION;
	site.op = op;
	site.file = "model.py";
	site.function = function;
	site.line = line;
	site.tag = tag;
	ttmemReportSite(report, &site, &id);
	return id;
}

struct sites {
	uint32_t weights, cache, activations, semaphore;
};

static void load_weights(struct card *card, const struct sites *sites)
{
	uint32_t layer;

	for (layer = 0; layer < LAYERS; layer++) {
		allocate(card, &card->dram, 96 * MIB, sites->weights);
		allocate(card, &card->dram, 224 * MIB, sites->weights);
	}
}

/* One token on one card: every layer's activations in L1, and a piece of the cache. */
static uint64_t decode(struct card *card, const struct sites *sites, unsigned step)
{
	uint64_t next;
	uint32_t layer;

	for (layer = 0; layer < LAYERS; layer++) {
		next = allocate(card, &card->l1, (512 + 64 * (step % 7)) * KIB, sites->activations);
		release(card, &card->l1, card->hidden);
		card->hidden = next;
	}
	return allocate(card, &card->dram, 4 * MIB, sites->cache);
}

static void start_answer(struct card *card, uint64_t *cache, const struct sites *sites,
			 unsigned step)
{
	unsigned token;

	for (token = 0; token < TOKENS; token++) {
		release(card, &card->dram, cache[token]);
		cache[token] = 0;
	}
	/* the leak: whoever keeps a semaphore by the length of its prompt keeps it for ever */
	if (card->l1.used < BLOCKS_MAX / 2)
		allocate(card, &card->l1, 64, sites->semaphore);
	/* and once in a while somebody asks for too much */
	if (step % (4 * TOKENS) == TOKENS)
		allocate(card, &card->l1, 256 * MIB, sites->activations);
}

static void run(struct card *cards, const struct sites *sites)
{
	static uint64_t cache[CARDS][TOKENS];
	struct pollfd input = {0, POLLIN, 0};
	unsigned step, i;
	char byte[64];

	for (step = 0;; step++) {
		for (i = 0; i < CARDS; i++) {
			if (step % TOKENS == 0)
				start_answer(&cards[i], cache[i], sites, step);
			cache[i][step % TOKENS] = decode(&cards[i], sites, step);
		}
		if (step == STEPS_WARM_UP) {
			printf("holding\n");
			fflush(stdout);
		}
		if (step >= STEPS_WARM_UP && poll(&input, 1, STEP_MS) > 0 &&
		    !fgets(byte, sizeof byte, stdin))
			return;
	}
}

int main(int argc, char **argv)
{
	static struct card cards[CARDS];
	ttmemReportOptions_t options;
	ttmemReport_t report;
	ttmemReturn_t result;
	struct sites sites;
	uint32_t i;

	memset(&options, 0, sizeof options);
	options.version = TTMEM_REPORT_OPTIONS_VERSION;
	options.runtime = "workload";
	result = ttmemReportOpen(&options, &report);
	for (i = 0; result == TTMEM_SUCCESS && i < CARDS; i++)
		result = card_open(&cards[i], report, i,
				   argc > (int)i + 1 ? strtoull(argv[i + 1], NULL, 0) : 0);
	if (result != TTMEM_SUCCESS) {
		fprintf(stderr, "workload: %s\n", ttmemErrorString(result));
		return 1;
	}
	sites.weights = site_of(report, "ttnn.to_device", "load_weights", 31, "weights");
	sites.cache = site_of(report, "ttnn.fill_cache", "Attention.forward", 112, "kv-cache");
	sites.activations = site_of(report, "ttnn.matmul", "Layer.forward", 214, NULL);
	sites.semaphore = site_of(report, "ttnn.create_global_semaphore", "prefill", 77, NULL);
	for (i = 0; i < CARDS; i++)
		load_weights(&cards[i], &sites);
	run(cards, &sites);
	ttmemReportClose(report);
	return 0;
}
