export function findChromium(): string | undefined;
export function whyNoChromium(): string;
