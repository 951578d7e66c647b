/* SPDX-License-Identifier: Apache-2.0 */
/* Of one size, with frames of two: PLUGIN_BYTES is what a function has on its stack. */
extern "C" void plugin_call(void (*callback)());

namespace {
__attribute__((noinline)) void PLUGIN_NAME(void (*callback)())
{
	volatile char room[PLUGIN_BYTES];

	room[0] = 1;
	callback();
	room[1] = room[0];
}
} // namespace

void plugin_call(void (*callback)())
{
	PLUGIN_NAME(callback);
	asm volatile("");
}
