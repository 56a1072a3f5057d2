// The configurations on the guide pages that no proxy reads: manifests of Kubernetes, units of systemd, and parts of package.json.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { readStartOptions } from "../../packages/cli/src/commands/start-options.ts";
import { blocksOf, scriptsOf } from "./support/blocks.ts";
import { wordsOf } from "./support/commands.ts";

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

describe("the parts of package.json in docs", () => {
  const versionIn = (path: string): string =>
    (JSON.parse(readFileSync(join(root, path), "utf8")) as { version: string }).version;

  for (const page of ["install", "frameworks"]) {
    it(`give other packages the same server: docs/${page}.md`, () => {
      const [code] = codesIn(page, "json") as [string];
      const { dependencies, overrides } = JSON.parse(code) as Record<string, Record<string, string>>;
      assert.equal(
        dependencies!["socket.io"],
        `npm:@tidewire/server@^${versionIn("packages/server/package.json")}`,
      );
      assert.deepEqual(overrides, { "socket.io": "$socket.io" });
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
