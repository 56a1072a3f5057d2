import assert from "node:assert/strict";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { framed, LegacyPeer } from "../support/engine/legacy-peers.ts";
import { received } from "../support/engine/peers.ts";

const allowEIO3 = true;
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

onEveryHost("engine: long-polling of protocol 3, from the client", engineHosts, (host) => {
  host.it("accepts packets prefixed with their length", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server);
    const messages = received(peer.session);
    const { status, headers, body } = await peer.post("2:4a6:4hello1:43:4€€");
    assert.deepEqual([status, headers["content-type"], body], [200, "text/html", "ok"]);
    assert.deepEqual(messages, ["a", "hello", undefined, "€€"]);
  });

  host.it("counts UTF-16 units, not characters or bytes", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server);
    const messages = received(peer.session);
    assert.equal(framed("4😀é"), "4:4😀é");
    await peer.post("4:4😀é2:4b");
    assert.deepEqual(messages, ["😀é", "b"]);
  });

  host.it("accepts binary as base64 in a text payload", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server);
    const messages = received(peer.session);
    await peer.post("2:4a10:b4AQIDBA==");
    assert.deepEqual(messages, ["a", hex("01020304")]);
  });

  host.it("accepts a binary payload", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server);
    const messages = received(peer.session);
    // text "4€", length 4 in bytes; binary message 01 02 03; text "4", one byte longer than ten
    const { status, body } = await peer.postBinary(
      hex("00 04 ff 34 e2 82 ac  01 04 ff 04 01 02 03  00 01 01 ff 34 61 61 61 61 61 61 61 61 61 61"),
    );
    assert.deepEqual([status, body], [200, "ok"]);
    assert.deepEqual(messages, ["€", hex("010203"), "aaaaaaaaaa"]);
    assert.ok(Buffer.isBuffer(messages[1]));
  });

  host.it("accepts a large binary payload", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server);
    const messages = received(peer.session);
    const data = Buffer.alloc(300_000, "0123456789");
    const digits = Buffer.from(Array.from(String(data.length + 1), Number));
    await peer.postBinary(Buffer.concat([hex("01"), digits, hex("ff 04"), data]));
    assert.deepEqual(messages, [data]);
  });

  host.it("accepts a body without a content type, as XDomainRequest sends it", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server);
    const messages = received(peer.session);
    const { body } = await server.client.request("POST", peer.path, { body: "3:4é!" });
    assert.equal(body, "ok");
    assert.deepEqual(messages, ["é!"]);
  });

  host.it("closes the session on a close packet and answers its poll with a noop", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server);
    const { answer } = await peer.park();
    await peer.post("1:1");
    assert.equal((await answer).body, "1:6");
    assert.equal((await server.closed(peer.session)).reason, "transport close");
  });

  for (const [what, body] of [
    ["an empty body", ""],
    ["no length", "4a"],
    ["a length beyond the end", "9:4a"],
    ["an unknown packet type", "2:9a"],
    ["a payload of protocol 4", "4a\x1e4b"],
  ] as const) {
    host.it(`answers ${what} with ok and closes the session for a parse error`, async () => {
      await using server = await host.start({ allowEIO3 });
      const peer = await LegacyPeer.open(server);
      assert.equal((await peer.post(body)).body, "ok");
      assert.equal((await server.closed(peer.session)).reason, "parse error");
      assert.equal((await peer.poll()).body, '{"code":1,"message":"Session ID unknown"}');
    });
  }

  host.it("delivers what came before a bad packet of the same body, and nothing after it", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server);
    const messages = received(peer.session);
    await peer.post("2:4a2:9x2:4b");
    assert.equal((await server.closed(peer.session)).reason, "parse error");
    assert.deepEqual(messages, ["a"]);
  });

  for (const [what, body] of [
    ["a length that does not end", "01 04"],
    ["a length beyond the end", "01 09 ff 04 01"],
    ["an unknown packet type", "01 02 ff 09 01"],
  ] as const) {
    host.it(`closes the session for ${what} in a binary payload`, async () => {
      await using server = await host.start({ allowEIO3 });
      const peer = await LegacyPeer.open(server);
      assert.equal((await peer.postBinary(hex(body))).body, "ok");
      assert.equal((await server.closed(peer.session)).reason, "parse error");
    });
  }
});

onEveryHost("engine: long-polling of protocol 3, to the client", engineHosts, (host) => {
  host.it("answers a poll with everything queued, in order", async () => {
    await using server = await host.start({ allowEIO3 });
    const { session, ...peer } = await LegacyPeer.open(server);
    for (const text of ["a", "hello", "", "😀é"]) session.send(text);
    const { headers, body } = await server.client.get(
      server.path(`transport=polling&sid=${peer.sid}`).replace("EIO=4", "EIO=3"),
    );
    assert.equal(headers["content-type"], "text/plain; charset=UTF-8");
    assert.equal(body, "2:4a6:4hello1:44:4😀é");
  });

  host.it("answers with a binary payload if it has binary in it", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server);
    peer.session.send("€");
    peer.session.send(hex("01 02 03"));
    const { headers, raw } = await peer.poll();
    assert.equal(headers["content-type"], "application/octet-stream");
    assert.equal(headers["content-length"], "14");
    assert.equal(raw.toString("hex"), "0004ff34e282ac" + "0104ff04010203");
  });

  host.it("returns to text when there is no binary", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server);
    peer.session.send(hex("01"));
    assert.equal((await peer.poll()).raw.toString("hex"), "0102ff0401");
    peer.session.send("a");
    const { headers, body } = await peer.poll();
    assert.equal(headers["content-type"], "text/plain; charset=UTF-8");
    assert.equal(body, "2:4a");
  });

  host.it("answers with base64 if the client asked for it with b64", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server, "&b64=1");
    peer.session.send("€");
    peer.session.send(hex("01020304"));
    const { headers, body } = await peer.poll();
    assert.equal(headers["content-type"], "text/plain; charset=UTF-8");
    assert.equal(body, "2:4€10:b4AQIDBA==");
  });

  host.it("treats an empty b64 as absent", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server, "&b64=");
    peer.session.send(hex("01"));
    assert.equal((await peer.poll()).raw.toString("hex"), "0102ff0401");
  });

  host.it("sends the same binary message to every kind of client", async () => {
    await using server = await host.start({ allowEIO3 });
    const plain = await LegacyPeer.open(server);
    const base64 = await LegacyPeer.open(server, "&b64=1");
    const data = hex("ff00");
    for (const { session } of [plain, base64]) session.send(data);
    assert.equal((await plain.poll()).raw.toString("hex"), "0103ff04ff00");
    assert.equal((await base64.poll()).body, "6:b4/wA=");
  });

  host.it("ends the poll with a close packet when the session is closed", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server);
    const { answer } = await peer.park();
    peer.session.close();
    assert.equal((await answer).body, "1:1");
    assert.equal((await server.closed(peer.session)).reason, "forced close");
  });

  host.it("compresses a long binary answer", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server);
    peer.session.send(Buffer.alloc(2_000));
    const { headers, raw } = await peer.poll({ headers: { "accept-encoding": "gzip" } });
    assert.equal(headers["content-type"], "application/octet-stream");
    assert.equal(headers["content-encoding"], "gzip");
    assert.ok(raw.length < 200);
  });

  for (const agent of [
    "Mozilla/4.0 (compatible;MSIE 8.0; Windows NT 6.1)",
    "Mozilla/5.0 (Trident/7.0; rv:11.0)",
  ]) {
    host.it(`turns off the XSS filter of ${agent}`, async () => {
      await using server = await host.start({ allowEIO3 });
      const peer = await LegacyPeer.open(server);
      const headers = { "user-agent": agent };
      peer.session.send("a");
      assert.equal((await peer.poll({ headers })).headers["x-xss-protection"], "0");
      assert.equal((await peer.post("2:4a", { headers })).headers["x-xss-protection"], "0");
      assert.equal((await peer.post("2:4a")).headers["x-xss-protection"], undefined);
    });
  }
});
