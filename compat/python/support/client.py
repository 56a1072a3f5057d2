"""Clients of python3-socketio that read commands from stdin and write events to stdout, one line of JSON each.

Binary data is {"$": "bytes", "hex": "…"} in both directions.
"""

import json
import queue
import sys
import threading

import socketio

# The client handles each packet in its own thread. Threads that are not interrupted keep packets in order, and attachments
# with their packet.
sys.setswitchinterval(60)

lines = queue.Queue()
clients = {}


def revive(value):
    if isinstance(value, dict):
        if "$" in value:
            return bytes.fromhex(value["hex"])
        return {key: revive(item) for key, item in value.items()}
    if isinstance(value, list):
        return [revive(item) for item in value]
    return value


def describe(value):
    if isinstance(value, (bytes, bytearray)):
        return {"$": "bytes", "hex": value.hex()}
    if isinstance(value, dict):
        return {key: describe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [describe(item) for item in value]
    return value


def write_lines():
    while True:
        sys.stdout.write(json.dumps(describe(lines.get())) + "\n")
        sys.stdout.flush()


def new_client(number, options):
    client = socketio.Client(**options)

    def listen(namespace):
        def tell(event):
            def handler(*args):
                lines.put({"client": number, "namespace": namespace, "told": [event, *args]})

            client.on(event, handler, namespace=namespace)

        for event in ["connect", "connect_error", "disconnect", "message"]:
            tell(event)
        client.on("ask", lambda *args: args, namespace=namespace)

    for namespace in ["/", "/chat", "/admin"]:
        listen(namespace)
    return client


def obey(order):
    number, todo, args = order["client"], order["do"], revive(order["args"])
    if todo == "create":
        clients[number] = new_client(number, *args)
        return None
    client = clients[number]
    if todo == "connect":
        url, options = args
        try:
            # the default of one second is too short on a busy machine
            client.connect(url, wait_timeout=15, **options)
        except socketio.exceptions.ConnectionError as error:
            return {"refused": str(error)}
        return {"sid": client.get_sid(), "transport": client.transport()}
    if todo == "emit":
        event, data, namespace = args
        client.emit(event, tuple(data), namespace=namespace)
        return None
    if todo == "ask":
        event, data, namespace = args
        client.emit(
            event,
            tuple(data),
            namespace=namespace,
            callback=lambda *answer: lines.put({"reply": order["id"], "result": answer}),
        )
        return order
    if todo == "state":
        (namespace,) = args
        return {"sid": client.get_sid(namespace), "connected": client.connected, "transport": client.transport()}
    if todo == "disconnect":
        client.disconnect()
        return None
    raise ValueError(todo)


threading.Thread(target=write_lines, daemon=True).start()
for line in sys.stdin:
    order = json.loads(line)
    try:
        result = obey(order)
        if result is not order:
            lines.put({"reply": order["id"], "result": result})
    except Exception as error:
        lines.put({"reply": order["id"], "failed": repr(error)})
for client in clients.values():
    client.reconnection = False
    client.disconnect()
