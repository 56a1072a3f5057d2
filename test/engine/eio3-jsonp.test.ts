import assert from "node:assert/strict";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { framed, LegacyPeer, legacyPath, openPacket } from "../support/engine/legacy-peers.ts";
import { received } from "../support/engine/peers.ts";
import { within } from "../support/waiting/queue.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";
import type { WireResponse } from "../support/wire/client.ts";
import { called, form, formOf } from "../support/wire/jsonp.ts";

const allowEIO3 = true;

onEveryHost("engine: JSONP", engineHosts, (host) => {
  host.it("answers a handshake with a script that calls the callback", async () => {
    await using server = await host.start({ allowEIO3 });
    const { status, body } = await server.client.get(legacyPath(server, "transport=polling&j=0"));
    const { id, transport } = await server.nextSession();
    assert.equal(status, 200);
    assert.equal(body, `___eio[0](${JSON.stringify(`118:${openPacket(id, ["websocket"])}`)});`);
    assert.equal(transport.name, "polling");
  });

  host.it("sends its answers as scripts", async () => {
    await using server = await host.start({ allowEIO3 });
    const { headers, raw } = await server.client.get(legacyPath(server, "transport=polling&j=0"));
    assert.equal(headers["content-type"], "text/javascript; charset=UTF-8");
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["content-length"], String(raw.length));
  });

  for (const [given, used] of [
    ["12", "12"],
    ["1x2", "12"],
    ["", ""],
    ["a]();alert(1);//", "1"],
  ] as const) {
    host.it(`uses only the digits of the index "${given}"`, async () => {
      await using server = await host.start({ allowEIO3 });
      const query = `transport=polling&j=${encodeURIComponent(given)}`;
      const { body } = await server.client.get(legacyPath(server, query));
      assert.ok(body.startsWith(`___eio[${used}]("118:0{`), body);
    });
  }

  host.it("answers with the callback of the handshake, whatever a poll says", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server, "&j=4");
    peer.session.send("a");
    const { body } = await server.client.get(peer.path.replace("j=4", "j=5"));
    assert.equal(body, '___eio[4]("2:4a");');
  });

  host.it("writes text that is safe in a script", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server, "&j=7");
    const text = 'é "quoted" \\ \n \u2028 \u2029 </script> 😀';
    peer.session.send(text);
    const { body } = await peer.poll();
    assert.ok(body.includes("\\u2028 \\u2029"), body);
    assert.ok(!/[\u2028\u2029\n]/.test(body));
    assert.equal(called(body, 7), framed(`4${text}`));
  });

  for (const query of ["&j=0&b64=1", "&j=0"]) {
    host.it(`writes binary as base64, asked with ${query}`, async () => {
      await using server = await host.start({ allowEIO3 });
      const peer = await LegacyPeer.open(server, query);
      peer.session.send(Buffer.from([1, 2, 3, 4]));
      assert.equal((await peer.poll()).body, '___eio[0]("10:b4AQIDBA==");');
    });
  }

  host.it("reads packets from the field d of a form", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server, "&j=0");
    const messages = received(peer.session);
    const { status, headers, body } = await peer.post("d=6%3A4a%2Bb+%C3%A92%3A4c", form);
    assert.deepEqual([status, headers["content-type"], body], [200, "text/html", "ok"]);
    assert.deepEqual(messages, ["a+b é", "c"]);
  });

  for (const [what, message] of [
    ["a newline", "a\nb"],
    ["a backslash and an n", "a\\nb"],
    ["two backslashes and an n", "a\\\\nb"],
    ["newlines of both kinds", "\n\\n\n\\n\n"],
  ] as const) {
    host.it(`takes ${what} as it was`, async () => {
      await using server = await host.start({ allowEIO3 });
      const peer = await LegacyPeer.open(server, "&j=0");
      const messages = received(peer.session);
      const body = formOf(framed(`4${message}`));
      // a browser would write a newline as CR LF: there must be none
      assert.ok(!body.includes("%0A"));
      await peer.post(body, form);
      assert.deepEqual(messages, [message]);
    });
  }

  host.it("accepts base64", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server, "&j=0&b64=1");
    const messages = received(peer.session);
    await peer.post(formOf("10:b4AQIDBA=="), form);
    assert.deepEqual(messages, [Buffer.from([1, 2, 3, 4])]);
  });

  for (const body of ["", "x=2%3A4a", "d=2%3A4a&d=2%3A4b"]) {
    host.it(`answers "${body}" with ok and reads nothing from it`, async () => {
      await using server = await host.start({ allowEIO3 });
      const peer = await LegacyPeer.open(server, "&j=0");
      const messages = received(peer.session);
      assert.equal((await peer.post(body, form)).body, "ok");
      assert.equal((await peer.post(formOf("2:4z"), form)).body, "ok");
      assert.deepEqual(messages, ["z"]);
    });
  }

  host.it("closes the session for a field that is not a payload", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server, "&j=0");
    assert.equal((await peer.post("d=nonsense", form)).body, "ok");
    assert.equal((await server.closed(peer.session)).reason, "parse error");
  });

  host.it("refuses a form that is larger than allowed", async () => {
    await using server = await host.start({ allowEIO3, maxHttpBufferSize: 100 });
    const peer = await LegacyPeer.open(server, "&j=0");
    const response = await peer.post(formOf(framed(`4${"a".repeat(100)}`)), form);
    assert.equal(response.status, 413);
  });

  host.it("answers a poll with a noop and a close in scripts too", async () => {
    await using server = await host.start({ allowEIO3 });
    const closing = await LegacyPeer.open(server, "&j=0");
    const { answer } = await closing.park();
    await closing.post(formOf("1:1"), form);
    assert.equal((await answer).body, '___eio[0]("1:6");');
    const closed = await LegacyPeer.open(server, "&j=0");
    const parkedPoll = await closed.park();
    closed.session.close();
    assert.equal((await parkedPoll.answer).body, '___eio[0]("1:1");');
  });

  host.it("compresses a long script", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server, "&j=0");
    peer.session.send("a".repeat(5_000));
    const { headers, raw } = await peer.poll({ headers: { "accept-encoding": "gzip" } });
    assert.equal(headers["content-encoding"], "gzip");
    assert.ok(raw.length < 200);
  });

  host.it("lets the session upgrade to WebSocket", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server, "&j=0");
    const socket = await peer.probe();
    socket.sendText("5");
    peer.session.send("a");
    assert.equal(await socket.next(), "4a");
  });

  host.it("answers refused requests with plain JSON", async () => {
    await using server = await host.start({ allowEIO3 });
    const response = await server.client.get(legacyPath(server, "transport=polling&j=0&sid=none"));
    assert.equal(response.status, 400);
    assert.equal(response.body, '{"code":1,"message":"Session ID unknown"}');
  });

  host.it("works in protocol 4, too", async () => {
    await using server = await host.start();
    const open = await poll(server, "transport=polling&j=3");
    const session = await server.nextSession();
    assert.equal(called(open.body, 3), openPacket(session.id, ["websocket"]));
    const messages = received(session);
    const path = server.path(`transport=polling&j=3&sid=${session.id}`);
    await server.client.post(path, formOf("4a\x1e4b\nc"), form);
    assert.deepEqual(messages, ["a", "b\nc"]);
    session.send("a");
    session.send(Buffer.from([1, 2, 3, 4]));
    const { body } = await poll(server, `transport=polling&j=3&sid=${session.id}`);
    assert.equal(body, '___eio[3]("4a\\u001ebAQIDBA==");');
  });
});

function poll(server: StartedEngine, query: string): Promise<WireResponse> {
  return within(server.client.get(server.path(query)), "a poll to be answered");
}
