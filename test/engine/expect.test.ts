import assert from "node:assert/strict";
import { connect } from "node:net";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { PollingPeer } from "../support/engine/peers.ts";
import { Queue } from "../support/waiting/queue.ts";

/** One connection; what the server writes on it, read by read. */
class Connection implements Disposable {
  readonly #reads = new Queue<string>("an answer");
  readonly #socket;

  constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1" });
    this.#socket.on("error", () => {}).on("data", (chunk: Buffer) => this.#reads.push(chunk.toString()));
  }

  /** Writes these bytes and waits for what comes next. */
  ask(bytes: string): Promise<string> {
    this.#socket.write(bytes);
    return this.#reads.next();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

onEveryHost("engine: a POST that waits for 100 Continue", engineHosts, (host) => {
  for (const spelling of ["100-continue", "100-Continue", "100-CONTINUE"]) {
    const head = (path: string, length: string): string =>
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nExpect: ${spelling}\r\n` +
      `Content-Type: text/plain\r\n${length}\r\n\r\n`;

    host.it(`gets 100 Continue when it says ${spelling}`, { needs: "tcp" }, async () => {
      await using server = await host.start();
      const peer = await PollingPeer.open(server);
      const messages = new Queue<string>("a message");
      peer.session.on("message", (data: string) => messages.push(data));
      using connection = new Connection(server.port);
      for (const text of ["one", "two"]) {
        assert.equal(await connection.ask(head(peer.path, "Content-Length: 4")), CONTINUE);
        const answer = await connection.ask(`4${text}`);
        assert.match(
          answer,
          /^HTTP\/1\.1 200 OK\r\n(?:[^]*\r\n)?Content-Type: text\/html\r\n[^]*\r\n\r\nok$/,
        );
        assert.equal(await messages.next(), text);
      }
    });

    host.it(`gets 100 Continue before its chunks when it says ${spelling}`, { needs: "tcp" }, async () => {
      await using server = await host.start();
      const peer = await PollingPeer.open(server);
      using connection = new Connection(server.port);
      assert.equal(await connection.ask(head(peer.path, "Transfer-Encoding: chunked")), CONTINUE);
      const answer = await connection.ask("2\r\n4x\r\n0\r\n\r\n");
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n(?:[^]*\r\n)?Content-Type: text\/html\r\n/);
    });

    host.it(`is refused with its status when it says ${spelling}`, { needs: "tcp" }, async () => {
      await using server = await host.start();
      using connection = new Connection(server.port);
      const path = server.path("transport=polling&sid=nobody");
      const answer = await connection.ask(head(path, "Content-Length: 2"));
      const rest = answer === CONTINUE ? await connection.ask("4x") : answer.slice(CONTINUE.length);
      assert.match(rest, /^HTTP\/1\.1 400 Bad Request\r\n[^]*\{"code":1,"message":"Session ID unknown"\}$/);
    });
  }
});
