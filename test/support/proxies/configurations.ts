// Whole configurations around the lines that a test is about.

/** nginx, with these lines in the block of a location, and these in that of `http`. */
export function nginx(location: string, http = ""): (port: number, folder: string) => string {
  return (port, folder) => `
    daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/log;
    events {}
    http {
      access_log off;
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
      uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
      ${http.replaceAll("FOLDER", folder)}
      server {
        listen 127.0.0.1:${port};
        ${location.includes("location") ? location : `location /socket.io/ { ${location} }`}
      }
    }`;
}

/** nginx that passes everything on to these servers, over connections that its clients share. */
export function sharingNginx(servers: string, lines = ""): (port: number, folder: string) => string {
  const location = `location / {
          proxy_pass http://servers;
          proxy_http_version 1.1;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection $connection_upgrade;
          proxy_set_header Host $host;
          proxy_buffering off;
          ${lines}
        }`;
  const http = `map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
      upstream servers { ${servers} }`;
  return nginx(location, http);
}

export const runNginx = (file: string): string[] => ["-e", "stderr", "-c", file];

/** HAProxy with these lines, in front of these servers: the address of each, and its parameters. */
export function haproxy(lines: string, servers: readonly string[]): (port: number) => string {
  return (port) => `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s

listen web
  bind 127.0.0.1:${port}
${lines.trim().replaceAll(/^ */gm, "  ")}
${servers.map((server, index) => `  server s${index} ${server}`).join("\n")}
`;
}

export const runHaproxy = (file: string): string[] => ["-db", "-f", file];

/** Apache with these lines. */
export function apache(lines: string): (port: number, folder: string) => string {
  const modules = ["mpm_event", "authz_core", "proxy", "proxy_http"];
  return (port, folder) => `
    ServerRoot ${folder}
    ServerName localhost
    PidFile ${folder}/pid
    DefaultRuntimeDir ${folder}
    ErrorLog ${folder}/log
    Listen 127.0.0.1:${port}
    ${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
    ${process.getuid?.() === 0 ? "User www-data\nGroup www-data" : ""}
    ${lines}
`;
}

export const runApache = (file: string): string[] => ["-X", "-f", file];
