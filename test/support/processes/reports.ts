import type { Server } from "@tidewire/server";

/** Says to the process of the test what happens, while that listens. */
export function report(event: string, detail?: unknown): void {
  if (process.connected) process.send?.({ event, detail });
}

/** Reports what the cluster of a server emits. */
export function reportCluster({ cluster }: Server): void {
  cluster!.on("join", ({ id }) => report("join", id));
  cluster!.on("leave", ({ id }) => report("leave", id));
  cluster!.on("away", (error) => report("away", error.code));
  cluster!.on("back", (code) => report("back", code));
  cluster!.on("refused", ({ address, error }) => report("refused", `${address} ${error.message}`));
  cluster!.on("gap", (gap) => report("gap", gap));
  cluster!.once("ready", () => report("ready", cluster!.nodes[0]!.id));
}
