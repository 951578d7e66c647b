/* SPDX-License-Identifier: Apache-2.0 */
/* ttmemd: options, then the server until a signal ends it. Stays in the foreground. */
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "server/server.h"

static void usage(FILE *out)
{
	fputs("usage: ttmemd [OPTIONS]\n\n"
	      "Knows every live device buffer of every process that reports, and answers ttmem.\n\n"
	      "  --socket-dir=DIR   where its sockets are (root: /run/ttmem, else\n"
	      "                     $XDG_RUNTIME_DIR/ttmem); applications look there and in\n"
	      "                     $TTMEM_SOCKET_DIR\n"
	      "  --sample=SEC       how often processes are looked at (default 1)\n"
	      "  --share=WHO        whose details a user sees: own (default), group or all\n"
	      "  --growth           watch from the start what grows, not only once asked\n"
	      "  --root=DIR         look for devices below DIR instead of /\n"
	      "  --version          print the version\n"
	      "  -h, --help         this text\n\n"
	      "It stays in the foreground and logs to standard error. SIGTERM or SIGINT ends it.\n",
	      out);
}

static int parse_share(const char *text, enum policy_share *ret_share)
{
	static const char *const names[] = {"own", "group", "all"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(text, names[i]) == 0) {
			*ret_share = (enum policy_share)i;
			return 0;
		}
	return -1;
}

static int parse_seconds(const char *text, uint64_t *ret_ms)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds >= 0.05 && seconds <= 3600))
		return -1;
	*ret_ms = (uint64_t)(seconds * 1000);
	return 0;
}

/* Return: -1 to go on, else the exit code. */
static int parse(int argc, char **argv, struct server_options *options)
{
	static const struct option longs[] = {
		{"socket-dir", required_argument, NULL, 'd'},
		{"sample", required_argument, NULL, 's'},
		{"share", required_argument, NULL, 'w'},
		{"root", required_argument, NULL, 'r'},
		{"growth", no_argument, NULL, 'g'},
		{"growth-every", required_argument, NULL, 'e'}, /* for tests: not in the usage */
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (option) {
		case 'd':
			options->socket_dir = optarg;
			break;
		case 's':
			if (parse_seconds(optarg, &options->sample_ms) < 0) {
				fprintf(stderr, "ttmemd: --sample: not a time: %s\n", optarg);
				return 2;
			}
			break;
		case 'w':
			if (parse_share(optarg, &options->share) < 0) {
				fprintf(stderr, "ttmemd: --share: own, group or all, not %s\n",
					optarg);
				return 2;
			}
			break;
		case 'r':
			options->root = optarg;
			break;
		case 'g':
			options->growth = true;
			break;
		case 'e':
			if (duration_parse(optarg, &options->growth_every_ns) < 0) {
				fprintf(stderr, "ttmemd: --growth-every: not a time: %s\n", optarg);
				return 2;
			}
			break;
		case 'v':
			puts("ttmemd " TTMEM_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "ttmemd: what is %s?\n", argv[optind]);
		return 2;
	}
	return -1;
}

/*
 * Every request builds a snapshot and a document and throws them away. Given back to the kernel
 * each time, their pages cost more than filling them does.
 */
#define HEAP_KEPT_BYTES (4 << 20)

int main(int argc, char **argv)
{
	struct server_options options = {.sample_ms = 1000};
	static struct server server;
	int r = parse(argc, argv, &options);

	if (r >= 0)
		return r;
	(void)mallopt(M_MMAP_THRESHOLD, HEAP_KEPT_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_KEPT_BYTES);
	r = server_start(&server, &options);
	if (r == 0)
		r = server_run(&server);
	server_stop(&server);
	return r;
}
