import { scenariosOf } from "./scenario.ts";
import type { Misdeed, Run } from "./scenario.ts";
import { exchange } from "../support/wire/network-client.ts";

const scenario = scenariosOf(import.meta.url);

/** Headers that define the end of the body twice or not at all, and the body. */
const ambiguous: Record<string, [headers: string, body: string]> = {
  "with two lengths": ["Content-Length: 2\r\nContent-Length: 5", "4x"],
  "with the same length twice": ["Content-Length: 2\r\nContent-Length: 2", "4x"],
  "with an empty length": ["Content-Length:", ""],
  "with an empty length and another one": ["Content-Length:\r\nContent-Length: 2", "4x"],
  "with a sign in its length": ["Content-Length: +2", "4x"],
  "with a list of lengths": ["Content-Length: 2, 2", "4x"],
  "with a coding whose name ends with chunked": ["Transfer-Encoding: xchunked", "2\r\n4x\r\n0\r\n\r\n"],
  "with chunked and another coding": ["Transfer-Encoding: chunked, identity", "2\r\n4x\r\n0\r\n\r\n"],
  "with chunked and another coding in two headers": [
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "2\r\n4x\r\n0\r\n\r\n",
  ],
  "with chunked twice": ["Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "2\r\n4x\r\n0\r\n\r\n"],
  "with chunked and a length": ["Transfer-Encoding: chunked\r\nContent-Length: 2", "2\r\n4x\r\n0\r\n\r\n"],
  "with chunked and an empty length": [
    "Content-Length:\r\nTransfer-Encoding: chunked",
    "2\r\n4x\r\n0\r\n\r\n",
  ],
};

/** The statuses of all responses until the server closes the connection. */
async function statuses(port: number, bytes: string): Promise<string> {
  const answers = await exchange(port, bytes);
  return [...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]).join(", ");
}

/** Sends the bytes, followed by those that `behind` returns. */
function framed(
  start: (run: Run) => Promise<string>,
  headers: string,
  body: string,
  behind: (run: Run) => string = () => "",
): Misdeed {
  return async (run) => {
    const line = await start(run);
    const head = `${line} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n${headers}\r\n\r\n`;
    return (await statuses(run.server.port, head + body + behind(run))) || "its connection is closed";
  };
}

const post = async (run: Run): Promise<string> => `POST ${(await run.polling()).path}`;

const handshake = ({ server }: Run): string =>
  `GET ${server.path("transport=polling")} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

const variantsOf = (
  start: (run: Run) => Promise<string>,
  behind?: (run: Run) => string,
  names: string[] = Object.keys(ambiguous),
): Record<string, Misdeed> =>
  Object.fromEntries(names.map((name) => [name, framed(start, ...ambiguous[name]!, behind)]));

scenario("posts a body whose end is ambiguous", variantsOf(post), { needs: "tcp" });

/** uWebSockets.js answers these itself, whatever follows. */
const refusedByUws = ["with chunked and a length", "with a sign in its length", "with a list of lengths"];

scenario(
  "hides a request behind such a body",
  variantsOf(
    post,
    handshake,
    Object.keys(ambiguous).filter((name) => !refusedByUws.includes(name)),
  ),
  { needs: "tcp" },
);

scenario(
  "sends such a body with a poll",
  variantsOf(
    async (run) => `GET ${(await run.polling()).path}`,
    undefined,
    Object.keys(ambiguous).filter((name) => !name.includes("an empty length")),
  ),
  { needs: "tcp" },
);

scenario(
  "sends such a body with a handshake",
  variantsOf(({ server }) => Promise.resolve(`GET ${server.path("transport=polling")}`)),
  { needs: "tcp" },
);

scenario(
  "sends such a body with a WebSocket handshake",
  Object.fromEntries(
    Object.entries(ambiguous).map(([name, [headers, body]]) => [
      name,
      framed(
        ({ server }) => Promise.resolve(`GET ${server.path("transport=websocket")}`),
        [
          "Connection: Upgrade",
          "Upgrade: websocket",
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
          "Sec-WebSocket-Version: 13",
          headers,
        ].join("\r\n"),
        body,
      ),
    ]),
  ),
  { needs: "tcp" },
);

scenario(
  "sends such a body to another path",
  variantsOf(
    () => Promise.resolve("POST /elsewhere"),
    undefined,
    // node:http leaves this one to the application
    Object.keys(ambiguous).filter((name) => name !== "with a coding whose name ends with chunked"),
  ),
  { needs: "tcp" },
);

const goodbye = "GET /elsewhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

scenario(
  "sends a request after a chunked body",
  framed(post, "Transfer-Encoding: chunked", "2\r\n4x\r\n0\r\n\r\n", () => goodbye),
  { needs: "tcp" },
);
