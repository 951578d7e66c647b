/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A C program that takes Python in late, for itself only, and lets go of it:
 *
 *   standin-embed LIBRARY LIBPYTHON
 *
 * Makes a buffer in each situation, prints {"event", "pid", "address"} and
 * waits for a line. Python is used through its stable functions, found by name.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FUNCTIONS(F)                                                                               \
	F(void, Py_InitializeEx, (int))                                                            \
	F(int, Py_FinalizeEx, (void))                                                              \
	F(int, PyRun_SimpleString, (const char *))                                                 \
	F(void *, PyCFunction_NewEx, (void *, void *, void *))                                     \
	F(void *, PyImport_AddModule, (const char *))                                              \
	F(int, PyObject_SetAttrString, (void *, const char *, void *))                             \
	F(void *, PyLong_FromUnsignedLongLong, (unsigned long long))                               \
	F(void *, PyEval_SaveThread, (void))                                                       \
	F(void, PyEval_RestoreThread, (void *))                                                    \
	F(int, PyGILState_Ensure, (void))                                                          \
	F(void, PyGILState_Release, (int))                                                         \
	F(void *, Py_NewInterpreter, (void))                                                       \
	F(void, Py_EndInterpreter, (void *))                                                       \
	F(void *, PyThreadState_Swap, (void *))

#define DECLARE(type, name, arguments) static type(*name) arguments;
FUNCTIONS(DECLARE)

/* of the stand-in, see control.hpp */
static void *(*standin_open)(int, uint64_t, uint64_t);
static void *(*standin_alloc)(void *, int, uint64_t, uint64_t, uint32_t, char *, size_t);
static void (*standin_free)(void *);
static uint64_t (*standin_address)(void *);
static void *mesh;
static uint64_t last;

static void find(void *library, const char *name, void *to)
{
	void *address = dlsym(library, name);

	if (!address) {
		fprintf(stderr, "standin-embed: no %s\n", name);
		exit(3);
	}
	memcpy(to, &address, sizeof address);
}

static void *load(const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		fprintf(stderr, "standin-embed: %s\n", dlerror());
		exit(3);
	}
	return library;
}

static void *buffer(void)
{
	char error[256];
	void *made = standin_alloc(mesh, 0, 2048, 2048, 0, error, sizeof error);

	last = standin_address(made);
	return made;
}

/* METH_NOARGS: as a binding does it, without the GIL; and one that keeps it, and frees too. */
static void *python_alloc(void *self, void *none)
{
	void *thread = PyEval_SaveThread();

	(void)self;
	(void)none;
	(void)buffer();
	PyEval_RestoreThread(thread);
	return PyLong_FromUnsignedLongLong(last);
}

static void *python_hold(void *self, void *none)
{
	(void)self;
	(void)none;
	standin_free(buffer());
	return PyLong_FromUnsignedLongLong(0);
}

/* A daemon thread's call that is still running when its thread state is taken away. */
static void *python_spin(void *self, void *none)
{
	void *thread = PyEval_SaveThread();
	clock_t end = clock() + CLOCKS_PER_SEC / 2;

	(void)self;
	(void)none;
	while (clock() < end)
		standin_free(buffer());
	PyEval_RestoreThread(thread);
	return PyLong_FromUnsignedLongLong(0);
}

static void put_functions(void)
{
	static struct {
		const char *name;
		void *(*call)(void *, void *);
		int flags;
		const char *doc;
	} methods[] = {
		{"alloc", python_alloc, 4, NULL},
		{"hold", python_hold, 4, NULL},
		{"spin", python_spin, 4, NULL},
	};

	for (unsigned i = 0; i < sizeof methods / sizeof methods[0]; i++)
		(void)PyObject_SetAttrString(PyImport_AddModule("__main__"), methods[i].name,
					     PyCFunction_NewEx(&methods[i], NULL, NULL));
}

static void run(const char *code)
{
	if (PyRun_SimpleString(code) != 0)
		exit(4);
}

static void show(const char *event)
{
	char line[16];

	printf("{\"event\": \"%s\", \"pid\": %d, \"address\": %" PRIu64 "}\n", event, (int)getpid(),
	       last);
	fflush(stdout);
	if (!fgets(line, sizeof line, stdin))
		exit(0);
}

static void *in_thread(void *with_python)
{
	if (with_python) {
		int state = PyGILState_Ensure();

		run("f()");
		PyGILState_Release(state);
	}
	if (!with_python)
		(void)buffer();
	return NULL;
}

static void thread(void *with_python)
{
	pthread_t other;
	void *mine = PyEval_SaveThread();

	if (pthread_create(&other, NULL, in_thread, with_python) != 0)
		exit(5);
	(void)pthread_join(other, NULL);
	PyEval_RestoreThread(mine);
}

static void subinterpreter(void)
{
	void *mine = PyThreadState_Swap(NULL);
	void *other = Py_NewInterpreter();

	if (!other)
		exit(6);
	put_functions();
	run("def g():\n\n alloc()\ng()");
	show("subinterpreter");
	run("hold()");
	Py_EndInterpreter(other);
	(void)PyThreadState_Swap(mine);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	void *library = load(argv[1]), *python;

	find(library, "standin_open", &standin_open);
	find(library, "standin_alloc", &standin_alloc);
	find(library, "standin_free", &standin_free);
	find(library, "standin_address", &standin_address);
	mesh = standin_open(1, 0, 0);
	for (int i = 0; i < 600; i++)
		standin_free(buffer());
	(void)buffer();
	show("no python");
	python = load(argv[2]);
#define FIND(type, name, arguments) find(python, #name, &name);
	FUNCTIONS(FIND)
	Py_InitializeEx(0);
	(void)buffer();
	show("no frame");
	put_functions();
	run("for i in range(600): alloc()\ndef f():\n alloc()\nf()");
	show("python");
	thread(NULL);
	show("foreign thread");
	thread(mesh);
	show("its own thread");
	run("hold()\nhold()\nf()");
	show("compared");
	subinterpreter();
	run("f()");
	show("after it");
	(void)Py_FinalizeEx();
	(void)buffer();
	show("finalized");
	Py_InitializeEx(0);
	put_functions();
	run("\n\n\ndef f():\n alloc()\nf()");
	show("initialized again");
	run("import _thread, time\n_thread.start_new_thread(spin, ())\ntime.sleep(0.2)");
	(void)Py_FinalizeEx();
	(void)buffer();
	show("finalized under a thread");
	_exit(0); /* that thread has lost its Python */
}
