#!/usr/bin/env bash
# QEMU's own QMP client for Python and the guest agent's protocol: three things that differ.
#
# Package: qemu.qmp 0.0.6 (Python registry). The peer is a few lines that answer in a guest agent's forms.
# A guess from memory: with the greeting and the negotiation switched off, the library speaks to a guest agent. Seen:
# it does, but
#   - its requests end at the closing brace, without a newline: an agent that reads lines waits for ever;
#   - the 0xFF that comes before the reply to guest-sync-delimited ends the session with a UnicodeDecodeError, told by
#     disconnect() and not by the call, which says "Disconnected": only guest-sync is of use;
#   - a reply whose line is longer than 10 MiB ends the session as well, so guest-file-read must ask for less than 7.5 MiB,
#     whatever the agent allows (48 MiB).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install qemu.qmp==0.0.6

cat >stated <<'END'
guest-ping: sent without a newline; {}
guest-sync-delimited: ExecInterruptedError; at disconnect UnicodeDecodeError
guest-file-read of 7 MiB: 9786712 characters
guest-file-read of 8 MiB: ExecInterruptedError; at disconnect ValueError
END

venv/bin/python - 2>/dev/null <<'END' | tee -a seen
import asyncio, base64, json, os, tempfile
from qemu.qmp import QMPClient

requests = []


async def agent(reader, writer):
    try:
        while text := await reader.read(65536):
            requests.append(text)
            request = json.loads(text)
            arguments = request.get("arguments", {})
            answer = {"id": arguments["id"]} if "id" in arguments else {}
            if request["execute"] == "guest-sync-delimited":
                answer = arguments["id"]
            elif request["execute"] == "guest-file-read":
                data = base64.b64encode(bytes(arguments["count"])).decode()
                answer = {"count": arguments["count"], "buf-b64": data, "eof": False}
            mark = b"\xff" if request["execute"] == "guest-sync-delimited" else b""
            writer.write(mark + json.dumps({"return": answer, "id": request["id"]}).encode() + b"\n")
            await writer.drain()
    except ConnectionResetError:
        pass


async def ask(command, **arguments):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "s")
        server = await asyncio.start_unix_server(agent, path)
        client = QMPClient("agent")
        client.await_greeting = client.negotiate = False
        await client.connect(path)
        try:
            told = await asyncio.wait_for(client.execute(command, arguments or None), 60)
        except Exception as error:
            told = type(error).__name__
        try:
            await client.disconnect()
        except Exception as error:
            told = f"{told}; at disconnect {type(error).__name__}"
        server.close()
        return told


async def main():
    told = await ask("guest-ping")
    print("guest-ping: sent %s a newline; %s" % ("with" if requests[-1].endswith(b"\n") else "without", told))
    print("guest-sync-delimited:", await ask("guest-sync-delimited", id=7))
    for size in 7, 8:
        told = await ask("guest-file-read", handle=1000, count=size << 20)
        print(f"guest-file-read of {size} MiB:", told if isinstance(told, str) else f"{len(told['buf-b64'])} characters")


asyncio.run(main())
END
diff -u --label stated --label seen stated seen && echo "as stated"
