// How the types of the package resolve, and what declarations can be made from them, beside the official package.
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { oldTsc } from "../../scripts/tools.mjs";
import { whyMissing } from "../../scripts/setup.mjs";
import { bin, output, pack, root } from "./packed.ts";

/** Types that applications import from files of the official package, by name; the parameters are those that it needs. */
const officialTypes: Readonly<Record<string, readonly string[]>> = {
  "broadcast-operator": ["BroadcastOperator<{}, {}>", "RemoteSocket<{}, {}>"],
  client: ["Client<{}, {}, {}, {}>"],
  namespace: [
    "ExtendedError",
    "NamespaceReservedEventsMap<{}, {}, {}, {}>",
    "ServerReservedEventsMap<{}, {}, {}, {}>",
    "Namespace",
  ],
  "parent-namespace": ["ParentNamespace<{}, {}, {}, {}>"],
  socket: ["Event", "Socket"],
  "socket-types": [
    "DisconnectReason",
    "SocketReservedEventsMap",
    "EventEmitterReservedEventsMap",
    "Handshake",
  ],
  "typed-events": [
    "EventsMap",
    "DefaultEventsMap",
    "EventNames<{ a: () => void }>",
    "EventNamesWithAck<{ a: () => void }>",
    "EventNamesWithoutAck<{ a: () => void }>",
    "RemoveAcknowledgements<{ a: () => void }>",
    "EventNamesWithError<{ a: (done: (error: Error) => void) => void }>",
    'EventParams<{ a: () => void }, "a">',
    "ReservedOrUserEventNames<{}, {}>",
    'ReservedOrUserListener<{ a: () => void }, {}, "a">',
    "TypedEventBroadcaster<{}>",
    "StrictEventEmitter<{}, {}>",
    "Last<[1, 2]>",
    "FirstNonErrorTuple<[Error, 1]>",
    "AllButLast<[1, 2]>",
    "FirstNonErrorArg<(error: Error, value: number) => void>",
    "MultiplyArray<[1, 2]>",
    "DecorateAcknowledgements<{ a: () => void }>",
    "DecorateAcknowledgementsWithTimeoutAndMultipleResponses<{ a: () => void }>",
    "DecorateAcknowledgementsWithMultipleResponses<{ a: () => void }>",
  ],
  index: [
    "Server",
    "Socket",
    "DisconnectReason",
    "ServerOptions",
    "Namespace",
    "BroadcastOperator<{}, {}>",
    "RemoteSocket<{}, {}>",
    "DefaultEventsMap",
    "ExtendedError",
    "Event",
  ],
};

const resolutions = {
  node10: "--module commonjs --moduleResolution node10 --esModuleInterop",
  node16: "--module node16 --moduleResolution node16",
  bundler: "--module esnext --moduleResolution bundler",
} as const;
type Resolution = keyof typeof resolutions;

/** What an application may export without naming its type, so that the compiler has to find a name for it. */
const exported = {
  "a server": "io",
  "a server with types": "typed",
  "its options": "io._opts",
  "its engine": "io.engine",
  "its HTTP server": "io.httpServer",
  "its main namespace": "io.sockets",
  "the adapter": "io.sockets.adapter",
  "the sockets": "io.sockets.sockets",
  "its namespaces": "io._nsps",
  "a namespace": 'io.of("/x")',
  "a namespace with types": 'typed.of("/x")',
  "namespaces by pattern": "typed.of(/x/)",
  "the server of a namespace": "typed.sockets.server",
  "an operator": 'io.to("room")',
  "an operator with types": 'typed.to("room").except("other").volatile',
  "an operator with a timeout": 'typed.timeout(1_000).to("room")',
  "an operator of a namespace": 'typed.of("/x").timeout(1_000).local.compress(true)',
  "remote sockets": "io.fetchSockets()",
  "remote sockets with types": 'typed.in("room").fetchSockets()',
  "a remote socket": "(await io.fetchSockets())[0]!",
  "an operator of a remote socket": "(await typed.fetchSockets())[0]!.timeout(5)",
  "what use() gives": "typed.use((_socket, next) => next())",
  "a middleware": "null! as Parameters<typeof typed.use>[0]",
  "a listener": "(socket: Socket<In, Out, Between, Data>) => socket",
  "a socket's broadcast": "(socket: Socket<In, Out, Between, Data>) => socket.broadcast",
  "a socket's room": '(socket: Socket<In, Out, Between, Data>) => socket.to("room")',
  "a socket with a timeout": "(socket: Socket<In, Out, Between, Data>) => socket.timeout(5)",
  "a volatile socket": "(socket: Socket<In, Out, Between, Data>) => socket.volatile",
  "a handshake": "(socket: Socket) => socket.handshake",
  "a socket's namespace": "(socket: Socket<In, Out, Between, Data>) => socket.nsp",
  "a socket's server": "(socket: Socket<In, Out, Between, Data>) => socket.server",
  "a socket's client": "(socket: Socket<In, Out, Between, Data>) => socket.client",
  "a socket's connection": "(socket: Socket) => socket.conn",
  "a socket's request": "(socket: Socket) => socket.request",
  "a socket's rooms": "(socket: Socket) => socket.rooms",
  "a socket's data": "(socket: Socket<In, Out, Between, Data>) => socket.data",
  answers: '(socket: Socket<In, Out>) => socket.emitWithAck("ask", 1)',
  "answers of many": 'typed.timeout(5).emitWithAck("ask", 1)',
  "answers of servers": 'typed.serverSideEmitWithAck("between")',
  "listeners for any event": "(socket: Socket) => socket.listenersAny()",
  "a class": "class extends Server<In, Out, Between, Data> { own = 1 }",
  "a class of namespaces": "class extends Namespace<In, Out, Between, Data> { own = 1 }",
  "a class of sockets": "class extends Socket<In, Out, Between, Data> { own = 1 }",
  "an object of methods":
    '{ emit: typed.emit, join: (socket: Socket) => socket.join("room"), on: io.on.bind(io), close: () => io.close() }',
} as const;

const prelude = `
import { Server, Namespace, Socket } from "socket.io";
interface In { say: (text: string, done: (length: number) => void) => void }
interface Out { said: (text: string) => void; ask: (a: number, done: (b: string) => void) => void }
interface Between { between: (done: (count: number) => void) => void }
interface Data { name: string }
const io = new Server();
const typed = new Server<In, Out, Between, Data>();
void [io, typed, Namespace, Socket];
`;

/** Folders in which `socket.io` is the package under its alias, and the official one. */
async function folders(): Promise<{ ours: string; official: string }> {
  const { folder } = await pack();
  const [ours, official] = [join(folder, "aliased"), join(folder, "official")];
  for (const each of [ours, official]) mkdirSync(join(each, "node_modules"), { recursive: true });
  const alias = join(ours, "node_modules/socket.io");
  if (!existsSync(alias)) {
    cpSync(join(folder, "node_modules/@tidewire/server"), alias, { recursive: true });
    symlinkSync(join(root, "node_modules/socket.io"), join(official, "node_modules/socket.io"), "dir");
  }
  for (const each of [ours, official]) writeFileSync(join(each, "package.json"), '{ "type": "module" }\n');
  return { ours, official };
}

/** The compiler that still knows the resolution of TypeScript before 4.7: the newest one does not. */
const compilers = { node10: oldTsc, node16: bin("tsc"), bundler: bin("tsc") };

/** Emits declarations, and gives the errors. */
async function compile(
  folder: string,
  files: Readonly<Record<string, string>>,
  resolution: Resolution,
): Promise<string[]> {
  const into = join(folder, resolution);
  mkdirSync(into, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(into, name), text);
  const flags = "--skipLibCheck --declaration --emitDeclarationOnly --outDir out";
  return errors(into, resolution, [...flags.split(" "), ...Object.keys(files)]);
}

/** The errors in declarations that were made of these files. */
async function check(folder: string, files: readonly string[], resolution: Resolution): Promise<string[]> {
  const made = files.map((name) => join("out", name.replace(/\.ts$/, ".d.ts")));
  const found = await errors(join(folder, resolution), resolution, ["--noEmit", ...made]);
  return found.filter((line) => line.startsWith("out"));
}

async function errors(folder: string, resolution: Resolution, args: readonly string[]): Promise<string[]> {
  const flags = `--strict --target es2022 --types node ${resolutions[resolution]}`.split(" ");
  const { stdout } = await output(compilers[resolution], [...flags, ...args], folder);
  return stdout.split("\n").filter((line) => line.includes("error TS"));
}

/** Declares a test, which is left out where its compiler is missing. */
function itFor(resolution: Resolution, title: string, body: () => Promise<void>): void {
  const full = `${title}, with moduleResolution ${resolution}`;
  if (existsSync(compilers[resolution])) it(full, body);
  else it(`${full} [${whyMissing("other versions of Node and TypeScript")}]`);
}

describe("types of the package, installed as socket.io", function () {
  this.timeout(300_000);

  itFor("node10", "resolve from the files of the official package", async () => {
    const { ours, official } = await folders();
    const files = Object.fromEntries(
      Object.entries(officialTypes).map(([file, names]) => {
        const imported = names.map((name) => name.replace(/<.*/, "")).join(", ");
        const uses = names.map((name, index) => `export type T${index} = ${name};`).join("\n");
        return [`from-${file}.ts`, `import type { ${imported} } from "socket.io/dist/${file}";\n${uses}\n`];
      }),
    );
    assert.deepEqual(await compile(official, files, "node10"), []);
    assert.deepEqual(await compile(ours, files, "node10"), []);
  });

  for (const resolution of ["node10", "node16", "bundler"] as const) {
    itFor(resolution, "make declarations of whatever the official types do", async () => {
      const { ours, official } = await folders();
      const files = Object.fromEntries(
        Object.entries(exported).map(([name, expression]) => {
          const isClass = expression.startsWith("class");
          const statement = isClass
            ? `export ${expression.replace("class", "class Own")}`
            : `export const it = ${expression};`;
          const body = expression.includes("await")
            ? `export const it = async () => ${expression};`
            : statement;
          return [`${name.replaceAll(/\W/g, "-")}.ts`, `${prelude}\n${body}\n`];
        }),
      );
      const [expected, actual] = await Promise.all([
        compile(official, files, resolution),
        compile(ours, files, resolution),
      ]);
      const failing = (errors: string[]): Set<string> => new Set(errors.map((line) => line.split("(")[0]!));
      const worse = actual.filter((line) => !failing(expected).has(line.split("(")[0]!));
      assert.deepEqual(worse, []);
      const broken = await check(ours, Object.keys(files), resolution);
      assert.deepEqual(broken, []);
    });
  }
});
