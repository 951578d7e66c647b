# SPDX-License-Identifier: Apache-2.0
"""sites_program.py LIBRARY PACKAGES [PART...]: buffers of the stand-in from all sorts of code.

`alloc()` is a partial of a ctypes function, so the frame that calls it is the one that asks,
with the GIL released. What Python's own traceback would say at that very call is noted by an
argument that ctypes converts inside of it. Prints what it noted and waits for a line.
"""
import asyncio
import ctypes
import functools
import gc
import json
import marshal
import os
import sys
import threading

PACKAGES = sys.argv[2]
sys.path.insert(0, PACKAGES)
lib = ctypes.CDLL(sys.argv[1], use_errno=True)
lib.standin_open.restype = ctypes.c_void_p
lib.standin_address.restype = ctypes.c_uint64
lib.standin_address.argtypes = [ctypes.c_void_p]
lib.standin_free.argtypes = [ctypes.c_void_p]
lib.standin_alloc.restype = ctypes.c_void_p
lib.standin_alloc.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint64, ctypes.c_uint64,
                              ctypes.c_uint32, ctypes.c_char_p, ctypes.c_size_t]
mesh = ctypes.c_void_p(lib.standin_open(1, 0, 0))
noted = []
here = threading.local()
FRAMEWORK = os.path.join(PACKAGES, "ttnn") + os.sep
ERRNO = 7654


class Note:
    """Stands for the mesh; being converted, it looks at the frame that called."""

    @property
    def _as_parameter_(self):
        frame = innermost = sys._getframe(1)
        op = None
        while frame and frame.f_code.co_filename.startswith(FRAMEWORK):
            caller = frame.f_locals.get("self")
            if type(caller).__name__ == "FastOperation" and not op:
                op = caller.python_fully_qualified_name
            frame = frame.f_back
        frame = frame or innermost
        here.note = {"file": frame.f_code.co_filename, "line": frame.f_lineno, "op": op,
                     "function": getattr(frame.f_code, "co_qualname", frame.f_code.co_name),
                     "code": id(frame.f_code)}
        ctypes.set_errno(ERRNO)
        return mesh


def check(handle, function, arguments):
    if not handle:
        raise MemoryError
    if ctypes.get_errno() != ERRNO:
        raise OSError(ctypes.get_errno(), "the hook has changed errno")
    noted.append({"address": lib.standin_address(handle), **here.note})
    return handle


lib.standin_alloc.errcheck = check
error = ctypes.create_string_buffer(256)
alloc = functools.partial(lib.standin_alloc, Note(), 0, 2048, 2048, 0, error, 256)


# --- code of all sorts -------------------------------------------------------------------------

def nested():
    def inner():
        def innermost():
            return alloc()
        return innermost()
    return inner()


class Layer:
    def __init__(self):
        self.weight = alloc()

    @property
    def bias(self):
        return alloc()

    @classmethod
    def make(cls):
        return alloc()

    @staticmethod
    def help():
        return alloc()

    def __call__(self):
        return alloc()

    def __enter__(self):
        alloc()
        return self

    def __exit__(self, *what):
        alloc()


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        alloc()
        return function(*args)
    return wrapper


@decorated
@decorated
def under_decorators():
    return alloc()


def generator(count):
    for _ in range(count):
        alloc()
        yield alloc()


def delegating():
    yield from generator(2)


def many_lines(a, b, c):
    alloc(
    )
    return dict(
        first=a,
        second=alloc(),
        third=[
            b,
            alloc(),
            c,
        ],
    )


def größe_der_schicht():
    return alloc()


def recursion(depth):
    if depth:
        recursion(depth - 1)
    return alloc()


def many_frames(depth):
    """Deeper than anybody looks: the innermost one is found at once."""
    return many_frames(depth - 1) if depth else alloc()


def part_functions():
    nested()
    layer = Layer()
    layer.bias, Layer.make(), Layer.help(), layer()
    with layer:
        alloc()
    under_decorators()
    many_lines(1, 2, 3)
    größe_der_schicht()
    recursion(3)
    many_frames(40)
    for unused in range(2): alloc(); alloc()
    (lambda: alloc())()
    list(map(lambda unused: alloc(), range(3)))
    sorted(range(3), key=lambda x: (
        alloc() and x))
    [alloc() for unused in range(2)]
    {alloc() for unused in range(2)}
    {x: alloc() for x in range(2)}
    list(alloc() for unused in range(2))
    [[alloc() for unused in range(2)] for unused in range(2)]
    list(generator(2)), list(delegating())
    try:
        alloc()
        raise ValueError
    except ValueError:
        alloc()
    finally:
        alloc()
    x = [0,
         alloc(),

         alloc()]
    if x and (y := alloc()):
        assert y

    class Body:
        handle = alloc()

    match = Body
    return match and alloc()


async def coroutine(depth):
    alloc()
    await asyncio.sleep(0)
    alloc()
    if depth:
        await coroutine(depth - 1)
    async with Context():
        async for unused in stream():
            alloc()


class Context:
    async def __aenter__(self):
        alloc()

    async def __aexit__(self, *what):
        alloc()


async def stream():
    for _ in range(2):
        await asyncio.sleep(0)
        yield alloc()


async def several():
    await asyncio.gather(*(coroutine(2) for _ in range(3)))


def part_async():
    asyncio.run(several())


def part_threads():
    def work():
        for _ in range(30):
            alloc()
            nested()
            [alloc() for unused in range(2)]
            sum(range(2000))
    threads = [threading.Thread(target=work) for _ in range(4)]
    sys.setswitchinterval(1e-5)
    for thread in threads:
        thread.start()
    for _ in range(200):  # makes frame objects of what the others run
        sys._current_frames()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(0.005)


def part_greenlets():
    import greenlet

    def ping():
        for _ in range(3):
            alloc()
            other.switch()
        nested()

    def pong():
        while True:
            nested()
            alloc()
            first.switch()
    first, other = greenlet.greenlet(ping), greenlet.greenlet(pong)
    first.switch()
    alloc()


# --- code that comes and goes ------------------------------------------------------------------

def run(source, file, name="f", stored=False, call=alloc):
    """stored: as code comes from a .pyc, where nothing of it has been hashed yet."""
    space = {"alloc": call}
    code = compile(source, file, "exec")
    exec(marshal.loads(marshal.dumps(code)) if stored else code, space)
    space[name]()


def part_exec():
    exec("alloc()")
    exec(compile("\n\nalloc()\nalloc()", "/nowhere/größe-日本-\U0001f600.py", "exec"))
    eval("[alloc(), alloc()]")
    run("def f(): alloc()", "/nowhere/ascii.py")
    run("def 関数(): alloc()", "/nowhere/latin-ä.py", "関数")
    run("def " + "n" * 1500 + "(): alloc()", "/nowhere/long.py", "n" * 1500)
    run("def f(): alloc()", "/" + "long/" * 400 + "file.py")


def part_reused():
    """Code objects that take the address of one that is gone, and differ in one thing only."""
    codes = set()
    reused = 0
    before = len(noted)
    for i in range(150):
        # where in the body the line is; what the file is called; what the function is called
        for stored in (False, True):
            run("def f():\n" + "\n" * (i % 10) + "  alloc()", "/nowhere/one.py", stored=stored)
            run("def f():\n  alloc()", f"/job{i % 10}/model.py", stored=stored)
        run(f"def name{i % 10}():\n  alloc()", "/nowhere/three.py", f"name{i % 10}")
        run("\n" * (i % 10) + "def f():\n  alloc()", "/nowhere/four.py")
        run("class C:\n" + f"  class K{i % 10}:\n    def f(self):\n      alloc()\nf = C.K{i % 10}().f",
            "/nowhere/five.py")
        # the line changes behind a table longer than any that is looked at in one piece
        run("def f(x=0):\n" + "  x + x\n" * 700 + "\n" * (i % 10) + "  alloc()",
            "/nowhere/six.py", stored=i % 4 > 1) if i < 40 else None
        gc.collect() if i % 50 == 0 else None
    for note in noted[before:]:
        reused += note["code"] in codes
        codes.add(note["code"])
    return reused


def part_operations():
    from ttnn.decorators import FastOperation, composite
    names = ["ttnn.matmul", "ttnn.transformer.scaled_dot_product_attention", "ttnn.größe", "o" * 90]
    operations = [FastOperation(name, alloc) for name in names]
    for _ in range(2):
        for operation in operations:
            operation()
    operations[0].__dict__  # values that become a dict
    operations[1].later = 1  # and one more than others of the class have
    for operation in operations:
        operation()
    FastOperation("ttnn.outer", lambda: operations[0]())()  # of the user, in between
    FastOperation("ttnn.composite", composite)(operations[2])
    for i in range(60):  # operations that take the address of one that is gone
        FastOperation(f"ttnn.op{i}", alloc)()
    # nothing but the framework's own frames: a thread that starts in it
    thread = threading.Thread(target=operations[0])
    thread.start()
    thread.join()


def part_trails():
    """The same two frames, the operation's and the user's, again and again; one thing is another."""
    from ttnn.decorators import FastOperation, composite
    operation, other = FastOperation("ttnn.one", alloc), FastOperation("ttnn.two", alloc)
    codes = set()
    reused = 0
    for i in range(60):
        before = len(noted)
        # the user's code, where that of the last one was: its line, its file, its name
        for stored in (False, True):
            run("def f():\n" + "\n" * (i % 10) + "  alloc()", "/nowhere/trail.py", stored=stored,
                call=operation)
            run("def f():\n  alloc()", f"/trail{i % 10}/model.py", stored=stored, call=operation)
        run(f"def name{i % 10}():\n  alloc()", "/nowhere/names.py", f"name{i % 10}", call=operation)
        run("\n" * (i % 10) + "def f():\n  alloc()", "/nowhere/first.py", call=operation)
        # one line runs more of them than are remembered beside each other, then another line
        for each in (operation, other, FastOperation(f"ttnn.new{i % 7}", alloc), operation):
            each()
        operation(), other()
        # the operation has another name, at the same address
        other.python_fully_qualified_name = f"ttnn.two{i % 3}"
        other(), \
            other()
        for note in noted[before:]:
            reused += note["code"] in codes
            codes.add(note["code"])
        # from the framework's own code, and from its code through the user's
        FastOperation("ttnn.composite", composite)(operation)
        FastOperation("ttnn.outer", lambda: operation())()
        if i % 20 == 0:
            gc.collect()
    # what looks like one in the same code, and is where one was
    for kind in (FastOperation, type("Other", (FastOperation,), {})) * 9:
        kind("ttnn.kind", alloc)()
    # the code that runs it, where that of the last one was: the framework's or the user's
    usual = FastOperation.__call__
    for i in range(60):
        del FastOperation.__call__
        space = {}
        exec(compile("\n" * (i % 14) + "def __call__(self):\n  return self.function()\n",
                     (FRAMEWORK if i % 2 else "/nowhere/") + "patched.py", "exec"), space)
        FastOperation.__call__ = space.pop("__call__")
        operation()
    FastOperation.__call__ = usual
    return reused


def part_fork():
    pid = os.fork()
    if pid == 0:
        noted.clear()
        nested()
        part_functions()
        part_operations()
        show(["fork"], {})
        os._exit(0)
    os.waitpid(pid, 0)
    nested()


def show(parts, answers):
    print(json.dumps({"pid": os.getpid(), "parts": parts, "noted": noted, "answers": answers,
                      "python": sys.version_info[:2]}), flush=True)
    sys.stdin.readline()


# the first free comes with the GIL released, as from ctypes it always does; PyDLL holds it
lib.standin_free(alloc())
noted.clear()
parts = sys.argv[3:]
show(parts, {part: globals()["part_" + part]() for part in parts})
if os.environ.get("WITH_GIL"):
    free = ctypes.PyDLL(sys.argv[1]).standin_free
    free.argtypes = [ctypes.c_void_p]
    noted.clear()
    free(alloc())
    noted.clear()
    show(parts, {part: globals()["part_" + part]() for part in parts})
