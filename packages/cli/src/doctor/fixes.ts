// The lines that repair what the checks find. docs/deployment.md has them in whole configurations.
import type { Fix } from "./finding.ts";

export const HTTP_1_1: readonly Fix[] = [
  { where: "nginx", lines: ["proxy_http_version 1.1;"] },
  {
    where: "HAProxy",
    lines: ["http-check send meth GET uri /socket.io/socket.io.js ver HTTP/1.1 hdr Host localhost"],
  },
  { where: "Apache", lines: ["# remove: SetEnv force-proxy-request-1.0 1"] },
];

export const UPGRADE: readonly Fix[] = [
  {
    where: "nginx",
    lines: [
      "proxy_http_version 1.1;",
      "proxy_set_header Upgrade $http_upgrade;",
      'proxy_set_header Connection "upgrade";',
    ],
  },
  { where: "HAProxy", lines: ["mode http", "# remove: http-request del-header Upgrade"] },
  {
    where: "Apache",
    lines: ["ProxyPass /socket.io/ http://127.0.0.1:3000/socket.io/ upgrade=websocket timeout=60"],
  },
];

export const STICKY: readonly Fix[] = [
  { where: "nginx", lines: ["ip_hash; # in the upstream block"] },
  {
    where: "HAProxy",
    lines: ["cookie SERVERID insert indirect nocache", "server one 127.0.0.1:3000 check cookie one"],
  },
  {
    where: "Apache",
    lines: [
      'Header add Set-Cookie "ROUTE=.%{BALANCER_WORKER_ROUTE}e; path=/" env=BALANCER_ROUTE_CHANGED',
      "ProxySet stickysession=ROUTE",
    ],
  },
  {
    where: "application",
    lines: [
      "npx tidewire start server.js # the workers of one machine need no sticky sessions",
      'io(url, { transports: ["websocket"] }) // or, in the client: no long-polling',
    ],
  },
];

export function longerTimeout(seconds: number): readonly Fix[] {
  return [
    { where: "nginx", lines: [`proxy_read_timeout ${seconds}s;`] },
    {
      where: "HAProxy",
      lines: [`timeout client ${seconds}s`, `timeout server ${seconds}s`, "timeout tunnel 1h"],
    },
    {
      where: "Apache",
      lines: [`ProxyPass /socket.io/ http://127.0.0.1:3000/socket.io/ upgrade=websocket timeout=${seconds}`],
    },
    {
      where: "application",
      lines: ["new Server({ pingInterval: 10_000 }) // less than the timeout of the proxy"],
    },
  ];
}

export const UNBUFFERED: readonly Fix[] = [
  { where: "nginx", lines: ["proxy_buffering off;", "proxy_cache off;"] },
  { where: "HAProxy", lines: ["# remove: option http-buffer-request"] },
  { where: "Apache", lines: ["# remove: SetOutputFilter, CacheEnable"] },
];

export const UNCACHED: readonly Fix[] = [
  { where: "nginx", lines: ["proxy_cache off;"] },
  { where: "HAProxy", lines: ["# remove: http-request cache-use"] },
  { where: "Apache", lines: ["CacheDisable /socket.io/"] },
];

export function largerBodies(bytes: number): readonly Fix[] {
  return [
    { where: "nginx", lines: [`client_max_body_size ${Math.ceil(bytes / 1024 / 1024)}m;`] },
    { where: "Apache", lines: [`LimitRequestBody ${bytes}`] },
  ];
}

export const PATH: readonly Fix[] = [
  {
    where: "nginx",
    lines: ["location /socket.io/ { proxy_pass http://127.0.0.1:3000; } # no path after the port"],
  },
  { where: "HAProxy", lines: ["use_backend tidewire if { path_beg /socket.io/ }"] },
  { where: "Apache", lines: ["ProxyPass /socket.io/ http://127.0.0.1:3000/socket.io/ upgrade=websocket"] },
  {
    where: "application",
    lines: ['new Server({ path: "/socket.io/" }) // the same as the path of the client'],
  },
];

export const FORWARDED: readonly Fix[] = [
  { where: "nginx", lines: ["proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"] },
  { where: "HAProxy", lines: ["option forwardfor"] },
  { where: "Apache", lines: ["ProxyAddHeaders On # the default"] },
];

export const UNTOUCHED_CORS: readonly Fix[] = [
  { where: "nginx", lines: ["# remove: add_header Access-Control-Allow-Origin …"] },
  { where: "HAProxy", lines: ["# remove: http-response add-header Access-Control-Allow-Origin …"] },
  { where: "Apache", lines: ["# remove: Header add Access-Control-Allow-Origin …"] },
];

export function allowOrigin(origin: string): readonly Fix[] {
  return [
    { where: "application", lines: [`new Server({ cors: { origin: "${origin}", credentials: true } })`] },
  ];
}
