const whole = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const one = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});

export function count(value) {
  return value < 100_000 ? whole.format(value) : compact.format(value);
}

/** Per second. */
export function rate(value) {
  return value < 100 ? one.format(value) : count(Math.round(value));
}

export function bytes(value) {
  if (value < 1000) return `${Math.round(value)} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let amount = value;
  let unit = -1;
  while (amount >= 1000 && unit < units.length - 1) {
    amount /= 1000;
    unit++;
  }
  return `${amount < 100 ? one.format(amount) : Math.round(amount)} ${units[unit]}`;
}

export function ms(value) {
  if (value === undefined || value === null) return "–";
  return value < 100 ? `${one.format(value)} ms` : duration(value);
}

/** An address of IPv4 in its own form. */
export function address(text) {
  return text.replace(/^::ffff:(?=[\d.]+$)/, "");
}

/** A span of time, short. */
export function duration(value) {
  if (value < 1000) return `${Math.round(value)} ms`;
  const seconds = Math.floor(value / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The time of day, with milliseconds. */
export function time(at) {
  return `${clock.format(at)}.${String(at % 1000).padStart(3, "0")}`;
}

const transports = { polling: "Long-polling", websocket: "WebSocket", webtransport: "WebTransport" };

export function transport(name) {
  return transports[name] ?? name;
}
