import type { internals } from "@tidewire/server";

/** Returns the rooms that the page shows under this name: the text, and the number if it reads as one. */
export function roomsNamed(name: string): readonly internals.InspectedRoom[] {
  const number = Number(name);
  return String(number) === name ? [name, number] : [name];
}
