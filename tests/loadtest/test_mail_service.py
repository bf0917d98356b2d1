"""The mail server of load tests as a process, spoken to by Python's own client."""

import json
import signal
import smtplib
import subprocess
import sys


def test_it_counts_mails_and_those_that_came_twice() -> None:
    command = [sys.executable, "-m", "loadtest.services.mail", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
            for number in (1, 2, 1):
                client.sendmail("a@b.example", ["c@d.example"], f"Message-ID: <{number}@b>\r\n\r\n.\r\n..\r\nx\r\n")
        process.send_signal(signal.SIGTERM)
        told = json.loads(process.stdout.readline())
    assert told == {"taken": 3, "ids": 2, "twice": 1, "connections": 1}
