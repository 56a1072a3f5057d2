import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, IncomingMessage } from "node:http";
import type { ServerOptions } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { NodeRequest } from "../src/host/node/request.ts";

/** Each of them twice: Node joins some, and keeps the first of others. */
const TWICE = [
  "age authorization constructor content-type cookie etag expires from if-modified-since if-unmodified-since last-modified",
  "location max-forwards proxy-authorization referer retry-after server set-cookie user-agent x-other",
]
  .join(" ")
  .split(" ")
  .flatMap((name) => [`${name}: first`, `${name.toUpperCase()}: second`]);

const HEAD = [
  "GET /path?a=1 HTTP/1.1",
  "Host: example.com",
  "X-Twice: 1",
  "x-twice: 2",
  ...TWICE,
  "Connection: Upgrade",
  "Upgrade: websocket",
].join("\r\n");

/** An upgrade request as Node creates it. */
async function upgradeRequest(
  check: (message: IncomingMessage) => void,
  options: ServerOptions = {},
): Promise<void> {
  const server = createServer(options).listen(0);
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port);
  client.write(`${HEAD}\r\n\r\n`);
  const [message] = (await once(server, "upgrade")) as [IncomingMessage];
  try {
    check(message);
  } finally {
    client.destroy();
    message.socket.destroy();
    server.close();
    await once(server, "close");
  }
}

const fieldsOf = (message: IncomingMessage): object => {
  const { method, url, headers, rawHeaders, httpVersion, httpVersionMajor, httpVersionMinor } = message;
  const { socket, complete, aborted, headersDistinct } = message;
  const version = { httpVersion, httpVersionMajor, httpVersionMinor };
  return { method, url, headers, headersDistinct, rawHeaders, version, socket, complete, aborted };
};

describe("a request of node:http", () => {
  for (const joinDuplicateHeaders of [false, true]) {
    it(`that nobody has seen is created again as it was, once; joinDuplicateHeaders: ${joinDuplicateHeaders}`, () =>
      upgradeRequest(
        (message) => {
          const before = fieldsOf(message);
          const request = new NodeRequest(message);
          request.condense();
          const { message: restored } = request;
          assert.notEqual(restored, message);
          assert.ok(restored instanceof IncomingMessage);
          assert.deepEqual(fieldsOf(restored), before);
          request.condense();
          assert.equal(request.message, restored);
        },
        { joinDuplicateHeaders },
      ));
  }

  it("that somebody has seen is kept", () =>
    upgradeRequest((message) => {
      const request = new NodeRequest(message);
      assert.equal(request.message, message);
      request.condense();
      assert.equal(request.message, message);
    }));

  it("has its headers, condensed or not", () =>
    upgradeRequest((message) => {
      const request = new NodeRequest(message);
      assert.equal(request.header("x-twice"), "1, 2");
      request.condense();
      assert.equal(request.header("x-twice"), "1, 2");
      assert.equal(request.headers["cookie"], "first; second");
      assert.equal(request.header("none"), undefined);
    }));
});
