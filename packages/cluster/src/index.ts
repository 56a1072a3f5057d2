export type { NodeId } from "./node-id.ts";
