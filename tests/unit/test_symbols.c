/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of functions. Reason: they are what a user reads; the short form has to
 * say what the long one says, or that it does not know. tests/fuzz/fuzz_elf.c
 * has the files that lie.
 */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbols/elf_file.h"
#include "symbols/names.h"
#include "symbols/op_names.h"
#include "symbols/symbols.h"

static void test_short_names(void **state)
{
	static const char *const names[][2] = {
		{"main", "main"},
		{"memcpy@@GLIBC_2.14", "memcpy"},
		{"_ZN4ttnn4prim6matmulERKNS_6TensorES3_", "ttnn::prim::matmul"},
		{"_ZN2tt8tt_metal10BufferImpl6createEPNS0_7IDeviceE", "tt::tt_metal::BufferImpl::create"},
		{"_ZNK1A3getEv", "A::get"},
		{"_ZN1A1BC2Ei", "A::B::B"},
		{"_ZN1A1BD0Ev", "A::B::~B"},
		{"_ZN12_GLOBAL__N_14lookEv", "(anonymous)::look"},
		{"_ZNSt6vectorIiSaIiEE9push_backEOi", "std::vector<...>::push_back"},
		{"_ZNKSt8functionIFvvEEclEv", "std::function<...>::operator()"},
		{"_ZZ4mainENKUlvE_clEv", "main::(lambda)::operator()"},
		{"_ZN1AplERKS_", "A::operator+"},
		{"_ZNK1AcvbEv", "A::operator (type)"},
		{"_ZN1A3getB5cxx11Ev", "A::get"},
		{"_ZN4ttnn16device_operation6detail6launchITkNS0_22DeviceOperationConceptENS_4prim"
		 "13SDPAOperationEEENT_21tensor_return_value_tERKNS5_22operation_attributes_tERKNS5_"
		 "13tensor_args_tE",
		 "ttnn::device_operation::detail::launch<ttnn::prim::SDPAOperation>"},
		{"_ZN1a1fI1b1cEEvv", "a::f<b, ...>"},
		{"_ZN1a1fIXgt1b1cEE1gEvv", "a::f<...>"},
		{"_ZN1a1b", "a::b..."},
		{"_Z", "_Z"},
		{"_ZN", "_ZN"},
	};
	char name[NAME_SHORT_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		name_short(names[i][0], name);
		assert_string_equal(name, names[i][1]);
	}
}

static void test_ops(void **state)
{
	static const char *const names[][2] = {
		{"_ZZN4ttnn6detail19make_method_wrapperINS_19unique_wrapper_baseIXtlNS_13unique_string"
		 "ILm6EEEtlSt5arrayIcLm6EEtlA6_cLc99ELc108ELc97ELc109ELc112EEEEEXtlS4_tlS6_tlS7_"
		 "Lc116ELc116ELc110ELc110ELc46EEEEEEENS_6TensorEJRKS9_",
		 "ttnn.clamp"},
		{"_ZN4ttnn19make_method_wrapperIXtlNS2_13unique_stringILm3EEEtlSt5arrayIcLm3EEtlA3_c"
		 "Lc103ELc116EEEEEXtlNS6_ILm26EEEtlS8_IcLm26EEtlA26_cLc116ELc116ELc110ELc110ELc46ELc97E"
		 "Lc46EEEEEEE",
		 "ttnn.a.gt"},
		/* the prefix is not spelled out */
		{"_ZN4ttnn19make_method_wrapperIXtlNS_13unique_stringILm5EEEtlSt5arrayIcLm5EEtlA5_c"
		 "Lc122ELc101ELc114ELc111EEEEEXS9_EEE",
		 "ttnn.zero"},
		{"_ZN4ttnn19make_method_wrapperEv", NULL},
		{"_ZN4ttnn19make_method_wrapperILc300ELc10EE", NULL},
		{"_ZN4ttnn4prim6matmulEv", NULL},
	};
	char op[OP_NAME_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		assert_int_equal(op_name(names[i][0], op), names[i][1] != NULL);
		if (names[i][1])
			assert_string_equal(op, names[i][1]);
	}
}

static const char tiny[] = SOURCE_ROOT "/tests/fuzz/corpus/fuzz_elf/tiny_elf";
static const uint8_t tiny_id[] = {1, 2, 3, 4, 5, 6, 7, 8};

/* A library of two functions, of which one is exported. */
static void test_file(void **state)
{
	struct elf_file file;
	char name[16];
	int fd = open(tiny, O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(elf_read_head(fd, &file), 0);
	assert_int_equal(file.build_id_bytes, sizeof tiny_id);
	assert_memory_equal(file.build_id, tiny_id, sizeof tiny_id);
	assert_int_equal(elf_read_functions(fd, &file), 0);
	assert_int_equal(file.function_count, 2);
	for (int i = 0; i < 2; i++) {
		const struct elf_function *f = &file.functions[i];
		/* its only segment with code begins at offset 0 of address 0 */
		uint64_t first = f->address, last = first + f->bytes - 1;

		assert_ptr_equal(elf_find(&file, first), f);
		assert_ptr_equal(elf_find(&file, last), f);
		assert_int_equal(elf_read_name(fd, &file, f, name, sizeof name), 0);
		assert_string_equal(name, i == 0 ? "inner" : "tiny");
	}
	assert_null(elf_find(&file, file.functions[0].address - 1));
	assert_null(elf_find(&file, UINT64_MAX));
	elf_clear(&file);
	close(fd);
}

/* The same file for everybody, and only with the right id. */
static void test_source(void **state)
{
	struct symbol_cache *cache = symbol_cache_new();
	struct symbol_source source, other;
	struct elf_file file;
	int fd = open(tiny, O_RDONLY | O_CLOEXEC);
	uint8_t wrong[sizeof tiny_id] = {9};

	(void)state;
	assert_int_equal(elf_read_head(fd, &file), 0);
	assert_int_equal(elf_read_functions(fd, &file), 0);
	symbol_source_open(&source, cache, (uint32_t)getpid(), tiny, tiny_id, sizeof tiny_id);
	symbol_source_open(&other, cache, 0, tiny, tiny_id, sizeof tiny_id);
	assert_non_null(source.file);
	assert_ptr_equal(source.file, other.file);
	for (int i = 0; i < 2; i++) {
		assert_string_equal(symbol_find(&source, file.functions[0].address).name, "inner");
		assert_string_equal(symbol_find(&other, file.functions[1].address).name, "tiny");
		assert_string_equal(symbol_find(&other, 0).name, "");
	}
	symbol_source_close(&other);
	symbol_source_open(&other, cache, 0, tiny, wrong, sizeof wrong);
	assert_null(other.file);
	assert_string_equal(symbol_find(&other, file.functions[0].address).name, "");
	symbol_source_close(&other);
	/* without an id nobody could tell that it is the same file */
	symbol_source_open(&other, cache, 0, tiny, wrong, 0);
	assert_null(other.file);
	symbol_source_close(&other);
	symbol_source_close(&source);
	symbol_cache_free(cache);
	elf_clear(&file);
	close(fd);
}

/* What is no file is not opened: a pipe would make a server wait. */
static void test_no_pipe(void **state)
{
	struct symbol_cache *cache = symbol_cache_new();
	static const char *const paths[] = {"/dev/zero", "/proc/self/mem", "/", "relative", ""};
	struct symbol_source source;

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		symbol_source_open(&source, cache, (uint32_t)getpid(), paths[i], tiny_id,
				   sizeof tiny_id);
		assert_null(source.file);
		symbol_source_close(&source);
	}
	symbol_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_names), cmocka_unit_test(test_ops),
		cmocka_unit_test(test_file),	    cmocka_unit_test(test_source),
		cmocka_unit_test(test_no_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
