/** The environment variable by which a supervisor hands its settings to a worker. The worker deletes it: its own children are no workers. */
export const SETTINGS = "TIDEWIRE_SUPERVISOR";

export interface WorkerSettings {
  /** Where the workers of one supervisor find each other. */
  readonly folder: string;
  /** The arguments of node that load the worker's side. They are the last ones. */
  readonly preload: readonly string[];
}

export function writeSettings(settings: WorkerSettings): string {
  return JSON.stringify(settings);
}

export function readSettings(text: string): WorkerSettings {
  return JSON.parse(text) as WorkerSettings;
}
