export const oldTsc: string;
export function findNode(major: number | string): string | undefined;
export function findTools(): string | undefined;
export function installTools(): string | undefined;
