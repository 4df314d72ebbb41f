"""The sink that is far away: it answers as many commands as came, and no sooner than it should."""

import asyncio
import time

from benchmarks.lag_sink import FarSink

ROUND_TRIP = 0.02
MAIL = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"


async def _talk() -> tuple[list[bytes], list[float]]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: FarSink(ROUND_TRIP), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    answers, waits = [await reader.readline()], []
    for sent, lines in ((MAIL, 3), (b"Papers.\r\n..\r\n" + b".\r\n" + MAIL, 4), (b"x\r\n.\r\n", 1)):
        begin = time.perf_counter()
        writer.write(sent)
        answers += [await reader.readline() for _ in range(lines)]
        waits.append(time.perf_counter() - begin)
    writer.close()
    server.close()
    return answers, waits


def test_each_answer_comes_a_round_trip_after_what_caused_it() -> None:
    answers, waits = asyncio.run(_talk())
    codes = [int(answer[:3]) for answer in answers]
    assert codes == [220, 250, 250, 354, 250, 250, 250, 354, 250]
    assert min(waits) >= ROUND_TRIP


def test_the_name_of_each_mail_is_written_down_however_it_comes_in_pieces() -> None:
    heard: list[bytes] = []
    sink = FarSink(0, heard.append)
    mail = b"Subject: x\r\nMessage-ID: <a@b.example>\r\n\r\nMessage-ID: <no@b.example>\r\n.\r\n"
    for byte in MAIL + mail + MAIL + mail.replace(b"<a@", b"<c@"):
        sink.data_received(bytes([byte]))
    sink.data_received(MAIL + mail.replace(b"<a@", b"<d@") + MAIL + b"x\r\n\r\n.\r\n")
    assert heard == [
        b"<a@b.example>\n",
        b"<c@b.example>\n",
        b"<d@b.example>\n",
        b"without a name\n",
    ]
