type Closer = () => unknown;
const closers: Closer[] = [];

/** Runs `close` after the present test, the latest registered first. */
export function afterThisTest(close: Closer): void {
  closers.push(close);
}

export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

/** `describe` that closes after every test what the test opened. */
export function suite(title: string, body: () => void): void {
  describe(title, () => {
    afterEach(closeAll);
    body();
  });
}

/** `describe` whose tests share what they open: it is closed after the last of them. */
export function sharingSuite(title: string, body: () => void): void {
  describe(title, () => {
    after(closeAll);
    body();
  });
}
