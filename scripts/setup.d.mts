export function findChromium(): string | undefined;
export function findRedis(): string | undefined;
export function findNats(): string | undefined;
export function findPostgres(): string | undefined;
export function findProxy(name: "nginx" | "HAProxy" | "Apache" | "Caddy"): string | undefined;
export function findPythonClient(): string | undefined;
export function whyNoChromium(): string;
export function whyMissing(
  name:
    | "Chromium"
    | "openssl"
    | "Redis"
    | "NATS"
    | "PostgreSQL"
    | "the Python client"
    | "nginx"
    | "HAProxy"
    | "Apache"
    | "Caddy"
    | "other versions of Node and TypeScript",
): string;
