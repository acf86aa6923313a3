#!/usr/bin/python3
"""A server with one habit: how it comes to listen. listener.py HABIT TARGET [FIFO…]

It listens on TARGET (a port or a path) in the way of its habit and stays. With FIFOs it reads a line of the
first before it goes on to what its habit does next; what it has to say it prints.
"""
import contextlib
import ctypes
import mmap
import os
import socket
import sys
import threading

LOOPBACK = "127.0.0.1"
kept = []  # sockets that must stay open


def listening(address, family=socket.AF_INET, kind=socket.SOCK_STREAM, options=(), backlog=16):
    one = socket.socket(family, kind)
    for level, name, value in ((socket.SOL_SOCKET, socket.SO_REUSEADDR, 1), *options):
        one.setsockopt(level, name, value)
    one.bind(address)
    if kind != socket.SOCK_DGRAM:
        one.listen(backlog)
    kept.append(one)
    return one


def wait_for_word():
    with open(FIFOS.pop(0), encoding="ascii") as fifo:
        return fifo.readline()


def tcp():
    listening((LOOPBACK, PORT))


def tcp6():
    listening(("::1", PORT), socket.AF_INET6)


def dual():
    listening(("::", PORT), socket.AF_INET6, options=[(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)])


def every_address():
    listening(("0.0.0.0", PORT))


def other_loopback():
    listening(("127.0.0.2", PORT))


def udp():
    listening((LOOPBACK, PORT), kind=socket.SOCK_DGRAM)


def udp6():
    listening(("::1", PORT), socket.AF_INET6, socket.SOCK_DGRAM)


def udp_other():
    listening(("127.0.0.2", PORT), kind=socket.SOCK_DGRAM)


def udp_sloppy():
    """Binds with the length of a sockaddr_storage, as some C programs do."""
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    storage = bytes([2, 0]) + PORT.to_bytes(2, "big") + socket.inet_aton(LOOPBACK) + bytes(120)
    assert ctypes.CDLL(None).bind(one.fileno(), storage, len(storage)) == 0
    kept.append(one)


def stream():
    listening(TARGET, socket.AF_UNIX)


def seqpacket():
    listening(TARGET, socket.AF_UNIX, socket.SOCK_SEQPACKET)


def abstract():
    listening("\0" + TARGET[1:], socket.AF_UNIX)


def relative():
    os.chdir(os.path.dirname(TARGET))
    listening(os.path.basename(TARGET), socket.AF_UNIX)


def thread():
    worker = threading.Thread(target=tcp)
    worker.start()
    worker.join()


def grandchild():
    if os.fork() == 0:
        if os.fork() == 0:
            tcp()
            forever()
        forever()


def new_session():
    if os.fork() == 0:
        os.setsid()
        tcp()
        forever()


def double_fork():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            tcp()
            forever()
        os._exit(0)
    os.wait()


def other_user():
    """Drops its rights by itself after it was started, as many servers do."""
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    tcp()


def shared_port():
    for _ in range(3):
        listening((LOOPBACK, PORT), options=[(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)])


def other_ports_first():
    """Go tries out what the machine can do on ports of the kernel's choice."""
    for _ in range(5):
        with socket.socket() as trial:
            trial.bind((LOOPBACK, 0))
            trial.listen(1)
    tcp()


def bound_long_before():
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind((LOOPBACK, PORT))
    kept.append(one)
    print("bound", flush=True)
    wait_for_word()
    one.listen(16)


def free_then_taken(take):
    """Port finders look whether a port is free, and the server binds it right afterwards."""
    for _ in range(20):
        take()
        kept.pop().close()
    take()
    print("listens", flush=True)


def looks_first():
    free_then_taken(tcp)


def looks_first_udp():
    free_then_taken(udp)


def looks_first_abstract():
    free_then_taken(abstract)


def looks_first_in_shared():
    def take():
        listening((LOOPBACK, PORT), options=[(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)])
    free_then_taken(take)


def looks_first_in_thread():
    worker = threading.Thread(target=looks_first)
    worker.start()
    worker.join()


def looks_first_in_grandchild():
    if os.fork() == 0:
        os.setsid()
        looks_first()
        forever()


def in_32_bits():
    """listen(2) by the number and the gate of 32-bit programs."""
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    # push rbx; mov ebx, edi; mov ecx, esi; mov eax, 363; int 0x80; pop rbx; ret
    code.write(bytes.fromhex("53 89fb 89f1 b86b010000 cd80 5b c3"))
    listen32 = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    one = socket.socket()
    one.bind((LOOPBACK, PORT))
    assert listen32(one.fileno(), 16) == 0
    kept.append(one)
    print("listens", flush=True)


def io_uring():
    ctypes.CDLL(None).syscall(425, 1, None)  # fails, but it has been called
    wait_for_word()
    tcp()


def on_word():
    while word := wait_for_word():
        if word.startswith("close"):
            kept.pop().close()
            if not PORT:
                os.unlink(TARGET)
            print("closed", flush=True)
            continue
        if word.startswith("say"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
                notify.sendto(b"STATUS=still here", os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))
            continue
        try:
            {"udp": udp, "stream": stream}.get(word.strip(), tcp)()
            print("listens", flush=True)
        except OSError as error:
            print("cannot listen:", os.strerror(error.errno), flush=True)
        if not FIFOS:
            break


def left_alone():
    """A grandchild that nobody's death reaches, and that listens when it is told to."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            print("waits", flush=True)
            said = open(FIFOS.pop(), "w", encoding="ascii")
            wait_for_word()
            try:
                tcp()
                said.write("listens\n")
            except OSError as error:
                said.write(f"cannot listen: {os.strerror(error.errno)}\n")
            said.close()
        os._exit(0)


def busy():
    """Calls listen(2) on a port of its own as fast as it can, from four threads, until it is told to listen."""
    done = threading.Event()

    def call():
        one = socket.socket()
        one.bind((LOOPBACK, 0))
        while not done.is_set():
            one.listen(1)

    threads = [threading.Thread(target=call, daemon=True) for _ in range(4)]
    for one in threads:
        one.start()
    wait_for_word()
    tcp()
    wait_for_word()
    done.set()


def many_afterwards():
    """Rings its bell with the first call, and then makes a thousand more."""
    tcp()
    for _ in range(1000):
        kept[0].listen(8)
    print("a thousand more", flush=True)


def forever():
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    os._exit(0)


HABIT, TARGET, *FIFOS = sys.argv[1:]
PORT = int(TARGET) if TARGET.isdigit() else 0
globals()[HABIT]()
forever()
