/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "lib/lib.h"

const char *ttmemErrorString(ttmemReturn_t result)
{
	switch (result) {
	case TTMEM_SUCCESS:
		return "success";
	case TTMEM_ERROR_INVALID_ARGUMENT:
		return "invalid argument";
	case TTMEM_ERROR_NOT_FOUND:
		return "not found";
	case TTMEM_ERROR_INSUFFICIENT_SIZE:
		return "the array has too little room";
	case TTMEM_ERROR_VERSION:
		return "a version of this struct that the library does not know";
	case TTMEM_ERROR_MEMORY:
		return "no memory, or no room left in the table";
	case TTMEM_ERROR_NO_PERMISSION:
		return "not for this user";
	case TTMEM_ERROR_NO_SERVER:
		return "no server answers";
	case TTMEM_ERROR_OFF:
		return "switched off, or the table could not be made";
	case TTMEM_ERROR_UNKNOWN:
		break;
	}
	return "unknown error";
}

const char *ttmemVersionString(void)
{
	return TTMEM_VERSION;
}

const char *ttmemReasonString(uint32_t reason)
{
	return reason == REASON_NONE || reason >= REASON_COUNT
		       ? ""
		       : fact_reason_text((enum fact_reason)reason);
}

const char *ttmemMemoryTypeString(uint32_t type)
{
	return type < MEMORY_TYPES ? memory_type_key((enum memory_type)type) : NULL;
}

ttmemReturn_t lib_result(int error)
{
	switch (-error) {
	case 0:
		return TTMEM_SUCCESS;
	case ENOMEM:
	case ENOSPC:
		return TTMEM_ERROR_MEMORY;
	case ENOENT:
	case ESRCH:
		return TTMEM_ERROR_NOT_FOUND;
	case EINVAL:
		return TTMEM_ERROR_INVALID_ARGUMENT;
	case EACCES:
	case EPERM:
		return TTMEM_ERROR_NO_PERMISSION;
	case ENODEV:
		return TTMEM_ERROR_OFF;
	default:
		return TTMEM_ERROR_UNKNOWN;
	}
}

ttmemReturn_t lib_room(const void *array, uint64_t *count, uint64_t rows, bool *ret_write)
{
	uint64_t room = *count;

	*count = rows;
	*ret_write = array && room >= rows;
	return array && room < rows ? TTMEM_ERROR_INSUFFICIENT_SIZE : TTMEM_SUCCESS;
}
