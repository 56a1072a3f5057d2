/** Makes the members of its class the object's own: they stay when it is given another prototype. */
export function keepMembers(view: object): void {
  const { constructor: _, ...members } = Object.getOwnPropertyDescriptors(
    Object.getPrototypeOf(view) as Record<string, unknown>,
  );
  Object.defineProperties(view, members);
}
