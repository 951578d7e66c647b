/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes: what each that is seen does not tell, and why others are not seen:
 * those that the driver names, and all that have TT-Metal loaded.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "model/capability.h"
#include "source/inspect.h"
#include "tool/doctor.h"

#define WITH_HOOK                                                                                  \
	"ttmem attach brings it in as it runs; else start it with ttmem run -- COMMAND, or with the "  \
	"variables that ttmem env prints"

/* Reasons are strings of the pool: equal ones may lie in it twice. */
static bool is_same_lack(const struct snapshot *s, const struct capability *a,
			 const struct capability *b)
{
	return a->state == b->state &&
	       strcmp(snapshot_text(s, a->reason), snapshot_text(s, b->reason)) == 0;
}

/* Of Python and of our own variables, not of TT-Metal: check_sites() has words for them. */
static bool is_of_sites(const char *name)
{
	return strcmp(name, "sites") == 0 || strcmp(name, "stacks") == 0;
}

/* Everything with this state: the names that share a reason, then the reason. Is any of it vital?
 */
static bool list_lacks(const struct snapshot *s, struct span all, uint8_t state, struct text *list)
{
	const struct capability *c = &s->capabilities[all.first];
	bool is_vital = false;

	for (uint32_t i = 0; i < all.count; i++) {
		bool first = c[i].state == state && !is_of_sites(snapshot_text(s, c[i].name));

		for (uint32_t k = 0; first && k < i; k++)
			first = !is_same_lack(s, &c[k], &c[i]);
		if (!first)
			continue;
		text_puts(list, list->length ? "; " : "");
		for (uint32_t k = i; k < all.count; k++) {
			const char *name = snapshot_text(s, c[k].name);

			if (!is_same_lack(s, &c[k], &c[i]) || is_of_sites(name))
				continue;
			text_printf(list, "%s%s", k > i ? ", " : "", name);
			is_vital |= strcmp(name, "buffers") == 0 || strcmp(name, "frees") == 0;
		}
		if (c[i].reason)
			text_printf(list, " (%s)", snapshot_text(s, c[i].reason));
	}
	return is_vital;
}

/* A runtime that keeps its own books: no TT-Metal, and no hook. */
static bool is_reported(const struct snapshot *s, const struct process *p)
{
	return strcmp(snapshot_text(s, p->entry), "report") == 0;
}

/* It had come by attach, and was sent away again. */
static bool is_detached(const struct snapshot *s, const struct process *p)
{
	const struct capability *c = capability_of(s, p, "buffers");

	return c && c->state == AVAILABLE_OFF &&
	       strcmp(snapshot_text(s, c->reason), "detached") == 0;
}

static void check_capabilities(struct doctor *doctor, const struct snapshot *s,
			       const struct process *p)
{
	bool is_report = is_reported(s, p);
	const struct {
		uint8_t lack;
		enum finding_state state;
		const char *what, *hint;
	} kinds[] = {
	    {AVAILABLE_MISSING, FINDING_UNKNOWN,
	     is_report ? "not told by its report" : "not told by this TT-Metal",
	     is_report ? "nothing to do, unless a newer runtime or ttmem tells it"
		       : "nothing to do, unless a newer TT-Metal or ttmem tells it"},
	    {AVAILABLE_FAILED, FINDING_WARNING, "cannot be read in this TT-Metal",
	     "use a released build of TT-Metal that this ttmem knows, or a newer ttmem"},
	    {AVAILABLE_OFF, FINDING_WARNING, "switched off",
	     "start it without the variable that switches it off"},
	};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		text_auto list = TEXT_INIT;
		bool is_vital = list_lacks(s, p->capabilities, kinds[i].lack, &list);

		if (list.failed)
			doctor->findings->failed = true;
		else if (list.length)
			findings_add(doctor->findings, is_vital ? FINDING_ERROR : kinds[i].state,
				     "capabilities", kinds[i].hint, "%s: %s", kinds[i].what,
				     list.bytes);
	}
}

/*
 * Who allocates: that depends on the Python of the process, and on what it was started with. Where
 * Python's lines are not told the native stack still is, unless it was switched off.
 */
static void check_sites(struct doctor *doctor, const struct snapshot *s, const struct process *p)
{
	static const struct {
		enum finding_state state;
		const char *words, *hint;
	} kinds[] = {
	    [AVAILABLE_PRESENT] = {FINDING_OK, "who allocates is told", ""},
	    [AVAILABLE_MISSING] = {FINDING_UNKNOWN, "who allocates is not told", "nothing to do"},
	    [AVAILABLE_FAILED] = {FINDING_WARNING, "which line of Python allocates cannot be told",
				  "run it with CPython 3.10 to 3.13, or with a newer ttmem; the "
				  "native stack is told all the same"},
	    [AVAILABLE_OFF] = {FINDING_WARNING, "who allocates is switched off",
			       "start it without TTMEM_SITES=off"},
	    [AVAILABLE_UNKNOWN] = {FINDING_UNKNOWN, "who allocates is not told yet",
				   "look again when it has allocated something"},
	};
	const struct capability *c = capability_of(s, p, "sites");

	if (!c || c->state >= sizeof kinds / sizeof kinds[0])
		return;
	const char *reason = snapshot_text(s, c->reason);
	/* told, but not as somebody wanted it */
	bool is_typo = c->state == AVAILABLE_PRESENT && strstr(reason, "TTMEM_SITES is n");

	findings_add(doctor->findings, is_typo ? FINDING_WARNING : kinds[c->state].state, "sites",
		     is_typo ? "TTMEM_SITES is off, python, native or all" : kinds[c->state].hint,
		     "%s%s%.150s", kinds[c->state].words, *reason ? ": " : "", reason);
	c = capability_of(s, p, "stacks");
	if (c && c->state != AVAILABLE_PRESENT)
		findings_add(doctor->findings, FINDING_UNKNOWN, "stacks",
			     "nothing to do: lines of Python are told without it",
			     "no native stack can be taken in it: %.150s", snapshot_text(s, c->reason));
}

/* Missing and failed ones are among the capabilities above; here is what only takes its time. */
static void check_incomplete(struct doctor *doctor, const struct snapshot *s,
			     const struct process *p)
{
	const struct capability *c = incomplete_reason(s, p);

	if (c && c->state == AVAILABLE_UNKNOWN)
		findings_add(doctor->findings, FINDING_UNKNOWN, "before_attach",
			     "nothing to do: look again when it has allocated or freed something",
			     "what it held when the hook came is not seen yet: %.100s",
			     snapshot_text(s, c->reason));
}

static void check_losses(struct doctor *doctor, const struct process *p)
{
	const struct {
		uint64_t count;
		const char *why, *hint;
	} kinds[] = {
	    {p->losses.full, "its table is full",
	     "a table holds 1,048,576 live buffers: allocate fewer and larger ones"},
	    {p->losses.memory, "the kernel gave no memory for its table",
	     "raise the memory limit of its container or cgroup"},
	    {p->losses.allocator, "the geometry of their allocator is not known",
	     "use a released build of TT-Metal that this ttmem knows"},
	    {p->losses.key, "their address is out of range", "report it"},
	};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kinds[i].count)
			findings_add(doctor->findings, FINDING_WARNING, "losses", kinds[i].hint,
				     "%" PRIu64 " buffer%s not recorded: %s", kinds[i].count,
				     kinds[i].count == 1 ? "" : "s", kinds[i].why);
}

static void check_seen(struct doctor *doctor, const struct snapshot *s, const struct process *p)
{
	const char *version = snapshot_text(s, p->metal_version);
	/* "preload", "python", "attach", "report": the way it came in */
	const char *entry = snapshot_text(s, p->entry);

	findings_subject(doctor->findings, "process %u", p->pid);
	if (is_detached(s, p)) {
		findings_add(doctor->findings, FINDING_WARNING, "detached",
			     "ttmem attach brings the hook back",
			     "the hook was taken out of it by ttmem detach: its memory is not seen");
		return;
	}
	findings_add(doctor->findings, FINDING_OK, "seen", "",
		     "reports its memory (by %s, %s %s, %u allocator%s, %" PRIu64
		     " buffer%s): %.200s",
		     entry[0] ? entry : "an unknown way", is_reported(s, p) ? "runtime" : "TT-Metal",
		     version[0] ? version : "of an unknown build", p->allocators.count,
		     p->allocators.count == 1 ? "" : "s", p->live_buffers,
		     p->live_buffers == 1 ? "" : "s", p->hidden ? "of another user" : snapshot_text(s, p->command));
	if (p->hidden)
		return;
	check_capabilities(doctor, s, p);
	check_sites(doctor, s, p);
	check_incomplete(doctor, s, p);
	check_losses(doctor, p);
}

/* Its hook is not loaded: why not? */
static void say_not_loaded(struct doctor *doctor, const struct inspection *i)
{
	struct findings *f = doctor->findings;

	if (i->is_secure)
		findings_add(
		    f, FINDING_WARNING, "hook",
		    "run it without setuid, setgid and file capabilities",
		    "%s is loaded without the hook: the loader ignores LD_PRELOAD in a program "
		    "with raised privileges",
		    i->metal);
	else if (i->preload_is_missing)
		findings_add(f, FINDING_WARNING, "preload",
			     "mount the hook's directory into its container under the same path",
			     "it was told to load %s, which does not exist in its file system",
			     i->preload);
	else if (i->is_preloaded)
		findings_add(
		    f, FINDING_WARNING, "preload",
		    "run it with LD_DEBUG=files, which says why; is it another architecture?",
		    "it was told to load %s, and did not", i->preload);
	else if (i->other_mounts)
		findings_add(
		    f, FINDING_WARNING, "hook",
		    "mount the hook into its container and start it with the variables that "
		    "ttmem env prints",
		    "%s is loaded without the hook, in a container", i->metal);
	else
		findings_add(f, FINDING_WARNING, "hook", WITH_HOOK, "%s is loaded without the hook",
			     i->metal);
}

static void say_not_metal(struct doctor *doctor, const struct inspection *i)
{
	if (i->is_static)
		findings_add(doctor->findings, FINDING_WARNING, "static",
			     "link it with TT-Metal's shared library",
			     "it is linked statically: no hook can be loaded into it");
	else
		findings_add(
		    doctor->findings, FINDING_UNKNOWN, "hook",
		    "nothing to do for a tool such as tt-smi; else link TT-Metal as a shared "
		    "library",
		    "it has a card open, and no library of TT-Metal is loaded in it");
}

static void say_unseen(struct doctor *doctor, const struct inspection *i)
{
	struct findings *f = doctor->findings;

	if (!i->exists)
		findings_add(f, FINDING_UNKNOWN, "process", "look again",
			     inspect_hides_processes(doctor->root)
				 ? "/proc is mounted with hidepid: it is not shown to you"
				 : "it is not there any more");
	else if (i->is_denied)
		findings_add(f, FINDING_WARNING, "permission",
			     "ask as its owner or as root, or let root run ttmemd",
			     "it has a card open, and you may not look into it");
	else if (!i->has_maps)
		findings_add(
		    f, FINDING_WARNING, "process", "look again, as root",
		    "it has a card open and keeps no table; why, cannot be read from /proc");
	else if (!i->has_metal)
		say_not_metal(doctor, i);
	else if (i->is_off)
		findings_add(f, FINDING_WARNING, "off", "start it without TTMEM=off",
			     "it was started with TTMEM=off and keeps no table");
	else if (i->has_hook)
		findings_add(f, FINDING_UNKNOWN, "hook", "look again when it has opened a device",
			     "the hook is loaded, and it has allocated nothing so far");
	else
		say_not_loaded(doctor, i);
}

static bool is_seen(const struct doctor *doctor, uint32_t pid)
{
	return doctor_live(&doctor->own, pid) != SNAPSHOT_NONE ||
	       doctor_live(&doctor->served, pid) != SNAPSHOT_NONE;
}

static bool is_user(const struct snapshot *s, uint32_t pid)
{
	for (uint32_t i = 0; i < s->process_count; i++)
		if (s->processes[i].pid == pid && s->processes[i].source == SOURCE_DRIVER)
			return true;
	return false;
}

/* A process that the driver names, and that keeps no table. */
static void check_user(struct doctor *doctor, const struct process *p)
{
	struct inspection inspection;

	findings_subject(doctor->findings, "process %u", p->pid);
	if (p->state == PROCESS_GONE) {
		findings_add(
		    doctor->findings, FINDING_WARNING, "process",
		    "end the child that still has the card open (ls -l /proc/*/fd, as root)",
		    "it has ended, and a card is still open in its name");
		return;
	}
	inspect_process(doctor->root, p->pid, &inspection);
	say_unseen(doctor, &inspection);
}

/* Everybody with TT-Metal loaded, whether or not there is a driver that names them. */
static void check_others(struct doctor *doctor)
{
	int fd = openat(doctor->root, "proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *proc = fd < 0 ? NULL : fdopendir(fd);

	for (struct dirent *entry; proc && (entry = readdir(proc));) {
		struct inspection inspection;
		uint32_t pid = (uint32_t)strtoul(entry->d_name, NULL, 10);

		if (!isdigit((unsigned char)entry->d_name[0]) || is_seen(doctor, pid) ||
		    is_user(&doctor->own.picture, pid))
			continue;
		inspect_process(doctor->root, pid, &inspection);
		if (!inspection.has_metal)
			continue;
		findings_subject(doctor->findings, "process %u", pid);
		say_unseen(doctor, &inspection);
	}
	if (proc)
		(void)closedir(proc);
	else if (fd >= 0)
		(void)close(fd);
}

static void check_look(struct doctor *doctor, const struct doctor_look *look)
{
	for (uint32_t i = 0; look->is_there && i < look->picture.process_count; i++) {
		const struct process *p = &look->picture.processes[i];

		if (look != &doctor->own && doctor_same(&doctor->own, p) != SNAPSHOT_NONE)
			continue;
		if (p->source == SOURCE_HOOK && p->state == PROCESS_LIVE)
			check_seen(doctor, &look->picture, p);
		else if (p->source == SOURCE_DRIVER && look == &doctor->own &&
			 !is_seen(doctor, p->pid))
			check_user(doctor, p);
	}
}

static void check_reach(struct doctor *doctor)
{
	const struct collect_notes *notes = &doctor->notes;

	findings_subject(doctor->findings, "processes");
	if (notes->tables_refused)
		findings_add(doctor->findings, FINDING_WARNING, "table",
			     "use hook and tool of one version; else somebody forges tables",
			     "tables that were refused: %u, the last one of process %u: %s",
			     notes->tables_refused, notes->last_refused_pid,
			     region_refusal_text(notes->last_refusal));
	if (geteuid() != 0 && inspect_hides_processes(doctor->root))
		findings_add(doctor->findings, FINDING_WARNING, "hidepid",
			     "ask root, or let root run ttmemd",
			     "/proc is mounted with hidepid: processes of others are not shown");
	if (notes->processes_denied)
		findings_add(doctor->findings, FINDING_UNKNOWN, "permission",
			     "ask root, or let root run ttmemd",
			     "%u of %u processes belong to others: whether they use a card is only "
			     "known from the driver",
			     notes->processes_denied, notes->processes_seen);
}

void doctor_check_processes(struct doctor *doctor)
{
	uint32_t before = doctor->findings->count;

	check_look(doctor, &doctor->own);
	check_look(doctor, &doctor->served);
	check_others(doctor);
	check_reach(doctor);
	if (doctor->findings->count != before)
		return;
	findings_subject(doctor->findings, "processes");
	findings_add(doctor->findings, FINDING_OK, "seen", "",
		     "none of %u uses TT-Metal or has a card open", doctor->notes.processes_seen);
}
