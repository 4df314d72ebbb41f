"""Starts `python -m MODULE` by forking a process that has imported everything already.

    python fork_server.py SOCKET        until its standard input ends; "ready" once it listens

Starting Python and importing takes a second of CPU time, a command itself often a tenth. One
request a connection: a message of JSON (module, arguments, clock, folder, environment) with the
descriptors for standard input, output and error. The answer is a line with the process id, and
later one with how the process ended.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import socket
import sys
import threading
import traceback
from typing import NoReturn

from clocked import cut_off, set_clock  # type: ignore[import-not-found]

LONGEST = 1 << 20
"""Bytes of a request."""

USED_LATER = ("numpy", "scipy.sparse", "scipy.sparse.linalg", "uvicorn.protocols.http.h11_impl")
"""What commands import only once they need it."""


def import_everything() -> None:
    """Import what commands may; an extra that is not installed is left out."""
    import paperround

    found = pkgutil.walk_packages(paperround.__path__, "paperround.")
    for name in (*(one.name for one in found if "__main__" not in one.name), *USED_LATER):
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(name)


def serve(listener: socket.socket) -> list[str] | None:
    """Fork for each request. Returns in every new process, with its module and its arguments; and
    None in this one, once nobody is left to ask."""
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ)
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is sys.stdin:
                    return None
                if key.fileobj is not listener:
                    selector.unregister(key.fileobj)
                    tell_end(key.fd, *key.data)
                    continue
                asked, _ = listener.accept()
                request, streams, _, _ = socket.recv_fds(asked, LONGEST, 3)
                pid = os.fork()
                if pid == 0:
                    asked.close()
                    forget_the_others(selector)
                    return become(json.loads(request), streams)
                for stream in streams:
                    os.close(stream)
                asked.sendall(b"%d\n" % pid)
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, asked))


def forget_the_others(selector: selectors.BaseSelector) -> None:
    """Close what the server keeps for the processes it started before."""
    for key in selector.get_map().values():
        if key.data is not None:
            os.close(key.fd)
            key.data[1].close()


def tell_end(ended: int, pid: int, asked: socket.socket) -> None:
    """Say how a process ended, as `subprocess` counts it: signals below zero."""
    os.close(ended)
    _, status = os.waitpid(pid, 0)
    with asked, contextlib.suppress(OSError):  # nobody waits for it any more
        asked.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def become(request: dict[str, object], streams: list[int]) -> list[str]:
    """Take on the folder, the environment, the input and the outputs that were asked for."""
    for stream, number in zip(streams, (0, 1, 2), strict=True):
        os.dup2(stream, number)
        os.close(stream)
    folder = str(request["folder"])
    os.chdir(folder)
    sys.path[0] = folder
    os.environ.clear()
    environment, arguments, clock = (
        request[name] for name in ("environment", "arguments", "clock")
    )
    assert isinstance(environment, dict)
    assert isinstance(arguments, list)
    assert isinstance(clock, list)
    os.environ.update(environment)
    if clock:
        set_clock(clock[0], float(clock[1]))
        cut_off()
    return [str(request["module"]), *arguments]


def run(module: str, arguments: list[str]) -> None:
    """Be the command, and end as Python does, but for taking apart all that was imported."""
    sys.argv[1:] = arguments
    code = 1
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(end.code + "\n")
    finally:
        if (error := sys.exception()) is not None:
            traceback.print_exception(error)
        end_now(code)


def end_now(code: int) -> NoReturn:
    """Wait for threads, do what is done at an exit, and go."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main() -> None:
    """Serve; in a new process, be the command."""
    import_everything()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sys.argv[1])
        listener.listen()
        gc.collect()
        gc.freeze()  # else the first collection of each process would copy every page
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        command = serve(listener)
    if command is not None:
        run(command[0], command[1:])


if __name__ == "__main__":
    main()
