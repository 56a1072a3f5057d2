/** How many characters of one text are shown. */
const MAX_TEXT = 120;
/** How deep it looks into objects. */
const MAX_DEPTH = 4;
/** How many values it looks at. */
const MAX_VALUES = 40;

/** How many characters one value is shown with. */
const MAX_LENGTH = 800;

/** What one preview may still look at. */
interface Budget {
  values: number;
}

/** Cuts a text that a client may have sent. */
export function short(text: string, length: number = MAX_TEXT): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}

/**
 * Returns values as text that is close to JSON, and short whatever they are: the page gets no more of a large payload, and nothing of
 * the application is called: no getter, and no `toJSON()`.
 */
export function preview(values: readonly unknown[]): string[] {
  const budget: Budget = { values: MAX_VALUES };
  const shown: string[] = [];
  for (const value of values) {
    if (budget.values <= 0) {
      shown.push("…");
      break;
    }
    shown.push(short(show(value, budget, 0), MAX_LENGTH));
  }
  return shown;
}

function show(value: unknown, budget: Budget, depth: number): string {
  budget.values--;
  switch (typeof value) {
    case "string":
      return JSON.stringify(short(value));
    case "function":
      return "ack()";
    case "object":
      return value === null ? "null" : showObject(value, budget, depth);
    case "bigint":
      return short(`${value}n`);
    default:
      return String(value);
  }
}

function showObject(value: object, budget: Budget, depth: number): string {
  try {
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `<${value.byteLength} bytes>`;
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
    if (value instanceof Error) return short(`${value.name}: ${value.message}`);
    if (depth >= MAX_DEPTH) return Array.isArray(value) ? "[…]" : "{…}";
    return Array.isArray(value) ? showArray(value, budget, depth) : showFields(value, budget, depth);
  } catch {
    // A proxy, for example.
    return "{…}";
  }
}

function showArray(list: readonly unknown[], budget: Budget, depth: number): string {
  const parts: string[] = [];
  for (const value of list) {
    if (budget.values <= 0) {
      parts.push(`… ${list.length - parts.length} more`);
      break;
    }
    parts.push(show(value, budget, depth + 1));
  }
  return `[${parts.join(", ")}]`;
}

function showFields(value: object, budget: Budget, depth: number): string {
  const parts: string[] = [];
  const names = Object.keys(value);
  for (const name of names) {
    if (budget.values <= 0) {
      parts.push(`… ${names.length - parts.length} more`);
      break;
    }
    const field = Object.getOwnPropertyDescriptor(value, name);
    const shown = field !== undefined && "value" in field ? show(field.value, budget, depth + 1) : "(getter)";
    parts.push(`${JSON.stringify(short(name, 60))}: ${shown}`);
  }
  return parts.length === 0 ? "{}" : `{ ${parts.join(", ")} }`;
}
