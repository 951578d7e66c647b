/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ttmem doctor: per device, process and source whether it is seen, why not and
 * what to do; and whether the figures that are seen agree with each other.
 */
#include "tool/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "api/json_doctor.h"
#include "base/clock.h"
#include "tool/exit_codes.h"
#include "tool/view_options.h"
#include "view/doctor.h"

static const struct option_row rows[] = {VIEW_OPTION_ROWS, {0}};

static int on_option(void *context, unsigned row, const char *value)
{
	return view_option(context, row, value);
}

static int examine(struct doctor *doctor)
{
	int r = doctor_look_own(doctor);

	if (r < 0)
		return r;
	doctor_check_machine(doctor);
	doctor_find_servers(doctor);
	r = doctor_look_served(doctor);
	if (r < 0)
		return r;
	doctor_check_servers(doctor);
	doctor_check_processes(doctor);
	r = doctor_check_books(doctor);
	return r < 0 ? r : doctor->findings->failed ? -ENOMEM : 0;
}

static int write_findings(const struct view_options *view, const struct findings *findings)
{
	text_auto text = TEXT_INIT;

	if (view->format == FORMAT_JSON) {
		json_write_findings(&text, findings, clock_realtime_ns());
		text_putc(&text, '\n');
	} else {
		struct style style = view_style(view);

		doctor_write(&text, findings, &style);
	}
	int r = output_text(&text);

	if (r < 0)
		return r == -EPIPE ? r : EXIT_FAILED;
	return findings_wrong(findings) ? EXIT_FINDINGS : EXIT_OK;
}

static int once(void *context)
{
	const struct view_options *view = context;
	struct findings findings = FINDINGS_INIT;
	struct doctor doctor = {
	    .findings = &findings,
	    .root_path = view->root,
	    .no_server = view->no_server,
	    .root = open(view->root ? view->root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC),
	};
	int r = doctor.root < 0 ? -errno : examine(&doctor);

	r = r < 0 ? view_failed(r) : write_findings(view, &findings);
	doctor_look_clear(&doctor.own);
	doctor_look_clear(&doctor.served);
	findings_clear(&findings);
	if (doctor.root >= 0)
		(void)close(doctor.root);
	return r;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct view_options view = {0};
	int rest, r = options_parse(command, argc, argv, on_option, &view, &rest);

	if (r >= 0)
		return r;
	if (rest < argc)
		return usage_error(command, "what is %s?", argv[rest]);
	return view_repeat(&view, once, &view);
}

const struct command command_doctor = {
    .name = "doctor",
    .synopsis = "[OPTIONS]",
    .summary = "Says what is not seen, why, and what to do, and checks the figures.",
    .options = rows,
    .run = run,
};
