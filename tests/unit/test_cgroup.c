/* SPDX-License-Identifier: Apache-2.0 */
/* Containers by their cgroup paths, in the forms that the runtimes write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "source/cgroup.h"

#define ID "4f1c0a9b8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a"
#define UID "0f8fad5b-d9cb-469f-a165-70867728950e"

static void is(const char *text, const char *id, const char *pod)
{
	struct container container;

	cgroup_parse(text, &container);
	assert_string_equal(container.id, id);
	assert_string_equal(container.pod, pod);
}

static void test_runtimes(void **state)
{
	(void)state;
	is("0::/system.slice/docker-" ID ".scope\n", ID, "");
	is("12:memory:/docker/" ID "\n0::/docker/" ID "\n", ID, "");
	is("0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope/container\n",
	   ID, "");
	is("0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-"
	   "pod0f8fad5b_d9cb_469f_a165_70867728950e.slice/cri-containerd-" ID ".scope\n",
	   ID, UID);
	is("11:cpu:/kubepods/besteffort/pod" UID "/" ID "\n", ID, UID);
}

static void test_nothing(void **state)
{
	(void)state;
	is("", "", "");
	is("0::/\n", "", "");
	is("0::/user.slice/user-1000.slice/session-3.scope\n", "", "");
	is("0::/podman-things/pod-without-uid\n", "", "");
	is("0::/" ID "0\n", "", "");		     /* one digit too many */
	is("0::/pod0f8fad5b-d9cb-469f-a165\n", "", ""); /* cut off */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runtimes),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
