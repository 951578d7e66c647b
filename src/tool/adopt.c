/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ttmem adopt: root finds the tables of processes that cannot reach a server
 * (a container without its socket directory) and hands them to a server that
 * may not look for them itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "base/socket.h"
#include "collect/tables.h"
#include "region/send.h"
#include "tool/exit_codes.h"
#include "tool/options.h"
#include "tool/output.h"

static const struct option_row rows[] = {
	{"pid", 'p', ARGUMENT_REQUIRED, "PID", "only this process", NULL},
	{"socket-dir", 0, ARGUMENT_REQUIRED, "DIR", "the server's directory (default /run/ttmem)",
	 NULL},
	{0},
};

struct request {
	uint32_t pid;
	const char *directory;
	uint32_t handed_over;
	int error;
};

static int on_option(void *context, unsigned row, const char *value)
{
	struct request *request = context;
	uint64_t pid;

	if (row == 1) {
		request->directory = value;
		return 0;
	}
	if (parse_u64(value, &pid) < 0 || pid == 0 || pid > UINT32_MAX)
		return EXIT_USAGE;
	request->pid = (uint32_t)pid;
	return 0;
}

static int connect_to(const char *directory)
{
	struct sockaddr_un address;
	char path[256];
	int r;

	(void)snprintf(path, sizeof path, "%s/" REGISTRATION_SOCKET, directory);
	r = socket_address(path, &address);
	if (r < 0)
		return r;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		r = -errno;
		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	return fd;
}

static int hand_over(void *argument, struct region_map *map, uint32_t pid, uint32_t uid,
		     enum process_state state)
{
	struct request *request = argument;
	const struct registration message = {
		.magic = REGISTRATION_MAGIC,
		.version = REGISTRATION_VERSION,
		.line = REGISTRATION_LINES - 1,
		.kind = REGISTRATION_ADOPTED,
		.pid = pid,
	};

	(void)uid;
	if (state != PROCESS_LIVE)
		return 0;
	fd_auto control = tables_open_control(pid);
	fd_auto server = connect_to(request->directory);

	request->error = server < 0 ? server : 0;
	if (server >= 0 && control >= 0)
		request->error = send_registration(server, &message, map->fd, control);
	if (request->error < 0)
		return request->error;
	request->handed_over += control >= 0;
	return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct request request = {.directory = "/run/ttmem"};
	int rest, r = options_parse(command, argc, argv, on_option, &request, &rest);

	if (r >= 0)
		return r;
	if (rest < argc)
		return usage_error(command, "what is %s?", argv[rest]);
	if (geteuid() != 0) {
		output_error("denied", "become root", "only root may hand over other processes' tables");
		return EXIT_PERMISSION;
	}
	const struct collect_options options = {.pid = request.pid};

	r = tables_visit(&options, hand_over, &request, NULL);
	if (r < 0) {
		output_error("no_server", "is ttmemd running there? --socket-dir names its directory",
			     "cannot hand over to the server at %s: %s", request.directory,
			     strerror(-r));
		return EXIT_FAILED;
	}
	printf("%" PRIu32 " process%s handed over to %s\n", request.handed_over,
	       request.handed_over == 1 ? "" : "es", request.directory);
	return request.pid && request.handed_over == 0 ? EXIT_NOT_FOUND : EXIT_OK;
}

const struct command command_adopt = {
	.name = "adopt",
	.synopsis = "[--pid=PID] [--socket-dir=DIR]",
	.summary = "Root: hands the tables of processes that cannot reach a server to it.",
	.options = rows,
	.run = run,
};
