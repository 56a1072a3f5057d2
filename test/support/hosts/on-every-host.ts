/** What a test may need that not every host has. */
export type Capability =
  /** A port: raw TCP, resets, paused readers. */
  | "tcp"
  /** Headers whose first and last bytes are not ASCII. */
  | "edges"
  /** A WebSocket library that insists on masked frames. */
  | "masks"
  /** A queue of messages that wait for the application, on hosts that cannot pause reading. */
  | "backlog"
  /** A view of the strings and Buffers that the host gets. */
  | "contents";

export interface TestNeeds {
  /** On a host without it the test is pending; its title says why. */
  needs?: Capability;
  /** Milliseconds, when the default is too short. */
  timeout?: number;
}

type Body = () => Promise<void> | void;

/** One way to run an engine or a server. */
export interface HostDefinition<Started, Options> {
  readonly name: string;
  /** Why a capability is missing here. */
  readonly gaps: Readonly<Partial<Record<Capability, string>>>;
  /** Starts an engine or a server, which closes itself: `await using server = await host.start()`. */
  start(options?: Options): Promise<Started>;
}

export interface Host<Started, Options> extends HostDefinition<Started, Options> {
  /** Declares a test. Where the host lacks what it needs, it is pending, and its title says why. */
  it(title: string, body: Body): void;
  it(title: string, needs: TestNeeds, body: Body): void;
}

/** Gives a host the means to declare its tests. */
export function defineHost<D extends HostDefinition<unknown, never>>(
  definition: D,
): D & Pick<Host<unknown, never>, "it"> {
  const { gaps } = definition;
  return {
    ...definition,
    it(title: string, ...rest: [Body] | [TestNeeds, Body]): void {
      const [{ needs, timeout }, body]: [TestNeeds, Body] = rest.length === 1 ? [{}, rest[0]] : rest;
      const gap = needs && gaps[needs];
      // A test without a body is pending.
      const test = gap === undefined ? it(title, async () => body()) : it(`${title} [${gap}]`);
      if (timeout !== undefined) test.timeout(timeout);
    },
  };
}

/** The hosts that this run is about: `HOSTS=uws,node` names them; all without it. */
export function chosen<H extends { readonly name: string }>(hosts: readonly H[]): readonly H[] {
  const names = process.env["HOSTS"]?.split(",");
  return names === undefined ? hosts : hosts.filter(({ name }) => names.includes(name));
}

/** Declares the suite once for each of the hosts; its title ends with the name of the host. */
export function onEveryHost<H extends { readonly name: string }>(
  title: string,
  hosts: readonly H[],
  suite: (host: H) => void,
): void {
  for (const host of chosen(hosts)) {
    describe(`${title} [${host.name}]`, () => suite(host));
  }
}
