#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What ttmemd answers on its routes."""
import concurrent.futures
import json
import pathlib
import select
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from server import Connection, Senders, Server, app, directory
from testing import equal, run_tests, wait_until


def test_verify():
    """Asked by the server, the process answers at its next event; an idle one is called idle."""
    with directory() as d, Server(d) as server, app(d) as program:
        program("open", 1, 0, 0)
        program("random", 0, 200, 1)
        wait_until("it reports", lambda: server.process_of(program.pid))
        status, _, answer = server.request("POST", f"/v1/verify?pid={program.pid}")
        equal((status, answer["state"]), (200, "idle"))
        with concurrent.futures.ThreadPoolExecutor() as pool:
            asked = pool.submit(server.request, "POST", f"/v1/verify?pid={program.pid}")
            while not asked.done():
                program("loop", 0, 100)
        status, _, answer = asked.result()
        equal((status, answer["state"]), (200, "answered"))
        equal([a["type"] for a in answer["answers"]], ["dram", "l1", "l1_small", "trace"])
        equal([a["equal"] for a in answer["answers"]], [True] * 4)
        equal(server.request("POST", "/v1/verify?pid=1")[0], 404)


def test_verify_blocks_nobody():
    """While one client waits for an idle process, others are answered."""
    with directory() as d, Server(d) as server, app(d) as program:
        program("open", 1, 0, 0)
        program("many", 0, 3)
        wait_until("it reports", lambda: server.process_of(program.pid))

        def others_first():
            waiting = Connection(d / "api.sock")
            waiting.request("POST", f"/v1/verify?pid={program.pid}")
            server.get("/healthz")
            waits = not select.select([waiting.sock], [], [], 0)[0]
            equal(json.loads(waiting.getresponse().read())["state"], "idle")
            return waits
        # on a slow machine its second may be over before the other has come
        wait_until("another is answered first", others_first)


def test_verify_without_a_page():
    """A process that handed over something else than its control page cannot be asked, and is
    listed all the same."""
    # no sample: the table's sender does not hold its lock
    with directory() as d, Server(d, "--sample", "3600") as server, app("/nonexistent") as program:
        one = Senders(d, program)
        with open("/dev/null") as null:
            one.control = null.fileno()
            sender = one.start(1)
            equal(sender.stdout.readline(), "sent\n")
        equal(wait_until("it is there", lambda: server.state_of(sender.pid)), "live")
        status, _, answer = server.request("POST", f"/v1/verify?pid={sender.pid}")
        equal((status, answer["error"]["code"]), (409, "no_control"))
        sender.communicate()


def test_buffers_pages():
    """Filters, order and pages; pages together are the whole."""
    with directory() as d, Server(d) as server, app(d) as program:
        program("open", 1, 0, 0)
        program("random", 0, 1000, 3)
        whole = server.get("/v1/buffers?limit=100000&sort=address")["buffers"]
        pages, cursor = [], "0"
        while cursor is not None:
            page = server.get(f"/v1/buffers?limit=7&sort=address&cursor={cursor}")
            pages += page["buffers"]
            cursor = page["cursor"]
        equal([b["address"] for b in pages], [b["address"] for b in whole])
        for sort, key in (("size", lambda b: -b["requested_bytes"]), ("age", lambda b: -b["age_ns"]),
                          ("bank", lambda b: -b["bank_bytes"])):
            whole = server.get(f"/v1/buffers?pid={program.pid}&limit=100000&sort={sort}")["buffers"]
            for first in (1, 2, 7, 30, len(whole) - 1):
                some = server.get(f"/v1/buffers?pid={program.pid}&limit={first}&sort={sort}")["buffers"]
                equal([b["event"] for b in some], [b["event"] for b in whole[:first]], f"first {first} by {sort}")
            equal([key(b) for b in whole] == sorted(key(b) for b in whole) or sort == "age", True, sort)
        l1 = server.get("/v1/buffers?type=l1&limit=100000")["buffers"]
        equal({b["type"] for b in l1}, {"l1"})
        equal(server.request("GET", "/v1/buffers?limit=x")[0], 400)
        equal(server.request("GET", "/v1/buffers?limit=0")[0], 400, "would be a page without end")
        equal(server.request("GET", "/v1/buffers?type=sram")[0], 400)
        equal(server.request("GET", f"/v1/buffers?pid={program.pid}%00x")[0], 400, "no value ends early")
        equal(server.request("GET", "/healthz%00x")[0], 404, "nor does a path")
        equal(server.request("GET", "/v1/%62uffers?l%69mit=%31")[0], 200, "escapes are understood")
        equal(server.request("GET", "/v1/nothing")[0], 404)
        equal(server.request("POST", "/v1/snapshot")[0], 405)


def test_etag():
    """An unchanged snapshot is answered without a body."""
    with directory() as d, Server(d) as server, app(d) as program:
        program("open", 1, 0, 0)
        program("many", 0, 10)
        wait_until("it reports", lambda: server.process_of(program.pid))
        tag = server.request("GET", "/v1/snapshot")[1]["ETag"]
        equal(server.request("GET", "/v1/snapshot", {"If-None-Match": tag})[0], 304)
        program("many", 0, 1)
        equal(server.request("GET", "/v1/snapshot", {"If-None-Match": tag})[0], 200)


def test_kept_failures():
    """What lay in memory when an allocation failed, also after the process is gone."""
    with directory() as d, Server(d) as server:
        with app(d) as program:
            program("open", 1, 0, 0)
            program("many", 0, 50)
            program("alloc", 0, "l1", 1 << 40, 2048)
            program("freeall")
        kept = wait_until("it is kept", lambda: server.get("/v1/failures")["kept"])
        equal((len(kept), kept[0]["pid"]), (1, program.pid))
        then = server.get(f"/v1/buffers?failure={kept[0]['number']}")
        equal((then["total"], len(then["buffers"])), (50, 50))
        equal(server.request("GET", "/v1/buffers?failure=99")[0], 404)
        for _ in range(20):  # each process sends its first one at once
            with app(d) as program:
                program("open", 1, 0, 0)
                program("alloc", 0, "l1", 1 << 40, 2048)
        wait_until("the newest are kept", lambda: (
            lambda k: len(k) == 16 and k[0]["pid"] == program.pid)(server.get("/v1/failures")["kept"]))


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
