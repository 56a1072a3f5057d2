// The configurations on the guide pages that no proxy reads: of Kubernetes, systemd and PM2, and parts of package.json.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { readStartOptions } from "../../packages/cli/src/commands/start-options.ts";
import { freePort } from "../support/hosts/free-port.ts";
import { blocksOf, pages, scriptsOf } from "./support/blocks.ts";
import { commandLinesOf, wordsOf } from "./support/commands.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The blocks of a page in a language. */
const codesIn = (page: string, language: string): string[] =>
  blocksOf(page)
    .filter((block) => block.language === language)
    .map(({ code }) => code);

interface Container {
  readonly ports?: readonly { readonly containerPort: number }[];
  readonly env?: readonly { readonly name: string; readonly valueFrom: { readonly secretKeyRef: object } }[];
  readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly port: number } };
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
}

interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly Container[];
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly selector: unknown;
    readonly template?: { readonly metadata: { readonly labels: unknown }; readonly spec: PodSpec };
    readonly ports?: readonly { readonly port: number; readonly targetPort?: number }[];
    readonly clusterIP?: string;
    readonly publishNotReadyAddresses?: boolean;
  };
}

/** The documents of a block of YAML. */
function documentsOf(code: string): unknown[] {
  return parseAllDocuments(code).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS() as unknown;
  });
}

/** That a pod fits the program that runs in it: its probe, and the time that it has to end. */
function fits({ terminationGracePeriodSeconds, containers }: PodSpec, program: string): void {
  const [container] = containers as [Container];
  const { path, port } = container.readinessProbe.httpGet;
  // The programs with this route, and without any other, are run by test/guides/guide-programs.test.ts, which asks for it.
  assert.equal(path, "/ready");
  assert.match(program, /io\.readiness\(\)/);
  assert.match(program, new RegExp(`\\.listen\\(${port}\\)`));
  const [, within] = /io\.drain\(\{ within: ([\d_]+) \}\)/.exec(program)!;
  const [command, seconds] = container.lifecycle.preStop.exec.command;
  assert.equal(command, "sleep");
  assert.ok(terminationGracePeriodSeconds > Number(seconds) + Number(within!.replaceAll("_", "")) / 1000);
}

describe("the manifests of Kubernetes in docs", () => {
  const [code] = codesIn("deployment", "yaml") as [string];
  const documents = documentsOf(code) as Manifest[];
  const [deployment, service, nodes] = documents as [Manifest, Manifest, Manifest];
  const program = scriptsOf("deployment").find((block) => block.code.includes("dns("))!.code;
  const { template } = deployment.spec;

  it("are a deployment and two services for its pods", () => {
    assert.deepEqual(
      documents.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`),
      ["apps/v1 Deployment", "v1 Service", "v1 Service"],
    );
    const { labels } = template!.metadata;
    assert.deepEqual(deployment.spec.selector, { matchLabels: labels });
    assert.deepEqual([service.spec.selector, nodes.spec.selector], [labels, labels]);
  });

  it("fit the program on the page", () => {
    fits(template!.spec, program);
    const [container] = template!.spec.containers as [Container];
    const ports = container.ports!.map(({ containerPort }) => containerPort);
    assert.equal(service.spec.ports![0]!.targetPort, container.readinessProbe.httpGet.port);
    const [, host, port] = /dns\("([\w-]+):(\d+)"\)/.exec(program)!;
    assert.equal(nodes.metadata.name, host);
    assert.equal(nodes.spec.ports![0]!.port, Number(port));
    assert.match(program, new RegExp(`listen: \\{ port: ${port},`));
    assert.deepEqual(ports, [container.readinessProbe.httpGet.port, Number(port)]);
    assert.deepEqual([nodes.spec.clusterIP, nodes.spec.publishNotReadyAddresses], ["None", true]);
    for (const { name } of container.env!) assert.ok(program.includes(`process.env.${name}`), name);
  });

  it("leave the time to drain", () => {
    const [part] = documentsOf(codesIn("draining", "yaml")[0]!) as [PodSpec];
    fits(part, scriptsOf("draining")[0]!.code);
  });
});

describe("the unit of systemd in docs/deployment.md", () => {
  const [unit] = codesIn("deployment", "ini") as [string];
  const settingOf = (name: string): string => new RegExp(`^${name}=(.*)$`, "m").exec(unit)![1]!;
  const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;

  it(`is valid${hasSystemd ? "" : " [no systemd-analyze found]"}`, hasSystemd ? verify : undefined);

  function verify(): void {
    const folder = mkdtempSync(join(tmpdir(), "tidewire-unit-"));
    try {
      const file = join(folder, "chat.service");
      writeFileSync(file, unit.replaceAll("/srv/chat", root.replace(/\/$/, "")));
      const { status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", file], {
        encoding: "utf8",
      });
      assert.deepEqual([status, stderr], [0, ""]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  it("starts a command that exists, and waits for longer than that takes to end", () => {
    const [program, name, ...args] = wordsOf(settingOf("ExecStart"));
    assert.match(program!, /\/node_modules\/\.bin\/tidewire$/);
    assert.equal(name, "start");
    const { drainTime, stopTimeout } = readStartOptions(args.with(-1, "package.json"), root);
    assert.ok(1000 * Number(settingOf("TimeoutStopSec")) > drainTime + stopTimeout);
    assert.equal(settingOf("ExecReload"), "/bin/kill -HUP $MAINPID");
  });
});

describe("the configuration of PM2 in docs/deployment.md", function () {
  interface App {
    readonly name: string;
    readonly script: string;
    readonly instances: string | number;
    readonly exec_mode: string;
    readonly wait_ready: boolean;
    readonly kill_timeout: number;
  }

  const { code } = blocksOf("deployment").find(({ label }) => label === "ecosystem.config.cjs")!;
  const program = scriptsOf("deployment").find((block) => block.code.includes("process.send("))!.code;

  it("waits for the program on the page", () => {
    const folder = mkdtempSync(join(tmpdir(), "tidewire-pm2-"));
    const file = join(folder, "ecosystem.config.cjs");
    writeFileSync(file, code);
    const { apps } = createRequire(import.meta.url)(file) as { apps: readonly App[] };
    rmSync(folder, { recursive: true });
    const [app] = apps as [App];
    assert.deepEqual([app.exec_mode, app.wait_ready, app.instances], ["cluster", true, "max"]);
    const [, within] = /io\.drain\(\{ within: ([\d_]+) \}\)/.exec(program)!;
    assert.ok(app.kill_timeout > Number(within!.replaceAll("_", "")));
    assert.match(program, /process\.once\("SIGINT"/);
  });

  // It takes twenty seconds, and PM2 is not a dependency: PM2 is the path of its command.
  const pm2 = process.env["PM2"];
  if (pm2 === undefined) return;

  it("starts, reloads and ends the program on the page", async function () {
    this.timeout(180_000);
    const folder = mkdtempSync(join(root, "test/.pm2-"));
    const env = { ...process.env, PM2_HOME: join(folder, "home") };
    const run = (line: string): string => {
      const { status, stdout, stderr } = spawnSync(pm2, line.split(" ").slice(1), {
        cwd: folder,
        env,
        encoding: "utf8",
      });
      assert.equal(status, 0, `${line}: ${stdout}${stderr}`);
      return stdout;
    };
    const pidsOf = (): number[] =>
      (JSON.parse(run("pm2 jlist")) as { pid: number; pm2_env: { status: string } }[])
        .filter(({ pm2_env }) => pm2_env.status === "online")
        .map(({ pid }) => pid);
    try {
      writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
      writeFileSync(join(folder, "server.js"), program.replace("3000", `${await freePort()}`));
      writeFileSync(join(folder, "ecosystem.config.cjs"), code.replace('"max"', "2"));
      const commands = commandLinesOf("deployment").filter((line) => line.startsWith("pm2 "));
      assert.equal(commands.length, 2);
      run(commands[0]!);
      const before = pidsOf();
      run(commands[1]!);
      const after = pidsOf();
      assert.deepEqual([before.length, after.length], [2, 2]);
      assert.ok(after.every((pid) => !before.includes(pid)));
      for (const pid of before) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
    } finally {
      spawnSync(pm2, ["kill"], { cwd: folder, env });
      rmSync(folder, { recursive: true });
    }
  });
});

describe("the parts of package.json in docs", () => {
  const versionIn = (path: string): string =>
    (JSON.parse(readFileSync(join(root, path), "utf8")) as { version: string }).version;

  for (const block of pages.flatMap(blocksOf).filter(({ language }) => language === "json")) {
    it(`give other packages this version of the server: docs/${block.page}.md:${block.line}`, () => {
      const { dependencies, overrides } = JSON.parse(block.code) as {
        readonly dependencies: Readonly<Record<string, string>>;
        readonly overrides?: object;
      };
      for (const [, name, version] of Object.values(dependencies).flatMap((range) => [
        ...range.matchAll(/^npm:@tidewire\/(\w+)@\^(.*)$/g),
      ]))
        assert.equal(version, versionIn(`packages/${name}/package.json`));
      assert.ok("socket.io" in dependencies);
      if (overrides !== undefined) assert.deepEqual(overrides, { "socket.io": "$socket.io" });
    });
  }

  it("name the versions of NestJS that the example has: docs/frameworks.md", () => {
    const { dependencies } = JSON.parse(codesIn("frameworks", "json")[0]!) as {
      dependencies: Record<string, string>;
    };
    const example = JSON.parse(readFileSync(join(root, "examples/nestjs/package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    for (const name of ["@nestjs/platform-socket.io", "@nestjs/websockets"])
      assert.equal(dependencies[name], example.dependencies[name]);
  });
});
