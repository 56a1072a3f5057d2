// Like setting.ts, for `engine.io-client` and an engine without a Socket.IO server.
import type { EngineOptions, Session } from "../../test/support/engine/types.ts";
import { engineOn } from "../../test/support/engine/hosts.ts";
import { next } from "../../test/support/waiting/events.ts";
import { suite } from "../support/after-test.ts";
import { until } from "../../test/support/engine/peers.ts";
import type { StartedEngine } from "../../test/support/engine/started-engine.ts";
import { cell, type Cell } from "../support/cell.ts";
import { load, versionOf } from "../support/installed.ts";
import { cellHosts } from "../support/restartable.ts";
import type { Emitter } from "./client.ts";
import { front, startWorkerEngines } from "../support/workers.ts";
import { closedLater, modes, options, type Mode } from "./setting.ts";

/** A socket of `engine.io-client`. */
export interface EngineClient extends Emitter {
  readonly id: string;
  readonly readyState: string;
  readonly transport: { readonly name: string };
  send(data: string | Buffer | ArrayBuffer): unknown;
  close(): unknown;
}

interface EngineClientModule {
  Socket: new (url: string, options: object) => EngineClient;
}

interface EngineClientVersion {
  readonly version: string;
  readonly module: EngineClientModule;
  readonly protocol: 3 | 4;
  readonly server: EngineOptions;
}

const versions: readonly EngineClientVersion[] = [
  { ...installed("engine.io-client-v3"), protocol: 3, server: { allowEIO3: true } },
  { ...installed("engine.io-client-v4"), protocol: 4, server: {} },
  { ...installed("engine.io-client-v5"), protocol: 4, server: {} },
  { ...installed("engine.io-client"), protocol: 4, server: {} },
];

function installed(name: string): { version: string; module: EngineClientModule } {
  return { version: versionOf(name), module: load<EngineClientModule>(name) };
}

export interface EngineJoined {
  readonly client: EngineClient;
  readonly session: Session;
  /** What each side received, in order. */
  readonly atClient: (string | Buffer)[];
  readonly atServer: (string | Buffer)[];
}

/** One combination of version, transport and host. */
export class EngineSetting {
  readonly version: EngineClientVersion;
  readonly mode: Mode;
  readonly cell: Cell;

  constructor(version: EngineClientVersion, mode: Mode, host: Cell["host"]) {
    this.version = version;
    this.mode = mode;
    this.cell = {
      group: "Official clients",
      part: "engine.io-client",
      version: version.version,
      host,
      transport: mode,
    };
  }

  get transport(): "polling" | "websocket" {
    return this.mode === "polling" ? "polling" : "websocket";
  }

  start(options: EngineOptions = {}): Promise<StartedEngine> {
    if (front !== undefined)
      return startWorkerEngines(this.cell.host, front, { ...this.version.server, ...options });
    return engineOn[this.cell.host].start({ ...this.version.server, ...options });
  }

  open(url: string, further: object = {}): EngineClient {
    return closedLater(new this.version.module.Socket(url, { ...options(this.mode), ...further }));
  }

  /** Connects a client, and resolves with it and its session; with `upgrade`, they can still be on long-polling. */
  async join(server: StartedEngine, url: string = server.url): Promise<EngineJoined> {
    const client = this.open(url);
    const [session] = await Promise.all([server.nextSession(), next(client, "open")]);
    const atClient: (string | Buffer)[] = [];
    const atServer: (string | Buffer)[] = [];
    client.on("message", (data: string | Buffer) => void atClient.push(data));
    session.on("message", (data: string | Buffer) => void atServer.push(data));
    return { client, session, atClient, atServer };
  }

  /** The same, but waits for the final transport. */
  async joinFully(server: StartedEngine, url?: string): Promise<EngineJoined> {
    const joined = await this.join(server, url);
    const { client, session } = joined;
    await until(
      () => session.transport.name === this.transport && client.transport.name === this.transport,
      "the upgrade",
    );
    return joined;
  }
}

/** Declares the tests of a topic for each combination. */
export function onEveryEngineClient(title: string, body: (setting: EngineSetting) => void): void {
  for (const host of cellHosts) {
    for (const version of versions) {
      for (const mode of modes) {
        const setting = new EngineSetting(version, mode, host);
        cell(setting.cell, () => suite(title, () => body(setting)));
      }
    }
  }
}
